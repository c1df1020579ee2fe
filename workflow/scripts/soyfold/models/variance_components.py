"""REML for several kernels at once, by average information.

y = mu + sum_k g_k + e, g_k ~ N(0, s_k K_k), e ~ N(0, s_e I). One kernel alone is better served by
its decomposition (`soyfold.tridiagonal`); several have none in common. Newton steps with the
average of observed and expected information need no more than V^-1 (Gilmour, Thompson and Cullis
1995, doi:10.2307/2533274).
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

FLOOR = 1e-6  # of the trait's variance: a component that wants to be negative stays there
STEPS = 30
HALVINGS = 8


@dataclass(frozen=True)
class Point:
    """REML at some variances: log-likelihood, its gradient, and the average information.

    Attributes
    ----------
    log_likelihood : float
        -1/2 [ log|V| + log|1'V^-1 1| + y'Py ], without the constant.
    gradient : ndarray (k + 1,)
    information : ndarray (k + 1, k + 1)
    """

    log_likelihood: float
    gradient: np.ndarray
    information: np.ndarray


def covariance(kernels, variances):
    """V (n, n) = sum of s_k K_k + s_e I; `variances` (k + 1,) ends with s_e."""
    total = variances[0] * kernels[0]
    for kernel, variance in zip(kernels[1:], variances[1:-1], strict=True):
        total += variance * kernel
    total[np.diag_indices_from(total)] += variances[-1]
    return total


def evaluate(kernels, y, variances):
    """`Point` at these variances: one Cholesky factor, one inverse.

    Parameters
    ----------
    kernels : list of ndarray (n, n)
    y : ndarray (n,)
    variances : ndarray (k + 1,)
    """
    factor = cho_factor(covariance(kernels, variances), lower=True, check_finite=False)
    inverse = cho_solve(factor, np.eye(len(y)), check_finite=False, overwrite_b=True)
    sums = inverse.sum(0)
    total = sums.sum()

    def project(x):
        return inverse @ x - np.multiply.outer(sums, sums @ x).reshape(x.shape) / total

    dual = project(y)
    pushed = np.column_stack([*(kernel @ dual for kernel in kernels), dual])
    traces = [np.vdot(inverse, kernel) - sums @ kernel @ sums / total for kernel in kernels]
    traces.append(np.trace(inverse) - sums @ sums / total)
    height = 2 * np.log(np.diag(factor[0])).sum() + np.log(total) + y @ dual
    return Point(
        log_likelihood=-0.5 * height,
        gradient=0.5 * (dual @ pushed - np.array(traces)),
        information=0.5 * (pushed.T @ project(pushed)),
    )


def _newton(point, variances, floor):
    """Where Newton's step leads; components on the floor that want to go lower stay there."""
    free = (variances > floor) | (point.gradient > 0)
    step = np.zeros_like(variances)
    information = point.information[np.ix_(free, free)]
    step[free] = np.linalg.lstsq(information, point.gradient[free], rcond=None)[0]
    return np.maximum(variances + step, floor)


def estimate(kernels, y, *, tolerance=1e-6):
    """REML estimates of the variances of several kernels.

    Parameters
    ----------
    kernels : list of ndarray (n, n)
        Their diagonals should average about 1.
    y : ndarray (n,)
    tolerance : float, keyword only
        Gain of log-likelihood at which the ascent ends.

    Returns
    -------
    variances : ndarray (k + 1,)
        Of the kernels, then of the noise.
    point : Point
    converged : bool
    """
    floor = FLOOR * y.var()
    variances = np.full(len(kernels) + 1, y.var() / (len(kernels) + 1))
    point = evaluate(kernels, y, variances)
    for _ in range(STEPS):
        target = _newton(point, variances, floor)
        for halving in range(HALVINGS):
            trial = variances + (target - variances) / 2**halving
            found = evaluate(kernels, y, trial)
            if found.log_likelihood >= point.log_likelihood:
                break
        else:
            return variances, point, True  # no step up is left within rounding
        gain = found.log_likelihood - point.log_likelihood
        variances, point = trial, found
        if gain < tolerance:
            return variances, point, True
    return variances, point, False
