"""The assembly: canonical chromosome names in genome order, their lengths and aliases."""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from soyfold.common.errors import UserError
from soyfold.common.files import read_sheet_rows

NAME = "[A-Za-z0-9][A-Za-z0-9_.-]*"  # as the schemas have it for all that becomes a file name


@dataclass(frozen=True)
class Chromosomes:
    """Chromosomes of one assembly.

    Attributes
    ----------
    names : list of str
        Canonical names in genome order.
    lengths : ndarray (G,) int64
        Base pairs.
    aliases : dict of str to str
        Every accepted name, the canonical one included, to its canonical name.
    file : str
        The table they were read from, for messages.
    """

    names: list
    lengths: np.ndarray
    aliases: dict
    file: str

    def length(self, name):
        """Length in base pairs of a chromosome by its canonical name."""
        return int(self.lengths[self.names.index(name)])

    def refuse_beyond_end(self, name, position, *, file, at=None):
        """Raise `UserError` if `position` (bp, 1-based) is off the chromosome: wrong assembly."""
        if not 1 <= position <= self.length(name):
            raise UserError(
                f"position {position} on {name}",
                file=file,
                at=at,
                allowed=f"1 to {self.length(name)} ({self.file})",
                mend="name the assembly of your file as `chromosomes` in the config",
            )


def read_chromosomes(path):
    """Read a chromosome table: columns chromosome, length (bp), aliases (comma-separated).

    Raises
    ------
    UserError
        For a missing column, no row, a name that is no file name, a length that is no positive
        integer, or a name used twice.
    """
    table = read_sheet_rows(path, required=("chromosome", "length", "aliases"))
    aliases = {}
    lengths = []
    if table.empty:
        raise UserError("no chromosome", file=path, allowed="a row for each chromosome")
    for row in table.itertuples():
        line = row.Index
        if not re.fullmatch(NAME, str(row.chromosome)) or pd.isna(row.chromosome):
            raise UserError(
                f"the name {row.chromosome!r}",
                file=path,
                at=f"line {line}",
                allowed=f"letters, digits, '_', '.', '-' (pattern {NAME}): it becomes a file name",
                mend="name it otherwise, and put your files' name among its aliases",
            )
        if not str(row.length).isdigit() or int(row.length) < 1:
            raise UserError(
                f"length {row.length!r}",
                file=path,
                at=f"line {line}",
                allowed="base pairs, an integer",
            )
        lengths.append(int(row.length))
        others = row.aliases.split(",") if isinstance(row.aliases, str) else []
        for name in dict.fromkeys([row.chromosome, *(name.strip() for name in others)]):
            if name == "0":
                raise UserError(
                    f"0 as an alias of {row.chromosome}",
                    file=path,
                    at=f"line {line}",
                    allowed="names of this chromosome alone",
                    mend="0 is PLINK's word for a chromosome that isn't known: write the"
                    " chromosomes into the genotypes' file",
                )
            if name in aliases:
                raise UserError(
                    f"the name {name!r} for {row.chromosome} and for {aliases[name]}",
                    file=path,
                    at=f"line {line}",
                    allowed="each name once",
                )
            aliases[name] = row.chromosome
    return Chromosomes(
        list(table.chromosome), np.array(lengths, dtype=np.int64), aliases, str(path)
    )
