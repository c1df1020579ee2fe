"""Line effects, joins and splits of real studies; skipped aloud where the data are absent."""

import gzip
import re

import pandas as pd
import pytest
from cohort_files import PREFIXES, sample_table, trait_row

from soyfold.cohort.joins import count_joins, read_id_map
from soyfold.cohort.splits.given import given_split
from soyfold.cohort.traits import join_trait
from soyfold.common.files import read_table

pytestmark = pytest.mark.real_data
MAPPED_NOWHERE = "the id map names no sample of the genotypes"


def vcf_samples(path):
    with gzip.open(path, "rt") as lines:
        header = next(line for line in lines if line.startswith("#CHROM"))
    return header.rstrip("\n").split("\t")[9:]


@pytest.fixture(scope="module")
def soynam(real_data):
    return real_data / "soynam", vcf_samples(real_data / "soynam/genotypes.vcf.gz")


@pytest.fixture(scope="module")
def grin(real_data):
    return real_data / "grin", vcf_samples(real_data / "grin/two_snps_18263_accessions.vcf.gz")


def join(row, samples, id_map=None):
    values, report = join_trait(
        row,
        sample_table(samples),
        prefixes=PREFIXES,
        id_map=read_id_map(id_map, PREFIXES),
        minimum_lines=30,
    )
    counts = count_joins(report)
    return values, report, counts.set_index(["status", "why"])["count"].to_dict()


@pytest.mark.parametrize("trait", ["protein", "oil"])
def test_soynam_line_effects(soynam, trait):
    """Our effects use the checks too; the table's use the lines alone, hence not all to 0.02."""
    folder, samples = soynam
    row = trait_row(
        folder / "plots.csv.gz", "plots", value=trait, identity="strain", environment="environment"
    )
    values, report, counts = join(row, samples, folder / "check_id_map.tsv")
    blues = read_table(folder / "blues.tsv").set_index("strain")
    ours = values.set_index("sample")
    both = ours.index.intersection(blues.index)
    assert len(both) == 5544
    difference = (ours["value"] - blues[f"{trait}_blue"])[both].abs()
    assert (difference <= 0.02).mean() >= 0.99
    assert (ours.loc[both, "records"] == blues.loc[both, f"{trait}_n"]).all()
    assert counts == {
        ("matched", "by the same id"): 5544,
        ("matched", "by the id map"): 40,
        ("genotype_only", "no phenotype record"): 6,
        ("phenotype_only", MAPPED_NOWHERE): 5,
        ("phenotype_only", "not in the genotypes"): 2,
    }
    lost = report[report["why"] == "not in the genotypes"]
    assert set(lost["phenotype_id"]) == {"DS11-28267", "DS11-36138"}
    unlisted = report[report["why"] == MAPPED_NOWHERE]
    table = read_table(folder / "check_id_map.tsv", dtype=str)
    expected = table.loc[table["sample_in_vcf"] == "NOT_GENOTYPED", "check_name_in_phenotypes"]
    assert sorted(unlisted["phenotype_id"]) == sorted(expected)


def test_soynam_line_effects_from_lines_alone_equal_the_table(soynam, tmp_path):
    folder, samples = soynam
    plots = pd.read_csv(folder / "plots.csv.gz", dtype=str)
    plots[plots["entry_type"] == "line"].to_csv(tmp_path / "lines.csv", index=False)
    row = trait_row(
        tmp_path / "lines.csv", "plots", value="oil", identity="strain", environment="environment"
    )
    values, _, _ = join(row, samples)
    blues = read_table(folder / "blues.tsv").set_index("strain")["oil_blue"]
    difference = values.set_index("sample")["value"] - blues
    assert difference.abs().max() < 1e-5


