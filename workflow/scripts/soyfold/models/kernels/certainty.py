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

from functools import cached_property

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular

from soyfold.common.blocks import line_products
from soyfold.models.kernels.matrices import kernel_matrix
from soyfold.models.kernels.names import ADDITIVE

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
        pushed = pushed - np.multiply.outer(self.ones, self.means)
        self.lower = np.linalg.cholesky(pushed.T @ pushed)
        self.root = np.linalg.solve(self.lower, pushed.T).T

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
        mean, known = self.ones @ turned, self.root.T @ turned
        caught = np.square(turned).sum(0) - np.square(mean) / self.weight
        caught -= np.square(known).sum(0)
        away = np.broadcast_to(beside, (len(across), len(self.means))) - self.means
        away = np.linalg.solve(self.lower, away.T)
        fixed = np.square(away).sum(0) - 2 * (away * known).sum(0)
        return _told(caught, own, (1 - 2 * mean) / self.weight + fixed)

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
            Observed - predicted; NaN for lines of no group, or of one that has all lines.
        sd : ndarray (n,)
            As of `of`.
        """
        sums = solve_triangular(self.factor, self.ones, check_finite=False)
        root = solve_triangular(self.factor, self.root, check_finite=False)

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
    """

    def __init__(self, products, lines, effect, noise, weights=None):
        self.ridge, self.effect, self.noise = noise / effect, effect, noise
        self.weights = np.ones(lines) if weights is None else weights
        self.total = self.weights.sum()
        products[np.diag_indices_from(products)] += self.ridge
        self.factor = _factorise(products)

    def of(self, centred):
        """Errors of lines (m, L), dosages minus the training means: as of `LineErrors`."""
        own = self.effect * np.square(centred).sum(1)
        missed = self.noise * np.square(_solve(self.factor, centred.T)).sum(0)
        return _told(own - missed, own, self.noise / self.total)

    def without(self, groups, residuals, centred):
        """As of `LineErrors`; `centred(rows)` are dosages of training lines minus their means."""

        def block(rows):
            turned, own = _solve(self.factor, centred(rows).T), self.weights[rows]
            inner = np.diag(1 / own) - turned.T @ turned - 1 / self.total
            return own[:, None] * inner * own / self.noise

        return _without(groups, residuals, self.noise / self.weights, block)


def _without(groups, residuals, noise, block):
    """Errors and sd of lines predicted without their group; `block(rows)` is P_ii."""
    errors, sd = np.full((2, len(groups)), np.nan)
    noise = np.broadcast_to(noise, len(groups))
    for group in np.unique(groups[groups != ""]):
        rows = np.flatnonzero(groups == group)
        if len(rows) < len(groups):
            factor = cho_factor(block(rows), lower=True, check_finite=False)
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


class TrainingLines:
    """The lines that a fit learned from, and additive kernels between them and others.

    Parameters
    ----------
    dosage : ndarray (n, L) int8
    centre : ndarray (L,)
        Their means.
    kernels : soyfold.models.kernels.shared.LineKernels, optional
        Of these lines: spares their products where the study has them.
    """

    def __init__(self, dosage, centre, kernels=None):
        self.dosage, self.centre, self.kernels = dosage, centre, kernels

    @cached_property
    def at_centre(self):
        """X c, (n,)."""
        return at_centre(self.dosage, self.centre)

    def within(self):
        """Z Z' (n, n) float64."""
        if self.kernels is None:
            return self._centred(line_products(self.dosage, self.dosage), self.at_centre)
        products, _ = kernel_matrix(self.kernels.products, self.kernels.rows, ADDITIVE)
        return self._centred(products, self.at_centre)

    def blocks(self, dosage, rows=None):
        """Walk over lines (m, L) in blocks.

        Parameters
        ----------
        dosage : ndarray (m, L)
        rows : ndarray (m,) int, optional
            Of the study's products.

        Yields
        ------
        part : slice
        across : ndarray (b, n)
            Z_new Z'.
        own : ndarray (b,)
            Squared lengths of the rows of Z_new.
        """
        step = max(16, FLOATS // max(1, *self.dosage.shape))
        squares = self.centre @ self.centre
        for start in range(0, len(dosage), step):
            part = slice(start, start + step)
            block = dosage[part]
            if rows is None or self.kernels is None:
                products = line_products(block, self.dosage)
            else:
                products = self.kernels.products[rows[part]][:, self.kernels.rows]
            told = at_centre(block, self.centre)
            own = np.square(block, dtype=np.float64).sum(1) - 2 * told + squares
            # Of a line with the mean dosages alone rounding would be left.
            own[own < 1e-9 * max(squares, 1.0)] = 0.0
            yield part, self._centred(products, told), own

    def _centred(self, products, told):
        kernel = np.asarray(products, dtype=np.float64)
        kernel -= told[:, None]
        kernel -= self.at_centre
        kernel += self.centre @ self.centre
        return kernel


def at_centre(dosage, centre):
    """X c (m,) of lines (m, L) int8, a block at a time."""
    step = max(16, FLOATS // max(1, dosage.shape[1]))
    parts = [dosage[start : start + step] @ centre for start in range(0, len(dosage), step)]
    return np.concatenate(parts) if parts else np.zeros(0)


def collect(count, blocks):
    """Errors of `count` lines from blocks of (part, (reliability, sd)): two arrays (count,)."""
    found = np.full((2, count), np.nan)
    for part, told in blocks:
        found[:, part] = told
    return found[0], found[1]
