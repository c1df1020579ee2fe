"""Agreement of predictions with observations, in trait units ([C] eq. 18-20 and others).

Every metric takes y (observed) and p (predicted), 1-d arrays of equal length, and gives a float.
A metric that is not defined for the input (correlation of a constant) is NaN, never 0.
"""

import numpy as np
import pandas as pd

# A spread within rounding of the values themselves is no spread.
CONSTANT = 1e-13


def checked_pair(y, p):
    """Both as float64, checked.

    Raises
    ------
    ValueError
        For other than 1-d arrays of equal length above 0, or values that are not finite.
    """
    y, p = np.asarray(y, dtype=np.float64), np.asarray(p, dtype=np.float64)
    if y.ndim != 1 or y.shape != p.shape or not y.size:
        raise ValueError(
            f"shapes {y.shape} and {p.shape}; allowed: 1-d, of equal length, not empty"
        )
    for name, values in (("observed", y), ("predicted", p)):
        bad = int(np.count_nonzero(~np.isfinite(values)))
        if bad:
            raise ValueError(f"{bad} of {values.size} {name} values are NaN or infinite")
    return y, p


def is_constant(x):
    """Whether values differ by no more than rounding."""
    return np.ptp(x) <= CONSTANT * np.abs(x).max()


def _correlation(a, b):
    if is_constant(a) or is_constant(b):
        return float("nan")
    # Scaled to a range of 1 first, so that the squares neither overflow nor vanish.
    a, b = ((x - x.mean()) / np.ptp(x) for x in (a, b))
    return float(np.clip((a @ b) / (np.linalg.norm(a) * np.linalg.norm(b)), -1.0, 1.0))


def mae(y, p):
    """Mean absolute error ([C] eq. 18)."""
    y, p = checked_pair(y, p)
    return float(np.abs(y - p).mean())


def pearson(y, p):
    """Pearson's correlation, PCC ([C] eq. 19); NaN if either is constant."""
    return _correlation(*checked_pair(y, p))


def consistency_index(y, p):
    """PCC / (MAE / mean|y| + 1), CI ([C] eq. 20); NaN where PCC is. Never above a positive PCC."""
    y, p = checked_pair(y, p)
    correlation = _correlation(y, p)
    if np.isnan(correlation):
        return correlation
    return float(correlation / (np.abs(y - p).mean() / np.abs(y).mean() + 1.0))


def r2(y, p):
    """Coefficient of determination, 1 - SSE / SST; negative below the mean predictor."""
    y, p = checked_pair(y, p)
    if is_constant(y):
        return float("nan")
    return float(1.0 - np.square(y - p).sum() / np.square(y - y.mean()).sum())


def rmse(y, p):
    """Root of the mean squared error."""
    y, p = checked_pair(y, p)
    return float(np.sqrt(np.square(y - p).mean()))


def spearman(y, p):
    """Spearman's rank correlation, ties at their mean rank; NaN if either is constant."""
    y, p = checked_pair(y, p)
    if is_constant(y) or is_constant(p):
        return float("nan")
    return _correlation(*(pd.Series(x).rank().to_numpy() for x in (y, p)))


def calibration_slope(y, p):
    """Slope of observed on predicted: 1 is unbiased spread, below 1 is overconfident."""
    y, p = checked_pair(y, p)
    if is_constant(p):
        return float("nan")
    p = p - p.mean()
    return float(p @ (y - y.mean()) / (p @ p))


def calibration_intercept(y, p):
    """Intercept of observed on predicted, trait units: 0 with slope 1 is calibrated.

    It is read with the slope: mean(y) - slope * mean(p), so a slope below 1 alone moves it.
    """
    y, p = checked_pair(y, p)
    if is_constant(p):
        return float("nan")
    return float(y.mean() - calibration_slope(y, p) * p.mean())


