"""REML of one kernel from its decomposition, for lines of which some may have no value.

A decomposition of all lines of a split serves a trait that only the lines o have a value of. With
V = K + ridge I of all lines and m those without a value,

    V_oo^-1 = (V^-1)_oo - (V^-1)_om ((V^-1)_mm)^-1 (V^-1)_mo,    log|V_oo| = log|V| + log|(V^-1)_mm|

(the inverse and the determinant of a Schur complement), so that k lines without a value cost k
more right-hand sides, unit vectors, and O(k^2 n) at a ridge; the mean is that of generalised
least squares, in closed form since K has the intercept in its null space.
"""

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from soyfold.models.kernels.beside import take_beside
from soyfold.models.kernels.matrices import centre, whole
from soyfold.models.linear import weighted_base
from soyfold.models.reml import maximise, profiled_log_likelihood, variance_figures


class Likelihood:
    """REML likelihood of y = mu + g + e, g ~ s_g^2 K, as a function of the ridge, s_e^2 / s_g^2.

    Attributes
    ----------
    freedom : int
        Degrees of freedom: lines - 1.
    spread : float
        Mean variance of a line's g at s_g^2 = 1: what ridges are measured against.
    """

    freedom: int
    spread: float

    def terms(self, ridge):
        """y'Py, and log|V| over the directions beside the intercept, at s_g^2 = 1."""
        raise NotImplementedError

    def log_likelihood(self, ridge):
        """REML log-likelihood at a ridge, s_e^2 / s_g^2 per unit of the kernel."""
        return profiled_log_likelihood(*self.terms(ridge), self.freedom)

    def likeliest_ridge(self):
        """The ridge at the REML maximum, and whether it lies on the edge of the search."""
        return maximise(self.log_likelihood, np.log(self.spread))

    def figures(self, ridge, at_bound):
        """What a model reports of its variances: see `variance_figures`."""
        squares, logs = self.terms(ridge)
        return variance_figures(ridge, squares, logs, self.freedom, self.spread, at_bound)


class LineLikelihood(Likelihood):
    """From the side of the lines.

    Parameters
    ----------
    kernel : soyfold.models.kernels.matrices.Kernel
        Of n lines, of the N that were decomposed.
    values : ndarray (n,) or (n, T)
        y, whose mean is zero, of one trait or of several that all of these lines have.
    """

    def __init__(self, kernel, values):
        self.kernel, self.freedom, self.spread = kernel, len(values) - 1, kernel.spread
        values, missing = values.reshape(len(values), -1), kernel.missing
        self.traits = values.shape[1]
        columns = np.zeros((kernel.decomposed, self.traits + len(missing)), order="F")
        columns[kernel.places, : self.traits] = values
        columns[missing, self.traits + np.arange(len(missing))] = 1.0
        self._loadings = kernel.decomposition.rotate(columns)

    def _evaluate(self, ridge):
        """Y'PY, log|V|, the means, and what the lines without a value take off Y."""
        products, logs = self.kernel.decomposition.quadratic(self._loadings, ridge)
        traits, across = self.traits, products[self.traits :, : self.traits]
        inner = cho_factor(products[traits:, traits:], lower=True, check_finite=False)
        sides = np.column_stack([across, np.ones(len(inner[0]))])
        solved = cho_solve(inner, sides, check_finite=False)
        *crossed, removed = solved.sum(0) / ridge
        # 1'V_oo^-1 Y and 1'V_oo^-1 1; V^-1 1 is 1 / ridge.
        with_y, with_one = -np.array(crossed), (self.kernel.decomposed - removed) / ridge
        means = with_y / with_one
        squares = products[:traits, :traits] - across.T @ solved[:, :-1] - np.outer(means, with_y)
        logs += 2 * np.log(np.diag(inner[0])).sum() + np.log(with_one / (self.freedom + 1))
        return squares, logs, means, solved[:, :-1] - solved[:, -1:] * means / ridge

    def products(self, ridge):
        """Y'PY (T, T), and log|V| over the directions beside the intercept, at s_g^2 = 1."""
        return self._evaluate(ridge)[:2]

    def terms(self, ridge):
        """As of `Likelihood`, of a lone trait."""
        squares, logs = self.products(ridge)
        return squares.item(), logs

    def dual(self, ridge, mixed=(1.0,)):
        """V_oo^-1 (y - mu), (n,), of a lone trait, or of the sum of several that `mixed` weighs."""
        *_, means, removed = self._evaluate(ridge)
        decomposition, mixed = self.kernel.decomposition, np.asarray(mixed)
        traits, missing = np.split(self._loadings, [self.traits], axis=1)
        z = traits @ mixed - missing @ (removed @ mixed)
        restored = decomposition.restore(decomposition.solve(z, ridge)[0])
        return restored[self.kernel.places] - means @ mixed / ridge


