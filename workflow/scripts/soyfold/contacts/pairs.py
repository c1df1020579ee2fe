"""Reading pairs, one contact a line: HiC-Pro's allValidPairs and the 4DN's .pairs."""

import re

import numpy as np

from soyfold.common.errors import UserError
from soyfold.common.logs import log
from soyfold.common.textfiles import decode
from soyfold.contacts.grid import Grid, refuse_length
from soyfold.contacts.opened import Opened
from soyfold.contacts.text import names_of, read_chunks, read_head

ROWS = 500_000  # lines in memory at a time
COLUMNS = ("chr1", "pos1", "chr2", "pos2")
# Where the columns stand if the file doesn't name them, by format, and how messages call it.
LAYOUTS = {
    "hicpro_pairs": (
        [1, 2, 4, 5],
        "HiC-Pro's allValidPairs, tab-separated: read, chr1, pos1, strand1, chr2, pos2, ...",
    ),
    "pairs": (
        [1, 2, 3, 4],
        "a .pairs file: header lines with #, then readID, chr1, pos1, chr2, pos2, ... by tabs",
    ),
}
_LENGTH = re.compile(r"#(?:chromsize|chromosome):\s*(\S+)\s+(\d+)\s*")
_SAM_LENGTH = re.compile(r"#samheader:\s*@SQ\s(?=.*\bSN:(\S+))(?=.*\bLN:(\d+))")
_COLUMNS = re.compile(r"#columns:(.*)")


def _bins_of_ends(chunk, end, grid, file, line_of, dropped):
    """Bins of one end of the pairs of a chunk, -1 on other contigs."""
    chromosomes = grid.chromosomes
    contigs = chunk[f"chr{end}"].cat
    names = names_of(contigs)
    row_of_name = {name: row for row, name in enumerate(chromosomes.names)}
    rows = np.array([row_of_name.get(chromosomes.aliases.get(c), -1) for c in names])
    dropped.update(name for name, row in zip(names, rows, strict=True) if row < 0)
    row = rows[contigs.codes]
    position = chunk[f"pos{end}"].to_numpy()
    off = (row >= 0) & ((position < 1) | (position > chromosomes.lengths[row]))
    if off.any():
        first = int(np.argmax(off))
        at = f"line {line_of(first)}, pos{end}"
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


def _called(names):
    """Names of columns as the 4DN has them: pairtools writes chrom1 for chr1."""
    return [re.sub(r"chrom(?=[12]$)", "chr", name.lower()) for name in names]


class _Header:
    """What the lines with # say: columns, and lengths of contigs, which must be the assembly's."""

    def __init__(self, file, chromosomes):
        self.file, self.chromosomes = file, chromosomes
        self.columns, self.inside = None, 0

    def read(self, number, line):
        """Take in one line of the header.

        Raises
        ------
        UserError
            For a length that isn't the assembly's or no number.
        """
        at = f"line {number}"
        if said := _LENGTH.fullmatch(line) or _SAM_LENGTH.match(line):
            name = self.chromosomes.aliases.get(said[1])
            if name is not None:
                row = self.chromosomes.names.index(name)
                refuse_length(self.chromosomes, row, said[2], file=self.file, at=at)
        elif line.startswith("#chromsize:"):
            raise UserError(f"{line!r}", file=self.file, at=at, allowed="#chromsize: name length")
        elif said := _COLUMNS.match(line):
            names = said[1].split()
            if self.columns is not None and _called(names) != _called(self.columns):
                raise UserError(
                    f"a second header with other columns ({' '.join(names)}), as in files joined"
                    " by cat",
                    file=self.file, at=at, allowed=" ".join(self.columns),
                    mend="give each file a row of hic.tsv (or join them by pairtools merge)",
                )  # fmt: skip
            self.columns = names

    def read_inside(self, number, raw):
        """Take in a line with # behind the first pair: where files were joined, headers repeat."""
        if not self.inside:
            log.warning(
                "WARNING %s, line %d: a header among the pairs, as in files joined by cat: read as"
                " one",
                self.file, number,
            )  # fmt: skip
        self.inside += 1
        line = decode(raw, file=self.file, line=number).rstrip("\r\n")
        before = self.columns
        self.read(number, line)
        if before is None:  # the first file's rows were read without names
            self.columns = None


def _places(form, head, names, file):
    """Where chr1, pos1, chr2, pos2 stand, and what the layout is called."""
    if names is not None:
        called = _called(names)
        absent = [name for name in COLUMNS if name not in called]
        if absent:
            raise UserError(
                f"#columns without {', '.join(absent)}",
                file=file,
                allowed=f"columns with {', '.join(COLUMNS)} (or chrom1, chrom2)",
                mend=f"the file names {' '.join(names)}",
            )
        return [called.index(name) for name in COLUMNS], f"columns {' '.join(names)}"
    # A strand behind the first position is HiC-Pro's, a contig the 4DN's.
    strand = len(head.cells) > 3 and head.cells[3] in "+-."
    found = "hicpro_pairs" if strand else "pairs"
    if len(head.cells) > max(LAYOUTS[found][0]) and found != form:
        log.info("%s: its columns are those of the format %s: read so", file, found)
        form = found
    return LAYOUTS[form]


def read_pairs(row, chromosomes, target):
    """Open a .pairs file of the 4DN (as pairtools and Juicer write it) or HiC-Pro's allValidPairs.

    Columns are found by the header's `#columns` or a first line of names, else by the first pair;
    lengths that the header states (`#chromsize`, `#chromosome`, `#samheader`) must be those of the
    assembly. Unmapped ends (contig `!`) count as other contigs. Pairs are binned while they stream.

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
        Without a bin size, for a position off its chromosome (another assembly), or a header
        among the pairs that contradicts the first.
    """
    file, form, dropped = row["file"], row["format"], set()
    grid = Grid(chromosomes, _resolution(row, target))
    head = read_head(file, layout=LAYOUTS[form][1])
    header = _Header(file, chromosomes)
    for number, line in head.comments:
        header.read(number, line)
    places, layout = _places(form, head, header.columns or head.names, file)
    kinds = ("category", "int64", "category", "int64")
    columns = dict(zip(COLUMNS, zip(places, kinds, strict=True), strict=True))

    def chunks():
        for chunk, line_of in read_chunks(
            file, columns, rows=ROWS, layout=layout, head=head, comment=header.read_inside
        ):
            one, two = (_bins_of_ends(chunk, end, grid, file, line_of, dropped) for end in (1, 2))
            yield one, two, None

    return Opened(grid, chunks(), dropped)
