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
            f"the first bytes {magic.hex() or 'none'}", file=path, allowed="a PLINK bed"
        )
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


def _read_columns(path, names):
    """Read a bim or fam, whitespace between its columns, no header; it may be empty."""
    try:
        table = read_text_table(
            _companion(path),
            sep=r"\s+",
            header=None,
            dtype=str,
            keep_default_na=False,
            names=names,
            index_col=False,
            quoting=csv.QUOTE_NONE,
        )
    except pd.errors.EmptyDataError:
        return pd.DataFrame(columns=names, dtype=str)
    except pd.errors.ParserError as error:
        raise UserError(
            f"no table: {error}",
            file=path,
            allowed=f"lines with {', '.join(names)}, parted by blanks or tabs",
            mend="write the .bim and .fam again with PLINK",
        ) from None
    short = np.flatnonzero((table.isna() | (table == "")).any(axis=1))
    if len(short):
        raise UserError(
            "a line with too few columns",
            file=path,
            at=f"line {short[0] + 1}",
            allowed=f"{len(names)} columns: {', '.join(names)}",
        )
    return table


def read_bim(path):
    """Read a bim file: chromosome, variant, cm, position (bp, int64), alt (A1), ref (A2)."""
    table = _read_columns(path, BIM_COLUMNS)
    position = pd.to_numeric(table["position"], errors="coerce")
    wrong = np.flatnonzero(position.isna() | (position % 1 != 0))
    if len(wrong):
        raise UserError(
            f"position {table['position'][wrong[0]]!r}",
            file=path,
            at=f"line {wrong[0] + 1}",
            allowed="base pairs, an integer",
        )
    return table.assign(position=position.astype(np.int64))


def write_bim(table, path):
    """Write chromosome, variant, position, alt, ref of a table as a bim file."""
    with staged(path) as temporary:
        table.assign(cm=0)[BIM_COLUMNS].to_csv(
            temporary, sep="\t", header=False, index=False, lineterminator="\n"
        )


def read_fam(path):
    """Sample ids (second column) of a fam file, a list of str."""
    names = ["family", "sample", "father", "mother", "sex", "phenotype"]
    return _read_columns(path, names)["sample"].tolist()


def write_fam(samples, path):
    """Write a fam file of unrelated samples whose family is their own id."""
    with staged(path) as temporary:
        temporary.write_text("".join(f"{s}\t{s}\t0\t0\t0\t-9\n" for s in samples), encoding="utf-8")
