"""Faults of Hi-C libraries and of their sheet."""

import gzip

from fault import Fault
from genotype_faults import content, directory
from tiny_road import BIN, BINS, LIBRARIES, MATRIX, PAIRS

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


def diagonal_alone(study):
    """Contacts within bins, which ICE leaves out."""
    bins = (1, 5, 11, 15, 19, 23)
    study.write(MATRIX, [f"{k}\t{k}\t9" for k in bins])
    one_library(f"root\thicpro_matrix\t{MATRIX}\t{BINS}\tNA")(study)


def loading(name, spoil, *said, mended=""):
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
    loading("pairs: gzip cut off", cut_pairs, "truncated or damaged gzip"),
    loading(
        "pairs: a position beyond the chromosome",
        pair("Gm01", "1000001", "+", "Gm01", "5", "-"),
        "1000001",
        "line 3001",
        "assembly",
    ),
    loading("pairs: a negative position", pair("Gm01", "-7", "+", "Gm01", "5", "-"), "-7"),
    loading(
        "pairs: a position of 64 bits",
        pair("Gm01", "99999999999999999999", "+", "Gm01", "5", "-"),
        "99999999999999999999",
        "line 3001",
        mended="`Overflow`, without the line",
    ),
    loading(
        "pairs: text for a position", pair("Gm01", "x", "+", "Gm01", "5", "-"), "'x'", "line 3001"
    ),
    loading(
        "pairs: half a line at their end",
        lambda s: s.path(PAIRS).write_text(s.path(PAIRS).read_text() + "read\tGm01\t5"),
        PAIRS,
    ),
    loading(
        "pairs: a chromosome missing",
        lambda s: s.write(PAIRS, [x for x in s.lines(PAIRS) if "Gm03" not in x]),
        "Gm03",
    ),
    loading(
        "pairs: of another assembly's names",
        lambda s: s.edit(PAIRS, "Gm", "LG", count=-1),
        "Gm01",
        mended="`allowed: some`",
    ),
    loading(
        "matrix: a triplet beyond the last bin",
        triplet("1", "25", "4"),
        "beyond the last",
        "1 to 24",
    ),
    loading("matrix: numbered from 0", triplet("0", "1", "4"), "bin 0", "add 1"),
    loading("matrix: a negative count", triplet("1", "1", "-4"), "a count", "from 0 on"),
    loading("matrix: a NaN count", triplet("1", "1", "nan"), "count 'nan'", "a number"),
    loading("matrix: a text for a count", triplet("1", "1", "many"), "'many'"),
    loading(
        "matrix: half a triplet",
        lambda s: s.path(MATRIX).write_text(s.path(MATRIX).read_text() + "24"),
        MATRIX,
    ),
    loading("matrix: no contacts at all", lambda s: [s.write(MATRIX, ["1\t1\t0"])], "no contacts"),
    _config(
        "matrix: empty file",
        content(MATRIX, b""),
        "an empty file",
        mended="told only once the job ran",
    ),
    loading(
        "bins: of another assembly",
        lambda s: s.edit(BINS, "900000\t1000000", "900000\t950000"),
        BINS,
        "950000",
        "1000000",
    ),
    loading(
        "bins: numbered from 0",
        lambda s: s.write(
            BINS, [f"{x.rsplit(chr(9), 1)[0]}\t{n}" for n, x in enumerate(s.lines(BINS))]
        ),
        "from 0",
    ),
    loading(
        "bins: of varying size", lambda s: s.edit(BINS, "100000\t200000", "100000\t150000"), BINS
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
