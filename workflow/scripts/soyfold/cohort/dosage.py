"""The dosage matrix: PLINK bed -> int8 samples x variants on disk."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.lib.format import open_memmap
from pandas_plink import Chunk, read_plink1_bin

from soyfold.cohort.families import name_families
from soyfold.common.errors import UserError
from soyfold.common.files import reserve, staged, write_table
from soyfold.common.logs import log
from soyfold.genotypes.bed import read_bim, read_fam

BLOCK_BYTES = 64 * 2**20  # of float32 dosages, the form that pandas-plink hands out


def _refuse_missing(block, start, variants, samples, bed):
    """Raise for a missing call, naming the first one."""
    missing = np.isnan(block)
    if missing.any():
        row, column = np.argwhere(missing)[0]
        raise UserError(
            f"missing calls: {int(missing.sum())}",
            file=bed,
            at=f"sample {samples[row]}, variant {variants.iloc[start + column]}",
            allowed="no missing call after imputation",
            mend="switch imputation on (drop imputation: off)",
        )


def _row_keys(fam, families):
    """Which sample is which row, and of which family where the study names them."""
    rows = pd.DataFrame({"sample": fam, "row": np.arange(len(fam))})
    if families:
        rows["family"] = name_families(rows["sample"], **families)
        log.info("%d samples in %d families", rows["family"].count(), rows["family"].nunique())
    return rows


def _column_keys(bim):
    """Which variant is which column."""
    columns = bim[["variant", "chromosome", "position", "ref", "alt"]]
    return columns.assign(column=np.arange(len(bim)))


def write_dosage(bed, *, dosage, samples, variants, families=None, block_bytes=BLOCK_BYTES):
    """Write counts of ALT as a memory-mapped matrix, with the keys of its rows and columns.

    Parameters
    ----------
    bed : path-like
        PLINK bed with .bim (A1 = ALT, A2 = REF) and .fam beside it; no missing call.
    dosage : path-like
        .npy to write: int8 (n, L), C order, ALT alleles of each sample at each variant.
    samples, variants : path-like
        Tables to write: sample, row; variant, chromosome, position (bp), ref, alt, column.
    families : dict, optional
        What `families.name_families` takes: samples then have a column family.
    block_bytes : int
        Memory of one block of variants, as float32.

    Raises
    ------
    UserError
        If a call is missing, or no sample has a family.
    """
    bed = Path(bed)
    fam, bim = read_fam(bed.with_suffix(".fam")), read_bim(bed.with_suffix(".bim"))
    rows = _row_keys(fam, families)
    step = max(1, block_bytes // (4 * len(fam)))
    # pandas-plink calls the .bim's fifth column, here ALT, a0 and by default counts the other.
    counts = read_plink1_bin(
        bed,
        bed.with_suffix(".bim"),
        bed.with_suffix(".fam"),
        verbose=False,
        ref="a0",
        chunk=Chunk(nsamples=None, nvariants=step),
    ).data
    with staged(dosage) as temporary:
        matrix = open_memmap(temporary, mode="w+", dtype=np.int8, shape=counts.shape)
        reserve(temporary)
        for start in range(0, len(bim), step):
            block = counts[:, start : start + step].compute(scheduler="synchronous")
            _refuse_missing(block, start, bim["variant"], fam, bed)
            matrix[:, start : start + step] = block
        matrix.flush()
        del matrix
    write_table(rows, samples)
    write_table(_column_keys(bim), variants)
    log.info("dosage: %d samples x %d variants", *counts.shape)
