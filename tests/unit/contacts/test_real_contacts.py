"""Contacts of real files: yeast Hi-C against tables computed independently, a real .hic."""

import gzip

import cooler
import numpy as np
import pandas as pd
import pytest
from hic_files import row_of

from soyfold.common.chromosomes import Chromosomes, read_chromosomes
from soyfold.common.errors import UserError
from soyfold.contacts import sum_by_chromosome
from soyfold.contacts.library import load_library
from soyfold.contacts.merging import merge_libraries

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def yeast(real_data, root, tmp_path_factory):
    """Folder with the yeast library loaded and merged, and its chromosomes."""
    folder = tmp_path_factory.mktemp("yeast")
    chromosomes = read_chromosomes(root / "resources" / "chromosomes" / "yeast_before_r64.tsv")
    row = row_of("cool", real_data / "yeast" / "hic_10kb.cool")
    cool, table = folder / "lib.cool", folder / "lib.tsv"
    load_library(row, chromosomes, resolution=None, cool=cool, table=table)
    merged, libraries = folder / "merged.cool", folder / "libraries.tsv"
    merge_libraries([cool], [table], balance=True, cool=merged, table=libraries)
    return folder, chromosomes


@pytest.mark.parametrize(
    ("balanced", "name", "tolerance"), [(False, "raw", 0.0), (True, "ice", 1e-6)]
)
def test_yeast_sums_equal_the_published_tables(balanced, name, tolerance, yeast, real_data):
    folder, chromosomes = yeast
    sums = sum_by_chromosome(folder / "merged.cool", chromosomes.names, balanced=balanced)
    published = real_data / "yeast" / f"yeast_hic_10kb_chrom_sums_{name}_once.tsv"
    expected = pd.read_csv(published, sep="\t", index_col=0)
    pd.testing.assert_frame_equal(
        sums, expected, check_exact=tolerance == 0, rtol=tolerance, atol=0, check_dtype=False
    )


def test_yeasts_tables_are_of_the_assemblies_that_they_name(yeast, real_data, root):
    with gzip.open(real_data / "yeast" / "genome_r64.fa.gz", "rt") as fasta:
        entries = [entry.partition("\n") for entry in fasta.read().split(">")[1:]]
    bases = {head.split()[0]: len(text.replace("\n", "")) for head, _, text in entries}
    r64 = read_chromosomes(root / "resources" / "chromosomes" / "yeast_saccer3.tsv")
    assert dict(zip(r64.names, r64.lengths, strict=True)) == bases
    older = yeast[1]
    sizes = cooler.Cooler(str(real_data / "yeast" / "hic_10kb.cool")).chromsizes
    assert dict(zip(older.names, older.lengths, strict=True)) == dict(sizes[older.names])
    assert older.names == r64.names and set(older.aliases) < set(r64.aliases)


def test_yeast_counts_what_it_drops(yeast, real_data):
    folder, chromosomes = yeast
    counts = pd.read_csv(folder / "libraries.tsv", sep="\t").iloc[0]
    assert counts["contigs_dropped"] == 2  # chrMito and chr2-micron
    whole = cooler.Cooler(str(real_data / "yeast" / "hic_10kb.cool")).pixels()[:]["count"].sum()
    assert counts["contacts"] + counts["contacts_dropped"] == whole
    assert cooler.Cooler(str(folder / "merged.cool")).chromnames == chromosomes.names


def test_yeast_against_soybean_is_refused(real_data, root, tmp_path):
    chromosomes = read_chromosomes(root / "resources" / "chromosomes" / "soybean_wm82.a2.tsv")
    row = row_of("cool", real_data / "yeast" / "hic_10kb.cool")
    with pytest.raises(UserError, match=r"no contacts of chromosome Gm01, Gm02"):
        load_library(
            row, chromosomes, resolution=None, cool=tmp_path / "a.cool", table=tmp_path / "a.tsv"
        )


@pytest.fixture(scope="module")
def juicer(real_data):
    """The real .hic with the chromosome table of its own header; its names come without chr."""
    hicstraw = pytest.importorskip("hicstraw")
    hic = hicstraw.HiCFile(str(real_data / "hic" / "hg19_no_norms.hic"))
    found = [c for c in hic.getChromosomes() if c.name.upper() != "ALL"]
    names = [f"chr{c.name}" for c in found]
    aliases = {name: name for name in names} | {c.name: f"chr{c.name}" for c in found}
    lengths = np.array([c.length for c in found], dtype=np.int64)
    return real_data / "hic" / "hg19_no_norms.hic", hic, Chromosomes(names, lengths, aliases, "hg")


def records_sum(hic, one, two, size):
    """Contacts of a block as hicstraw's own records give them."""
    zoom = hic.getMatrixZoomData(one, two, "observed", "NONE", "BP", size)
    lengths = {c.name: c.length for c in hic.getChromosomes()}
    return sum(record.counts for record in zoom.getRecords(0, lengths[one], 0, lengths[two]))


@pytest.mark.parametrize("window", [2000, 37])
def test_hic_equals_its_own_records(window, juicer, tmp_path, monkeypatch):
    file, hic, chromosomes = juicer
    monkeypatch.setattr("soyfold.contacts.juicer.WINDOW", window)
    cool, table = tmp_path / "a.cool", tmp_path / "a.tsv"
    size = 2_000_000
    row = row_of("hic", file, resolution=size)
    load_library(row, chromosomes, resolution=None, cool=cool, table=table)
    sums = sum_by_chromosome(cool, chromosomes.names)
    expected = np.zeros(sums.shape)
    names = [name.removeprefix("chr") for name in chromosomes.names]
    for i, one in enumerate(names):
        for j, two in enumerate(names[i:], start=i):
            expected[i, j] = expected[j, i] = records_sum(hic, one, two, size)
    np.testing.assert_array_equal(sums, expected)
    counts = pd.read_csv(table, sep="\t").iloc[0]
    assert counts["contacts"] == np.triu(expected).sum()


def test_hic_takes_the_coarsest_or_one_that_divides_the_studys(juicer, tmp_path):
    file, _, chromosomes = juicer
    for target, size in ((None, 16_000_000), (4_000_000, 4_000_000), (48_000_000, 48_000_000)):
        cool = tmp_path / f"{target}.cool"
        load_library(
            row_of("hic", file), chromosomes, resolution=target, cool=cool,
            table=tmp_path / "a.tsv",
        )  # fmt: skip
        assert cooler.Cooler(str(cool)).binsize == size


def test_hic_of_another_assembly_is_refused(juicer, tmp_path):
    file, _, chromosomes = juicer
    lengths = chromosomes.lengths.copy()
    lengths[3] += 1
    other = Chromosomes(chromosomes.names, lengths, chromosomes.aliases, "hg0")
    with pytest.raises(UserError, match=r"chr4 of 190214555 bp.*190214556 bp"):
        load_library(
            row_of("hic", file), other, resolution=None, cool=tmp_path / "a.cool",
            table=tmp_path / "a.tsv",
        )  # fmt: skip