class BesideLikelihood(Likelihood):
    """Of y = mu + X b + g + e: X stands beside y as further traits of the lines.

    With S = [y X]'P[y X] of the model with mu alone, b = S_xx^-1 S_xy, y'Py = S_yy - S_yx b, and
    log|X'PX| is added to log|V| (of an orthonormal X orthogonal to 1).

    Parameters
    ----------
    kernel, values
        As for `LineLikelihood`.
    beside : ndarray (n, p)
        X, its columns orthonormal and with sums of zero.
    """

    def __init__(self, kernel, values, beside):
        self._lines = LineLikelihood(kernel, np.column_stack([values, beside]))
        self.freedom, self.spread = self._lines.freedom - beside.shape[1], kernel.spread

    def _evaluate(self, ridge):
        """y'Py, log|V|, and b."""
        products, logs = self._lines.products(ridge)
        squares, effects, more = take_beside(products)
        return squares.item(), logs + more, effects[:, 0]

    def terms(self, ridge):
        """As of `Likelihood`."""
        return self._evaluate(ridge)[:2]

    def dual(self, ridge):
        """V^-1 (y - mu - X b), (n,)."""
        return self._lines.dual(ridge, np.append(1.0, -self._evaluate(ridge)[2]))


class MarkerLikelihood(Likelihood):
    """From the side of the SNPs: what is decomposed is Z' Z, where K = Z Z'.

    Parameters
    ----------
    decomposition : tridiagonal.Decomposition or band.BandDecomposition
        Of Z' Z (L, L).
    projected : ndarray (L,)
        Z' y.
    values : ndarray (n,)
        y, whose mean is zero.
    beside : int
        Columns of an X beside the mean, which both Z and y are orthogonal to.
    spread : float, optional
        By default that of Z Z'.
    """

    def __init__(self, decomposition, projected, values, beside=0, spread=None):
        self.freedom = len(values) - 1 - beside
        self.spread = spread or decomposition.trace / self.freedom
        self._decomposition, self._loadings = decomposition, decomposition.rotate(projected)
        self._squares = values @ values

    def terms(self, ridge):
        """As of `Likelihood`."""
        solved, logs = self._decomposition.solve(self._loadings, ridge)
        # Z Z' has other eigenvalues of zero than Z' Z, each of which adds log(ridge).
        logs += (self.freedom - len(self._loadings)) * np.log(ridge)
        return (self._squares - self._loadings @ solved) / ridge, logs

    def effects(self, ridge):
        """(Z' Z + ridge I)^-1 Z' y, (L,)."""
        return self._decomposition.restore(self._decomposition.solve(self._loadings, ridge)[0])


