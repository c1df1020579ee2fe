"""Scheme `cv2`: lines are predicted in some environments, seen in others."""

import numpy as np
import pandas as pd

from soyfold.cohort.splits.cells import cell_priorities, part_cells, share_of_test
from soyfold.cohort.splits.parts import draw_parts, generator, kept_names
from soyfold.common.errors import UserError


def _tested(cells, open_to_test, count, seed):
    """Draw `count` cells of lines that keep at least one cell each."""
    priority = pd.Series(cell_priorities(cells, seed), index=cells.index)
    stays = priority.groupby(cells["sample"]).transform("max") == priority
    possible = priority[open_to_test & ~stays]
    if len(possible) < count:
        raise UserError(
            f"{len(possible)} line x environment values of lines with another one",
            at="key splits.ratio",
            allowed=f"at least {count} to test",
            mend="give test a smaller share, or use cv1 for lines grown in one environment",
        )
    return cells.index.isin(possible.nsmallest(count).index)


def draw(samples, settings, *, seed, cells):
    """One split, and who is left out.

    Tested are values of lines that are trained on in other environments (CV2 of Burgueño et al.
    2012, doi:10.2135/cropsci2011.06.0299). Lines are dealt to train and val over all that passed
    QC; the values of val lines are never tested, since not every model is trained on those.

    Parameters
    ----------
    samples : DataFrame
        sample, kept, reason.
    settings : dict
        ratio: the first two part the lines into train and val, the third is the share of the
        values that are tested.
    seed : int
    cells : DataFrame
        sample, environment, value (trait units).

    Returns
    -------
    rows, lost : DataFrame
        As `cells.part_cells` gives them.

    Raises
    ------
    UserError
        If too few lines stand in several environments.
    """
    names, ratio = kept_names(samples), settings["ratio"]
    part = pd.Series(draw_parts(names, ratio[:2], generator(seed)), index=names)
    cells = cells[cells["sample"].isin(names)].reset_index(drop=True)
    count = int(np.ceil(share_of_test(ratio) * len(cells)))
    trained = cells["sample"].map(part) == "train"
    return part_cells(cells, _tested(cells, trained, count, seed), part)
