"""Hi-C files as other programs leave them: each gives what the plain file of its kind gives."""

import bz2
import gzip
import re

import numpy as np
import pandas as pd
import pytest
from hic_files import (
    ASSEMBLY,
    CONTIGS,
    NAMES,
    PAIRS,
    RESOLUTION,
    dense_of,
    file_bins,
    row_of,
    write_matrix,
    write_pairs,
)  # fmt: skip

from soyfold.contacts import sum_by_chromosome
from soyfold.contacts.library import load_library


def allvalid(tmp_path):
    return (tmp_path / "a.allValidPairs", write_pairs(PAIRS, tmp_path / "a.allValidPairs"))[0]


def rows_4dn(columns=("readID", "chr1", "pos1", "chr2", "pos2", "strand1", "strand2")):
    table = PAIRS.assign(readID=[f"r{k}#1" for k in range(len(PAIRS))], strand1="+", strand2="-")
    table = table.assign(chrom1=table.chr1, chrom2=table.chr2, mapq1=40, empty="", pair_type="UU")
    return table[list(columns)].to_csv(sep="\t", header=False, index=False)


HEADER = "## pairs format v1.0\n#chromsize: Chr01 9500\n"
TWO_HEADERS = HEADER + rows_4dn()[: rows_4dn().index("r200#1")] + "\n  \t\n" + HEADER
TEXTS = {
    "chrom1": "#columns: readID\tchrom1\tpos1\tchrom2\tpos2\tmapq1\n"
    + rows_4dn(("readID", "chrom1", "pos1", "chrom2", "pos2", "mapq1")),
    "more_columns": "#columns: mapq1 chrom2 pos2 readID pos1 chrom1 pair_type\n"
    + rows_4dn(("mapq1", "chrom2", "pos2", "readID", "pos1", "chrom1", "pair_type")),
    "chromosome": "#chromosome: Chr01 9500\n#chromosomes: Chr01 Chr02\n" + rows_4dn(),
    "samheader": "#samheader: @SQ\tSN:Chr01\tLN:9500\n#samheader: @PG\tID:bwa\n" + rows_4dn(),
    "no_header": rows_4dn(),
    "empty_read_names": rows_4dn(("empty", "chr1", "pos1", "chr2", "pos2")),
    "names_without_#": "\t".join(("readID", "chrom1", "pos1", "chrom2", "pos2")) + "\n"
    + rows_4dn(("readID", "chrom1", "pos1", "chrom2", "pos2")),
    "quoted": re.sub(r"\b(Chr\d\d|scaffold_7)\b", r'"\1"', rows_4dn()),
    "trailing_tabs": rows_4dn().replace("\n", "\t\t\n") + "\t\t\t\n\n\t\n",
    "windows": HEADER.replace("\n", "\r\n") + rows_4dn().replace("\n", "\r\n"),
    "mark": "\ufeff" + HEADER + rows_4dn(),
    "blanks": HEADER + rows_4dn().replace("\t", "  "),
    "joined": TWO_HEADERS + rows_4dn()[rows_4dn().index("r200#1") :],
    "no_last_newline": rows_4dn()[:-1],
}  # fmt: skip


@pytest.mark.parametrize("dialect", TEXTS)
def test_pairs_of_any_dialect(dialect, load, tmp_path):
    file = tmp_path / "a.pairs"
    file.write_bytes(TEXTS[dialect].encode())
    counts = load(row_of("pairs", file, resolution=RESOLUTION))
    assert counts["contacts"] + counts["contacts_dropped"] == len(PAIRS)
    assert counts["contigs_dropped"] == 1


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("a.pairs", gzip.compress),
        ("a.pairs.gz", bytes),
        ("a.pairs.gz", lambda data: gzip.compress(gzip.compress(data))),
        ("a.pairs.gz", lambda data: gzip.compress(data[:900]) + gzip.compress(data[900:])),
        ("a.pairs", lambda data: data.decode().encode("utf-16")),
    ],
    ids=["gzip without .gz", ".gz without gzip", "twice", "in members", "UTF-16"],
)
def test_text_is_unpacked_by_its_content(name, pack, load, tmp_path):
    (tmp_path / name).write_bytes(pack((HEADER + rows_4dn()).encode()))
    load(row_of("pairs", tmp_path / name, resolution=RESOLUTION))


