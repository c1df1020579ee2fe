"""Scheme `random`: parts drawn from all lines."""

import numpy as np
import pandas as pd

from soyfold.cohort.splits.parts import as_tables, draw_parts, generator, kept_names


def quantile_strata(values, bins):
    """Stratum of each sample: quantile bin of its value; samples without a value are their own.

    Parameters
    ----------
    values : array_like of float, length n
        Trait values, NaN where there is none.
    bins : int
        Bins of nearly equal size.

    Returns
    -------
    ndarray (n,) int64
        0 to bins - 1; -1 without a value.
    """
    rank = pd.Series(np.asarray(values, dtype=np.float64)).rank(method="first")
    strata = np.ceil(rank * bins / max(rank.count(), 1)) - 1
    return strata.fillna(-1).to_numpy(dtype=np.int64)


def strata_of(names, stratify, values):
    """Strata of lines by the values (sample, value) of a trait; None without stratification."""
    if not stratify:
        return None
    value = pd.Series(names).map(values.set_index("sample")["value"])
    return quantile_strata(value, stratify["bins"])


def random_split(samples, *, ratio, seed, strata=None):
    """Draw the part of every sample.

    Parameters
    ----------
    samples : sequence of str, length n
        Distinct names. The draw depends on the names, not on their order.
    ratio : sequence of three numbers
        Shares of train, val and test.
    seed : int
        Number of the split; other seeds change nothing in it.
    strata : array_like of int, length n, optional
        Within every stratum the parts have nearly the ratio.

    Returns
    -------
    ndarray (n,) of str
        train, val or test.

    Raises
    ------
    UserError
        If there are so few samples that a part would be empty.
    """
    return draw_parts(samples, ratio, generator(seed), strata=strata)


def draw(samples, settings, *, seed, values=None):
    """One split, and no line lost; `values` (sample, value) where `stratify` names a trait."""
    names = kept_names(samples)
    strata = strata_of(names, settings["stratify"], values)
    return as_tables(names, random_split(names, ratio=settings["ratio"], seed=seed, strata=strata))
