"""Heritabilities and correlations of few lines, held to those of the other traits of their group.

REML of two traits that twenty lines have says -1 or 1 of their genetic correlation as often as not,
and multi-trait GBLUP would believe it. Here each figure is an estimate of one that is drawn from a
distribution common to all of its kind, on a scale without bounds: it keeps as much of its own
distance from their mean as its standard error allows, so that those of many lines stay (a
random-effects model by moments: DerSimonian and Laird 1986, Control Clin Trials 7:177-188). What is
common to correlations is how far they lie from the phenotypic ones, which few lines tell better.
"""

import numpy as np

FEWEST = 3  # figures with a standard error, without which nothing says how they differ
FEW_LINES = 100  # of which a figure at its bound tells nothing where there are no such others
EDGE = 1e-3  # how near its bounds a figure may lie on the unbounded scale


def pool(figures, errors, lines, *, low, unknown, near=None):
    """Figures held to their mean, or to their mean distance from others that are known better.

    Parameters
    ----------
    figures : array-like (k,)
        In [low, 1]; NaN where there is none.
    errors : array-like (k,)
        Their standard errors; NaN where a figure lies at a bound.
    lines : array-like (k,)
        That each is of.
    low : float, keyword only
        The least that a figure may be: -1 for correlations, 0 for heritabilities.
    unknown : float or ndarray (k,), keyword only
        What counts in place of a figure of which nothing is known, without `FEWEST` others.
    near : ndarray (k,), keyword only, optional
        Figures of the same kind, one for each, that these are expected to lie by.

    Returns
    -------
    ndarray (k,)
        A figure without an error stays as it is where so many lines would tell more than the
        figures differ, else it is their mean.
    """
    figures, errors, lines = (np.asarray(one, dtype=np.float64) for one in (figures, errors, lines))
    sure = np.isfinite(figures) & np.isfinite(errors) & (errors > 0)
    if sure.sum() < FEWEST:
        doubtful = np.isnan(figures) | (~sure & (lines < FEW_LINES))
        return np.where(doubtful, unknown, figures)
    inside = np.clip(figures, low + EDGE, 1 - EDGE)
    origin = 0.0 if near is None else _unbounded(np.clip(near, low + EDGE, 1 - EDGE), low)
    z = _unbounded(inside, low) - origin
    error = errors * (1 - low) / ((inside - low) * (1 - inside))
    mean, variance = _common(z[sure], error[sure])
    typical = np.median(error[sure] * np.sqrt(lines[sure]))
    error = np.where(sure, error, typical / np.sqrt(np.maximum(lines, 1)))
    told = sure | (np.isfinite(figures) & (error**2 <= variance))
    kept = np.where(sure, variance / (variance + error**2), told)
    odds = np.exp(origin + mean + kept * (np.nan_to_num(z) - mean))
    return np.where(told & ~sure, figures, (odds + low) / (1 + odds))


def _unbounded(figures, low):
    """The scale without bounds."""
    return np.log((figures - low) / (1 - figures))


def _common(z, error):
    """Mean and variance of what estimates z (k,) with errors (k,) are of."""
    weight = 1 / error**2
    centre = np.average(z, weights=weight)
    excess = weight @ (z - centre) ** 2 - (len(z) - 1)
    variance = max(0.0, excess / (weight.sum() - (weight**2).sum() / weight.sum()))
    return np.average(z, weights=1 / (error**2 + variance)), variance
