"""How sure predictions of y = mu + g + e are, given the variances: prediction error variances.

For a line whose genetic value has the prior variance k_0 and the covariances k with n training
lines, V = var(y), w = 1'V^-1 1 and mu by generalised least squares (Henderson 1975,
doi:10.2307/2529430):

    reliability = 1 - PEV / k_0 = (k'V^-1 k - (1'V^-1 k)^2 / w) / k_0
    var(mu + g - predicted) = k_0 - k'V^-1 k + (1 - 1'V^-1 k)^2 / w

(X of fixed effects beside the mean, `kernels.beside`, takes more off the first, and adds what isn't
known of a line's x to the second), and for training lines i that are predicted from all others,
with P = V^-1 - V^-1 1 1'V^-1 / w,

    y_i - predicted = (P_ii)^-1 (P y)_i,    var(y_i - predicted) = (P_ii)^-1

A Cholesky factor of the smaller of two matrices, n x n or SNPs x SNPs, is all that this takes,
and one triangular solution for all lines asked: fewer operations than turning their covariances by
a stored decomposition, whose reflectors are large and gone when a study's fits are done.
"""

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular

SINGULAR = 1e-9  # of P_ii's pivots, where only the group tells a fixed effect
FLOATS = 2**24  # numbers of a block of covariances: 128 MB


def _factorise(matrix):
    """Upper Cholesky factor U, V = U'U, of the lower triangle of V (n, n), which is overwritten."""
    # Its transpose lies in LAPACK's order, with what was the lower triangle as its upper one.
    return cho_factor(matrix.T, lower=False, overwrite_a=True, check_finite=False)[0]


def _solve(factor, sides):
    """U'^-1 sides for (n, m): the squared lengths of its columns are those of sides'V^-1 sides."""
    return solve_triangular(factor, sides, trans="T", check_finite=False)


class LineErrors:
    """From the side of the lines, for any kernel.

    Parameters
    ----------
    covariance : ndarray (n, n)
        V, in squared trait units; its lower triangle is read, and overwritten.
    noise : float or ndarray (n,)
        s_e, likewise, of each line.
    beside : ndarray (n, p), optional
        X, with the mean of full rank.
    """

    def __init__(self, covariance, noise, beside=None):
        self.factor, self.noise = _factorise(covariance), noise
        self.ones = _solve(self.factor, np.ones(len(self.factor)))
        self.weight = self.ones @ self.ones
        beside = np.zeros((len(self.factor), 0)) if beside is None else beside
        pushed = _solve(self.factor, beside)
        self.means = self.ones @ pushed / self.weight
        self.pushed = pushed - np.multiply.outer(self.ones, self.means)
        self.lower = np.linalg.cholesky(self.pushed.T @ self.pushed)

    def of(self, across, own, beside=0.0):
        """Errors of lines.

        Parameters
        ----------
        across : ndarray (m, n)
            Covariances with the training lines.
        own : ndarray (m,)
            Prior variances, NaN or 0 for a line without one.
        beside : ndarray (m, p), optional
            x of the lines.

        Returns
        -------
        reliability : ndarray (m,)
            NaN without a prior variance.
        sd : ndarray (m,)
            Of mu + x b + g - predicted, in trait units.
        """
        turned = _solve(self.factor, across.T)
        mean = self.ones @ turned
        caught = np.square(turned).sum(0) - np.square(mean) / self.weight
        lost, fixed = _of_beside(self.lower, self.pushed.T @ turned, beside - self.means)
        return _told(caught - lost, own, (1 - 2 * mean) / self.weight + fixed)

    def without(self, groups, residuals):
        """Errors of the training lines, each predicted without its group.

        Parameters
        ----------
        groups : ndarray (n,) of str
            An empty string for a line of none.
        residuals : ndarray (n,)
            Observed - fitted, which is s_e P y, line by line.

        Returns
        -------
        errors : ndarray (n,)
            Observed - predicted; NaN for lines of no group, or of one without which the others
            don't tell all fixed effects.
        sd : ndarray (n,)
            As of `of`.
        """
        sums = solve_triangular(self.factor, self.ones, check_finite=False)
        root = np.linalg.solve(self.lower, self.pushed.T).T
        root = solve_triangular(self.factor, root, check_finite=False)

        def block(rows):
            # As many operations as a whole inverse, without a second matrix of its size.
            units = np.zeros((len(groups), len(rows)))
            units[rows, np.arange(len(rows))] = 1.0
            turned = _solve(self.factor, units)
            inner = turned.T @ turned - np.multiply.outer(sums[rows], sums[rows]) / self.weight
            return inner - root[rows] @ root[rows].T

        return _without(groups, residuals, self.noise, block)


