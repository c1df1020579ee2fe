"""Classes of binary and ordered traits, and how far values lie in them. No torch."""

import numpy as np

DECIMALS = 6


def are_shares(y):
    """Whether known values lie between 0 and 1: environments and covariates move them."""
    y = y[~np.isnan(y)]
    return bool(((y >= 0) & (y <= 1)).all())


def classes_of(y):
    """Classes of a trait's values: the whole numbers on which they lie, or between which.

    Parameters
    ----------
    y : ndarray (n,) float64
        NaN where unknown.

    Returns
    -------
    ndarray (K + 1,) float64
        In order.
    """
    y = np.round(y[~np.isnan(y)], DECIMALS)  # least squares leave 1.9999999999 of a 2
    return np.unique([np.floor(y), np.ceil(y)])


def shares_of(y, classes):
    """How much of each class values are.

    A value between two is of both, one beyond the ends of the last.

    Parameters
    ----------
    y : ndarray (n,) float64
    classes : ndarray (K + 1,)
        Two or more, in order.

    Returns
    -------
    ndarray (n, K + 1) float64
        Rows add up to 1; NaN where y is.
    """
    place = np.clip(np.searchsorted(classes, y, side="right") - 1, 0, len(classes) - 2)
    upper = np.clip((y - classes[place]) / (classes[place + 1] - classes[place]), 0.0, 1.0)
    shares, rows = np.zeros((len(y), len(classes))), np.arange(len(y))
    shares[rows, place], shares[rows, place + 1] = 1 - upper, upper
    shares[np.isnan(y)] = np.nan
    return shares
