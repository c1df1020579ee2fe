"""Values by line and environment, parted into what is trained on and what is tested."""

import numpy as np
import pandas as pd

from soyfold.cohort.fixed_effects import take_off
from soyfold.cohort.line_effects import line_effects
from soyfold.cohort.splits.parts import generator
from soyfold.common.errors import UserError
from soyfold.common.logs import log

ROWS = ["sample", "environment", "part", "value"]
PRECISION = ["records", "error_variance"]  # of lines' values


def share_of_test(ratio):
    """The third of three shares."""
    return ratio[2] / sum(ratio)


def cell_priorities(cells, seed):
    """A random number for each cell, (m,): it depends on its names, not on the order of the cells.

    Parameters
    ----------
    cells : DataFrame
        sample, environment.
    seed : int
    """
    lines, row = np.unique(cells["sample"].to_numpy(dtype=str), return_inverse=True)
    places, column = np.unique(cells["environment"].to_numpy(dtype=str), return_inverse=True)
    # A second number: another stream than that of the lines' parts.
    return generator(seed, 1).random((len(lines), len(places)))[row, column]


def _environment_effects(training, value):
    """Mean by environment of what the lines' values leave of cells: its least-squares effect."""
    residual = training["value"] - training["sample"].map(value)
    return residual.groupby(training["environment"]).mean()


def part_cells(cells, tested, part):
    """Rows of a split: line values from the cells that aren't tested, and those that are.

    y = mu + environment + line is fitted by least squares to the training cells alone, each cell
    weighing the same; what fixed columns add, as those cells tell it, is taken off all before. A
    line that is trained or validated on has one row, its effect at the mean of the environments. A
    tested cell has the effect of its environment taken off, so that it lies around the same mean;
    that of an environment without training cells is its own mean over the tested cells, less the
    mean of the lines' values.

    Parameters
    ----------
    cells : DataFrame
        sample, environment, value (trait units), and the means of fixed columns.
    tested : ndarray (m,) of bool
        The cells of test; all others are training cells.
    part : Series of str
        train or val by sample; other samples have no training cell.

    Returns
    -------
    rows : DataFrame
        sample, environment (missing for a line's value), part, value (trait units), records (cells)
        and error_variance of lines' values: lines, then tested cells.
    lost : DataFrame
        sample, why: lines whose training cells don't compare with the others'.

    Raises
    ------
    UserError
        If no cell is left to train on or to test.
    """
    if not tested.any() or tested.all():
        raise UserError(
            f"{np.count_nonzero(tested)} of {len(tested)} line x environment values to test",
            at="key splits",
            allowed="some, but not all",
            mend="another ratio, or another scheme",
        )
    cells = take_off(cells, ~tested)
    training, held = cells[~tested], cells[tested]
    lines = line_effects(training.rename(columns={"sample": "line"})).set_index("line")
    value = lines["value"].dropna()
    effects = _environment_effects(training, value)
    own = held.groupby("environment")["value"].mean() - value.mean()
    effects = effects.reindex(own.index).fillna(own)
    log.info("%d training cells of %d lines; %d tested cells in %d environments",
             len(training), len(value), len(held), len(effects))  # fmt: skip
    rows = [
        pd.DataFrame(
            {"sample": value.index, "environment": None, "part": part.reindex(value.index),
             "value": value, **{name: lines.loc[value.index, name] for name in PRECISION}}
        ),
        held.assign(part="test", value=held["value"] - held["environment"].map(effects)),
    ]  # fmt: skip
    lost = pd.DataFrame(
        {
            "sample": lines.index[lines["value"].isna()],
            "why": "its environments share no line with the others",
        }
    )
    rows[1] = rows[1].reindex(columns=[*ROWS, *PRECISION])
    return pd.concat(rows, ignore_index=True)[[*ROWS, *PRECISION]], lost


def value_parts(cells, rows):
    """Every value of a split by environment, alike in kind to those that are tested, by part.

    Each has the effect of its environment taken off, as the cells of training lines tell it, so
    that a validation line's values are as new to the effects as a test line's. A validation line's
    values in an environment that no training cell tells of belong to no part.

    Parameters
    ----------
    cells : DataFrame
        sample, environment, value (trait units): those that the split was drawn from.
    rows : DataFrame
        As `part_cells` gives them.

    Returns
    -------
    DataFrame
        sample, environment, part (that of the line; test for tested cells), value (trait units).
    """
    keys = ["sample", "environment"]
    test = rows[rows["part"] == "test"]
    lines = rows[rows["part"] != "test"].set_index("sample")
    tested = pd.MultiIndex.from_frame(cells[keys]).isin(pd.MultiIndex.from_frame(test[keys]))
    part = cells["sample"].map(lines["part"])
    cells = take_off(cells, (~tested & part.eq("train")).to_numpy())
    open_cells = cells[~tested].assign(part=part[~tested])
    effects = _environment_effects(open_cells[open_cells["part"] == "train"], lines["value"])
    open_cells["value"] -= open_cells["environment"].map(effects)
    known = open_cells.dropna(subset=["part", "value"])
    if len(known) < len(open_cells):
        log.info("%d values neither trained on nor tested", len(open_cells) - len(known))
    return pd.concat([known[ROWS], test[ROWS]], ignore_index=True)


def final_values(cells, parts):
    """Values by environment for a fit that tests none, by the part of their lines.

    What environments add stays, so that lines to come are predicted at their level.

    Parameters
    ----------
    cells : DataFrame
        sample, environment, value (trait units), and the means of fixed columns.
    parts : DataFrame
        sample, part.

    Returns
    -------
    DataFrame
        sample, environment, part, value.
    """
    part = cells["sample"].map(parts.set_index("sample")["part"])
    cells = take_off(cells, part.eq("train").to_numpy())
    return cells.assign(part=part).dropna(subset=["part", "value"])[ROWS]
