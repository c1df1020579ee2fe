"""Reading HiC-Pro's matrices (raw or iced, any triangle)."""

import numpy as np
import pandas as pd

from soyfold.common.errors import UserError
from soyfold.common.logs import log
from soyfold.contacts.grid import place_bins
from soyfold.contacts.opened import Opened, choose_resolution
from soyfold.contacts.text import read_chunks

ROWS = 500_000  # lines in memory at a time
TRIPLETS = "bin1 <tab> bin2 <tab> count, bins numbered from 1 as in the _abs.bed file"
BED = "HiC-Pro's _abs.bed: chromosome <tab> start <tab> end <tab> number of the bin, from 1"


def _read_bins(path):
    """Contig, start, end of the bins of an _abs.bed file, in the order of their numbers."""
    dtypes = {"chrom": "category", "start": "int64", "end": "int64", "number": "int64"}
    chunks = read_chunks(
        path, list(dtypes), dtypes=dtypes, positions=[0, 1, 2, 3], rows=100_000_000, layout=BED
    )
    bins = next(chunks)
    if bins["number"].iloc[0] == 0:
        raise UserError(
            "bins numbered from 0",
            file=path,
            at="line 1",
            allowed="bins numbered from 1",
            mend="add 1 to the numbers here and in the matrix",
        )
    wrong = bins["number"].to_numpy() != np.arange(1, len(bins) + 1)
    if wrong.any():
        first = int(np.argmax(wrong))
        raise UserError(
            f"bin number {bins['number'].iloc[first]}",
            file=path,
            at=f"line {first + 1}",
            allowed=f"{first + 1}: bins are numbered from 1, one after the other",
        )
    return bins


def _check_triplets(chunk, n_bins, *, file, bins):
    low, high = (chunk[["bin1", "bin2"]].min(axis=1), chunk[["bin1", "bin2"]].max(axis=1))
    count = chunk["count"].to_numpy()
    for wrong, found, allowed, mend in (
        (low < 1, "bin 0, as in a matrix numbered from 0", "bins numbered from 1",
         "add 1 to the bins, as HiC-Pro has them"),
        (high > n_bins, "a bin beyond the last", f"1 to {n_bins} ({bins})",
         "take the _abs.bed of the same resolution and run"),
        (~(np.isfinite(count) & (count >= 0)), "a count", "a number from 0 on", None),
    ):  # fmt: skip
        wrong = np.asarray(wrong)
        if wrong.any():
            first = int(np.argmax(wrong))
            line = "\t".join(map(str, chunk.iloc[first]))
            raise UserError(
                f"{found} ({line!r})",
                file=file,
                at=f"line {chunk.index[first] + 1}",
                allowed=allowed,
                mend=mend,
            )


def _triplets(file, n_bins, bins):
    """Yield 0-based bins and counts of a .matrix file, checked."""
    dtypes = {"bin1": "int64", "bin2": "int64"}
    for chunk in read_chunks(
        file,
        ["bin1", "bin2", "count"],
        dtypes=dtypes,
        positions=[0, 1, 2],
        rows=ROWS,
        layout=TRIPLETS,
    ):
        if not pd.api.types.is_numeric_dtype(chunk["count"]):
            number = pd.to_numeric(chunk["count"], errors="coerce")
            first = int(np.argmax(number.isna()))
            raise UserError(
                f"count {chunk['count'].iloc[first]!r}",
                file=file,
                at=f"line {chunk.index[first] + 1}",
                allowed=f"a number; {TRIPLETS}",
            )
        _check_triplets(chunk, n_bins, file=file, bins=bins)
        yield chunk["bin1"].to_numpy() - 1, chunk["bin2"].to_numpy() - 1, chunk["count"].to_numpy()


def _mix(key):
    """A pseudo-random uint64 for each key (the finaliser of splitmix64)."""
    key = key.astype(np.uint64)
    key = (key ^ (key >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    key = (key ^ (key >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return key ^ (key >> np.uint64(31))


def detect_layout(triplets, n_bins):
    """Find which triangles a matrix holds, in one pass and constant memory.

    A complete matrix has the same pairs and counts above and below the diagonal. Both triangles
    are reduced to a fingerprint: the sum of a hash of each pair modulo 2^64, and the counts'
    projection on pseudo-random numbers. HiC-Pro's `asis` matrices have both triangles too, but
    each contact in one of them, so their fingerprints differ.

    Parameters
    ----------
    triplets : iterable of (one, two, count)
    n_bins : int

    Returns
    -------
    layout : str
        upper, lower, complete or asis; a diagonal alone is upper.
    integer : bool
        Whether all counts are whole numbers.
    """
    integer = True
    pairs, values = [0, 0], np.zeros(2)
    for one, two, count in triplets:
        integer &= bool(np.issubdtype(count.dtype, np.integer) or (count == np.rint(count)).all())
        for below, side in enumerate((one < two, one > two)):
            low, high = np.minimum(one[side], two[side]), np.maximum(one[side], two[side])
            noise = _mix(low * n_bins + high + 1)
            pairs[below] = (pairs[below] + int(noise.sum(dtype=np.uint64))) % 2**64
            values[below] += (noise / 2.0**64 + 0.5) @ count[side]
    upper, lower = values
    if lower == 0:
        return "upper", integer
    if upper == 0:
        return "lower", integer
    mirrored = pairs[0] == pairs[1] and abs(upper - lower) <= (1e-12 if integer else 1e-6) * upper
    return ("complete" if mirrored else "asis"), integer


def read_hicpro_matrix(row, chromosomes, target):
    """Open a HiC-Pro .matrix with its _abs.bed; each contact is counted once.

    Parameters
    ----------
    row : dict
        Row of hic.tsv; a `resolution` in it must be the file's.
    chromosomes : Chromosomes
    target : int or None
        Bin size of the study, bp; the file's must divide it.

    Returns
    -------
    Opened

    Raises
    ------
    UserError
        For bins numbered from 0, triplets beyond the bins, or bins that don't fit the assembly.
    """
    file, bed = row["file"], row["bins"]
    if bed is None:
        raise UserError("no bins", file=file, allowed="the _abs.bed in the column bins of hic.tsv")
    bins = _read_bins(bed)
    start, end = (bins[name].to_numpy() for name in ("start", "end"))
    grid, placed, dropped = place_bins(bins["chrom"], start, end, chromosomes, file=bed)
    choose_resolution([grid.resolution], row=row["resolution"], target=target, file=bed)
    layout, integer = detect_layout(_triplets(file, len(bins), bed), len(bins))
    log.info("%s: a matrix of layout %s, %s", file, layout, "counts" if integer else "iced")

    def chunks():
        for one, two, count in _triplets(file, len(bins), bed):
            if layout == "complete":
                once = one <= two
                one, two, count = one[once], two[once], count[once]
            yield placed[one], placed[two], count

    return Opened(grid, chunks(), set(dropped), integer=integer, iced=not integer)
