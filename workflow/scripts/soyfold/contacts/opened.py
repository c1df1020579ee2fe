"""What every reader of a Hi-C format hands on."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from soyfold.common.errors import UserError
from soyfold.contacts.grid import Grid


@dataclass
class Opened:
    """A library opened for reading.

    Attributes
    ----------
    grid : Grid
        The assembly at the resolution that is read.
    chunks : iterator of (one, two, count)
        Bins of the grid or -1 on other contigs, int64 in any order; `count` None means one each.
        Every contact comes once.
    dropped : set of str
        Other contigs; complete only when `chunks` is exhausted.
    integer : bool
        Whether counts are stored as whole numbers.
    weights : ndarray (n_bins,) float64, optional
        Balancing weights that the file carries.
    """

    grid: Grid
    chunks: Iterator
    dropped: set = field(default_factory=set)
    integer: bool = True
    weights: np.ndarray | None = None


def choose_resolution(available, *, row, target, file):
    """Which of a file's bin sizes to read.

    Parameters
    ----------
    available : sequence of int
        Bin sizes of the file, bp.
    row : int or None
        The library's own `resolution` in hic.tsv.
    target : int or None
        Bin size of the study; None for the coarsest that libraries share.

    Returns
    -------
    int
        The row's; else the study's if the file has it; else the coarsest that divides the
        study's; without either, the coarsest.

    Raises
    ------
    UserError
        If the file has no such bin size.
    """
    sizes = sorted(available)
    fitting = [
        size
        for size in sizes
        if (row is None or size == row) and (target is None or target % size == 0)
    ]
    if not fitting:
        own = f" of {row} bp" if row is not None else ""
        study = f" that divide {target} bp" if target is not None else ""
        raise UserError(
            f"no bins{own}{study}",
            file=file,
            allowed=", ".join(map(str, sizes)),
            mend="set another resolution in hic.tsv or contacts.resolution",
        )
    return fitting[-1]
