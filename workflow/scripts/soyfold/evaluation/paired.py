"""Statistics of comparisons: paired differences over resampled splits, many tests at once."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Difference:
    """A mean paired difference with its interval.

    Attributes
    ----------
    mean, sd : float
        Of the n differences, in the unit of the values; sd with n - 1.
    low, high : float
        Ends of the confidence interval of the mean.
    p : float
        Two-sided, against a mean of 0.
    n : int
        Pairs.
    """

    mean: float
    sd: float
    low: float
    high: float
    p: float
    n: int


def _p_value(mean, error, freedom):
    """Two-sided p of Student's t; without any spread there is no doubt left."""
    if error == 0:
        return 1.0 if mean == 0 else 0.0
    from scipy.special import stdtr  # which the rules, who read this too, do without

    return float(2 * stdtr(freedom, -abs(mean) / error))


def paired_difference(a, b, *, test_share, level=0.95):
    """Corrected resampled t-test of a - b (Nadeau and Bengio 2003, eq. 14).

    Splits drawn again and again from the same lines share training lines, so that their
    differences are correlated and the plain t-test is too sure. The variance of the mean over J
    splits is taken as (1/J + n_test/n_train) s^2, with J - 1 degrees of freedom.

    Parameters
    ----------
    a, b : array_like (J,)
        A metric of two models on the same splits and seeds, in the same order.
    test_share : float, keyword only
        n_test / n_train of a split; 0 for independent repeats (the plain paired t-test).
    level : float, keyword only
        Coverage of the interval.

    Returns
    -------
    Difference
        All NaN if any value is NaN; sd, interval and p are NaN with fewer than two pairs.

    Raises
    ------
    ValueError
        For arrays of other shapes, none at all, a negative share, or a level outside (0, 1).

    References
    ----------
    Nadeau C, Bengio Y (2003) Inference for the generalization error. Machine Learning 52:239-281.
    """
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if a.ndim != 1 or a.shape != b.shape or len(a) == 0:
        raise ValueError(f"shapes {a.shape} and {b.shape}; allowed: the same (J,), J above 0")
    if not test_share >= 0 or not 0 < level < 1:
        raise ValueError(f"test_share {test_share}, level {level}; allowed: from 0 on, in (0, 1)")
    n, nan = len(a), float("nan")
    differences = a - b
    mean = float(differences.mean())
    if n < 2 or np.isnan(mean):
        return Difference(mean, nan, nan, nan, nan, n)
    sd = float(differences.std(ddof=1))
    error = sd * float(np.sqrt(1 / n + test_share))
    from scipy.special import stdtrit

    half = float(stdtrit(n - 1, (1 + level) / 2)) * error
    return Difference(mean, sd, mean - half, mean + half, _p_value(mean, error, n - 1), n)


def holm(p):
    """Holm's step-down adjustment: p values that hold for all tests of a family together.

    Parameters
    ----------
    p : array_like (m,)
        NaN is no test: it stays NaN and isn't counted.

    Returns
    -------
    ndarray (m,)
        Adjusted p values, in the order given, at most 1.

    References
    ----------
    Holm S (1979) A simple sequentially rejective multiple test procedure. Scand J Stat 6:65-70.
    """
    p = np.asarray(p, dtype=np.float64)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    adjusted = np.full(p.shape, np.nan)
    steps = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps * p[order]), 1.0)
    return adjusted
