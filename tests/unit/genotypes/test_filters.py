"""filters: counts and decisions against plain numpy on the genotypes themselves."""

import numpy as np
import pytest
from genotype_files import CHROMOSOMES, PLINK, SETTINGS, random_counts, write_vcf

from soyfold.common.errors import UserError
from soyfold.common.files import read_table
from soyfold.genotypes import bed
from soyfold.genotypes.filters import filter_genotypes
from soyfold.genotypes.importing import import_genotypes

ALL = {"sample_heterozygosity": 0.1, "sample_missing": 0.1, "minor_allele_frequency": 0.05}
OFF = dict.fromkeys(ALL, False)


def run(counts, folder, thresholds, extra=()):
    """Import and filter `counts` (variants, samples); returns the bed's parts and the tables."""
    names = [f"s_{i}" for i in range(counts.shape[1])]
    records = [("X", 10 + i, f"m{i}", "A", "G", row) for i, row in enumerate(counts)]
    file = write_vcf(folder / "x.vcf", [*records, *extra], names)
    out = folder / "out"
    import_genotypes(
        file,
        settings={**SETTINGS, "duplicates": "first"},
        chromosomes=CHROMOSOMES,
        prefix=out / "raw",
        variants=out / "import.tsv",
        **PLINK,
    )
    tables = {name: out / f"{name}.tsv" for name in ("samples", "variants", "counts")}
    filter_genotypes(
        out / "raw",
        out / "import.tsv",
        chromosomes=CHROMOSOMES,
        thresholds=thresholds,
        prefix=out / "filtered",
        **tables,
        **PLINK,
    )
    bim, samples = bed.read_bim(out / "filtered.bim"), bed.read_fam(out / "filtered.fam")
    rows = bed.open_bed(out / "filtered.bed", variants=len(bim), samples=len(samples))
    tables = {name: read_table(path) for name, path in tables.items()}
    return bim["variant"].tolist(), samples, bed.unpack(rows, len(samples)), tables


def inbred_counts(variants=60, samples=50, seed=3):
    """Mostly homozygous calls, with rare variants, gappy and heterozygous samples among them."""
    rng = np.random.default_rng(seed)
    frequency = rng.choice([0.0, 0.03, 0.06, 0.3, 0.5, 0.97], variants)
    counts = 2 * (rng.random((variants, samples)) < frequency[:, None]).astype(np.int8)
    counts[rng.random(counts.shape) < np.linspace(0, 0.2, samples)] = 1
    counts[rng.random(counts.shape) < rng.permuted(np.linspace(0, 0.2, samples))] = -1
    return counts


def oracle(counts, thresholds):
    """The three filters, one after another, on plain arrays."""
    called = (counts >= 0).sum(axis=0)
    heterozygous = (counts == 1).sum(axis=0) / called > thresholds["sample_heterozygosity"]
    missing = (counts < 0).mean(axis=0) > thresholds["sample_missing"]
    missing &= ~heterozygous
    left = np.ma.masked_less(counts[:, ~(heterozygous | missing)], 0)
    frequency = left.mean(axis=1).filled(0) / 2
    rare = np.minimum(frequency, 1 - frequency) < thresholds["minor_allele_frequency"]
    return heterozygous, missing, rare, np.minimum(frequency, 1 - frequency)


@pytest.mark.parametrize("seed", range(3))
def test_the_three_filters_equal_numpy(tmp_path, seed):
    counts = inbred_counts(seed=seed)
    variants, samples, kept, tables = run(counts, tmp_path, ALL)
    heterozygous, missing, rare, frequency = oracle(counts, ALL)
    assert heterozygous.any() and missing.any() and rare.any()
    people = ~(heterozygous | missing)
    assert samples == [f"s_{i}" for i in np.flatnonzero(people)]
    assert variants == [f"m{i}" for i in np.flatnonzero(~rare)]
    assert np.array_equal(kept, counts[~rare][:, people])
    table = tables["samples"]
    assert np.array_equal(table["called"], (counts >= 0).sum(axis=0))
    assert np.allclose(table["missing"], (counts < 0).mean(axis=0))
    assert np.allclose(table["heterozygosity"], (counts == 1).sum(axis=0) / table["called"])
    reasons = np.select(
        [heterozygous, missing], ["sample heterozygosity > 0.1", "sample missing > 0.1"], ""
    )
    assert table["reason"].fillna("").tolist() == reasons.tolist()
    assert ((table["kept"] == "yes") == people).all()
    table = tables["variants"]
    assert np.allclose(table["missing"], (counts[:, people] < 0).mean(axis=1))
    assert np.allclose(table["maf"], frequency)
    assert table["reason"].notna().tolist() == rare.tolist()
    assert set(table["reason"].dropna()) == {"minor allele frequency < 0.05"}


def test_steps_are_counted_from_the_raw_file(tmp_path):
    counts = inbred_counts()
    extra = [
        ("scaffold_2", 5, "o", "A", "G", [0] * 50),
        ("1", 5, "c", "A", "G,T", [0] * 50),
        ("1", 6, "n", "A", ".", [0] * 50),
        ("1", 0, "u", "A", "G", [0] * 50),
        ("1", "7a", "p", "A", "G", [0] * 50),
        ("X", 10, "m0 again", "A", "G", [0] * 50),
    ]
    *_, tables = run(counts, tmp_path, ALL, extra)
    heterozygous, missing, rare, _ = oracle(counts, ALL)
    steps = tables["counts"]
    assert steps["step"].tolist() == [
        "raw file", "unreadable", "unplaced", "other contigs", "multiallelic",
        "no alternate allele", "duplicate", "sample heterozygosity", "sample missing",
        "minor allele frequency",
    ]  # fmt: skip
    gone = [0, 0, 0, 0, 0, 0, 0, heterozygous.sum(), missing.sum(), 0]
    assert steps["samples_removed"].tolist() == gone
    assert steps["samples_left"].tolist() == (50 - np.cumsum(gone)).tolist()
    gone = [0, 1, 1, 1, 1, 1, 1, 0, 0, rare.sum()]
    assert steps["variants_removed"].tolist() == gone
    assert steps["variants_left"].tolist() == (66 - np.cumsum(gone)).tolist()
    assert len(tables["variants"]) == 66 and tables["variants"]["maf"].isna().sum() == 6
    assert (tables["variants"]["kept"] == "yes").sum() == steps["variants_left"].iloc[-1]


