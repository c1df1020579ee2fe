"""The simulated demo study: made again to the byte, and holding what its README says."""

import csv
import gzip
import io
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from soyfold.common.chromosomes import read_chromosomes
from soyfold.common.errors import UserError
from soyfold.simulation import Options
from soyfold.simulation.accessions import draw_accessions, draw_strangers
from soyfold.study import settings

DOSAGE = {"0/0": 0, "0/1": 1, "1/1": 2, "./.": -1}


def run_script(folder, root, *options):
    script = root / "workflow" / "scripts" / "simulate_study.py"
    command = [sys.executable, str(script), *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def content(path):
    """Bytes of a file, unzipped: zlib builds differ in how they pack the same content."""
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def key(name):
    """(prefix, number, suffix), written here anew so that it checks the package's own."""
    prefix, number, suffix = re.fullmatch(r"([A-Z]+) ?(\d+) ?(.*)", name).groups()
    return prefix, int(number), suffix


@pytest.fixture(scope="module")
def demo(root):
    return root / "resources" / "demo"


@pytest.fixture(scope="module")
def vcf(demo):
    """Header lines, samples, and records split into fields: read as text, no package code."""
    lines = gzip.decompress((demo / "genotypes.vcf.gz").read_bytes()).decode().splitlines()
    header = [line for line in lines if line.startswith("##")]
    rows = [line.split("\t") for line in lines if not line.startswith("##")]
    return header, rows[0][9:], rows[1:]


@pytest.fixture(scope="module")
def filtered(vcf):
    """What the filters leave, counted by hand: lines, dosages, variant ids, counts removed."""
    _, samples, records = vcf
    on_chromosome = [r for r in records if r[0].startswith("Chr") and "," not in r[4]]
    calls = np.array([[DOSAGE[cell] for cell in r[9:]] for r in on_chromosome]).T
    called = calls >= 0
    outcrossed = (calls == 1).sum(axis=1) / called.sum(axis=1) > 0.10
    poor = ~outcrossed & (called.mean(axis=1) < 0.90)
    kept = ~outcrossed & ~poor
    calls, called = calls[kept], called[kept]
    frequency = np.where(called, calls, 0).sum(axis=0) / (2 * called.sum(axis=0))
    common = np.minimum(frequency, 1 - frequency) >= 0.05
    calls = np.where(called, calls, 2 * frequency)[:, common]
    removed = {"outcrossed": outcrossed.sum(), "poor": poor.sum(), "rare": (~common).sum()}
    lines = [name for name, stays in zip(samples, kept, strict=True) if stays]
    variants = [r for r, stays in zip(on_chromosome, common, strict=True) if stays]
    return lines, calls, variants, removed, 1 - called.mean()


@pytest.fixture(scope="module")
def phenotypes(demo):
    """Observations by key: oil as lists of readings, protein as (evaluation, value)."""
    oil = {}
    with (demo / "phenotypes" / "oil.csv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            oil[key(row["Plant ID"])] = [float(v) for v in row["OIL"].split(";") if v]
    text = (demo / "phenotypes" / "protein.csv").read_text(encoding="utf-8")
    title, comma, table = text.split("\n", 2)
    assert title.startswith("\ufeff") and comma == ","
    protein = {}
    for row in csv.DictReader(io.StringIO(table)):
        name = (row["accession_prefix"], int(row["accession_number"]), row["accession_suffix"])
        value = (row["method_name"], float(row["observation_value"]))
        protein.setdefault(name, []).append(value)
    return {"oil": oil, "protein": protein}


def test_the_command_of_the_readme_makes_the_demo_again(root, demo, tmp_path):
    command = re.search(r"simulate_study\.py (.*)", (demo / "README.md").read_text())[1].split()
    done = run_script(tmp_path, root, *command)
    assert done.returncode == 0, done.stderr
    made = {p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file()}
    embedded = {p.relative_to(root) for p in demo.rglob("*") if p.is_file()}
    embedded -= {(demo / "README.md").relative_to(root)}
    sheets = {p for p in made if p.parts[0] == "config"}
    assert made - sheets == embedded
    assert {p.name for p in sheets} == {"hic.tsv", "hypotheses.tsv", "traits.tsv"}
    for path in sorted(made):
        assert content(tmp_path / path) == content(root / path), path


def test_size_is_under_two_megabytes(demo):
    assert sum(p.stat().st_size for p in demo.rglob("*") if p.is_file()) < 2_000_000


def test_a_study_of_another_size_is_ready_to_run_and_its_bytes_repeat(root, tmp_path, monkeypatch):
    options = ["--out", "mine", "--lines", "40", "--snps", "60", "--pairs", "300", "--seed"]
    for folder, seed in (("a", "5"), ("b", "5"), ("c", "6")):
        (tmp_path / folder).mkdir()
        done = run_script(tmp_path / folder, root, *options, seed)
        assert done.returncode == 0, done.stderr
    files = [p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*") if p.is_file()]
    first, again, other = ([(tmp_path / c / p).read_bytes() for p in files] for c in "abc")
    assert first == again
    assert first != other
    study = yaml.safe_load((tmp_path / "a" / "mine" / "study.yaml").read_text())
    monkeypatch.chdir(tmp_path / "a")
    schemas = root / "workflow" / "schemas"
    study = settings.load_study(study, schemas, file="study.yaml")
    traits = settings.read_sheet(
        study["cohort"]["traits"], schemas / "traits.schema.yaml", key="trait"
    )
    libraries = settings.read_libraries(study, schemas)
    named = [study["chromosomes"], study["genotypes"]["file"]]
    named += [row["file"] for row in (traits | libraries).values()]
    assert all(Path(path).is_file() for path in named)


def test_vcf_has_what_a_real_download_has(vcf, root):
    header, samples, records = vcf
    table = read_chromosomes(root / "resources" / "chromosomes" / "soybean_wm82.a2.tsv")
    declared = {re.search(r"ID=([^,]+)", h)[1] for h in header if h.startswith("##contig")}
    assert set(table.names) <= declared
    names = list(dict.fromkeys(r[0] for r in records))
    assert [table.aliases[name] for name in names[:20]] == table.names
    assert not set(names) & set(table.names)
    assert {"scaffold_21", "mtDNA"} <= set(names[20:]) and not set(names[20:]) & set(table.aliases)
    for name in names:
        positions = [int(r[1]) for r in records if r[0] == name]
        assert positions == sorted(set(positions))
        if name in table.aliases:
            assert 1 <= positions[0] <= positions[-1] <= table.length(table.aliases[name])
    assert len({r[2] for r in records}) == len(records)
    assert len(set(samples)) == len(samples)
    assert {"PI548402", "PI054613", "FC001547", "PI594433A"} <= set(samples)
    several = [r for r in records if "," in r[4]]
    assert several and any("2/2" in r for r in several)


def test_filters_leave_the_lines_and_snps_that_were_asked_for(vcf, filtered):
    _, samples, records = vcf
    lines, calls, variants, removed, missing = filtered
    assert removed == {"outcrossed": 8, "poor": 8, "rare": 80}
    assert (len(samples), len(lines)) == (416, 400)
    assert sum("," in r[4] for r in records) == 6
    assert sum(not r[0].startswith("Chr") for r in records) == 10
    assert (len(records), len(variants)) == (2096, 2000)
    assert missing == pytest.approx(0.03, abs=0.002)
    heterozygous = (calls == 1).sum(axis=1) / calls.shape[1]
    assert heterozygous.max() < 0.05


def test_neighbours_correlate_and_chromosomes_do_not(filtered):
    _, calls, variants, _, _ = filtered
    scaled = (calls - calls.mean(axis=0)) / calls.std(axis=0)
    squared = np.einsum("ij,ij->j", scaled[:, 1:], scaled[:, :-1]) ** 2 / len(calls) ** 2
    same = np.array([a[0] == b[0] for a, b in zip(variants[1:], variants[:-1], strict=True)])
    assert squared[same].mean() > 0.25
    assert squared[~same].mean() < 0.08


def test_phenotypes_lack_lines_and_name_strangers(vcf, phenotypes):
    genotyped = {key(sample) for sample in vcf[1]}
    for observations in phenotypes.values():
        strangers = set(observations) - genotyped
        assert len(genotyped - set(observations)) == 16
        assert len(strangers) == 8
        # Some differ from a genotyped line by the suffix alone: another accession all the same.
        assert strangers & {(p, n, s) for p, n, _ in genotyped for s in ("A", "B", "-1", "-2")}
        assert {p for p, _, _ in strangers} <= {"PI", "FC"}
    assert Counter(map(len, phenotypes["oil"].values())).keys() == {0, 1, 2, 3}
    assert max(map(len, phenotypes["protein"].values())) == 3
    evaluations = {name for rows in phenotypes["protein"].values() for name, _ in rows}
    assert len(evaluations) == 3


def line_values(phenotypes, lines):
    """Mean reading of oil; mean of protein with each evaluation's mean taken off."""
    rows = [
        (k, evaluation, value)
        for k, observations in phenotypes["protein"].items()
        for evaluation, value in observations
    ]
    table = pd.DataFrame(rows, columns=["key", "evaluation", "value"])
    table["value"] -= table.groupby("evaluation")["value"].transform("mean")
    protein = table.groupby("key")["value"].mean().to_dict()
    oil = {k: np.mean(v) for k, v in phenotypes["oil"].items() if v}
    keys = [key(line) for line in lines]
    return {
        "oil": np.array([oil.get(k, np.nan) for k in keys]),
        "protein": np.array([protein.get(k, np.nan) for k in keys]),
    }


def test_traits_look_like_the_collections(phenotypes, filtered):
    values = line_values(phenotypes, filtered[0])
    oil, protein = values["oil"], values["protein"]
    both = ~np.isnan(oil) & ~np.isnan(protein)
    assert np.nanmean(oil) == pytest.approx(19, abs=0.5)
    assert np.nanstd(oil) == pytest.approx(2.0, rel=0.15)
    assert np.nanstd(protein) == pytest.approx(2.8, rel=0.15)
    readings = [v for rows in phenotypes["protein"].values() for _, v in rows]
    assert np.mean(readings) == pytest.approx(42, abs=0.7)
    assert -0.75 < np.corrcoef(oil[both], protein[both])[0, 1] < -0.35


@pytest.mark.parametrize("trait", ["oil", "protein"])
def test_truth_rebuilds_the_traits(trait, demo, filtered, phenotypes):
    lines, calls, variants, _, _ = filtered
    truth = pd.read_csv(demo / "truth.tsv", sep="\t").query("trait == @trait")
    column = {record[2]: k for k, record in enumerate(variants)}
    centred = calls - calls.mean(axis=0)
    part = dict.fromkeys(("additive", "product"), 0.0)
    for term in truth.itertuples():
        value = centred[:, column[term.variant]]
        if term.kind == "product":
            value = value * centred[:, column[term.variant_2]]
        part[term.kind] = part[term.kind] + term.effect * value
    genetic = part["additive"] + part["product"]
    observed = line_values(phenotypes, lines)[trait]
    there = ~np.isnan(observed)
    # sqrt(0.7) = 0.84, a little more for lines with several records, less for lost calls.
    assert 0.75 < np.corrcoef(genetic[there], observed[there])[0, 1] < 0.92
    share = part["product"].var() / (part["product"].var() + part["additive"].var())
    assert share == pytest.approx(0.3, abs=0.05)
    touch = pd.read_csv(demo / "truth.tsv", sep="\t").query("kind == 'touch'")
    pairs = set(zip(touch.chromosome, touch.chromosome_2, strict=True))
    product = truth.query("kind == 'product'")
    assert set(zip(product.chromosome, product.chromosome_2, strict=True)) == pairs


@pytest.mark.parametrize("trait", ["oil", "protein"])
def test_gblup_finds_much_of_it_but_not_all(trait, filtered, phenotypes):
    lines, calls, *_ = filtered
    scaled = (calls - calls.mean(axis=0)) / calls.std(axis=0)
    kinship = scaled @ scaled.T / scaled.shape[1]
    y = line_values(phenotypes, lines)[trait]
    there = np.flatnonzero(~np.isnan(y))
    rng = np.random.default_rng(0)
    found = []
    for _ in range(20):
        order = rng.permutation(there)
        train, test = order[: int(0.7 * len(order))], order[int(0.7 * len(order)) :]
        ridge = kinship[np.ix_(train, train)] + np.eye(len(train))
        weights = np.linalg.solve(ridge, y[train] - y[train].mean())
        found.append(np.corrcoef(kinship[np.ix_(test, train)] @ weights, y[test])[0, 1])
    assert 0.45 < np.mean(found) < 0.70


def test_accessions_are_different_under_the_canonical_key():
    drawn = draw_accessions(3000, np.random.default_rng(3))
    assert len({key(a.sample) for a in drawn}) == len(drawn) == 3000
    assert [key(a.sample) for a in drawn] == [key(a.plant_id) for a in drawn]
    shared = Counter((a.prefix, a.number) for a in drawn)
    assert max(shared.values()) == 2
    strangers = draw_strangers(drawn, 20, np.random.default_rng(4))
    assert len(set(strangers) - set(drawn)) == 20
    assert sum((a.prefix, a.number) in shared for a in strangers) >= 8


@pytest.mark.parametrize(
    ("name", "value"), [("missing", 0.5), ("lines", 3), ("epistasis", 1.2), ("resolution", 10)]
)
def test_impossible_options_are_refused(name, value):
    with pytest.raises(UserError, match=rf"--{name}: found {value}; allowed: "):
        Options(**{name: value})


def test_the_script_says_so_in_one_line(root, tmp_path):
    done = run_script(tmp_path, root, "--out", "x", "--heritability", "2")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and "--heritability: found 2.0" in done.stderr
    assert not (tmp_path / "x").exists()
