"""PLINK's bed, bim and fam: two bits a genotype, a row a variant.

A1 is ALT and A2 is REF throughout soyfold, so that a genotype is the count of ALT. Names are the
canonical chromosomes; the sample id is the fam's second column.
"""

import csv
from pathlib import Path

import numpy as np
import pandas as pd

from soyfold.common.errors import UserError
from soyfold.common.files import read_text_table, staged
from soyfold.common.logs import log

MAGIC = bytes([0x6C, 0x1B, 0x01])
MISSING = -1

# A byte holds four samples, the first in the lowest two bits: 00 A1 A1, 01 missing, 10 A1 A2,
# 11 A2 A2. One look-up gives four counts of A1, packed into 32 bits.
_COUNT = np.array([2, MISSING, 1, 0], dtype=np.int8)
_FOUR = np.ascontiguousarray(_COUNT[(np.arange(256)[:, None] >> np.array([0, 2, 4, 6])) & 3]).view(
    np.int32
)[:, 0]
# The way back: count 0, 1, 2 and, as index -1, missing.
_CODE = np.array([3, 2, 0, 1], dtype=np.uint8)

BIM_COLUMNS = ["chromosome", "variant", "cm", "position", "alt", "ref"]
FAM_COLUMNS = ["family", "sample", "father", "mother", "sex", "phenotype"]
WIDEST = 8  # columns of a bim or fam that are looked at
# First two columns of a header, which PLINK doesn't write.
_HEADS = {("fid", "iid"), ("v1", "v2"), *((c, n) for c in ("chr", "chrom") for n in ("snp", "id"))}
# What converters write where PLINK has 0 for a place that isn't known.
_NO_POSITION = frozenset({"", "na", "nan", ".", "?", "-"})
_PLACE_IN_ID = r"(?P<chromosome>.+?)[:_-](?P<position>\d+)(?:[:_-].*)?"


def unpack(rows, samples):
    """Genotypes of packed rows.

    Parameters
    ----------
    rows : ndarray (v, ceil(samples / 4)) uint8
    samples : int

    Returns
    -------
    ndarray (v, samples) int8
        Count of A1 (ALT): 0, 1, 2; -1 is missing.
    """
    return _FOUR[rows].view(np.int8)[:, :samples]


