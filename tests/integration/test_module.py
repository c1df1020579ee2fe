"""soyfold as a module of another workflow, which lies elsewhere and has its own config."""

import os
import subprocess
import sys

import pandas as pd
import pytest
import yaml
from parsed_workflow import workflow

OUTER = """\
configfile: "settings/outer.yaml"


module soyfold:
    snakefile:
        "{root}/Snakefile"
    config:
        config["soyfold"]


use rule * from soyfold as soyfold_*


rule strongest_contact:
    default_target: True
    input:
        cim="results/small/contacts/cim.tsv",
    output:
        "strongest.txt",
    shell:
        "cut -f 1 {{input.cim}} | tail -n 1 > {{output}}"


rule all_of_soyfold:
    input:
        rules.soyfold_all.input,
"""


@pytest.fixture(scope="module")
def outer(root, tmp_path_factory, write_small_study):
    """Folder of an outer workflow with a small study; it has no config/ and no resources/."""
    folder = tmp_path_factory.mktemp("outer")
    inner = tmp_path_factory.mktemp("inner") / "soyfold"
    inner.mkdir()
    for name in ("workflow", "resources"):
        (inner / name).symlink_to(root / name)
    write_small_study(inner)
    (inner / "small").rename(folder / "small")
    study = yaml.safe_load((folder / "small/study.yaml").read_text())
    study["chromosomes"] = "resources/chromosomes/soybean_wm82.a2.tsv"  # soyfold's own
    study["contacts"] = "expected"
    (folder / "settings").mkdir()
    (folder / "settings/outer.yaml").write_text(yaml.safe_dump({"soyfold": study, "other": 1}))
    (folder / "Snakefile").write_text(OUTER.format(root=root))
    return folder


def snakemake(folder, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "1", *arguments],
        cwd=folder, text=True, timeout=600, check=False, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env=os.environ | {"SOYFOLD_RESULTS": "results", "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip


def test_every_rule_is_planned_under_its_new_name(outer):
    done = snakemake(outer, "-n", "all_of_soyfold")
    assert done.returncode == 0, done.stdout
    table = done.stdout.partition("Job stats:")[2].partition("\n\n")[0]
    names = {line.split()[0] for line in table.splitlines()[3:] if line.strip()} - {"total"}
    assert {"soyfold_fit_direct", "soyfold_fit_network_seeds", "soyfold_tabulate_trait"} <= names
    assert {name for name in names if not name.startswith("soyfold_")} == {"all_of_soyfold"}


def test_what_rules_share_holds_where_no_profile_is_read(outer):
    rules = [rule for rule in workflow(outer / "Snakefile", outer).rules if rule.script]
    assert len(rules) > 60
    for rule in rules:
        assert rule.name.startswith("soyfold_") and rule.message and rule.conda_env
        assert str(rule.log[0]).startswith("results/small/logs/"), rule.name
        assert str(rule.benchmark).startswith("results/small/benchmarks/"), rule.name
        assert {"mem_mb", "runtime", "gpu", "_cores"} <= set(rule.resources), rule.name


def test_a_target_of_its_own_runs_on_what_soyfold_makes(outer):
    done = snakemake(outer)
    assert done.returncode == 0, done.stdout
    cim = pd.read_csv(outer / "results/small/contacts/cim.tsv", sep="\t", index_col=0)
    assert cim.shape == (20, 20) and (cim.to_numpy() == cim.to_numpy().T).all()
    assert (outer / "strongest.txt").read_text().strip() == cim.index[-1]
    assert not (outer / "resources").exists() and not (outer / "config").exists()


def test_bad_config_is_told_of_without_a_file(outer):
    text = (outer / "Snakefile").read_text()
    text = text.replace('configfile: "settings/outer.yaml"\n', "")
    text = text.replace("/Snakefile", "/workflow/Snakefile")  # either is the same module
    (outer / "bad.smk").write_text(text.replace('config["soyfold"]', '{"study": "x"}'))
    done = snakemake(outer, "-n", "--snakefile", "bad.smk")
    assert done.returncode == 1
    assert "the module's config: found 'chromosomes' missing" in done.stdout, done.stdout
