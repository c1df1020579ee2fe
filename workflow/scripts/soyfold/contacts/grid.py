"""The grid that all libraries share: fixed-size bins over the assembly's chromosomes."""

from dataclasses import dataclass, field

import cooler
import numpy as np
import pandas as pd

from soyfold.common.chromosomes import Chromosomes
from soyfold.common.errors import UserError
from soyfold.common.logs import log


@dataclass
class Grid:
    """Bins of `resolution` bp over the canonical chromosomes in genome order.

    Attributes
    ----------
    chromosomes : Chromosomes
    resolution : int
        Bin size, bp.
    offsets : ndarray (G + 1,) int64
        First bin of each chromosome; the last entry is the number of bins.
    """

    chromosomes: Chromosomes
    resolution: int
    offsets: np.ndarray = field(init=False)

    def __post_init__(self):
        per_chromosome = -(-self.chromosomes.lengths // self.resolution)
        self.offsets = np.concatenate([[0], np.cumsum(per_chromosome)]).astype(np.int64)

    @property
    def size(self):
        """Number of bins."""
        return int(self.offsets[-1])

    @property
    def chromosome_of_bin(self):
        """Row of the chromosome of each bin, (n_bins,)."""
        return np.repeat(np.arange(len(self.chromosomes.names)), np.diff(self.offsets))

    def table(self):
        """The bins as cooler wants them: chrom, start, end (bp, 0-based, half-open)."""
        lengths = pd.Series(self.chromosomes.lengths, index=self.chromosomes.names)
        return cooler.binnify(lengths, self.resolution)


def rows_of_contigs(contigs, chromosomes, *, file):
    """Which chromosome each contig of a file is.

    Parameters
    ----------
    contigs : sequence of str
        Distinct names as the file has them.
    chromosomes : Chromosomes
    file : path-like

    Returns
    -------
    ndarray (len(contigs),) int64
        Row in `chromosomes.names`, or -1 for other contigs.

    Raises
    ------
    UserError
        If a chromosome has no contig, or two.
    """
    found = {}
    for contig in contigs:
        name = chromosomes.aliases.get(contig)
        if name in found:
            raise UserError(
                f"{found[name]!r} and {contig!r}, both {name}",
                file=file,
                allowed=f"one contig for each chromosome of {chromosomes.file}",
            )
        if name is not None:
            found[name] = contig
    refuse_lacking(chromosomes, found, contigs, file=file)
    row = {name: index for index, name in enumerate(chromosomes.names)}
    return np.array([row.get(chromosomes.aliases.get(contig), -1) for contig in contigs], np.int64)


def refuse_lacking(chromosomes, present, contigs, *, file):
    """Raise `UserError` if a chromosome is not among the canonical names `present`.

    `contigs` are the names that the file has: those that are no chromosome may be a lacking one's.
    """
    lacking = [name for name in chromosomes.names if name not in present]
    if lacking:
        others = sorted(str(name) for name in contigs if name not in chromosomes.aliases)
        seen = ", ".join(others[:8]) + (", ..." if len(others) > 8 else "")
        raise UserError(
            f"no contacts of chromosome {', '.join(lacking)}",
            file=file,
            allowed=f"Hi-C of every chromosome of {chromosomes.file}",
            mend=f"the file also names {seen}: add them to the aliases, or name the assembly"
            " that the Hi-C was mapped to"
            if others
            else "make the file anew over all chromosomes, or leave these out of the study by a"
            " chromosome table without them",
        )


def refuse_length(chromosomes, row, length, *, file, at=None):
    """Raise `UserError` if a contig's `length` (bp) isn't that of the assembly's chromosome."""
    name = chromosomes.names[row]
    if int(length) != chromosomes.length(name):
        raise UserError(
            f"{name} of {int(length)} bp",
            file=file,
            at=at,
            allowed=f"{chromosomes.length(name)} bp, its length in {chromosomes.file}",
            mend="use Hi-C mapped to this assembly, or name the Hi-C's assembly as `chromosomes`",
        )


def _half_open(chrom, start, end, *, file):
    """Starts and ends as 0-based, half-open, from however the file counts them.

    The first bins tell where counting begins, neighbours whether an end is its bin's last base.
    """
    first = np.full(len(chrom.categories), np.iinfo(np.int64).max)
    np.minimum.at(first, chrom.codes, start)
    base = int((first == 1).all())
    start = start - base
    neighbours = (chrom.codes[1:] == chrom.codes[:-1]) & (start[1:] > start[:-1])
    gaps = np.unique((start[1:] - end[:-1])[neighbours])
    shift = int(gaps[0]) if len(gaps) == 1 and abs(gaps[0]) == 1 else 0
    if base or shift:
        log.info("%s: bins from %d whose ends are moved by %d: read as from 0", file, base, shift)
    return start, end + shift


def _check_lengths(rows, length, resolution, chromosomes, *, file):
    """Whether the ends are rounded up to whole bins; else contigs must be as long as chromosomes.

    Parameters
    ----------
    rows : ndarray (contigs,) int64
        Row of the chromosome, or -1.
    length : ndarray (contigs,) int64
        Where the contig's last bin ends.
    """
    row, length = rows[rows >= 0], length[rows >= 0]
    own = chromosomes.lengths[row]
    rounded = -(-own // resolution) * resolution
    if (length == rounded).all() and (length != own).any():
        log.warning(
            "WARNING %s: the last bins end at whole %d bp: that chromosomes are as long as in %s"
            " is known to the bin alone",
            file,
            resolution,
            chromosomes.file,
        )
        return True
    for at, found in zip(row, length, strict=True):
        refuse_length(chromosomes, at, found, file=file)
    return False


def place_bins(chrom, start, end, chromosomes, *, file):
    """Lay a file's own bins on the grid of the assembly.

    Parameters
    ----------
    chrom : Categorical or array of str (m,)
        Contig of each bin.
    start, end : ndarray (m,) int64
        bp; 0-based and half-open, or counted from 1, or with the last base as the end. The last
        bin of a chromosome may end with it or, in all chromosomes, behind it at a whole bin.
    chromosomes : Chromosomes
    file : path-like

    Returns
    -------
    grid : Grid
        With the resolution found in the bins.
    target : ndarray (m,) int64
        Bin of the grid, or -1 on other contigs.
    dropped : list of str
        The other contigs.

    Raises
    ------
    UserError
        If the bins aren't of one size, or end elsewhere than the assembly's chromosomes.
    """
    chrom = pd.Categorical(chrom).remove_unused_categories()
    contigs = list(chrom.categories)
    rows = rows_of_contigs(contigs, chromosomes, file=file)
    row = rows[chrom.codes]
    kept = row >= 0
    start, end = _half_open(chrom, start, end, file=file)
    grid = Grid(chromosomes, int((end - start)[kept].max()))
    length = np.zeros(len(contigs), dtype=np.int64)
    np.maximum.at(length, chrom.codes, end)
    if _check_lengths(rows, length, grid.resolution, chromosomes, file=file):
        end = np.minimum(end, chromosomes.lengths[row])
    expected_end = np.minimum(start + grid.resolution, chromosomes.lengths[row])
    wrong = kept & ((start % grid.resolution != 0) | (end != expected_end))
    if wrong.any():
        first = int(np.argmax(wrong))
        raise UserError(
            f"the bin {chrom[first]}:{start[first]}-{end[first]}",
            file=file,
            at=f"bin {first + 1}",
            allowed=f"bins of one size, here {grid.resolution} bp, from 0 to the chromosome's end",
            mend="use a matrix of fixed resolution (restriction fragments can't be merged)",
        )
    target = np.where(kept, grid.offsets[row] + start // grid.resolution, -1)
    present = np.bincount(target[kept], minlength=grid.size)
    if (present != 1).any():
        row = grid.chromosome_of_bin[np.argmax(present != 1)]
        raise UserError(
            f"bins of {chromosomes.names[row]} missing or twice",
            file=file,
            allowed=f"each bin of {grid.resolution} bp once",
        )
    return grid, target, [contig for contig, row in zip(contigs, rows, strict=True) if row < 0]
