"""Scheme `leave_environment_out`: a whole environment is predicted from the others."""

import pandas as pd

from soyfold.cohort.splits.cells import part_cells
from soyfold.cohort.splits.parts import draw_parts, generator, kept_names
from soyfold.common.errors import UserError


def draw(samples, settings, *, seed, cells):
    """Split `seed`: the `seed`-th environment, in the order of the names, is tested.

    Its lines may stand in other environments and be trained on there; lines that stand in no
    other are new lines too. Lines that are validated on elsewhere are not tested, since not every
    model is trained on those. Its mean can't be known from the others, so it is taken off.

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
    rows, lost : DataFrame
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
    part = pd.Series(draw_parts(names, settings["ratio"][:2], generator(seed)), index=names)
    here = cells["environment"] == places[seed]
    elsewhere = cells["sample"].isin(cells.loc[~here, "sample"])
    untested = here & elsewhere & cells["sample"].map(part).eq("val")
    return part_cells(cells[~untested], here[~untested].to_numpy(), part)
