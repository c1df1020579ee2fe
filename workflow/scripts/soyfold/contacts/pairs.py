"""Reading pairs, one contact a line: HiC-Pro's allValidPairs and the 4DN's .pairs."""

import gzip
from pathlib import Path

import numpy as np

from soyfold.common.errors import UserError
from soyfold.contacts.grid import Grid, refuse_length
from soyfold.contacts.opened import Opened
from soyfold.contacts.text import BAD_GZIP, read_chunks

ROWS = 500_000  # lines in memory at a time
HICPRO = "HiC-Pro's allValidPairs, tab-separated: read, chr1, pos1, strand1, chr2, pos2, ..."
HICPRO_PLACES = [1, 2, 4, 5]
COLUMNS = ("chr1", "pos1", "chr2", "pos2")
PAIRS = "a .pairs file: header lines with #, then readID, chr1, pos1, chr2, pos2, ... by tabs"
PAIRS_PLACES = [1, 2, 3, 4]  # where the header has no #columns


def _bins_of_ends(chunk, end, grid, file, dropped):
    """Bins of one end of the pairs of a chunk, -1 on other contigs."""
    chromosomes = grid.chromosomes
    contigs = chunk[f"chr{end}"].cat
    row_of_name = {name: row for row, name in enumerate(chromosomes.names)}
    rows = np.array([row_of_name.get(chromosomes.aliases.get(c), -1) for c in contigs.categories])
    dropped.update(name for name, row in zip(contigs.categories, rows, strict=True) if row < 0)
    row = rows[contigs.codes]
    position = chunk[f"pos{end}"].to_numpy()
    off = (row >= 0) & ((position < 1) | (position > chromosomes.lengths[row]))
    if off.any():
        first = int(np.argmax(off))
        at = f"line {chunk.index[first] + 1}, pos{end}"
        name, found = chromosomes.names[row[first]], int(position[first])
        if found == 0:
            raise UserError(
                f"position 0 on {name}, as in a file that counts from 0",
                file=file,
                at=at,
                allowed=f"1 to {chromosomes.length(name)} ({chromosomes.file})",
                mend="add 1 to the positions",
            )
        chromosomes.refuse_beyond_end(name, found, file=file, at=at)
    return np.where(row >= 0, grid.offsets[row] + (position - 1) // grid.resolution, -1)


def _resolution(row, target):
    resolution = target or row["resolution"]
    if resolution is None:
        raise UserError(
            "no resolution for pairs",
            file=row["file"],
            allowed="a bin size in bp",
            mend="fill the column resolution of hic.tsv, or set contacts.resolution",
        )
    return resolution


def _open_pairs(file, grid, *, places, header, layout):
    """Pairs of columns at `places`, below `header` lines, binned while they stream."""
    dropped = set()
    dtypes = {"chr1": "category", "pos1": "int64", "chr2": "category", "pos2": "int64"}

    def chunks():
        for chunk in read_chunks(
            file, COLUMNS, dtypes=dtypes, positions=places, rows=ROWS, layout=layout, header=header
        ):
            one, two = (_bins_of_ends(chunk, end, grid, file, dropped) for end in (1, 2))
            yield one, two, None

    return Opened(grid, chunks(), dropped)


def read_hicpro_pairs(row, chromosomes, target):
    """Open HiC-Pro's allValidPairs(.gz), binned while they stream.

    Parameters
    ----------
    row : dict
        Row of hic.tsv; its `resolution` is the bin size, bp, unless the study fixes one.
    chromosomes : Chromosomes
    target : int or None
        Bin size of the study, bp.

    Returns
    -------
    Opened

    Raises
    ------
    UserError
        Without a bin size, or for a position off its chromosome (another assembly).
    """
    grid = Grid(chromosomes, _resolution(row, target))
    return _open_pairs(row["file"], grid, places=HICPRO_PLACES, header=0, layout=HICPRO)


def read_header(file):
    """Header of a .pairs file.

    Returns
    -------
    lines : int
        Lines that begin with #.
    lengths : dict of str to (int, int)
        bp of each contig of `#chromsize`, and the line that says so.
    columns : list of str or None
        Of `#columns`.

    Raises
    ------
    UserError
        If the file is absent, damaged, or a `#chromsize` has no length.
    """
    if not Path(file).is_file():
        raise UserError("no such file", file=file, mend="check the path in hic.tsv")
    lengths, columns, number = {}, None, 0
    opener = gzip.open if str(file).endswith(".gz") else open
    try:
        with opener(file, "rt", encoding="utf-8", errors="replace") as stream:
            for number, line in enumerate(stream):
                if not line.startswith("#"):
                    break
                key, *words = line.split()
                if key == "#chromsize:":
                    if len(words) != 2 or not words[1].isdigit():
                        raise UserError(
                            f"{line.strip()!r}", file=file, at=f"line {number + 1}",
                            allowed="#chromsize: name length",
                        )  # fmt: skip
                    lengths[words[0]] = (int(words[1]), number + 1)
                elif key == "#columns:":
                    columns = words
            else:
                raise UserError("no pairs", file=file, allowed=PAIRS)
    except BAD_GZIP as error:
        raise UserError(
            f"a truncated or damaged gzip file ({error})", file=file, mend="fetch or write it again"
        ) from None
    return number, lengths, columns


def read_pairs(row, chromosomes, target):
    """Open a .pairs(.gz) file of the 4DN, as pairtools and Juicer write it; arguments as
    `read_hicpro_pairs`.

    Columns are found by the header's `#columns`; the lengths of `#chromsize` must be those of the
    assembly. Unmapped ends (contig `!`) count as other contigs.
    """
    file = row["file"]
    grid = Grid(chromosomes, _resolution(row, target))
    header, lengths, columns = read_header(file)
    for contig, (length, line) in lengths.items():
        name = chromosomes.aliases.get(contig)
        if name is not None:
            at = chromosomes.names.index(name)
            refuse_length(chromosomes, at, length, file=file, at=f"line {line}")
    places = PAIRS_PLACES
    if columns is not None:
        absent = [name for name in COLUMNS if name not in columns]
        if absent:
            raise UserError(
                f"#columns without {', '.join(absent)}",
                file=file,
                allowed=f"columns with {', '.join(COLUMNS)}",
            )
        places = [columns.index(name) for name in COLUMNS]
    return _open_pairs(file, grid, places=places, header=header, layout=PAIRS)
