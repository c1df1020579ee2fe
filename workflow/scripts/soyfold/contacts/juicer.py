"""Reading Juicer's .hic through hicstraw, which is an optional dependency."""

import itertools

import numpy as np

from soyfold.common.errors import UserError
from soyfold.contacts.grid import Grid, refuse_length, rows_of_contigs
from soyfold.contacts.opened import Opened, choose_resolution

WINDOW = 2_000  # bins: the file is read in squares of this side


def _hicstraw(file):
    """The module, imported only where a .hic file is to be read."""
    try:
        import hicstraw
    except ImportError:
        raise UserError(
            "no Python module hicstraw, which reads .hic",
            file=file,
            mend="pip install hic-straw==1.3.1 (builds with g++, libcurl4-openssl-dev, zlib1g-dev),"
            " or --use-conda, or convert the file to .cool",
        ) from None
    return hicstraw


def _squares(zoom, grid, row1, row2):
    """Contacts of one block of chromosomes, read in squares of bins; within a chromosome once."""
    size = grid.resolution
    bins1, bins2 = (int(np.diff(grid.offsets)[row]) for row in (row1, row2))
    for low1, low2 in itertools.product(range(0, bins1, WINDOW), range(0, bins2, WINDOW)):
        if row1 == row2 and low2 < low1:
            continue
        last1, last2 = min(low1 + WINDOW, bins1) - 1, min(low2 + WINDOW, bins2) - 1
        square = zoom.getRecordsAsMatrix(low1 * size, last1 * size, low2 * size, last2 * size)
        one, two = np.nonzero(square)
        if row1 == row2 and low1 == low2:
            once = one <= two
            one, two = one[once], two[once]
        first1, first2 = grid.offsets[row1] + low1, grid.offsets[row2] + low2
        yield first1 + one, first2 + two, square[one, two]


def _blocks(hic, contigs, grid):
    """Contacts of every pair of chromosomes; `contigs` are the file's names in its own order."""
    for (name1, row1), (name2, row2) in itertools.combinations_with_replacement(contigs, 2):
        zoom = hic.getMatrixZoomData(name1, name2, "observed", "NONE", "BP", grid.resolution)
        yield from _squares(zoom, grid, row1, row2)


def read_hic(row, chromosomes, target):
    """Open the observed, unnormalised contacts of a .hic library.

    Juicer's pseudo-chromosome `All` (the whole genome at a coarse scale) is left out.

    Parameters
    ----------
    row : dict
        Row of hic.tsv.
    chromosomes : Chromosomes
    target : int or None
        Bin size of the study, bp (see `choose_resolution`).

    Returns
    -------
    Opened
        Its `dropped` names the other contigs; their contacts are never read, so not counted.

    Raises
    ------
    UserError
        If hicstraw isn't installed, or the file is none or of another assembly.
    """
    file = row["file"]
    hicstraw = _hicstraw(file)
    try:
        hic = hicstraw.HiCFile(file)
        lengths = {c.name: c.length for c in hic.getChromosomes() if c.name.upper() != "ALL"}
        available = hic.getResolutions()
    except Exception as error:  # hicstraw raises whatever its C++ does
        raise UserError(f"no .hic file ({error})", file=file, allowed="Juicer's .hic") from None
    if not lengths:
        raise UserError("no .hic file (no chromosomes)", file=file, allowed="Juicer's .hic")
    rows = rows_of_contigs(list(lengths), chromosomes, file=file)
    contigs = [(name, at) for name, at in zip(lengths, rows, strict=True) if at >= 0]
    for name, at in contigs:
        refuse_length(chromosomes, at, lengths[name], file=file)
    size = choose_resolution(available, row=row["resolution"], target=target, file=file)
    grid = Grid(chromosomes, int(size))
    dropped = set(lengths) - {name for name, _ in contigs}
    return Opened(grid, _blocks(hic, contigs, grid), dropped, integer=False)
