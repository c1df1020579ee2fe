"""Import, filters and imputation on real files; skipped aloud where they are absent."""

import gzip

import numpy as np
import pandas as pd
import pytest

from soyfold.common.chromosomes import read_chromosomes
from soyfold.common.files import read_table
from soyfold.genotypes import bed
from soyfold.genotypes.filters import filter_genotypes
from soyfold.genotypes.importing import import_genotypes
from soyfold.imputation.imputing import impute_chromosomes

pytestmark = pytest.mark.real_data
PLINK = {"threads": 1, "memory_mb": 2000}
MARKERS = {
    "format": "marker_table",
    "marker_name": r"\d+_(?P<chromosome>chr\d+)_(?P<position>\d+)_(?P<ref>\w+)_(?P<alt>\w+)",
    "codes": {"B": 0, "R": 2},
}
PAPER = {"sample_heterozygosity": 0.1, "sample_missing": 0.1, "minor_allele_frequency": 0.05}


def load(file, assembly, root, folder, settings=None):
    """Import a real file; returns bim, samples, counts of ALT, and the chromosome table."""
    chromosomes = read_chromosomes(root / "resources" / "chromosomes" / f"{assembly}.tsv")
    import_genotypes(
        file,
        settings=settings or {"format": "auto"},
        chromosomes=chromosomes,
        prefix=folder / "raw",
        variants=folder / "import.tsv",
        **PLINK,
    )
    return *read_set(folder / "raw"), chromosomes


def read_set(prefix):
    """bim, samples and counts of ALT of a bed."""
    bim, samples = bed.read_bim(f"{prefix}.bim"), bed.read_fam(f"{prefix}.fam")
    rows = bed.open_bed(f"{prefix}.bed", variants=len(bim), samples=len(samples))
    return bim, samples, bed.unpack(rows, len(samples))


def sift(folder, chromosomes, thresholds):
    """Filter what `load` wrote; returns the three tables."""
    tables = {name: folder / f"{name}.tsv" for name in ("samples", "variants", "counts")}
    filter_genotypes(
        folder / "raw",
        folder / "import.tsv",
        chromosomes=chromosomes,
        thresholds=thresholds,
        prefix=folder / "filtered",
        **tables,
        **PLINK,
    )
    return {name: read_table(path) for name, path in tables.items()}


def vcf_counts(file):
    """Counts of ALT of a VCF whose calls are bare GT, by plain text work, (variants, samples)."""
    code = {"0/0": 0, "0/1": 1, "1/0": 1, "1/1": 2, "./.": -1}
    with gzip.open(file, "rt") as lines:
        rows = [line.rstrip().split("\t")[9:] for line in lines if not line.startswith("#")]
    return np.array([[code[call] for call in row] for row in rows], dtype=np.int8)


@pytest.fixture(scope="module")
def soynam(real_data, root, tmp_path_factory):
    folder = tmp_path_factory.mktemp("soynam")
    file = real_data / "soynam" / "genotypes.vcf.gz"
    *imported, chromosomes = load(file, "soybean_wm82.a1", root, folder)
    return folder, vcf_counts(file), imported, chromosomes


def test_soynam_filters_equal_numpy(soynam):
    folder, counts, (bim, samples, imported), chromosomes = soynam
    assert (len(bim), len(samples)) == (4611, 5590)
    assert np.array_equal(imported, counts)
    tables = sift(folder, chromosomes, PAPER)
    called = (counts >= 0).sum(axis=0)
    heterozygous = (counts == 1).sum(axis=0) / called > 0.1
    missing = ~heterozygous & ((counts < 0).mean(axis=0) > 0.1)
    people = ~(heterozygous | missing)
    left = np.where(counts < 0, 0, counts)[:, people]
    total = 2 * (counts[:, people] >= 0).sum(axis=1)
    frequency = left.sum(axis=1) / np.maximum(total, 1)
    common = np.minimum(frequency, 1 - frequency) >= 0.05
    steps = tables["counts"].set_index("step")
    assert steps.loc["sample heterozygosity", "samples_removed"] == heterozygous.sum() == 480
    assert steps.loc["sample missing", "samples_removed"] == missing.sum() == 68
    assert steps.loc["minor allele frequency", "variants_left"] == common.sum()
    _, names, kept = read_set(folder / "filtered")
    assert np.array_equal(kept, counts[common][:, people])
    assert names == [name for name, keep in zip(samples, people, strict=True) if keep]