def test_each_filter_can_be_off(tmp_path):
    counts = inbred_counts()
    variants, samples, kept, tables = run(counts, tmp_path, OFF)
    assert np.array_equal(kept, counts) and len(variants) == 60 and len(samples) == 50
    steps = tables["counts"]
    assert steps["threshold"].fillna("NA").tolist() == ["NA"] * 7 + ["off"] * 3
    assert not steps[["samples_removed", "variants_removed"]].to_numpy().any()


def test_a_ratio_at_its_threshold_stays(tmp_path):
    """10 % of 10 heterozygous or missing, an allele at 5 % of 20: not above, not below."""
    counts = np.zeros((10, 10), dtype=np.int8)
    counts[:, :5] = 2
    counts[0, 0], counts[1, 1] = 1, -1
    counts[2] = [1, *[0] * 9]
    counts[2, 1] = 0
    counts[3] = 0
    thresholds = {**ALL, "sample_heterozygosity": 0.2}
    variants, samples, _, _ = run(counts, tmp_path, thresholds)
    assert len(samples) == 10
    assert "m2" in variants and "m3" not in variants


def test_zero_is_a_threshold_and_not_off(tmp_path):
    counts = inbred_counts()
    counts[:, 0] = np.where(counts[:, 0] == 2, 2, 0)
    thresholds = {**OFF, "sample_missing": 0, "minor_allele_frequency": 0}
    _, samples, kept, _ = run(counts, tmp_path, thresholds)
    assert samples == [f"s_{i}" for i in np.flatnonzero((counts >= 0).all(axis=0))]
    assert len(kept) == 60


def test_a_sample_or_variant_without_any_call(tmp_path):
    counts = inbred_counts()
    counts[:, 0], counts[5] = -1, -1
    variants, *_, tables = run(counts, tmp_path, ALL)
    assert "m5" not in variants
    first = tables["samples"].iloc[0]
    assert first["called"] == 0 and np.isnan(first["heterozygosity"])
    assert first["reason"] == "sample missing > 0.1"
    gone = tables["variants"].iloc[5]
    assert np.isnan(gone["maf"]) and gone["missing"] == 1 and gone["kept"] == "no"
    thresholds = {**OFF, "minor_allele_frequency": 0}
    assert "m5" in run(counts, tmp_path, thresholds)[0]


@pytest.mark.parametrize(
    ("change", "counts", "match"),
    [
        ({"sample_heterozygosity": 0.0}, 1, r"filters.sample_heterozygosity: found no sample"),
        ({"sample_missing": 0.0}, -1, r"filters.sample_missing: found no sample .*relax this"),
        ({"minor_allele_frequency": 0.5}, 0, r"filters.minor_allele_frequency: found no variant"),
    ],
)  # fmt: skip
def test_a_filter_that_leaves_nothing(tmp_path, change, counts, match):
    with pytest.raises(UserError, match=match):
        run(np.full((3, 4), counts, dtype=np.int8), tmp_path, {**OFF, **change})
    assert not list((tmp_path / "out").glob("filtered*"))
    assert not list((tmp_path / "out").glob("[!r]*s.tsv"))  # raw.samples.tsv is the import's


def test_a_filter_that_leaves_nothing_tells_what_the_import_made_missing(tmp_path):
    """A laxer threshold would be no help where calls were not understood."""
    good = [("X", 10 + i, f"m{i}", "A", "G", [0, 1, 2, 0]) for i in range(25)]
    odd = ("1", 5, "odd", "A", "G", ["0/0/0/0"] * 4)
    match = r"sample_missing: .*4 not understood calls.*to mend: see the calls that the import"
    with pytest.raises(UserError, match=match):
        run(np.empty((0, 4), np.int8), tmp_path, {**OFF, "sample_missing": 0.0}, [*good, odd])


def test_counting_in_blocks_changes_nothing(monkeypatch):
    from soyfold.genotypes import counts as call_counts

    counts = random_counts(23, 9)
    rows, keep = bed.pack(counts), np.arange(9) % 3 > 0
    whole = call_counts.count_samples(rows, 9), call_counts.count_variants(rows, 9, keep)
    original = bed.blocks
    monkeypatch.setattr(bed, "blocks", lambda rows, samples: original(rows, samples, cells=20))
    parts = call_counts.count_samples(rows, 9), call_counts.count_variants(rows, 9, keep)
    for one, other in zip(whole, parts, strict=True):
        assert np.array_equal(one.called, other.called)
    assert np.array_equal(whole[0].heterozygous, parts[0].heterozygous)
    assert np.array_equal(whole[1].alternate, parts[1].alternate)
    assert np.array_equal(whole[1].alternate, np.where(counts < 0, 0, counts)[:, keep].sum(axis=1))
    every = call_counts.count_variants(rows, 9)
    frequency = [np.mean(row[row >= 0]) / 2 for row in counts]
    np.testing.assert_allclose(every.frequency, frequency)
    np.testing.assert_allclose(every.missing, np.mean(counts < 0, axis=1))
