"""Scheme `leave_environment_out`: a whole environment is predicted from the others."""

import pandas as pd

from soyfold.cohort.splits.cells import part_cells
from soyfold.cohort.splits.parts import draw_parts, generator, kept_names
from soyfold.common.errors import UserError


def draw(samples, settings, *, seed, cells):
    """Split `seed`: the `seed`-th environment, in the order of the names, is tested.

    Its lines may stand in other environments and be trained on there; lines that stand in no
    other are new lines too. Its mean can't be known from the others, so it is taken off.

    Parameters
    ----------
    samples : DataFrame
        sample, kept, reason.
    settings : dict
        ratio: the first two part the lines into train and val.
    seed : int
    cells : DataFrame
        sample, environment, value (trait units).

    Returns
    -------
    rows, losses : DataFrame
        As `cells.part_cells` gives them.

    Raises
    ------
    UserError
        If there are no more than `seed` environments.
    """
    names = kept_names(samples)
    cells = cells[cells["sample"].isin(names)]
    places = sorted(cells["environment"].unique())
    if seed >= len(places):
        raise UserError(
            f"split seed{seed} of {len(places)} environments",
            at="key splits.seeds",
            allowed=f"at most {len(places)} (one split leaves one environment out)",
            mend="lower splits.seeds",
        )
    part = draw_parts(names, settings["ratio"][:2], generator(seed))
    tested = (cells["environment"] == places[seed]).to_numpy()
    return part_cells(cells, tested, pd.Series(part, index=names))
