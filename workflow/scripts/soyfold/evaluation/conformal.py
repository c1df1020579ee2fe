"""Prediction intervals by split-conformal inference, which supposes exchangeable lines alone."""

import dataclasses
import math

import numpy as np

LEAST_NOISE = 0.05  # of the residuals' mean square, where a model's own errors would explain it all
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


def excess_variance(residuals, sd):
    """The variance v that residuals (n,) have beyond sd^2: mean of r^2 / (sd^2 + v) = 1.

    At least a twentieth of their mean square, so that lines of which a model is sure beyond reason
    have an interval (Paule and Mandel 1982, doi:10.6028/jres.087.022).
    """
    most = np.square(residuals).mean()
    low, high = LEAST_NOISE * most, most
    for _ in range(50):
        middle = (low + high) / 2
        if middle == 0:
            break
        beyond = np.mean(np.square(residuals) / (np.square(sd) + middle)) > 1
        low, high = (middle, high) if beyond else (low, middle)
    return (low + high) / 2


@dataclasses.dataclass(frozen=True)
class Calibration:
    """Residuals of lines that a fit has not seen, and how far it expected to err there.

    An interval is as wide as the line's error is expected to be: the scores are residuals over
    sqrt(sd^2 + noise), whose quantile times the same of a new line is its half width (Lei et al.
    2018, section 5.2). The noise is what the residuals have beyond sd^2 (`excess_variance`), so
    that it is that of the values tested: lines' effects, or single plots.

    Attributes
    ----------
    residuals : ndarray (n,)
        Observed - predicted, trait units.
    sd : ndarray (n,)
        Of the genetic values' errors, as the fit tells them; NaN of a model that doesn't know.
    """

    residuals: np.ndarray
    sd: np.ndarray

    def half_widths(self, sd, level):
        """Half widths of intervals of new lines, in trait units.

        Parameters
        ----------
        sd : ndarray (m,)
            As `self.sd`, of the new lines.
        level : float

        Returns
        -------
        ndarray (m,)
            The same for all where the model doesn't know its errors; infinite where the residuals
            are too few for the level.
        """
        sd = np.asarray(sd, dtype=np.float64)
        if np.isnan(self.sd).any() or np.isnan(sd).any() or not len(self.sd):
            return np.full(len(sd), conformal_half_width(self.residuals, level))
        noise = excess_variance(self.residuals, self.sd)
        if noise == 0:  # nothing to scale: all residuals are 0
            return np.zeros(len(sd))
        scores = self.residuals / np.sqrt(np.square(self.sd) + noise)
        return conformal_half_width(scores, level) * np.sqrt(np.square(sd) + noise)


def line_half_widths(sd, new_family, level, *, known, apart=None):
    """Half widths of lines' intervals: those of new families by residuals of left-out families.

    Parameters
    ----------
    sd : ndarray (m,)
        See `Calibration.half_widths`.
    new_family : ndarray (m,) of bool
        Whether the line is of a family without a training line.
    level : float
    known : Calibration
        Of validation lines.
    apart : Calibration, optional
        Of training lines predicted without their family; none, or an empty one, leaves all lines
        to `known`.

    Returns
    -------
    ndarray (m,)
    """
    half = known.half_widths(sd, level)
    if apart is not None and len(apart.residuals):
        half[new_family] = apart.half_widths(sd[new_family], level)
    return half


def level_percent(level):
    """A level as tables name it: 0.9 is '90', 0.975 is '97.5'."""
    return f"{100 * level:g}"


def interval_metrics(y, p, half_width, level):
    """How intervals p +- half_width do on lines that neither fit nor calibration has seen.

    Parameters
    ----------
    y, p : array-like (n,)
        Observed and predicted test lines, in trait units.
    half_width : float or ndarray (n,)
    level : float

    Returns
    -------
    dict of str to float
        `coverage90`, `interval_width90` (trait units, mean over the lines) for level 0.9; NaN for
        an infinite interval, which says nothing.
    """
    percent = level_percent(level)
    if not np.isfinite(half_width).all():
        return {f"coverage{percent}": math.nan, f"interval_width{percent}": math.nan}
    inside = np.abs(np.asarray(y, dtype=np.float64) - np.asarray(p, dtype=np.float64)) <= half_width
    width = 2 * float(np.mean(half_width))
    return {f"coverage{percent}": float(inside.mean()), f"interval_width{percent}": width}
