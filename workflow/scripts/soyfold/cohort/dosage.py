"""The dosage matrix: PLINK bed -> int8 samples x variants on disk."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.lib.format import open_memmap

from soyfold.common.errors import UserError
from soyfold.common.files import reserve, staged, write_table
from soyfold.common.logs import log
from soyfold.genotypes import bed


def write_matrix(path, samples, variants, blocks):
    """Write a memory-mapped matrix of counts, samples x variants.

    A disk without room for it is told before it is written.

    Parameters
    ----------
    path : path-like
        .npy to write: int8 (samples, variants), C order.
    samples, variants : int
    blocks : iterable of (slice or ndarray, ndarray)
        Columns, each once, and their counts (columns, samples) int8.
    """
    with staged(path) as temporary:
        matrix = open_memmap(temporary, mode="w+", dtype=np.int8, shape=(samples, variants))
        reserve(temporary)
        for columns, counts in blocks:
            matrix[:, columns] = counts.T
        matrix.flush()
        del matrix


def _complete_blocks(file, samples, variants, cells):
    """Blocks of a bed, as `write_matrix` takes them; a missing call is refused with its place."""
    rows = bed.open_bed(file, variants=len(variants), samples=len(samples))
    for part, counts in bed.blocks(rows, len(samples), cells=cells):
        missing = counts == bed.MISSING
        if missing.any():
            row, column = np.argwhere(missing)[0]
            raise UserError(
                f"missing calls: {int(missing.sum())}",
                file=file,
                at=f"sample {samples[column]}, variant {variants.iloc[part.start + row]}",
                allowed="no missing call after imputation",
                mend="take `imputation: off` out of the study file",
            )
        yield part, counts


def _column_keys(bim):
    """Which variant is which column."""
    columns = bim[["variant", "chromosome", "position", "ref", "alt"]]
    return columns.assign(column=np.arange(len(bim)))


def write_dosage(file, *, dosage, samples, variants, cells=1 << 25):
    """Write counts of ALT as a memory-mapped matrix, with the keys of its rows and columns.

    Parameters
    ----------
    file : path-like
        PLINK bed with .bim (A1 = ALT, A2 = REF) and .fam beside it; no missing call.
    dosage : path-like
        .npy to write: int8 (n, L), C order, ALT alleles of each sample at each variant.
    samples, variants : path-like
        Tables to write: sample, row; variant, chromosome, position (bp), ref, alt, column.
    cells : int
        Genotypes of a block in memory.

    Raises
    ------
    UserError
        If a call is missing.
    """
    file = Path(file)
    fam, bim = bed.read_fam(file.with_suffix(".fam")), bed.read_bim(file.with_suffix(".bim"))
    blocks = _complete_blocks(file, fam, bim["variant"], cells)
    write_matrix(dosage, len(fam), len(bim), blocks)
    write_table(pd.DataFrame({"sample": fam, "row": np.arange(len(fam))}), samples)
    write_table(_column_keys(bim), variants)
    log.info("dosage: %d samples x %d variants", len(fam), len(bim))
