"""REML for several kernels at once, by average information.

y = mu + X b + sum_k g_k + e, g_k ~ N(0, s_k K_k), e ~ N(0, s_e I), or s_e over each value's weight,
mu and what else is fixed profiled out (`beside`). One
kernel alone is better served by its decomposition (`tridiagonal`); several have none in common.
Newton steps with the average of observed and expected information need no more than V^-1 (Gilmour,
Thompson and Cullis 1995, doi:10.2307/2533274). A variance that wants to be negative stays at its
bound, and a step is the best one for the others with that one held.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, lapack
from scipy.optimize import lsq_linear

from soyfold.models.kernels.beside import root_beside

NOISE = 1e-6  # the least of s_e, of the trait's variance, with which V keeps its inverse
NOISE_OF_SINGLES = 1e-4  # the same with kernels of float32, whose rounding may be negative
STEPS = 50
HALVINGS = 20


@dataclass(frozen=True)
class Point:
    """REML at some variances: log-likelihood, its gradient, and the average information.

    Attributes
    ----------
    log_likelihood : float
        -1/2 [ log|V| + log|F'V^-1 F| + y'Py ], F = [1 X], without the constant.
    gradient : ndarray (k + 1,)
    information : ndarray (k + 1, k + 1)
    """

    log_likelihood: float
    gradient: np.ndarray
    information: np.ndarray


def covariance(kernels, variances, uneven=1.0):
    """V (n, n) = sum of s_k K_k + s_e D; `variances` (k + 1,) ends with s_e.

    D is I, or the diagonal `uneven` (n,).
    """
    total = variances[0] * kernels[0]
    for kernel, variance in zip(kernels[1:], variances[1:-1], strict=True):
        total += variance * kernel
    total[np.diag_indices_from(total)] += variances[-1] * uneven
    return total


def evaluate(kernels, y, variances, uneven=1.0, beside=None):
    """`Point` at these variances: one Cholesky factor, one inverse.

    Parameters
    ----------
    kernels : list of ndarray (n, n)
    y : ndarray (n,)
    variances : ndarray (k + 1,)
    uneven : float or ndarray (n,)
        See `covariance`.
    beside : ndarray (n, p), optional
        X, with the mean of full rank.
    """
    # The transpose of a symmetric matrix is itself, in LAPACK's order: it is overwritten.
    matrix = covariance(kernels, variances, uneven).T
    factor, _ = cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)
    log_determinant = 2 * np.log(np.diag(factor)).sum()
    inverse = np.tril(lapack.dpotri(factor, lower=1, overwrite_c=1)[0])
    inverse += np.tril(inverse, -1).T
    sums = inverse.sum(0)
    total = sums.sum()

    def past_mean(x):
        return inverse @ x - np.multiply.outer(sums, sums @ x).reshape(x.shape) / total

    beside = np.zeros((len(y), 0)) if beside is None else beside
    root, _, more = root_beside(past_mean(beside), beside)

    def project(x):
        return past_mean(x) - root @ (root.T @ x)

    dual = project(y)
    pushed = np.column_stack([*(kernel @ dual for kernel in kernels), uneven * dual])
    traces = [np.vdot(inverse, kernel) - sums @ kernel @ sums / total for kernel in kernels]
    traces.append((np.diag(inverse) * uneven).sum() - sums @ (uneven * sums) / total)
    taken = [np.vdot(root, kernel @ root) for kernel in kernels]
    taken.append(np.vdot(root, np.reshape(uneven, (-1, 1)) * root))
    height = log_determinant + np.log(total) + y @ dual + more
    return Point(
        log_likelihood=-0.5 * height,
        gradient=0.5 * (dual @ pushed - np.array(traces) + np.array(taken)),
        information=0.5 * (pushed.T @ project(pushed)),
    )


def _newton(point, variances, least):
    """The step to the top, within the bounds, of the parabola whose own top is Newton's step."""
    values, vectors = np.linalg.eigh(point.information)
    roots = np.sqrt(np.maximum(values, 1e-9 * values[-1]))  # kernels may be copies of each other
    found = lsq_linear(
        roots[:, None] * vectors.T,
        vectors.T @ point.gradient / roots,
        bounds=(least - variances, np.inf),
        method="bvls",
    )
    return np.maximum(variances + found.x, least) - variances


def estimate(kernels, y, *, uneven=1.0, beside=None, tolerance=1e-6, noise=NOISE):
    """REML estimates of the variances of several kernels.

    Parameters
    ----------
    kernels : list of ndarray (n, n)
        Their diagonals should average about 1.
    y : ndarray (n,)
    uneven : float or ndarray (n,), keyword only
        What of s_e each value's noise has: 1 over its weight.
    beside : ndarray (n, p), keyword only, optional
        X, with the mean of full rank; y had better be without what it tells (`beside.take_off`).
    tolerance : float, keyword only
        Log-likelihood that the gradient still promises, within the bounds, where the ascent ends.
    noise : float, keyword only
        The least of s_e, of the variance of y.

    Returns
    -------
    variances : ndarray (k + 1,)
        Of the kernels, 0 where that is likeliest, then of the noise.
    point : Point
    converged : bool
        Whether the promise is below `tolerance`.
    """
    y = y - y.mean()  # P takes the mean off, but with what rounding leaves of a large one
    return climb(
        lambda variances: evaluate(kernels, y, variances, uneven, beside),
        y.var(), len(kernels), tolerance=tolerance, noise=noise,
    )  # fmt: skip


def climb(evaluate, variance, count, *, tolerance=1e-6, noise=NOISE):
    """REML estimates of `count` variances and that of the noise, each from an even share.

    Parameters
    ----------
    evaluate : callable
        Variances (count + 1,) to their `Point`.
    variance : float
        Of the values.
    count : int
    tolerance, noise : float, keyword only
        As for `estimate`.

    Returns
    -------
    variances, point, converged
        As `estimate` gives them.
    """
    least = np.append(np.zeros(count), noise * variance)
    variances = np.full(len(least), variance / len(least))
    point = evaluate(variances)
    for _ in range(STEPS):
        step = _newton(point, variances, least)
        if point.gradient @ step < tolerance:
            return variances, point, True
        for halving in range(HALVINGS):
            trial = variances + step / 2**halving
            found = evaluate(trial)
            if found.log_likelihood >= point.log_likelihood:
                break
        else:
            break
        variances, point = trial, found
    return variances, point, False


def meets_bound(variances, y, noise=NOISE):
    """Whether all of y is noise, or none of it: `variances` as `estimate` gives them."""
    return bool(not variances[:-1].any() or variances[-1] <= 1.001 * noise * y.var())
