"""Small Hi-C files of every format, made of the same pairs, for the tests of contacts."""

import gzip
import importlib.util
import json
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from soyfold.common.chromosomes import Chromosomes
from soyfold.common.errors import UserError
from soyfold.contacts import sum_by_chromosome
from soyfold.contacts.library import load_library

RESOLUTION = 1000
LENGTHS = {"Gm01": 9_500, "Gm02": 7_000, "Gm03": 4_200, "Gm04": 11_001}
ASSEMBLY = Chromosomes(
    list(LENGTHS),
    np.array(list(LENGTHS.values()), dtype=np.int64),
    {name: name for name in LENGTHS} | {f"Chr0{k}": f"Gm0{k}" for k in (1, 2, 3, 4)},
    "assembly.tsv",
)
# As a file may have them: in another order, under other names, with a scaffold among them.
CONTIGS = {"Chr03": 4_200, "Chr01": 9_500, "scaffold_7": 2_500, "Chr04": 11_001, "Chr02": 7_000}


def draw_pairs(n, seed=0):
    """n random pairs over all contigs: DataFrame chr1, pos1 (1-based), chr2, pos2."""
    rng = np.random.default_rng(seed)
    ends = {}
    for end in (1, 2):
        ends[f"chr{end}"] = rng.choice(list(CONTIGS), size=n)
        lengths = np.array([CONTIGS[name] for name in ends[f"chr{end}"]])
        ends[f"pos{end}"] = rng.integers(1, lengths + 1)
    return pd.DataFrame(ends)


NAMES = ASSEMBLY.names
PAIRS = draw_pairs(400)


def write_pairs(pairs, path):
    """Write HiC-Pro's allValidPairs; gzipped if the path says so."""
    opener = gzip.open if str(path).endswith(".gz") else open
    with opener(path, "wt") as file:
        for k, row in enumerate(pairs.itertuples()):
            fields = [f"read{k}", row.chr1, row.pos1, "+", row.chr2, row.pos2, "-", 250]
            file.write("\t".join(map(str, [*fields, "frag1", "frag2", 40, 41])) + "\n")
    return str(path)


def file_bins(resolution=RESOLUTION, contigs=CONTIGS):
    """The file's own bins: DataFrame chrom, start, end, number (from 1)."""
    rows = [
        (name, start, min(start + resolution, length))
        for name, length in contigs.items()
        for start in range(0, length, resolution)
    ]
    bins = pd.DataFrame(rows, columns=["chrom", "start", "end"])
    return bins.assign(number=np.arange(1, len(bins) + 1))


def dense_of(pairs, bins):
    """Contacts by pair of the file's bins, each pair counted once, in the orientation it has."""
    number = {(row.chrom, row.start): k for k, row in enumerate(bins.itertuples())}
    size = bins["end"].sub(bins["start"]).max()
    dense = np.zeros((len(bins), len(bins)), dtype=np.int64)
    for row in pairs.itertuples():
        one = number[row.chr1, (row.pos1 - 1) // size * size]
        two = number[row.chr2, (row.pos2 - 1) // size * size]
        dense[one, two] += 1
    return dense


def folded(dense):
    """Both orientations of a contact brought to the upper triangle."""
    return np.triu(dense) + np.tril(dense, -1).T


def write_matrix(dense, bins, folder, *, layout="upper", decimals=None):
    """Write HiC-Pro's .matrix and _abs.bed; returns their paths."""
    upper = folded(dense)
    square = {
        "upper": upper,
        "lower": upper.T,
        "complete": upper + np.triu(upper, 1).T,
        "asis": dense,
    }[layout]
    one, two = np.nonzero(square)
    values = square[one, two]
    text = [f"{v:.{decimals}f}" for v in values] if decimals else list(map(str, values))
    matrix, bed = folder / f"{layout}.matrix", folder / "bins_abs.bed"
    lines = [f"{i + 1}\t{j + 1}\t{v}\n" for i, j, v in zip(one, two, text, strict=True)]
    matrix.write_text("".join(lines))
    bins.to_csv(bed, sep="\t", header=False, index=False)
    return str(matrix), str(bed)


def sums_of(pairs):
    """The oracle: contacts by pair of chromosomes, counted pair by pair, symmetric."""
    names = ASSEMBLY.names
    sums = pd.DataFrame(0, index=names, columns=names)
    for row in pairs.itertuples():
        one, two = ASSEMBLY.aliases.get(row.chr1), ASSEMBLY.aliases.get(row.chr2)
        if one and two:
            sums.loc[one, two] += 1
            if one != two:
                sums.loc[two, one] += 1
    return sums


def row_of(kind, file, *, bins=None, resolution=None, library="lib"):
    """A row of hic.tsv."""
    return {
        "library": library, "format": kind, "file": str(file), "bins": bins,
        "resolution": resolution,
    }  # fmt: skip


def load_checked(row, folder, pairs, *, times=1, expected=None):
    """Load a row and see that its sums are those of the pairs; returns its row of the table."""
    cool, table = folder / "out.cool", folder / "out.tsv"
    load_library(row, ASSEMBLY, resolution=None, cool=cool, table=table)
    sums = sum_by_chromosome(cool, ASSEMBLY.names)
    wanted = times * sums_of(pairs) if expected is None else expected
    np.testing.assert_allclose(sums, wanted, rtol=1e-6)
    return pd.read_csv(table, sep="\t").iloc[0]


def refuse(row, folder, *said):
    """Load a row that must be refused in one line with these words; nothing may be left."""
    with pytest.raises(UserError) as caught:
        load_library(row, ASSEMBLY, resolution=None, cool=folder / "o.cool", table=folder / "o.tsv")
    for words in said:
        assert re.search(words, str(caught.value)), caught.value
    assert not list(folder.glob("o.*")) and not list(folder.glob(".part*"))


WRITE_HIC = """
import json, sys, hictkpy
path, contigs, sizes, pixels = json.load(sys.stdin)
writer = hictkpy.hic.FileWriter(path, contigs, sizes)
writer.add_pixels_from_dict(pixels)
writer.finalize()
"""


def write_hic(path, contigs, sizes, pixels):
    """A .hic of version 9, from bin1_id, bin2_id and count of the finest bins.

    In a process of its own: where hictkpy is loaded, a forked one can wait for its lock forever.
    """
    if importlib.util.find_spec("hictkpy") is None:
        pytest.skip("no hictkpy")
    text = json.dumps([str(path), contigs, list(sizes), pixels])
    subprocess.run([sys.executable, "-c", WRITE_HIC], input=text, text=True, check=True)
    return str(path)