def test_grin_table_of_the_same_accessions(grin):
    folder, samples = grin
    row = trait_row(folder / "protein_scn.csv", identity="acid")
    values, report, counts = join(row, samples)
    assert counts == {
        ("matched", "by the same id"): 15878,
        ("genotype_only", "no value"): 2385,
    }
    table = pd.read_csv(folder / "protein_scn.csv").set_index("acid")["protein"].dropna()
    pd.testing.assert_series_equal(
        values.set_index("sample")["value"].sort_index(), table.sort_index(), check_names=False
    )
    assert len(report) == 18263


@pytest.mark.parametrize("trait", ["protein", "oil"])
def test_grin_wide_table_counts_every_loss(grin, trait):
    folder, samples = grin
    row = trait_row(folder / "traits.csv.gz", value=trait, identity="acid")
    values, report, counts = join(row, samples)
    table = pd.read_csv(folder / "traits.csv.gz").set_index("acid")[trait]
    # An independent join: without blanks and without zeros before the number.
    plain = {re.sub(r"^(PI|FC)0*", r"\1", name): name for name in samples}
    ids = {name: plain.get(re.sub(r"^(PI|FC)0*", r"\1", name)) for name in table.index}
    found = [name for name, sample in ids.items() if sample]
    assert counts == {
        ("matched", "by the same id"): table[found].notna().sum(),
        ("genotype_only", "no value"): table[found].isna().sum(),
        ("genotype_only", "no phenotype record"): len(samples) - len(found),
        ("phenotype_only", "not in the genotypes"): table.drop(found).notna().sum(),
        ("phenotype_only", "no value"): table.drop(found).isna().sum(),
    }
    assert report["phenotype_id"].dropna().is_unique
    assert report["phenotype_id"].notna().sum() == len(table) == 20506
    assert (values["records"] == 1).all()


def test_grin_accessions_that_share_a_number_are_never_merged(grin):
    folder, samples = grin
    base = pd.Series(samples).str.extract(r"^([A-Z]+[0-9]+)")[0]
    shared = base.duplicated(keep=False).to_numpy()
    assert shared.sum() == 5196
    row = trait_row(folder / "protein_scn.csv", identity="acid")
    _, report, _ = join(row, samples)
    pairs = report.dropna(subset=["sample", "phenotype_id"])
    assert (pairs["sample"] == pairs["phenotype_id"]).all()
    assert set(pd.Series(samples)[shared]) <= set(pairs["sample"])
    assert not (report["status"] == "ambiguous").any()


def test_yeast_thirty_traits(real_data):
    folder = real_data / "yeast"
    with gzip.open(folder / "genotypes.txt.gz", "rt") as lines:
        samples = next(lines).rstrip("\n").split("\t")[1:]
    table = pd.read_csv(folder / "phenotypes.tsv.gz", sep="\t", index_col=0)
    assert table.shape == (1008, 30)
    for trait in table.columns:
        row = trait_row(folder / "phenotypes.tsv.gz", value=trait)
        values, report, counts = join(row, samples)
        expected = table[trait].dropna()
        assert len(report) == 1008
        assert counts[("matched", "by the same id")] == len(expected)
        assert counts.get(("genotype_only", "no value"), 0) == table[trait].isna().sum()
        pd.testing.assert_series_equal(
            values.set_index("sample")["value"].sort_index(),
            expected.sort_index(),
            check_names=False,
        )


def test_soynam_given_splits(soynam):
    folder, samples = soynam
    table = read_table(folder / "splits.tsv", dtype=str)
    removed = table.iloc[:4, 0].tolist()
    kept = [name for name in samples if name not in removed]
    for seed in range(10):
        parts, losses = given_split(
            table, sample_table(kept, removed), seed=seed, file="splits.tsv"
        )
        assert len(parts) == 5314 - 4
        expected = table.set_index("strain")[f"seed{seed}"].drop(removed)
        assert parts.set_index("sample")["part"].to_dict() == expected.to_dict()
        assert losses["why"].value_counts().to_dict() == {
            "not in the splits file": 5590 - 5314,
            "removed by genotype QC: sample missing > 0.1": 4,
        }
