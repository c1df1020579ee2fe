"""Scheme `leave_family_out`: a whole family is tested, as when a new cross is predicted."""

import numpy as np
import pandas as pd

from soyfold.cohort.splits.parts import PARTS, as_tables, generator, kept_names
from soyfold.common.errors import UserError


def leave_family_out(family, *, minimum, ratio, seed):
    """Parts of split `seed`: the `seed`-th family, in the order of the names, is tested.

    Validation lines are whole families too, so that choices are made as the test asks.

    Parameters
    ----------
    family : sequence of str, length n
        Missing for lines of no family, which are always trained on.
    minimum : int
        Smaller families are never left out.
    ratio : sequence of three numbers
        The families of val hold about the second's share of the lines that aren't tested.
    seed : int

    Returns
    -------
    ndarray (n,) of str

    Raises
    ------
    UserError
        If there are no more than `seed` such families, or too few for train and val beside.
    """
    family = pd.Series(family, dtype=object)
    sizes = family.value_counts().sort_index()
    large = sizes.index[sizes >= minimum]
    if seed >= len(large):
        raise UserError(
            f"split seed{seed} of {len(large)} families with at least {minimum} lines",
            at="key splits.seeds",
            allowed=f"at most {len(large)} (one split leaves one family out)",
            mend="lower splits.seeds or splits.minimum, or check cohort.families",
        )
    others = sizes.drop(large[seed])
    count = len(family) - sizes[large[seed]]
    others = others.iloc[generator(seed).permutation(len(others))]
    wanted = ratio[1] / (ratio[0] + ratio[1]) * count
    reached = others.cumsum().to_numpy()
    # The last family that isn't all that is left to train on.
    possible = np.flatnonzero(reached < count)
    if not len(possible):
        raise UserError(
            f"{len(sizes)} families",
            at="key splits.scheme",
            allowed="leave_family_out with at least three: for train, val and test",
        )
    chosen = others.index[: possible[np.abs(reached[possible] - wanted).argmin()] + 1]
    part = np.full(len(family), PARTS[0], dtype=object)
    part[family.isin(chosen)] = PARTS[1]
    part[family == large[seed]] = PARTS[2]
    return part


def draw(samples, settings, *, seed, families):
    """One split, and no line lost; `families` (sample, family) are those of the cohort."""
    names = kept_names(samples)
    family = pd.Series(names).map(families.set_index("sample")["family"])
    part = leave_family_out(family, minimum=settings["minimum"], ratio=settings["ratio"], seed=seed)
    return as_tables(names, part)