def pack(counts):
    """Packed rows, (v, ceil(n / 4)) uint8, of counts of ALT, (v, n) int8; inverse of `unpack`."""
    counts = np.asarray(counts)
    variants, samples = counts.shape
    width = -(-samples // 4)
    padded = np.zeros((variants, 4 * width), dtype=np.uint8)
    padded[:, :samples] = _CODE[counts]
    four = padded.reshape(variants, width, 4)
    return four[..., 0] | four[..., 1] << 2 | four[..., 2] << 4 | four[..., 3] << 6


def blocks(bed, samples, *, cells=1 << 25):
    """Yield (slice of variants, counts (v, samples) int8) in blocks of about `cells` genotypes."""
    step = max(1, cells // max(1, samples))
    for start in range(0, len(bed), step):
        rows = slice(start, min(start + step, len(bed)))
        yield rows, unpack(bed[rows], samples)


def _companion(path):
    if not Path(path).is_file():
        raise UserError(
            "no such file", file=path, allowed="a .bed with its .bim and .fam beside it"
        )
    return path


def open_bed(path, *, variants, samples):
    """Map a bed file, (variants, ceil(samples / 4)) uint8, read-only; nothing is loaded.

    Raises
    ------
    UserError
        If it is no variant-major PLINK bed, or its size doesn't fit bim and fam.
    """
    with Path(_companion(path)).open("rb") as stream:
        magic = stream.read(3)
    if magic[:2] != MAGIC[:2]:
        raise UserError(
            f"the first bytes {magic.hex() or 'none'}", file=path, allowed="a PLINK bed",
            mend="copy it again; intervals (BED) and archives are no genotypes",
        )  # fmt: skip
    if magic != MAGIC:
        raise UserError(
            "a bed with a row a sample",
            file=path,
            allowed="a row a variant",
            mend="write it anew with plink --make-bed",
        )
    width = -(-samples // 4)
    expected = 3 + variants * width
    if Path(path).stat().st_size != expected:
        raise UserError(
            f"{Path(path).stat().st_size} bytes",
            file=path,
            allowed=f"{expected} bytes for the {variants} variants of the bim"
            f" and the {samples} samples of the fam",
            mend="copy the three files again, they don't belong together or one is cut off",
        )
    if not variants * width:
        return np.zeros((variants, width), dtype=np.uint8)
    return np.memmap(path, dtype=np.uint8, mode="r", offset=3, shape=(variants, width))


def write_bed(rows, path):
    """Write packed rows, (v, b) uint8 or an iterable of such blocks, as a bed file."""
    with staged(path) as temporary, temporary.open("wb") as stream:
        stream.write(MAGIC)
        for block in [rows] if isinstance(rows, np.ndarray) else rows:
            stream.write(np.ascontiguousarray(block).data)


def make_homozygous(path):
    """Make every heterozygous call of a bed one of two A1, in place."""
    packed = np.memmap(path, dtype=np.uint8, mode="r+", offset=len(MAGIC))
    for start in range(0, len(packed), 1 << 24):
        part = packed[start : start + (1 << 24)]
        part &= ~(part & ~(part << 1) & 0xAA)  # 10 becomes 00


def _read_cells(path):
    """Cells of a bim or fam as bare text, "" where there is none; without blank lines and header.

    The index is the line in the file, less one.
    """
    options = {
        "header": None, "names": range(WIDEST), "index_col": False, "dtype": str,
        "na_filter": False, "skip_blank_lines": False, "quoting": csv.QUOTE_NONE,
    }  # fmt: skip
    for separator in ("\t", r"\s+"):
        try:
            table = read_text_table(_companion(path), sep=separator, **options)
        except pd.errors.EmptyDataError:
            return pd.DataFrame(columns=range(WIDEST), dtype=str)
        except pd.errors.ParserError as error:
            raise UserError(
                f"no table: {error}", file=path, allowed="lines of columns by blanks or tabs",
                mend="write the .bim and .fam again with PLINK",
            ) from None  # fmt: skip
        table = table.fillna("").apply(lambda column: column.str.strip(' "'))
        if (table[2] != "").any():
            break
    table = table[(table != "").any(axis=1)]
    first = tuple(table.iloc[0, :2].str.lower().str.strip("#")) if len(table) else ()
    return table.iloc[1:] if first in _HEADS else table


def _read_columns(path, layouts):
    """Read a bim or fam: tabs or blanks between its columns, no header; it may be empty.

    Parameters
    ----------
    path : path-like
    layouts : list of list of str
        The columns' names for each number of columns that a file may have.

    Returns
    -------
    DataFrame
        Text; the index is the line in the file, less one.
    """
    table = _read_cells(path)
    filled = (table != "").to_numpy()
    width = WIDEST - filled[:, ::-1].argmax(axis=1)
    names = next((names for names in layouts if len(names) == width[:1]), layouts[0])
    odd = np.flatnonzero(width != len(names))
    if len(odd):
        found = f"{'at least ' if width[odd[0]] == WIDEST else ''}{width[odd[0]]}"
        raise UserError(
            f"a line of {found} columns", file=path, at=f"line {table.index[odd[0]] + 1}",
            allowed=" or ".join(f"{len(names)}: {', '.join(names)}" for names in layouts),
            mend="give all lines the same columns, without blanks in names",
        )  # fmt: skip
    return table.iloc[:, : len(names)].set_axis(names, axis=1)


def read_bim(path):
    """Read a bim file; its column of centimorgans may lack.

    Returns
    -------
    DataFrame
        chromosome, variant, cm, position (bp, int64; 0 where it says that it isn't known),
        alt (A1), ref (A2). `attrs["lines"]` has the rows' lines in the file where there are blank
        ones between them.
    """
    short = [name for name in BIM_COLUMNS if name != "cm"]
    table = _read_columns(path, [BIM_COLUMNS, short])
    text = table["position"].where(~table["position"].str.lower().isin(_NO_POSITION), "0")
    position = pd.to_numeric(text, errors="coerce")
    wrong = np.flatnonzero(position.isna() | (position % 1 != 0))
    if len(wrong):
        raise UserError(
            f"position {table['position'].iloc[wrong[0]]!r}", file=path,
            at=f"line {table.index[wrong[0]] + 1}", allowed="base pairs, an integer",
            mend=f"see that the columns are {' '.join(table.columns)}",
        )  # fmt: skip
    lines = (table.index + 1).tolist()
    table = table.assign(position=position.astype(np.int64), cm=table.get("cm", "0"))
    table = table[BIM_COLUMNS].reset_index(drop=True)
    if lines[-1:] != [len(lines)][: len(lines)]:
        table.attrs["lines"] = lines
    return table


def read_places(bim, aliases, *, file):
    """Read chromosomes off the ids (Gm01:66448, S1_66448_A_G) where all are 0.

    Only without a doubt: each id must name a known chromosome, and the position that the file has.

    Parameters
    ----------
    bim : DataFrame
        From `read_bim`.
    aliases : mapping
        `Chromosomes.aliases`.
    file : path-like
        For the warning.

    Returns
    -------
    DataFrame
        `bim`, or with other chromosomes.
    """
    if not len(bim) or (bim["chromosome"] != "0").any():
        return bim
    place = bim["variant"].str.extract(f"^{_PLACE_IN_ID}$")
    name = place["chromosome"]
    name = name.where(name.isin([*aliases]), name.str.removeprefix("S"))  # S1 of TASSEL
    if not (name.isin([*aliases]) & (place["position"] == bim["position"].astype(str))).all():
        return bim
    log.warning(
        "WARNING %s: chromosome 0 for all %d variants; their chromosomes are read off the ids,"
        " which hold the same positions (first %s)",
        *(file, len(bim), bim["variant"].iloc[0]),
    )
    return bim.assign(chromosome=name)


def write_bim(table, path):
    """Write chromosome, variant, position, alt, ref of a table as a bim file."""
    with staged(path) as temporary:
        table.assign(cm=0)[BIM_COLUMNS].to_csv(
            temporary, sep="\t", header=False, index=False, lineterminator="\n"
        )


def read_fam(path):
    """Sample ids of a fam file, a list of str: its second column.

    Of five columns, the one for phenotypes lacks, or that for families where the second says 0
    (no father known) for all.
    """
    table = _read_columns(path, [FAM_COLUMNS, FAM_COLUMNS[:-1]])
    alone = len(table.columns) < len(FAM_COLUMNS) and (table["sample"] == "0").all()
    return table["family" if alone else "sample"].tolist()


def write_fam(samples, path):
    """Write a fam file of unrelated samples whose family is their own id."""
    with staged(path) as temporary:
        temporary.write_text("".join(f"{s}\t{s}\t0\t0\t0\t-9\n" for s in samples), encoding="utf-8")
