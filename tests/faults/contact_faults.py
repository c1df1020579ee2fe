"""Faults of Hi-C libraries and of their sheet."""

import gzip

import cooler
import h5py
import numpy as np
import pandas as pd
from fault import Fault
from genotype_faults import content, directory
from tiny_road import BIN, BINS, LENGTHS, LIBRARIES, MATRIX, PAIRS

LOAD = "load_library"


def triplet(*cells):
    """A fault that appends a triplet to the matrix."""
    return lambda s: s.write(MATRIX, [*s.lines(MATRIX), "\t".join(cells)])


def pair(*cells):
    """A fault that appends a pair, from its contig on."""
    return lambda s: s.write(
        PAIRS, [*s.lines(PAIRS), "\t".join(["read", *cells, "250", "f", "f", "40", "41"])]
    )


def cut_pairs(study):
    data = gzip.compress(study.path(PAIRS).read_bytes(), mtime=0)
    study.path(f"{PAIRS}.gz").write_bytes(data[: len(data) // 2])
    study.edit(LIBRARIES, f"{PAIRS}\t", f"{PAIRS}.gz\t")


def one_library(line):
    """A fault that leaves one library in the sheet."""
    return lambda s: s.write(LIBRARIES, [s.lines(LIBRARIES)[0], line])


def cool(*, counts=None, weights=None, name="a.cool", **options):
    """A fault of a cooler of these counts (of its pixels) and weights (of its bins)."""

    def spoil(study):
        bins = cooler.binnify(pd.Series(LENGTHS), BIN)
        one, two = np.triu_indices(len(bins))
        value = np.arange(1, len(one) + 1) if counts is None else counts(len(one))
        pixels = pd.DataFrame({"bin1_id": one, "bin2_id": two, "count": value}).iloc[: len(value)]
        cooler.create_cooler(
            str(study.path(name)),
            bins,
            pixels,
            dtypes={"count": np.asarray(value).dtype},
            **options,
        )
        if weights is not None:
            with h5py.File(study.path(name), "r+") as h5:
                h5["bins"].create_dataset("weight", data=weights(len(bins)))
        one_library(f"a\tcool\t{name}\tNA\tNA")(study)

    return spoil


def empty_cool(study):
    cool()(study)
    bins = cooler.binnify(pd.Series(LENGTHS), BIN)
    pixels = pd.DataFrame({"bin1_id": [], "bin2_id": [], "count": []}, dtype=np.int64)
    cooler.create_cooler(str(study.path("a.cool")), bins, pixels)


def cut_cool(study):
    cool()(study)
    data = study.path("a.cool").read_bytes()
    study.path("a.cool").write_bytes(data[: len(data) // 2])


def hdf5_of_something(study):
    with h5py.File(study.path("a.cool"), "w") as h5:
        h5["x"] = np.arange(3)
    one_library("a\tcool\ta.cool\tNA\tNA")(study)


def diagonal_alone(study):
    """Contacts within bins, which ICE leaves out."""
    bins = (1, 5, 11, 15, 19, 23)
    study.write(MATRIX, [f"{k}\t{k}\t9" for k in bins])
    one_library(f"root\thicpro_matrix\t{MATRIX}\t{BINS}\tNA")(study)


def _weights(**at):
    def weights(bins):
        values = np.ones(bins)
        values[at["rows"]] = at["value"]
        return values

    return weights


def _with(value, at=5):
    def counts(pixels):
        values = np.arange(1.0, pixels + 1)
        values[at] = value
        return values

    return counts


def _load(name, spoil, *said, mended=""):
    return Fault(name, "contacts", LOAD, spoil, said, mended=mended)


def _config(name, spoil, *said, mended=""):
    return Fault(name, "config", "config", spoil, said, mended=mended)


SUMS = "contacts/cim_sums.tsv"
FAULTS = [
    _config(
        "pairs: empty file",
        content(PAIRS, b""),
        PAIRS,
        "an empty file",
        mended="told only once the job ran",
    ),
    _config(
        "pairs: a directory in their place",
        directory(PAIRS),
        PAIRS,
        "a directory",
        mended="told only once the job ran, as `no such file`",
    ),
    _load("pairs: gzip cut off", cut_pairs, "truncated or damaged gzip"),
    _load(
        "pairs: a position beyond the chromosome",
        pair("Gm01", "1000001", "+", "Gm01", "5", "-"),
        "1000001",
        "line 3001",
        "assembly",
    ),
    _load("pairs: a negative position", pair("Gm01", "-7", "+", "Gm01", "5", "-"), "-7"),
    _load(
        "pairs: a position of 64 bits",
        pair("Gm01", "99999999999999999999", "+", "Gm01", "5", "-"),
        "99999999999999999999",
        "line 3001",
        mended="`Overflow`, without the line",
    ),
    _load(
        "pairs: text for a position", pair("Gm01", "x", "+", "Gm01", "5", "-"), "'x'", "line 3001"
    ),
    _load(
        "pairs: half a line at their end",
        lambda s: s.path(PAIRS).write_text(s.path(PAIRS).read_text() + "read\tGm01\t5"),
        PAIRS,
    ),
    _load(
        "pairs: a chromosome missing",
        lambda s: s.write(PAIRS, [x for x in s.lines(PAIRS) if "Gm03" not in x]),
        "Gm03",
    ),
    _load(
        "pairs: of another assembly's names",
        lambda s: s.edit(PAIRS, "Gm", "LG", count=-1),
        "Gm01",
        mended="`allowed: some`",
    ),
    _load(
        "matrix: a triplet beyond the last bin",
        triplet("1", "25", "4"),
        "beyond the last",
        "1 to 24",
    ),
    _load("matrix: numbered from 0", triplet("0", "1", "4"), "bin 0", "add 1"),
    _load("matrix: a negative count", triplet("1", "1", "-4"), "a count", "from 0 on"),
    _load("matrix: a NaN count", triplet("1", "1", "nan"), "count 'nan'", "a number"),
    _load("matrix: a text for a count", triplet("1", "1", "many"), "'many'"),
    _load(
        "matrix: half a triplet",
        lambda s: s.path(MATRIX).write_text(s.path(MATRIX).read_text() + "24"),
        MATRIX,
    ),
    _load("matrix: no contacts at all", lambda s: [s.write(MATRIX, ["1\t1\t0"])], "no contacts"),
    _config(
        "matrix: empty file",
        content(MATRIX, b""),
        "an empty file",
        mended="told only once the job ran",
    ),
    _load(
        "bins: of another assembly",
        lambda s: s.edit(BINS, "900000\t1000000", "900000\t950000"),
        BINS,
        "950000",
        "1000000",
    ),
    _load(
        "bins: numbered from 0",
        lambda s: s.write(
            BINS, [f"{x.rsplit(chr(9), 1)[0]}\t{n}" for n, x in enumerate(s.lines(BINS))]
        ),
        "from 0",
    ),
    _load(
        "bins: of varying size", lambda s: s.edit(BINS, "100000\t200000", "100000\t150000"), BINS
    ),
    _load("cool: empty (no pixel)", empty_cool, "no contacts"),
    _load("cool: cut off", cut_cool, "no cooler", "fetched again"),
    _load("cool: another HDF5 file", hdf5_of_something, "no cooler"),
    _load(
        "cool: text under the name .cool",
        lambda s: [
            content("a.cool", b"no cooler\n" * 9)(s),
            one_library("a\tcool\ta.cool\tNA\tNA")(s),
        ],
        "no cooler",
    ),
    _load(
        "cool: a negative count",
        cool(counts=_with(-3.0)),
        "-3",
        "from 0 on",
        mended="taken silently",
    ),
    _load(
        "cool: a NaN count",
        cool(counts=_with(np.nan)),
        "nan",
        "from 0 on",
        mended="a misleading line: no contacts of Gm01",
    ),
    _load(
        "cool: an infinite count",
        cool(counts=_with(np.inf)),
        "inf",
        "from 0 on",
        mended="told two jobs later, of a temporary file",
    ),
    Fault(
        "cool: all biases NaN",
        "contacts",
        LOAD,
        cool(weights=lambda n: np.full(n, np.nan)),
        ("weight",),
        mended="told two jobs later",
    ),
    Fault(
        "cool: all biases of a chromosome NaN",
        "contacts",
        "normalise_cim",
        cool(weights=_weights(rows=slice(18, 24), value=np.nan)),
        ("no contacts of chromosome Gm03", "coarser bins"),
    ),
    Fault(
        "cool: some biases NaN",
        "contacts",
        "",
        cool(weights=_weights(rows=[2, 20], value=np.nan)),
        ("a\tcool\t100000\tcounts\tcarried",),
        table="contacts/libraries.tsv",
    ),
    _load(
        "cool: an infinite bias",
        cool(weights=_weights(rows=[3], value=np.inf)),
        "inf",
        "weight",
        mended="told two jobs later",
    ),
    _load(
        "cool: a negative bias",
        cool(weights=_weights(rows=[3], value=-1.0)),
        "-1",
        "weight",
        mended="taken silently",
    ),
    _load(
        "hic: text under the name .hic",
        lambda s: [content("a.hic", b"no hic\n" * 99)(s), one_library("a\thic\ta.hic\tNA\tNA")(s)],
        "no .hic file",
        mended="a misleading line: no contacts of Gm01",
    ),
    _load(
        "mcool: a plain .cool",
        lambda s: [cool()(s), one_library("a\tmcool\ta.cool\tNA\t5000")(s)],
        "100000",
    ),
    Fault(
        "matrix: too few contacts to balance",
        "contacts",
        "merge_libraries",
        diagonal_alone,
        ("too few contacts to balance", "coarser"),
        mended="the line named a temporary file",
    ),
    _config(
        "libraries: a library twice",
        lambda s: s.write(LIBRARIES, [*s.lines(LIBRARIES), s.lines(LIBRARIES)[1]]),
        "library 'leaf' twice",
    ),
    _config(
        "libraries: pairs without a bin size",
        lambda s: s.edit(LIBRARIES, f"NA\t{BIN}", "NA\tNA"),
        "no resolution",
    ),
    _config(
        "libraries: a bin size of 0",
        lambda s: s.edit(LIBRARIES, f"NA\t{BIN}", "NA\t0"),
        "key resolution",
        "at least 1",
        mended="taken silently",
    ),
    _config(
        "libraries: a negative bin size",
        lambda s: s.edit(LIBRARIES, f"NA\t{BIN}", "NA\t-5"),
        "found -5",
        "at least 1",
        mended="`allowed: ['integer', 'null']`",
    ),
    _config(
        "libraries: an unknown format",
        lambda s: s.edit(LIBRARIES, "hicpro_pairs", "pairix"),
        "'pairix'",
        "hicpro_matrix",
    ),
    _config(
        "libraries: a name that leads elsewhere",
        lambda s: s.edit(LIBRARIES, "leaf\t", "../x\t"),
        "'../x'",
    ),
    _config(
        "libraries: a matrix without its bins",
        lambda s: s.edit(LIBRARIES, f"{MATRIX}\t{BINS}", f"{MATRIX}\tNA"),
        "no bins",
    ),
]
