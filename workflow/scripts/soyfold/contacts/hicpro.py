"""Reading HiC-Pro's matrices (raw or iced, any triangle), and coo text beside any bed of bins."""

import numpy as np

from soyfold.common.errors import UserError
from soyfold.common.logs import log
from soyfold.contacts.grid import place_bins
from soyfold.contacts.opened import Opened, choose_resolution
from soyfold.contacts.text import names_of, read_chunks, read_head

ROWS = 500_000  # lines in memory at a time
TRIPLETS = "bin1 <tab> bin2 <tab> count, bins numbered as in the bed file"
BED = (
    "HiC-Pro's _abs.bed: chromosome <tab> start <tab> end <tab> number of the bin; or three columns"
)
_TRIPLET = {"bin1": (0, "int64"), "bin2": (1, "int64"), "count": (2, "float64")}


def _read_bins(path):
    """Contig (Categorical), start, end of the bins of a bed file; and their numbers, or None."""
    head = read_head(path, layout=BED)
    columns = {"chrom": (0, "category"), "start": (1, "int64"), "end": (2, "int64")}
    if len(head.cells) > 3 and head.cells[3].isdigit():
        columns["number"] = (3, "int64")
    else:
        log.info("%s: no numbers of bins in a fourth column: they are counted", path)
    chunks = read_chunks(path, columns, rows=100_000_000, layout=BED, head=head)
    bins, line_of = next(chunks)
    chrom = bins["chrom"].cat.rename_categories(names_of(bins["chrom"].cat))
    numbers = bins["number"].to_numpy() if "number" in bins else None
    if numbers is not None:
        wrong = numbers != numbers[0] + np.arange(len(bins))
        if wrong.any():
            first = int(np.argmax(wrong))
            raise UserError(
                f"bin number {numbers[first]}",
                file=path,
                at=f"line {line_of(first)}",
                allowed=f"{numbers[0] + first}: bins are numbered one after the other",
                mend="take the bed file as it was written with the matrix",
            )
    return chrom, bins["start"].to_numpy(), bins["end"].to_numpy(), numbers


def _triplets(file):
    """Yield bins by their numbers, and counts, of a matrix; then where a row stands."""
    head = read_head(file, layout=TRIPLETS)
    for chunk, line_of in read_chunks(file, _TRIPLET, rows=ROWS, layout=TRIPLETS, head=head):
        count = chunk["count"].to_numpy()
        wrong = ~(np.isfinite(count) & (count >= 0))
        if wrong.any():
            first = int(np.argmax(wrong))
            raise UserError(
                f"a count of {count[first]:g}",
                file=file,
                at=f"line {line_of(first)}",
                allowed="a number from 0 on",
            )
        yield chunk["bin1"].to_numpy(), chunk["bin2"].to_numpy(), count, line_of


class _Numbers:
    """The lowest and highest number of a bin in a matrix, and where they stand first."""

    def __init__(self):
        self.low = self.high = None

    def watch(self, triplets):
        """Yield the triplets without their lines."""
        for one, two, count, line_of in triplets:
            for numbers in (one, two):
                low, high = int(numbers.argmin()), int(numbers.argmax())
                if self.low is None or numbers[low] < self.low[0]:
                    self.low = int(numbers[low]), line_of(low)
                if self.high is None or numbers[high] > self.high[0]:
                    self.high = int(numbers[high]), line_of(high)
            yield one, two, count


def _first_number(numbers, known, n_bins, *, file, bed):
    """Number that the matrix has for the first of the bins.

    The bed file's numbers hold; but a matrix that has one too low at one end, and leaves one out
    at the other, is numbered from 0 beside a bed from 1, or the other way round.
    """
    (low, low_line), (high, high_line) = numbers.low, numbers.high
    fits = [first for first in (0, 1) if first <= low and high < first + n_bins]
    if known is not None:
        first = int(known[0])
        if first <= low and high < first + n_bins:
            return first
        if first in (0, 1) and fits:
            log.warning(
                "WARNING %s: bins numbered from %d, in %s from %d: read in order",
                file, fits[0], bed, first,
            )  # fmt: skip
            return fits[0]
    elif len(fits) == 1:
        log.info("%s: bins numbered from %d", file, fits[0])
        return fits[0]
    elif fits:
        raise UserError(
            f"bins {low} to {high}, which may be numbered from 0 or from 1",
            file=file,
            allowed=f"bin 0 or bin {n_bins} among them, or numbers in the bed file",
            mend=f"write the bins' numbers as a fourth column into {bed}",
        )
    first = 1 if known is None else int(known[0])
    below = low < first
    found = f"bin {low}" if below else f"bin {high}, beyond the last"
    raise UserError(
        found + (f", and bin {high}" if below else ""),
        file=file,
        at=f"line {low_line if below else high_line}",
        allowed=f"{first} to {first + n_bins - 1} ({bed})"
        + (f", or 0 to {n_bins - 1}" if first == 1 else ""),
        mend="take the bed file of the same resolution and run",
    )


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
        integer &= bool((count == np.rint(count)).all())
        for below, side in enumerate((one < two, one > two)):
            low, high = np.minimum(one[side], two[side]), np.maximum(one[side], two[side])
            noise = _mix(low * (n_bins + 1) + high + 1)  # numbered from 0 or from 1
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

    Any text of triplets beside a bed of three columns is read as well, numbered from 0 or from 1.

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
        For triplets beyond the bins, bins whose numbers can't be told, or that don't fit the
        assembly.
    """
    file, bed = row["file"], row["bins"]
    if bed is None:
        raise UserError("no bins", file=file, allowed="the _abs.bed in the column bins of hic.tsv")
    chrom, start, end, known = _read_bins(bed)
    grid, placed, dropped = place_bins(chrom, start, end, chromosomes, file=bed)
    choose_resolution([grid.resolution], row=row["resolution"], target=target, file=bed)
    numbers = _Numbers()
    layout, integer = detect_layout(numbers.watch(_triplets(file)), len(placed))
    log.info("%s: a matrix of layout %s", file, layout)
    first = _first_number(numbers, known, len(placed), file=file, bed=bed)

    def chunks():
        for one, two, count, _ in _triplets(file):
            if layout == "complete":
                once = one <= two
                one, two, count = one[once], two[once], count[once]
            count = count.astype(np.int64) if integer else count
            yield placed[one - first], placed[two - first], count

    return Opened(grid, chunks(), set(dropped), integer=integer)
