"""Prediction intervals by split-conformal inference, which supposes exchangeable lines alone."""

import math

import numpy as np

ROUNDING = 1e-9  # (n + 1) * level may lie a rounding error above the whole number that it is


def conformal_half_width(residuals, level):
    """Half width of an interval that covers a new line with probability `level` or more.

    The ceil((n + 1) level)-th smallest of n absolute residuals of lines that the fit has not seen.
    A new line's residual is as likely to take any rank among the n + 1, so that coverage is at
    least `level` and, without ties, at most level + 1 / (n + 1).

    Parameters
    ----------
    residuals : array-like (n,)
        Observed - predicted of the calibration lines, in trait units.
    level : float
        Wanted coverage, in (0, 1).

    Returns
    -------
    float
        Infinite where n is too small for the level (below level / (1 - level)).

    Raises
    ------
    ValueError
        For other than a 1-d array of finite values, or a level outside (0, 1).

    References
    ----------
    Lei J et al. (2018) Distribution-free predictive inference for regression. J Am Stat Assoc
    113:1094-1111, theorem 2.2.
    """
    residuals = np.asarray(residuals, dtype=np.float64)
    if residuals.ndim != 1 or not np.isfinite(residuals).all() or not 0 < level < 1:
        raise ValueError(
            f"residuals of shape {residuals.shape}, level {level};"
            " allowed: 1-d and finite, in (0, 1)"
        )
    rank = math.ceil((len(residuals) + 1) * level - ROUNDING)
    if rank > len(residuals):
        return math.inf
    return float(np.partition(np.abs(residuals), rank - 1)[rank - 1])


def level_percent(level):
    """A level as tables name it: 0.9 is '90', 0.975 is '97.5'."""
    return f"{100 * level:g}"


def interval_metrics(y, p, half_width, level):
    """How intervals p +- half_width do on lines that neither fit nor calibration has seen.

    Parameters
    ----------
    y, p : array-like (n,)
        Observed and predicted test lines, in trait units.
    half_width, level : float

    Returns
    -------
    dict of str to float
        `coverage90`, `interval_width90` (trait units) for level 0.9; NaN for an infinite interval,
        which says nothing.
    """
    percent = level_percent(level)
    if not math.isfinite(half_width):
        return {f"coverage{percent}": math.nan, f"interval_width{percent}": math.nan}
    inside = np.abs(np.asarray(y, dtype=np.float64) - np.asarray(p, dtype=np.float64)) <= half_width
    return {f"coverage{percent}": float(inside.mean()), f"interval_width{percent}": 2 * half_width}
