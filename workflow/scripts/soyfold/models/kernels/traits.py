"""REML of several traits of the same lines, all from one decomposition of their kernel.

y_t = mu_t + g_t + e_t; genetic values covary by G between traits and by K between lines, residuals
by R between traits. With R = D D' and D^-1 G D'^-1 = Q diag(q) Q' the traits Q' D^-1 y are
independent, each with the covariance q_c K + I (the canonical transformation; Zhou and Stephens
2014, doi:10.1038/nmeth.2848), so that

    -2 log L = sum over c of [ log|q_c K + I| + m_c' Y'P(q_c)Y m_c ] + (n - 1) (log|R| + T log 2 pi)

with m_c the rows of Q' D^-1. Fixed effects of all traits beside the means, X (n, p), take p off
n - 1, and add log|X'P(q)X| to the first term. All that G and R have to do with n lines are thus two
functions of one ratio, log|q K + I| and Y'P(q)Y (T, T). In x = -log q both have no singularity
nearer than pi to the real axis: polynomials through `NODES` Chebyshev points hold them to about
1e-10, lines without a value included (see `likelihood`), and any number of trials of any of the
traits costs no further products with a decomposition.
"""

import numpy as np

from soyfold.models.kernels.beside import take_beside
from soyfold.models.kernels.likelihood import LineLikelihood
from soyfold.models.linear import weighted_base
from soyfold.models.reml import SEARCH

NODES = 96
REACH = np.log(SEARCH[1])  # of x, from 0 to either side


class TraitsLikelihood:
    """REML likelihood of T traits as a function of G and R.

    Parameters
    ----------
    freedom : int
        Lines - 1 - p.
    scale : ndarray (T,)
        The traits' sd, in which they are measured here.
    coefficients : ndarray (NODES, 1 + T * T)
        Of the polynomials in x / REACH.
    """

    def __init__(self, freedom, scale, coefficients):
        self.freedom, self.scale, self.coefficients = freedom, scale, coefficients

    @property
    def traits(self):
        """T."""
        return len(self.scale)

    @property
    def phenotypic(self):
        """Correlations of the values, (T, T): of Y'PY where all is residual."""
        squares = self._terms(np.zeros(self.traits))[1][0]
        sd = np.sqrt(np.diag(squares))
        return squares / np.outer(sd, sd)

    def of(self, traits):
        """The likelihood of some of these traits, by their numbers."""
        kept = np.arange(self.traits**2).reshape(self.traits, -1)[np.ix_(traits, traits)].ravel()
        columns = self.coefficients[:, np.append(0, 1 + kept)]
        return TraitsLikelihood(self.freedom, self.scale[traits], columns)

    def _terms(self, ratios):
        """log|q K + I|, and Y'P(q)Y, of ratios (..., T): (..., T) and (..., T, T, T)."""
        x = -np.log(np.maximum(ratios, 1e-300)) / REACH
        angles = np.arccos(np.clip(x, -1.0, 1.0))
        told = np.cos(angles[..., None] * np.arange(NODES)) @ self.coefficients
        return told[..., 0], told[..., 1:].reshape(*ratios.shape, self.traits, self.traits)

    def log_likelihood(self, genetic, residual):
        """At variances in units of the traits' sd.

        Parameters
        ----------
        genetic, residual : ndarray (..., T, T)
            Lower triangular C and D of G = C C', R = D D'; C may be singular.

        Returns
        -------
        ndarray (...)
            -1/2 [ log|V| + log|F'V^-1 F| - log|F'F| + freedom T log(2 pi) + y'Py ], F = [1 X].
        """
        inverse = np.linalg.inv(residual)
        turned = inverse @ genetic
        ratios, vectors = np.linalg.eigh(turned @ turned.swapaxes(-1, -2))
        logs, squares = self._terms(ratios)
        rows = vectors.swapaxes(-1, -2) @ inverse
        diagonal = np.diagonal(residual, axis1=-2, axis2=-1)
        units = 2 * np.log(np.abs(diagonal) * self.scale).sum(-1)
        height = logs.sum(-1) + np.einsum("...ct,...ctu,...cu->...", rows, squares, rows)
        return -0.5 * (height + self.freedom * (units + self.traits * np.log(2 * np.pi)))


def traits_likelihood(kernel, values, beside=None, weights=None):
    """`TraitsLikelihood` of lines that have values of all of T traits.

    Parameters
    ----------
    kernel : soyfold.models.kernels.matrices.Kernel
    values : ndarray (n, T)
        Trait units; no trait constant.
    beside : ndarray (n, p), optional
        X: orthonormal columns, with sums of zero.
    weights : ndarray (n,), optional
        Of the lines, whose residuals are over them: the likelihood is that of W^1/2 Y, and the
        kernel that of `likelihood.weighted_kernel`.
    """
    base = np.zeros((len(values), 0)) if beside is None else weighted_base(beside, weights)
    values = values - np.average(values, axis=0, weights=weights)
    if weights is not None:
        values *= np.sqrt(weights)[:, None]
    values -= base @ (base.T @ values)
    scale, count = values.std(0, ddof=1), values.shape[1]
    lines = LineLikelihood(kernel, np.column_stack([values / scale, base]))
    freedom = lines.freedom - base.shape[1]
    angles = (np.arange(NODES) + 0.5) * np.pi / NODES
    told = np.empty((NODES, 1 + len(scale) ** 2))
    for row, ridge in zip(told, kernel.spread * np.exp(REACH * np.cos(angles)), strict=True):
        products, logs = lines.products(ridge)
        squares, _, more = take_beside(products, count)
        row[0], row[1:] = logs + more - freedom * np.log(ridge), ridge * squares.ravel()
    coefficients = 2 / NODES * np.cos(np.outer(np.arange(NODES), angles)) @ told
    coefficients[0] /= 2
    return TraitsLikelihood(freedom, scale, coefficients)
