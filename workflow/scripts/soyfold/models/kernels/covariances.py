"""Heritabilities and genetic correlations with standard errors: REML of G and R.

The likelihood is that of `traits`, which costs no products with a decomposition any more, so that
its slopes and its curvature are differences of fourth order. Standard errors are those of the delta
method from the inverse of the observed information; average information, which needs V^-1, is an
approximation of it.
"""

from dataclasses import dataclass

import numpy as np

STEP = 4e-3  # of differences, in units of the traits' sd
DIFFERENCES = np.array([[-2, 1 / 12], [-1, -8 / 12], [1, 8 / 12], [2, -1 / 12]])
BOUND = 1e-4  # how near 0 or 1 a heritability, and 1 a correlation, lie at their bound
GRID = np.linspace(-0.9, 0.9, 7)  # correlations to begin with
NEWTON = 30  # steps, where mostly one or two are enough
HALVINGS = 12  # of a step


@dataclass(frozen=True)
class Estimate:
    """What REML says of T traits.

    Attributes
    ----------
    genetic, residual : ndarray (T, T)
        G and R in trait units; G is the mean variance of a line, not per unit of the kernel.
    figures : ndarray (3, T, T)
        Genetic correlations with heritabilities in their diagonal; residual ones with one minus
        these; phenotypic ones. NaN where a trait has no variance of the kind.
    errors : ndarray (3, T, T)
        Their standard errors. NaN where the estimate lies at its bound: the likelihood has no top
        there that they could tell of.
    at_bound : ndarray (T, T) of bool
        Heritabilities (diagonal) and genetic correlations that lie at their bound.
    log_likelihood : float
    converged : bool
    """

    genetic: np.ndarray
    residual: np.ndarray
    figures: np.ndarray
    errors: np.ndarray
    at_bound: np.ndarray
    log_likelihood: float
    converged: bool

    @property
    def heritability(self):
        """(T,)."""
        return np.diag(self.figures[0])


def _factors(point, traits):
    """C and D of points (..., T (T + 1)): lower triangles, D's diagonal by its logarithm."""
    half, lower = point.shape[-1] // 2, np.tril_indices(traits)
    factors = np.zeros((2, *point.shape[:-1], traits, traits))
    genetic, residual = factors
    genetic[(..., *lower)], residual[(..., *lower)] = point[..., :half], point[..., half:]
    diagonal = np.arange(traits)
    residual[..., diagonal, diagonal] = np.exp(residual[..., diagonal, diagonal])
    return genetic, residual


def _point(genetic, residual):
    """The point of covariances (..., T, T), G a little inside its bound."""
    traits = genetic.shape[-1]
    lower, diagonal = np.tril_indices(traits), np.arange(traits)
    first, second = np.linalg.cholesky(genetic), np.linalg.cholesky(residual)
    second[..., diagonal, diagonal] = np.log(second[..., diagonal, diagonal])
    return np.concatenate([first[(..., *lower)], second[(..., *lower)]], -1)


def _differentiate(function, points):
    """First derivatives of `function` (..., p) -> (..., q) at points (..., p): (..., p, q)."""
    numbers, weights = DIFFERENCES.T
    steps = STEP * numbers[:, None, None] * np.eye(points.shape[-1])
    told = function(points[..., None, None, :] + steps)
    return np.einsum("k,...kpq->...pq", weights / STEP, told)


def _figures(point, traits):
    """`Estimate.figures` of points (..., p): (..., 3, T, T)."""
    genetic, residual = (factor @ factor.swapaxes(-1, -2) for factor in _factors(point, traits))
    matrices = np.stack([genetic, residual, genetic + residual], -3)
    variances = np.diagonal(matrices, axis1=-2, axis2=-1)
    sd = np.sqrt(np.maximum(variances, 1e-300))
    figures, diagonal = matrices / sd[..., None] / sd[..., None, :], np.arange(traits)
    figures[..., :2, diagonal, diagonal] = variances[..., :2, :] / variances[..., 2:, :]
    return figures