def test_the_layout_of_pairs_is_told_by_content_not_by_the_sheet(load, tmp_path):
    file = allvalid(tmp_path)
    load(row_of("pairs", file, resolution=RESOLUTION))
    lines = file.read_text().splitlines()
    narrow = tmp_path / "narrow.allValidPairs"
    narrow.write_text("\n".join("\t".join(line.split("\t")[:8]) for line in lines))
    load(row_of("hicpro_pairs", narrow, resolution=RESOLUTION))
    (tmp_path / "a.pairs").write_text(HEADER + rows_4dn())
    load(row_of("hicpro_pairs", tmp_path / "a.pairs", resolution=RESOLUTION))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEADER + rows_4dn() + "#columns: readID chr2 pos2 chr1 pos1\n" + rows_4dn(),
         ("line 403", "second header with other columns")),
        ("#columns: readID chr1 pos1 chr2 pos2\n" + rows_4dn() + "#chromsize: Chr01 9000\n",
         ("line 402", "Gm01 of 9000 bp", "9500 bp")),
        ("#chromosome: Chr02 7001\n" + rows_4dn(), ("line 1", "Gm02 of 7001 bp")),
        ("#samheader: @SQ\tLN:7001\tSN:Chr02\n" + rows_4dn(), ("line 1", "Gm02 of 7001 bp")),
        ("#columns: readID chr1 pos1 chrom2\n" + rows_4dn(), ("#columns without pos2", "chrom1")),
        (HEADER + "\n" + rows_4dn() + "r\tChr01\t5", ("line 404", "a line of 3 cells", "cut off")),
        (HEADER + "#x\n\n" + rows_4dn() + "\n#\nr\tChr01\tx\tChr02\t5\n", ("line 407", "pos1 'x'")),
        (HEADER + "\n" + rows_4dn() + "\n\nr\tChr01\t9501\tChr02\t5\n", ("line 406, pos1", "9501")),
    ],
)  # fmt: skip
def test_a_bad_line_is_told_by_its_number_in_the_file(text, said, refused, tmp_path):
    file = tmp_path / "a.pairs"
    file.write_text(text)
    names = row_of("pairs", file, resolution=RESOLUTION)
    if "second header" in said[1]:
        file.write_text(text.replace(HEADER, HEADER + "#columns: readID chr1 pos1 chr2 pos2\n"))
        said = ("line 404", *said[1:])
    refused(names, *said)


def matrix_row(tmp_path, *, ids=0, start=0, end=0, rounded=False, numbers=1, layout="upper"):
    """A matrix whose bins are counted otherwise; `numbers` None leaves the fourth column out."""
    bins = file_bins()
    matrix, bed = write_matrix(dense_of(PAIRS, bins), bins, tmp_path, layout=layout)
    triplets = pd.read_csv(matrix, sep="\t", header=None)
    triplets[[0, 1]] += ids - 1
    triplets.to_csv(matrix, sep="\t", header=False, index=False)
    if rounded:
        bins["end"] = bins["start"] + RESOLUTION
    bins["start"] += start
    bins["end"] += end
    bins["number"] += (numbers or 1) - 1
    if numbers is None:
        bins = bins.drop(columns="number")
    bins.to_csv(bed, sep="\t", header=False, index=False)
    return row_of("hicpro_matrix", matrix, bins=bed)


@pytest.mark.parametrize("layout", ["upper", "complete"])
@pytest.mark.parametrize(
    "form",
    [
        {"ids": 0, "numbers": 0},
        {"ids": 0, "numbers": 1},
        {"ids": 1, "numbers": 0},
        {"ids": 5, "numbers": 5},
        {"ids": 0, "numbers": None},
        {"ids": 1, "numbers": None},
        {"ids": 1, "start": 1},
        {"ids": 1, "start": 1, "end": 1},
        {"ids": 1, "end": -1},
        {"ids": 1, "rounded": True},
        {"ids": 0, "numbers": None, "start": 1, "rounded": True},
        {"ids": 0, "numbers": 0, "end": -1, "rounded": True},
    ],
    ids=str,
)
def test_bins_counted_in_any_way_are_the_same(form, layout, load, tmp_path):
    load(matrix_row(tmp_path, layout=layout, **form))