def concordance(y, p):
    """Harrell's c: of pairs that differ in y the share that p ranks alike, ties of p by half.

    (Harrell et al. 1982, doi:10.1001/jama.1982.03320430047030; Somers' D of p on y is 2 c - 1.)
    NaN if y is constant; 0.5 if p is.
    """
    from scipy.stats import kendalltau  # which few metrics need

    y, p = checked_pair(y, p)
    if is_constant(y):
        return float("nan")
    if is_constant(p):
        return 0.5
    pairs = len(y) * (len(y) - 1) / 2
    apart = [pairs - sum(n * (n - 1) for n in np.unique(x, return_counts=True)[1]) / 2
             for x in (y, p)]  # fmt: skip
    tau = kendalltau(y, p, method="asymptotic").statistic
    # tau-b is concordant less discordant pairs over the root of both counts.
    return float((1 + tau * np.sqrt(apart[1] / apart[0])) / 2)


def _classes(y, p):
    """Observed classes 0 and 1, and predictions: a mean of several records is of the nearer class.

    What lies in the middle is of none.
    """
    y, p = checked_pair(y, p)
    told = y != 0.5
    return (y[told] > 0.5).astype(np.float64), p[told]


def auc(y, p):
    """Area under the ROC curve of y, 0 or 1: concordance of pairs of both classes."""
    y, p = _classes(y, p)
    return concordance(y, p) if y.size else float("nan")


def brier(y, p):
    """Brier's score: mean square of class (0 or 1) less predicted probability, p cut to 0 to 1."""
    y, p = _classes(y, p)
    return float(np.square(y - np.clip(p, 0, 1)).mean()) if y.size else float("nan")


METRICS = {
    "MAE": mae,
    "PCC": pearson,
    "CI": consistency_index,
    "R2": r2,
    "RMSE": rmse,
    "Spearman": spearman,
    "calibration_slope": calibration_slope,
    "calibration_intercept": calibration_intercept,
}


# What is told of traits of such a kind beside.
BY_KIND = {
    "quantitative": {},
    "ordinal": {"concordance": concordance},
    "binary": {"AUC": auc, "Brier": brier},
}


def all_metrics(y, p, kind="quantitative"):
    """Every metric by the name that tables use.

    Parameters
    ----------
    y, p : array-like (n,)
        Observed and predicted, in trait units.
    kind : {'quantitative', 'ordinal', 'binary'}

    Returns
    -------
    dict of str to float

    Raises
    ------
    ValueError
        For other than 1-d arrays of equal length above 0, or values that are not finite.
    """
    return {name: metric(y, p) for name, metric in {**METRICS, **BY_KIND[kind]}.items()}


def within_groups(y, p, groups, metric, *, fewest=10):
    """Mean of a metric over groups of lines, weighted by their lines.

    A correlation over families mixes what tells families apart with what tells sister lines apart;
    a breeder who selects within a family asks for the second alone.

    Parameters
    ----------
    y, p : array-like (n,)
        Observed and predicted, in trait units.
    groups : array-like (n,)
        Family, environment, ... of each line; a missing one (None, NaN) is in no group.
    metric : callable
        (y, p) -> float, such as `pearson`.
    fewest : int, keyword only
        Smaller groups are left out: their values are noise.

    Returns
    -------
    float
        NaN if no group is large enough and has a defined value.

    Raises
    ------
    ValueError
        For arrays of other lengths, or values that are not finite.
    """
    y, p = checked_pair(y, p)
    codes, _ = pd.factorize(np.asarray(groups, dtype=object))
    if codes.shape != y.shape:
        raise ValueError(f"{len(codes)} groups for {len(y)} lines; allowed: one for each line")
    counts = np.bincount(codes[codes >= 0])
    members = {code: codes == code for code in np.flatnonzero(counts >= fewest)}
    values = np.array([metric(y[rows], p[rows]) for rows in members.values()])
    defined = ~np.isnan(values)
    if not defined.any():
        return float("nan")
    return float(np.average(values[defined], weights=counts[list(members)][defined]))