def test_soynam_without_the_heterozygosity_filter(soynam, real_data):
    folder, _, _, chromosomes = soynam
    tables = sift(folder, chromosomes, {**PAPER, "sample_heterozygosity": False})
    steps = tables["counts"].set_index("step")
    assert steps.loc["sample missing", "samples_left"] == 5355
    assert steps.loc["minor allele frequency", "variants_left"] == 4341
    lines = pd.read_csv(real_data / "soynam" / "splits.tsv", sep="\t").iloc[:, 0]
    kept = set(tables["samples"].loc[tables["samples"]["kept"] == "yes", "sample"])
    assert len(lines) == 5314 and set(lines) <= kept


@pytest.mark.slow
def test_beagle_on_soynam(soynam):
    """A chromosome of every eighth line: masked calls come back, called ones stay."""
    folder, _, _, chromosomes = soynam
    sift(folder, chromosomes, {**PAPER, "sample_heterozygosity": False})
    bim, samples, counts = read_set(folder / "filtered")
    few = folder / "few"
    bed.write_bed(bed.pack(counts[:, ::8]), f"{few}.bed")
    bed.write_bim(bim, f"{few}.bim")
    bed.write_fam(samples[::8], f"{few}.fam")
    settings = {"seed": 1, "mask_fraction": 0.01, "iterations": 12, "burnin": 3, "threads": 1}
    impute_chromosomes(
        few,
        ["Gm16"],
        settings=settings,
        prefix=folder / "Gm16",
        calls=folder / "c.tsv",
        memory_mb=3000,
    )
    before = counts[bim["chromosome"] == "Gm16"][:, ::8]
    after = read_set(folder / "Gm16")[2]
    assert (after >= 0).all() and np.array_equal(after[before >= 0], before[before >= 0])
    row = read_table(folder / "c.tsv").iloc[0]
    pairs = row[[name for name in row.index if name.startswith("true")]].to_numpy(dtype=int)
    pairs = pairs.reshape(3, 3)
    assert abs(pairs.sum() / (before >= 0).sum() - 0.01) < 0.002
    assert np.trace(pairs) / pairs.sum() > 0.97


def test_soysnp50k_rows_and_contigs(real_data, root, tmp_path):
    """42,195 rows; its header names contigs Gm, its records Chr, and scaffolds are among them."""
    file = real_data / "grin" / "soysnp50k_10_accessions.vcf.gz"
    bim, samples, counts, chromosomes = load(file, "soybean_wm82.a2", root, tmp_path)
    assert (len(bim), len(samples)) == (41985, 10)
    assert bim["chromosome"].unique().tolist() == chromosomes.names
    table = read_table(tmp_path / "import.tsv", dtype={"chromosome": str})
    assert len(table) == 42195
    assert table["reason"].value_counts().to_dict() == {"other contigs": 210}
    assert bim["variant"].is_unique and "PI506711B" in samples
    for _, here in bim.groupby("chromosome"):
        assert here["position"].is_monotonic_increasing
    assert set(np.unique(counts)) <= {-1, 0, 1, 2}


def test_two_snps_of_the_collection(real_data, root, tmp_path):
    file = real_data / "grin" / "two_snps_18263_accessions.vcf.gz"
    bim, samples, *_ = load(file, "soybean_wm82.a2", root, tmp_path)
    assert len(samples) == 18263 and bim["chromosome"].tolist() == ["Gm01", "Gm01"]


def test_yeast_markers(real_data, root, tmp_path):
    file = real_data / "yeast" / "genotypes.txt.gz"
    bim, samples, counts, chromosomes = load(file, "yeast_before_r64", root, tmp_path, MARKERS)
    assert counts.shape == (11623, 1008) and len(samples) == 1008
    sizes = bim["chromosome"].value_counts(sort=False)
    assert sizes.index.tolist() == chromosomes.names and sizes["chrX"] == 857
    text = pd.read_csv(file, sep="\t", index_col=0).loc[bim["variant"]]
    assert np.array_equal(counts, np.where(text == "R", 2, 0))
    tables = sift(tmp_path, chromosomes, PAPER)
    assert (tables["samples"]["kept"] == "yes").all() and (
        tables["variants"]["kept"] == "yes"
    ).all()
