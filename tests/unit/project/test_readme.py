"""README.md works as it is written: its Python, its example of another species, its commands."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from saved_study import Saver

from soyfold.common.chromosomes import read_chromosomes
from soyfold.common.files import write_table
from soyfold.prediction import load_model

LETTERS = {0: "0/0", 1: "0/1", 2: "1/1", -1: "./."}


def block(text, heading, language, number=0):
    """A code block of one section of a README."""
    section = re.split(rf"(?m)^##+ {re.escape(heading)}\n", text)[1].split("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", section, re.S)[number]


@pytest.fixture(scope="module")
def readme(root):
    return (root / "README.md").read_text(encoding="utf-8")


def write_vcf(path, variants, calls, names):
    """Lines as another file has them: other names, from the last SNP on, odd SNPs turned."""
    head = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]
    rows = ["##fileformat=VCFv4.2", "\t".join([*head, *names])]
    for k in np.arange(len(variants))[::-1]:
        row = variants.iloc[k]
        turned = k % 2
        own = np.where(calls[:, k] < 0, -1, 2 - calls[:, k] if turned else calls[:, k])
        alleles = (row.alt, row.ref) if turned else (row.ref, row.alt)
        place = [row.chromosome.replace("Gm", "Chr"), str(row.position), "."]
        rows.append("\t".join([*place, *alleles, ".", ".", ".", "GT", *(LETTERS[c] for c in own)]))
    path.write_text("\n".join(rows) + "\n")


def test_from_python_runs_as_written(readme, root, tmp_path, monkeypatch):
    code = block(readme, "From Python", "python")
    saver = Saver(tmp_path, root)
    _, _, saved = saver.fit("gblup")
    home = tmp_path / "results/demo/prediction/models/oil"
    home.mkdir(parents=True)
    saved.rename(home / "gblup.npz")
    write_table(pd.DataFrame({"value": [0.5]}), tmp_path / "results/demo/evaluation/scores.tsv")
    (tmp_path / "resources").symlink_to(root / "resources")
    model = load_model(home / "gblup.npz")
    calls = np.random.default_rng(1).integers(0, 3, (12, len(model.variants)), dtype=np.int8)
    calls[3, 5] = -1
    names = [f"new{k}" for k in range(len(calls))]
    write_vcf(tmp_path / "new_lines.vcf", model.variants, calls, names)
    subprocess.run(["gzip", tmp_path / "new_lines.vcf"], check=True)
    monkeypatch.chdir(tmp_path)
    made = {}
    exec(compile(code, "README.md", "exec"), made)
    assert made["scores"].value.tolist() == [0.5]
    filled = np.where(calls < 0, model.variants["most_frequent"].to_numpy(np.int8), calls)
    assert list(made["predicted"].index) == names and list(made["predicted"]) == ["first"]
    np.testing.assert_allclose(made["predicted"], model.predict(filled)[0], rtol=1e-12)
    assert len(code.strip().splitlines()) <= 8


def test_pip_brings_what_it_imports(root):
    """Of third parties, what the modules loaded by these names import, without their extras."""
    code = "import sys; from soyfold.prediction import load_model, predict_file; print(*(m.__file__"
    code += " for n, m in list(sys.modules.items()) if n.startswith('soyfold')))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root / "workflow/scripts", text=True,
        capture_output=True, check=True,
    )  # fmt: skip
    nodes = [
        node for file in done.stdout.split() for node in ast.parse(Path(file).read_text()).body
    ]
    names = {a.name for node in nodes if isinstance(node, ast.Import) for a in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    theirs = {n.split(".")[0] for n in names} - {"soyfold", *sys.stdlib_module_names}
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    brought = {re.match(r"[\w-]+", entry)[0].lower() for entry in project["dependencies"]}
    assert theirs and {{"yaml": "pyyaml"}.get(n, n) for n in theirs} <= brought


@pytest.mark.slow
def test_another_species_is_planned_as_written(readme, root, tmp_path):
    study = block(readme, "Another species", "yaml")
    traits = block(readme, "Another species", "text")
    folder = tmp_path / "maize"
    folder.mkdir()
    (folder / "study.yaml").write_text(study)
    (folder / "traits.tsv").write_text(traits.split("\n", 1)[1])
    (tmp_path / "resources").symlink_to(root / "resources")
    random = np.random.default_rng(0)
    table = read_chromosomes(root / "resources/chromosomes/maize_b73.v5.tsv")
    assert len(table.names) == 10 and sum(table.lengths) == 2_131_846_805
    rows = [
        pd.Series({"chromosome": name, "position": 1000 * k, "ref": "A", "alt": "G"})
        for name in table.names
        for k in range(1, 4)
    ]
    names = [f"B{k:03d}" for k in range(60)]
    calls = random.integers(0, 3, (60, len(rows)))
    write_vcf(folder / "lines.vcf", pd.DataFrame(rows), calls, names)
    subprocess.run(["gzip", folder / "lines.vcf"], check=True)
    values = pd.DataFrame({"line": names, "days": 60 + random.normal(size=60)})
    values.to_csv(folder / "flowering.csv", index=False)
    command = re.search(r"`snakemake (-n --configfile maize/\S+)`", readme)[1].split()
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "-s", root / "Snakefile", *command],
        cwd=tmp_path, text=True, capture_output=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert re.search(r"impute_chromosomes +2\n", done.stdout)


def documents(root):
    """Whatever tells a user of commands."""
    yield from (root / name for name in ("README.md", "config/README.md", "Makefile", "Dockerfile"))
    yield from (root / "docs").rglob("*.md")
    yield from (root / "config").rglob("*.yaml")
    yield from (root / "workflow").rglob("*.py")


def test_targets_stand_before_configfile(root):
    for path in documents(root):
        text = re.sub(r"\\+\n\s*", " ", path.read_text(encoding="utf-8"))
        for found in re.finditer(r"snakemake [^`\n]*?--configfile[ =][^\s`]+([^\n`]*)", text):
            behind = found[1].split()
            assert not behind or behind[0].startswith(("-", "|", '"', "(", "#")), (path, found[0])


def test_each_link_leads_to_something(root):
    """Files, and headings of Markdown, that the READMEs link to."""
    for name in ("README.md", "config/README.md"):
        text = (root / name).read_text(encoding="utf-8")
        for link in re.findall(r"\]\(([^)\s]+)\)", text):
            if link.startswith("http"):
                continue
            file, _, anchor = link.partition("#")
            target = (root / name).parent / file if file else root / name
            assert target.exists(), (name, link)
            if anchor:
                heads = re.findall(r"(?m)^#+ (.+)$", target.read_text(encoding="utf-8"))
                anchors = {
                    re.sub(r"[^\w\- ]", "", h).strip().lower().replace(" ", "-") for h in heads
                }
                assert anchor in anchors, (name, link)