def test_a_matrix_with_names_quotes_and_blanks(load, tmp_path):
    row = matrix_row(tmp_path, ids=0, numbers=None)
    for key, names in (("file", "bin1_id bin2_id count"), ("bins", "chrom start end")):
        path = tmp_path / row[key]
        text = re.sub(r"\b(Chr\d\d|scaffold_7)\b", r'"\1"', path.read_text()).replace("\t", " ")
        path.write_text(f"# made by R\n{names}\n{text}\n\n")
    load(row)


def test_numbers_as_r_writes_them_and_gzip(load, tmp_path):
    row = matrix_row(tmp_path, ids=1)
    for key in ("file", "bins"):
        text = re.sub(r"\b([1-9])(000)\b", r"\g<1>e+03", (tmp_path / row[key]).read_text())
        (tmp_path / row[key]).write_bytes(gzip.compress(text.encode()))
    assert "3e+03" in text
    load(row)


def test_a_fourth_column_that_is_no_number(load, tmp_path):
    row = matrix_row(tmp_path, ids=0, numbers=None)
    bins = pd.read_csv(row["bins"], sep="\t", header=None)
    bins.assign(weight=0.5).to_csv(row["bins"], sep="\t", header=False, index=False)
    load(row)


def test_bins_that_may_be_counted_from_0_or_1_are_refused(refused, tmp_path):
    row = matrix_row(tmp_path, ids=1, numbers=None)
    triplets = pd.read_csv(row["file"], sep="\t", header=None)
    n = len(file_bins())
    inner = triplets[~triplets[[0, 1]].isin([1, n]).any(axis=1)]
    inner.to_csv(row["file"], sep="\t", header=False, index=False)
    refused(row, rf"bins 2 to {n - 1}, which may be numbered from 0 or from 1", "fourth column")
    mended = pd.read_csv(row["bins"], sep="\t", header=None).assign(number=range(1, n + 1))
    mended.to_csv(row["bins"], sep="\t", header=False, index=False)
    load_library(row, ASSEMBLY, resolution=None, cool=tmp_path / "a.cool", table=tmp_path / "a.tsv")
    total = np.triu(sum_by_chromosome(tmp_path / "a.cool", NAMES)).sum()
    kept = file_bins()["chrom"].isin(ASSEMBLY.aliases).to_numpy()[inner[[0, 1]] - 1].all(axis=1)
    assert total == inner[2][kept].sum()


def test_fewer_chromosomes_are_told_as_that(refused, tmp_path):
    fewer = {name: size for name, size in CONTIGS.items() if name not in ("Chr02", "scaffold_7")}
    file_bins(contigs=fewer).to_csv(tmp_path / "b.bed", sep="\t", header=False, index=False)
    (tmp_path / "a.matrix").write_text("1\t2\t3\n")
    row = row_of("hicpro_matrix", tmp_path / "a.matrix", bins=tmp_path / "b.bed")
    refused(row, "no contacts of chromosome Gm02", "anew over all chromosomes")


def test_contacts_within_chromosomes_alone_are_refused(refused, load, tmp_path):
    file = tmp_path / "a.allValidPairs"
    write_pairs(PAIRS[PAIRS.chr1 == PAIRS.chr2], file)
    row = row_of("hicpro_pairs", file, resolution=1000)
    refused(row, "no contacts between chromosomes, but \\d+ within", "contacts: expected")


def test_another_compression_is_named(refused, tmp_path):
    (tmp_path / "a.pairs").write_bytes(bz2.compress(rows_4dn().encode()))
    refused(row_of("pairs", tmp_path / "a.pairs", resolution=1000), "bzip2", "bunzip2")
