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


def thin_library(study):
    """Fewer contacts than bins: in each bin too few for ICE."""
    study.write(PAIRS, study.lines(PAIRS)[:60])
    one_library(f"leaf\thicpro_pairs\t{PAIRS}\tNA\t{BIN // 20}")(study)


def loading(name, spoil, *said, mended=""):
    return Fault(name, "contacts", LOAD, spoil, said, mended=mended)


def _config(name, spoil, *said, mended=""):
    return Fault(name, "config", "config", spoil, said, mended=mended)


def _counted(name, spoil, *said, mended=""):
    return Fault(name, "contacts", "", spoil, said, mended=mended, table="contacts/libraries.tsv")


def from_0(study):
    """Bins of the matrix counted from 0."""
    triplets = [line.split("\t") for line in study.lines(MATRIX)]
    study.write(MATRIX, [f"{int(a) - 1}\t{int(b) - 1}\t{count}" for a, b, count in triplets])


def bins_from_1(study):
    """A bed of three columns, starts counted from 1, ends at whole bins."""
    bins = [line.split("\t") for line in study.lines(BINS)]
    study.write(BINS, [f"{c}\t{int(start) + 1}\t{int(start) + BIN}" for c, start, *_ in bins])


def within_chromosomes(study):
    """Pairs as a pipeline leaves them that looks at one chromosome after the other."""
    pairs = [line.split("\t") for line in study.lines(PAIRS)]
    study.write(PAIRS, ["\t".join(pair) for pair in pairs if pair[1] == pair[4]])


def header_4dn(*lines):
    """A fault that makes the pairs those of the 4DN, with these lines above them."""

    def spoil(study):
        pairs = [line.split("\t") for line in study.lines(PAIRS)]
        rows = ["\t".join(p[k] for k in (0, 1, 2, 4, 5)) for p in pairs]
        study.write(PAIRS, [*lines, *rows])
        study.edit(LIBRARIES, "hicpro_pairs", "pairs")

    return spoil


SUMS = "contacts/cim_sums.tsv"
COUNTS = "100000\tcounts\tnone\t3000\t2003\t997\t0\t0"  # of either library, nothing lost
MATRIX_KEPT, PAIRS_KEPT = f"root\thicpro_matrix\t{COUNTS}", f"pairs\t{COUNTS}"
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
        "pairs: none between chromosomes",
        within_chromosomes,
        "no contacts between chromosomes",
        "contacts: expected",
        mended="taken silently: the CIM was a diagonal",
    ),
    loading(
        "pairs: a header of another assembly's lengths",
        header_4dn("#samheader: @SQ\tSN:Gm02\tLN:812345"),
        "line 1",
        "Gm02 of 812345 bp",
        "800000",
        mended="taken silently",
    ),
    _counted(
        "pairs: chrom1 and chrom2, as pairtools writes them",
        header_4dn("#columns: readID chrom1 pos1 chrom2 pos2"),
        PAIRS_KEPT,
        mended="refused: no chr1, chr2",
    ),
    _counted(
        "pairs: files joined by cat",
        lambda s: [
            header_4dn("#columns: readID chr1 pos1 chr2 pos2")(s),
            s.write(PAIRS, [*s.lines(PAIRS)[:900], *s.lines(PAIRS)[:1], *s.lines(PAIRS)[900:]]),
        ],
        PAIRS_KEPT,
        mended="`pos1 ''`",
    ),
    loading(
        "pairs: files of other columns joined by cat",
        lambda s: [
            header_4dn("#columns: readID chr1 pos1 chr2 pos2")(s),
            s.write(PAIRS, [*s.lines(PAIRS), "#columns: chr1 pos1 chr2 pos2", "Gm01\t5\tGm02\t6"]),
        ],
        "second header",
        "line 3002",
        "a row of hic.tsv",
    ),
    _counted(
        "pairs: gzipped twice under a name without .gz",
        lambda s: s.path(PAIRS).write_bytes(
            gzip.compress(gzip.compress(s.path(PAIRS).read_bytes()))
        ),
        PAIRS_KEPT,
        mended="no UTF-8",
    ),
    _counted(
        "pairs: plain under a name with .gz",
        lambda s: [
            s.path(f"{PAIRS}.gz").write_bytes(s.path(PAIRS).read_bytes()),
            s.edit(LIBRARIES, f"{PAIRS}\t", f"{PAIRS}.gz\t"),
        ],
        PAIRS_KEPT,
        mended="`truncated or damaged gzip`",
    ),
    _counted(
        "pairs: a mark, blanks between the columns, empty rows",
        lambda s: s.path(PAIRS).write_text(
            "\ufeff" + s.path(PAIRS).read_text().replace("\t", " ") + "\n\t\t\n"
        ),
        PAIRS_KEPT,
        mended="unreadable",
    ),
    loading(
        "matrix: a triplet beyond the last bin",
        triplet("1", "25", "4"),
        "bin 25, beyond the last",
        "1 to 24",
    ),
    loading(
        "matrix: bin 0 and the last of a bed from 1", triplet("0", "1", "4"), "bin 0", "1 to 24"
    ),
    _counted("matrix: numbered from 0", from_0, MATRIX_KEPT),
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
    _counted(
        "bins: numbered from 0",
        lambda s: s.write(
            BINS, [f"{x.rsplit(chr(9), 1)[0]}\t{n}" for n, x in enumerate(s.lines(BINS))]
        ),
        MATRIX_KEPT,
    ),
    _counted(
        "bins: three columns beside a matrix from 0, starts from 1, ends rounded up",
        lambda s: [from_0(s), bins_from_1(s)],
        MATRIX_KEPT,
        mended="five tries, one fault at a time",
    ),
    loading(
        "bins: three columns beside a matrix that may be from 0 or from 1",
        lambda s: [
            bins_from_1(s),
            s.write(MATRIX, [x for x in s.lines(MATRIX) if not {"1", "24"} & set(x.split()[:2])]),
        ],
        "bins 2 to 23",
        "from 0 or from 1",
        "fourth column",
    ),
    loading(
        "bins: of fewer chromosomes",
        lambda s: [
            s.write(BINS, [x for x in s.lines(BINS) if "03" not in x.split()[0]]),
            s.write(MATRIX, ["1\t2\t3"]),
        ],
        "no contacts of chromosome Gm03",
        "anew over all chromosomes",
        mended="advice about aliases",
    ),
    loading(
        "bins: of varying size", lambda s: s.edit(BINS, "100000\t200000", "100000\t150000"), BINS
    ),
    Fault(
        "pairs: too few contacts to balance",
        "contacts",
        "merge_libraries",
        thin_library,
        ("too few contacts to balance", "coarser"),
        mended="the line named a temporary file",
    ),
    _counted(
        "libraries: a mark, trailing tabs and empty rows, Windows line ends",
        lambda s: s.path(LIBRARIES).write_text(
            "\ufeff" + s.path(LIBRARIES).read_text().replace("\n", "\t\t\r\n\t\t\t\r\n")
        ),
        PAIRS_KEPT,
        MATRIX_KEPT,
        mended="refused: more cells than the header",
    ),
    _config(
        "libraries: a row with a cell too many",
        lambda s: s.edit(LIBRARIES, f"NA\t{BIN}", f"NA\t{BIN}\tleaf"),
        "line 2",
        "6 cells",
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