class MarkerErrors:
    """The same from the side of the SNPs, for k = s_u Z z of SNPs centred by the training lines.

    k'V^-1 k = s_u (z'z - r z'(Z'Z + r I)^-1 z) with r = s_e / s_u; 1'V^-1 k is 0.

    Parameters
    ----------
    products : ndarray (L, L)
        Z'Z; overwritten.
    lines : int
        n.
    effect, noise : float
        s_u and s_e, in squared trait units.
    weights : ndarray (n,), optional
        W, where the lines' noise is s_e / W: Z is centred by weighted means, and `products` are
        Z'WZ.
    beside : ndarray (n, p), optional
        X, with the mean of full rank.
    across : ndarray (L, p), optional
        Z'WX.
    """

    def __init__(self, products, lines, effect, noise, weights=None, beside=None, across=None):
        self.ridge, self.effect, self.noise = noise / effect, effect, noise
        self.weights = np.ones(lines) if weights is None else weights
        self.total = self.weights.sum()
        products[np.diag_indices_from(products)] += self.ridge
        self.factor = _factorise(products)
        beside = np.zeros((lines, 0)) if beside is None else beside
        self.means = self.weights @ beside / self.total
        self.beside = beside - self.means
        self.pushed = (
            np.zeros((len(products), 0)) if across is None else _solve(self.factor, across)
        )
        within = self.beside.T @ (self.weights[:, None] * self.beside)
        self.lower = np.linalg.cholesky((within - self.pushed.T @ self.pushed) / self.noise)

    def of(self, centred, beside=0.0):
        """Errors of lines (m, L), dosages minus the training means: as of `LineErrors`."""
        own = self.effect * np.square(centred).sum(1)
        turned = _solve(self.factor, centred.T)
        missed = self.noise * np.square(turned).sum(0)
        lost, fixed = _of_beside(self.lower, self.pushed.T @ turned, beside - self.means)
        return _told(own - missed - lost, own, self.noise / self.total + fixed)

    def without(self, groups, residuals, centred):
        """As of `LineErrors`; `centred(rows)` are dosages of training lines minus their means."""

        def block(rows):
            turned, own = _solve(self.factor, centred(rows).T), self.weights[rows]
            inner = np.diag(1 / own) - turned.T @ turned - 1 / self.total
            root = np.linalg.solve(self.lower, (self.beside[rows] - turned.T @ self.pushed).T)
            root *= own / self.noise
            return own[:, None] * inner * own / self.noise - root.T @ root

        return _without(groups, residuals, self.noise / self.weights, block)


def _of_beside(lower, crossed, away):
    """What fixed effects X take off the variance caught (m,), and add to the mean's (m,).

    Parameters
    ----------
    lower : ndarray (p, p)
        L, L L' = X'P_1 X.
    crossed : ndarray (p, m)
        X'P_1 k.
    away : ndarray (m, p) or (p,)
        x minus what of it goes with the mean, of each line or of all.
    """
    known = np.linalg.solve(lower, crossed)
    away = np.linalg.solve(lower, np.broadcast_to(away, crossed.T.shape).T)
    return np.square(known).sum(0), np.square(away).sum(0) - 2 * (away * known).sum(0)


def _without(groups, residuals, noise, block):
    """Errors and sd of lines predicted without their group; `block(rows)` is P_ii."""
    errors, sd = np.full((2, len(groups)), np.nan)
    noise = np.broadcast_to(noise, len(groups))
    for group in np.unique(groups[groups != ""]):
        rows = np.flatnonzero(groups == group)
        try:
            factor = cho_factor(block(rows), lower=True, check_finite=False)
        except np.linalg.LinAlgError:
            continue
        told = np.square(np.diag(factor[0]))
        if len(rows) < len(groups) and told.min() > SINGULAR * told.max():
            solved = cho_solve(
                factor, np.column_stack([residuals[rows] / noise[rows], np.eye(len(rows))])
            )
            errors[rows] = solved[:, 0]
            sd[rows] = np.sqrt(np.maximum(np.diag(solved[:, 1:]) - noise[rows], 0.0))
    return errors, sd


def _told(caught, own, mean):
    """Reliability and sd from the variance caught, the prior one and the mean's."""
    with np.errstate(divide="ignore", invalid="ignore"):
        reliability = np.where(own > 0, caught / own, np.nan)
    own = np.where(np.isnan(own), 0.0, own)
    caught = np.where(np.isnan(caught), 0.0, caught)
    return reliability, np.sqrt(np.maximum(own - caught + mean, 0.0))


def rows_beside(beside):
    """x (b, p) of a block of lines from that of all, or its mean, 0, where nothing is known."""
    return lambda part: 0.0 if beside is None else beside[part]


def collect(count, blocks):
    """Errors of `count` lines from blocks of (part, (reliability, sd)): two arrays (count,)."""
    found = np.full((2, count), np.nan)
    for part, told in blocks:
        found[:, part] = told
    return found[0], found[1]