def _begin(likelihood, heritabilities, phenotypic):
    """The likeliest of a grid of points: one genetic correlation for all pairs, or all traits'."""
    traits, off = likelihood.traits, 1 - np.eye(likelihood.traits)
    shares = np.clip(heritabilities, 0.05, 0.95)
    genetic, residual = np.sqrt(shares), np.sqrt(1 - shares)
    patterns = [off, *([np.sign(phenotypic) * off, phenotypic * off] if traits > 2 else [])]
    found = [np.eye(traits) + value * pattern for pattern in patterns for value in GRID]
    found = np.array([one for one in found if np.linalg.eigvalsh(one)[0] > 1e-3])
    first, second = np.repeat(found, len(found), 0), np.tile(found, (len(found), 1, 1))
    points = _point(first * np.outer(genetic, genetic), second * np.outer(residual, residual))
    heights = likelihood.log_likelihood(*_factors(points, traits))
    return points[np.argmax(heights)]


def estimate(likelihood):
    """REML estimates of G and R, their correlations and standard errors.

    Parameters
    ----------
    likelihood : TraitsLikelihood
        Of traits none of which follows from the others.

    Returns
    -------
    Estimate
    """
    from scipy.optimize import minimize  # which jobs that only prepare kernels don't need

    traits = likelihood.traits

    def height(point):
        return -likelihood.log_likelihood(*_factors(point, traits))[..., None]

    def slope(point):
        return _differentiate(height, point)[..., 0]

    start = _start(likelihood)
    found = minimize(lambda at: height(at).item(), start, jac=slope, method="BFGS")
    point, converged = _polish(found.x, height, slope)
    return _estimate(likelihood, point, converged, _differentiate(slope, point))


def _start(likelihood):
    """Where to begin: a lone trait's best of a grid, else lone traits' heritabilities."""
    if likelihood.traits == 1:
        shares = np.linspace(0.02, 0.98, 49)[:, None, None]
        points = _point(shares, 1 - shares)
        return points[np.argmax(likelihood.log_likelihood(*_factors(points, 1)))]
    lone = [estimate(likelihood.of([trait])).heritability for trait in range(likelihood.traits)]
    return _begin(likelihood, np.concatenate(lone), likelihood.phenotypic)


def _polish(point, height, slope):
    """Newton steps to the top, and whether they ended there.

    Near a bound the likelihood bends the other way in places: a step goes uphill there too.
    """
    for _ in range(NEWTON):
        down = slope(point)
        values, vectors = np.linalg.eigh(_differentiate(slope, point))
        bends = np.maximum(np.abs(values), 1e-6 * np.abs(values).max())
        step = -vectors @ ((vectors.T @ down) / bends)
        promised = -0.5 * down @ step
        if promised < 1e-9:
            return point, True
        trials = point + step * 0.5 ** np.arange(HALVINGS)[:, None]
        heights = height(trials)[:, 0]
        best = int(np.argmin(heights))
        if heights[best] >= height(point)[0]:
            return point, bool(promised < 1e-6)
        point = trials[best]
    return point, False


def _estimate(likelihood, point, converged, information):
    traits, units = likelihood.traits, np.outer(likelihood.scale, likelihood.scale)
    figures = _figures(point, traits)
    turned = _differentiate(lambda at: _figures(at, traits).reshape(*at.shape[:-1], -1), point)
    variances = np.einsum("iq,ij,jq->q", turned, np.linalg.pinv(information, 1e-9, True), turned)
    errors = np.sqrt(np.where(variances > 0, variances, np.nan)).reshape(figures.shape)
    lone, one = np.diag(figures[0]), np.eye(traits, dtype=bool)
    none, whole = lone < BOUND, lone > 1 - BOUND
    edge = none | whole
    at_bound = np.where(one, edge, edge[:, None] | edge | (1 - np.abs(figures[0]) < BOUND))
    errors[:2, at_bound] = np.nan
    for matrix, missing in zip(figures[:2], (none, whole), strict=True):
        matrix[(missing[:, None] | missing) & ~one] = np.nan
    genetic, residual = (factor @ factor.T * units for factor in _factors(point, traits))
    height = float(likelihood.log_likelihood(*_factors(point, traits)))
    return Estimate(genetic, residual, figures, errors, at_bound, height, converged)
