"""The cohort's rules on the demo's phenotypes: what reruns, and how bad input ends."""

import gzip
import shutil

import pandas as pd
import pytest

RULES = ["join_trait", "collect_joins", "draw_split"]
STEM = "results/demo"


@pytest.fixture
def cohort(fresh_project, tmp_path):
    """A checkout whose genotypes passed QC, all but five samples."""
    project = type(fresh_project)(tmp_path / "soyfold")
    shutil.copytree(fresh_project.folder, project.folder, ignore=shutil.ignore_patterns("results"))
    with gzip.open(project.folder / "resources/demo/genotypes.vcf.gz", "rt") as lines:
        header = next(line for line in lines if line.startswith("#CHROM"))
    names = header.rstrip("\n").split("\t")[9:]
    folder = project.folder / STEM
    (folder / "genotypes").mkdir(parents=True)
    fam = "".join(f"{name}\t{name}\t0\t0\t0\t-9\n" for name in names[5:])
    (folder / "genotypes/filtered.fam").write_text(fam)
    reason = ["sample missing > 0.1"] * 5 + ["NA"] * (len(names) - 5)
    table = pd.DataFrame({"sample": names, "kept": "yes", "reason": reason})
    table.to_csv(folder / "genotypes/samples.tsv", sep="\t", index=False)
    project.names = names
    return project


def splits(*seeds):
    return [f"{STEM}/cohort/splits/random/seed{seed}.tsv" for seed in seeds]


def run(project, *targets):
    return project.snakemake(*targets, "--allowed-rules", *RULES)


def planned(project, *targets):
    return [path for _, path in project.planned(*targets, "--allowed-rules", *RULES)]


def test_what_reruns(cohort):
    report = f"{STEM}/cohort/join_report.tsv"
    done = run(cohort, report, *splits(0, 1))
    assert done.returncode == 0, done.stdout
    before = [(cohort.folder / path).read_bytes() for path in splits(0, 1)]
    parts = pd.read_csv(cohort.folder / splits(0)[0], sep="\t")
    assert parts["sample"].tolist() == cohort.names[5:]
    joined = pd.read_csv(cohort.folder / report, sep="\t")
    assert set(joined["trait"]) == {"oil", "protein"}
    assert "removed by genotype QC: sample missing > 0.1" in set(joined["why"])

    cohort.edit("config/config.yaml", "seeds: 3", "seeds: 5")
    assert planned(cohort, report, *splits(0, 1)) == []
    assert {path for path in planned(cohort, *splits(0, 1, 4)) if "/lost/" not in path} == set(
        splits(4)
    )
    row = (cohort.folder / "config/traits.tsv").read_text().splitlines()[1]
    cohort.edit("config/traits.tsv", row, f"{row}\n{row.replace('oil', 'again', 1)}")
    changed = planned(cohort, report, *splits(0, 1))
    assert {path.removeprefix(f"{STEM}/cohort/") for path in changed} == {
        "phenotypes/again.tsv",
        "joins/again.tsv",
        "join_report.tsv",
        "join_counts.tsv",
    }
    assert [(cohort.folder / path).read_bytes() for path in splits(0, 1)] == before


def test_text_in_the_phenotypes_is_told_before_the_first_job(cohort):
    path = cohort.folder / "resources/demo/phenotypes/oil.csv"
    lines = path.read_text().splitlines()
    lines[4] = lines[4].rsplit(",", 1)[0] + ",high"
    path.write_text("\n".join(lines) + "\n")
    done = run(cohort, f"{STEM}/cohort/phenotypes/oil.tsv", "-n")
    assert done.returncode == 1
    expected = "oil.csv, line 5, column 'OIL': found 'high'"
    assert expected in done.stdout
    assert "Traceback" not in done.stdout
    assert not list((cohort.folder / STEM).rglob("*oil*"))


def test_splits_that_name_unknown_samples(cohort):
    seeds = {f"seed{k}": "train" for k in range(3)}
    table = pd.DataFrame({"strain": ["nobody", *cohort.names], **seeds})
    table.to_csv(cohort.folder / "config/splits.tsv", sep="\t", index=False)
    cohort.edit("config/config.yaml", "scheme: random", "scheme: given\n  file: config/splits.tsv")
    done = run(cohort, f"{STEM}/cohort/splits/given/seed0.tsv")
    assert done.returncode == 1
    assert (
        "config/splits.tsv, line 2: found samples that the genotypes don't have: 1 ('nobody')"
        in done.stdout
    )
    assert not (cohort.folder / STEM / "cohort").exists() or not list(
        (cohort.folder / STEM / "cohort").rglob("*.tsv")
    )