def fit_by_reml(kernel, values, beside=None):
    """(K + ridge I)^-1 (y - mu) at the likeliest ridge.

    Parameters
    ----------
    kernel : soyfold.models.kernels.matrices.Kernel
    values : ndarray (n,)
        y, whose mean is zero.
    beside : ndarray (n, p), optional
        X of fixed effects beside the mean (`BesideLikelihood`), which are then taken off y too.

    Returns
    -------
    dual : ndarray (n,)
        Its sum is zero.
    figures : dict
        See `variance_figures`.
    """
    if beside is None:
        likelihood = LineLikelihood(kernel, values)
    else:
        likelihood = BesideLikelihood(kernel, values, beside)
    ridge, at_bound = likelihood.likeliest_ridge()
    return likelihood.dual(ridge), likelihood.figures(ridge, at_bound)


def fit_at_ridge(kernel, values, ridge, beside=None):
    """The same at a given ridge: one Cholesky, a quarter of a decomposition's operations.

    Parameters
    ----------
    kernel : ndarray (n, n) float64
        Centred; overwritten.
    values, ridge, beside
        As for `fit_by_reml`.

    Returns
    -------
    dual, figures
        As of `fit_by_reml`.
    """
    freedom = len(values) - 1
    spread = np.trace(kernel) / freedom
    kernel[np.diag_indices_from(kernel)] += ridge
    # The transpose of a symmetric matrix is itself, in LAPACK's order.
    factor = cho_factor(kernel.T, lower=True, overwrite_a=True, check_finite=False)
    logs = 2 * np.log(np.diag(factor[0])).sum() - np.log(ridge)
    if beside is None:
        dual = cho_solve(factor, values, check_finite=False)
        return dual, variance_figures(ridge, values @ dual, logs, freedom, spread)
    columns = np.column_stack([values, beside])
    solved = cho_solve(factor, columns, check_finite=False)
    squares, effects, more = take_beside(columns.T @ solved)
    dual, freedom = solved @ np.append(1.0, -effects), freedom - len(effects)
    return dual, variance_figures(ridge, squares.item(), logs + more, freedom, spread)


def whiten(kernel, weights):
    """A kernel (n, n) as of W^1/2 y, centred, in place; the column means that were taken off."""
    means, roots = centre(kernel, weights), np.sqrt(weights)
    kernel *= roots
    kernel *= roots[:, None]
    return means


def weighted_kernel(kernel, weights):
    """`Kernel` of W^1/2 y, decomposed for these weights alone; (n, n) is overwritten."""
    whiten(kernel, weights)
    return whole(kernel)


def fit_weighted(kernel, y, weights, *, ridge=None, beside=None):
    """`fit_by_reml`, or `fit_at_ridge`, of values that weigh differently: e ~ N(0, s_e^2 W^-1).

    That is the same model of W^1/2 y, whose kernel is decomposed for these values alone.

    Parameters
    ----------
    kernel : ndarray (n, n) float64
        Centred in any way, or not; overwritten.
    y : ndarray (n,)
    weights : ndarray (n,)
        The diagonal of W.
    ridge : float, keyword only, optional
    beside : ndarray (n, p), keyword only, optional
        As for `fit_by_reml`, of y itself.

    Returns
    -------
    dual : ndarray (n,)
        (K + ridge W^-1)^-1 (y - mu); its sum is zero.
    figures : dict
        Of the values themselves; the noise is that of a weight of 1.
    means : ndarray (n,)
        Weighted means of the kernel's columns, with which mu is the weighted mean of y.
    """
    roots, means = np.sqrt(weights), whiten(kernel, weights)
    values = roots * (y - np.average(y, weights=weights))
    beside = weighted_base(beside, weights)
    if ridge is None:
        dual, figures = fit_by_reml(whole(kernel), values, beside)
    else:
        dual, figures = fit_at_ridge(kernel, values, ridge, beside)
    figures["log_likelihood"] += log_scale(weights)
    return roots * dual, figures, means


def log_scale(weights):
    """What the log-likelihood of values has beyond that of W^1/2 y."""
    return 0.5 * float(np.log(weights).sum() - np.log(weights.mean()))
