"""Covariates of lines beside their SNPs: a base of what they tell of the lines fitted on."""

import numpy as np
import pandas as pd

from soyfold.common.files import read_table
from soyfold.common.logs import log
from soyfold.models.linear import refuse_many

TINY = 1e-8  # of a column's length, below which nothing of it is its own


def read_covariates(path, samples):
    """What the cohort's table says of samples, in their order.

    Returns
    -------
    DataFrame
        A column for each covariate: text, or float64 (`number(age)`); missing where not known.
    """
    table = read_table(path, required=("sample",), dtype=str)
    table = table.set_index("sample", verify_integrity=True).reindex(samples)
    numbers = [name for name in table.columns if name.startswith("number(")]
    return table.astype(dict.fromkeys(numbers, np.float64)).reset_index(drop=True)


def _columns(column, fitted, tell):
    """A covariate's columns for all lines (n, k), around their means over fitted lines.

    What isn't known, or a level that no fitted line has, is at the mean: 0.
    """
    if column.dtype == np.float64:
        values = column.to_numpy(dtype=np.float64)[:, None]
        known = ~np.isnan(values[:, 0])
        own = values[known & fitted]
        if not own.size or np.ptp(own) <= TINY * np.abs(own).max(initial=0):
            known[:] = False
    else:
        levels = pd.unique(column[fitted].dropna())
        values = (column.to_numpy()[:, None] == levels).astype(np.float64)
        known = values.any(1)
        new = column.notna().to_numpy() & ~known
        if tell and new.any():
            log.warning("WARNING %d values of %s have a level that no line fitted on has: they"
                        " count as the mean", new.sum(), column.name)  # fmt: skip
    if not (known & fitted).any():
        return np.zeros((len(column), 0))
    values = values - values[known & fitted].mean(0)
    values[~known] = 0.0
    return values


def base_of(table, fitted, *, tell=True):
    """What covariates tell of lines, as directions that are orthonormal over those fitted on.

    Parameters
    ----------
    table : DataFrame (n rows)
        As of `read_covariates`.
    fitted : ndarray (n,) of bool
    tell : bool, keyword only
        Whether the log hears of levels that aren't known, and of covariates that are left out.

    Returns
    -------
    ndarray (n, p)
        Over fitted lines orthonormal, and orthogonal to 1; p is their rank. A covariate that tells
        nothing beside those before it is left out, and named in the log.

    Raises
    ------
    UserError
        For more than half as many directions as fitted lines.
    """
    base = np.zeros((len(table), 0))
    for name in table.columns:
        columns = _columns(table[name], fitted, tell)
        lengths = np.linalg.norm(columns[fitted], axis=0)
        columns = columns[:, lengths > 0] / lengths[lengths > 0]
        for _ in range(2):  # once more takes off what rounding left
            columns = columns - base @ (base[fitted].T @ columns[fitted])
        _, sizes, turned = np.linalg.svd(columns[fitted], full_matrices=False)
        kept = sizes > TINY
        if tell and not kept.any():
            log.warning("WARNING covariate %s is left out: it tells nothing of the lines fitted on"
                        " beside what stands before it", name)  # fmt: skip
        base = np.hstack([base, columns @ turned[kept].T / sizes[kept]])
    refuse_many(base.shape[1], int(fitted.sum()))
    return base


def shift_of(base, y, fitted):
    """What covariates add to each line by least squares of the fitted ones.

    Parameters
    ----------
    base : ndarray (n, p)
        From `base_of`.
    y : ndarray (n,) or (n, T)
        NaN where a line has no value of one of T traits.
    fitted : ndarray (n,) of bool

    Returns
    -------
    ndarray of y's shape
        With a mean of 0 over the fitted lines.
    """
    shift = np.zeros_like(y)
    for values, added in zip(np.atleast_2d(y.T), np.atleast_2d(shift.T), strict=True):
        known = fitted & ~np.isnan(values)
        design = np.column_stack([np.ones(known.sum()), base[known]])
        added[:] = base @ np.linalg.lstsq(design, values[known], rcond=None)[0][1:]
    return shift
