"""Values by line and environment, parted into what is trained on and what is tested."""

import numpy as np
import pandas as pd

from soyfold.cohort.line_effects import line_effects
from soyfold.cohort.splits.parts import generator
from soyfold.common.errors import UserError
from soyfold.common.logs import log

ROWS = ["sample", "environment", "part", "value"]


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
    """Least-squares effect of each environment beside the lines' values; 0 on their average."""
    residual = training["value"] - training["sample"].map(value)
    return residual.groupby(training["environment"]).mean()


def part_cells(cells, tested, part):
    """Rows of a split: line values from the cells that aren't tested, and those that are.

    y = mu + environment + line is fitted by least squares to the training cells alone, each cell
    weighing the same. A line that is trained or validated on has one row, its effect at the mean of
    the environments. A tested cell has the effect of its environment taken off, so that it lies
    around the same mean; that of an environment without training cells is its own mean over the
    tested cells, less the mean of the lines' values.

    Parameters
    ----------
    cells : DataFrame
        sample, environment, value (trait units).
    tested : ndarray (m,) of bool
        The cells of test; all others are training cells.
    part : Series of str
        train or val by sample; other samples have no training cell.

    Returns
    -------
    rows : DataFrame
        sample, environment (missing for a line's value), part, value (trait units): lines, then
        tested cells.
    losses : DataFrame
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
             "value": value}
        ),
        held.assign(part="test", value=held["value"] - held["environment"].map(effects)),
    ]  # fmt: skip
    losses = pd.DataFrame(
        {
            "sample": lines.index[lines["value"].isna()],
            "why": "its environments share no line with the others",
        }
    )
    return pd.concat([frame[ROWS] for frame in rows], ignore_index=True), losses
