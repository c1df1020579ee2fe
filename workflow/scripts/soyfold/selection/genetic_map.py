"""Places of SNPs in Morgans: from a genetic map, or from a rate of recombination."""

import numpy as np
import pandas as pd

from soyfold.common.errors import UserError
from soyfold.common.files import read_sheet_rows
from soyfold.common.logs import log

COLUMNS = ("chromosome", "position", "cM")
MOST_FALLING = 0.25  # share of steps that go backwards: half of them where the order is chance


def read_map(path, aliases):
    """Read a genetic map.

    Parameters
    ----------
    path : path-like
        Table: chromosome, position (bp), cM.
    aliases : dict of str to str
        Canonical name by every accepted one.

    Returns
    -------
    dict of str to (ndarray, ndarray)
        By chromosome: positions (bp), ascending, and cM. Where cM falls, as where the assembly has
        a piece the other way round, it stays as it is: distances are what counts. The log tells.

    Raises
    ------
    UserError
        For a missing column, a cell that is no number, an unknown chromosome, or a map in which cM
        falls at more than a quarter of the steps.
    """
    table = read_sheet_rows(path, required=COLUMNS)
    table = table.dropna(subset=list(COLUMNS))
    for line, name in zip(table.index, table["chromosome"], strict=True):
        if name not in aliases:
            raise UserError(
                f"chromosome {name!r}", file=path, at=f"line {line}",
                allowed="the chromosome table's names and aliases",
            )  # fmt: skip
    numbers = {name: _numbers(table[name], path) for name in COLUMNS[1:]}
    frame = pd.DataFrame(numbers).assign(chromosome=table["chromosome"].map(aliases).to_numpy())
    found, falling, steps = {}, 0, 0
    for name, rows in frame.sort_values(["chromosome", "position"]).groupby("chromosome"):
        cm = rows["cM"].to_numpy()
        falling, steps = falling + int((np.diff(cm) < 0).sum()), steps + len(cm) - 1
        found[name] = (rows["position"].to_numpy(), cm)
    if falling > MOST_FALLING * max(steps, 1):
        raise UserError(
            f"{falling} of {steps} steps along the chromosomes at which cM falls", file=path,
            allowed=f"at most {MOST_FALLING:.0%}",
            mend="take a map whose positions are of this study's assembly",
        )  # fmt: skip
    if falling:
        log.warning(
            "WARNING %s: cM falls at %d of %d steps along the chromosomes: distances are taken as"
            " they stand", path, falling, steps,
        )  # fmt: skip
    return found


def _numbers(cells, path):
    values = pd.to_numeric(cells, errors="coerce")
    wrong = values.isna() | (values < 0)
    if wrong.any():
        raise UserError(
            f"{cells[wrong].iloc[0]!r}", file=path, allowed="a number from 0",
            at=f"line {cells.index[wrong][0]}, {cells.name}",
        )  # fmt: skip
    return values.to_numpy(dtype=np.float64)


def place_snps(chromosome, position, *, rate, genetic_map=None, file=None):
    """Place of each SNP on its chromosome.

    Parameters
    ----------
    chromosome : ndarray (L,) of str
    position : ndarray (L,)
        bp.
    rate : float, keyword only
        cM per Mb: of everything without a map, and beyond a map's ends.
    genetic_map : dict, optional, keyword only
        As `read_map` gives it.
    file : path-like, optional, keyword only
        Its file, for messages.

    Returns
    -------
    ndarray (L,) float64
        Morgans; between two markers of the map linear in bp.

    Raises
    ------
    UserError
        If the map lacks a chromosome that has SNPs.
    """
    position = np.asarray(position, dtype=np.float64)
    cm = position * (rate / 1e6)
    if genetic_map is None:
        return cm / 100
    lacking = [name for name in dict.fromkeys(chromosome) if name not in genetic_map]
    if lacking:
        raise UserError(
            f"no marker on {', '.join(lacking)}", file=file, allowed="markers on each chromosome",
            mend="add them, or leave genetic_map out and set cm_per_mb",
        )  # fmt: skip
    for name in dict.fromkeys(chromosome):
        own = chromosome == name
        places, marks = genetic_map[name]
        inside = np.clip(position[own], places[0], places[-1])
        cm[own] = np.interp(inside, places, marks) + (position[own] - inside) * (rate / 1e6)
    return cm / 100
