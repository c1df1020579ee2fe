"""One decomposition of a kernel that serves every trait: K = Q T Q', T tridiagonal.

REML needs log|K + ridge I| and (K + ridge I)^-1 y at many ridges. Eigenvectors give both (Kang et
al. 2008, doi:10.1534/genetics.107.080101), but T does as well: once y is turned by Q', its L D L'
factors cost O(n) at any ridge. LAPACK's dsytrd, the first step of any dense eigendecomposition, is
then the whole price: a third of the time of eigenvectors, in the kernel's own memory. Principal
components still come from it, by the eigenvectors of T.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve, eigh_tridiagonal, lapack

from soyfold.models.reml import maximise, profiled_log_likelihood, variance_figures


@dataclass(frozen=True)
class Decomposition:
    """K = Q T Q' of a symmetric matrix (n, n).

    Attributes
    ----------
    diagonal : ndarray (n,)
        Of T.
    beside : ndarray (n - 1,)
        T's entries beside the diagonal.
    reflectors : ndarray (n - 1, n - 1)
        Fortran order: below the diagonal, the Householder vectors that make Q, as LAPACK packs
        them; what stands above is never read. May be memory-mapped.
    factors : ndarray (n - 1,)
        LAPACK's tau of each reflector.
    order : ndarray (n,) int, optional
        Row k of the matrix that was decomposed is row order[k] of the one that callers mean.
    """

    diagonal: np.ndarray
    beside: np.ndarray
    reflectors: np.ndarray
    factors: np.ndarray
    order: np.ndarray | None = None

    @property
    def trace(self):
        """Sum of the eigenvalues."""
        return float(self.diagonal.sum())

    def rotate(self, x):
        """Q' x, for x (n,) or (n, k)."""
        return self._apply(x if self.order is None else x[self.order], "T")

    def restore(self, z):
        """Q z, for z (n,) or (n, k)."""
        restored = self._apply(z, "N")
        if self.order is None:
            return restored
        ordered = np.empty_like(restored)
        ordered[self.order] = restored
        return ordered

    def _apply(self, x, transposed):
        turned = np.array(x.reshape(len(x), -1), dtype=np.float64, order="F")
        if len(x) > 1:
            below = np.asfortranarray(turned[1:])
            room = int(self._reflect(transposed, below, -1)[1][0])
            turned[1:] = self._reflect(transposed, below, room)[0]
        return turned.reshape(x.shape)

    def _reflect(self, transposed, below, room):
        return lapack.dormqr("L", transposed, self.reflectors, self.factors, below, room)

    def solve(self, z, ridge):
        """(T + ridge I)^-1 z (n,) and log|T + ridge I|.

        Raises
        ------
        ValueError
            If T + ridge I is not positive definite.
        """
        diagonal, beside, failed = lapack.dpttrf(self.diagonal + ridge, self.beside)
        if failed:
            raise ValueError(f"ridge {ridge:g}; allowed: above the kernel's rounding errors")
        solved, _ = lapack.dpttrs(diagonal, beside, z[:, None])
        return solved[:, 0], float(np.log(diagonal).sum())

    def leading(self, count):
        """The `count` largest eigenvalues, descending, and their eigenvectors (n, count)."""
        n = len(self.diagonal)
        values, vectors = eigh_tridiagonal(
            self.diagonal, self.beside, select="i", select_range=(max(0, n - count), n - 1)
        )
        return values[::-1], self.restore(vectors[:, ::-1])


def decompose(matrix):
    """Reduce a symmetric matrix to tridiagonal form, in its own memory.

    Parameters
    ----------
    matrix : ndarray (n, n) float64
        Overwritten.

    Returns
    -------
    Decomposition
    """
    n = len(matrix)
    # The transpose of a C-ordered matrix is LAPACK's order: no copy of n x n numbers.
    matrix = matrix.T if matrix.flags.c_contiguous else matrix
    room = int(lapack.dsytrd_lwork(n, lower=1)[0])
    packed, diagonal, beside, factors, _ = lapack.dsytrd(matrix, lower=1, lwork=room, overwrite_a=1)
    return Decomposition(diagonal, beside, np.asfortranarray(packed[1:, :-1]), factors)


@dataclass(frozen=True)
class Likelihood:
    """REML likelihood of y = mu + g + e, g ~ s_g^2 K, with mu's direction an eigenvector of K.

    The intercept is in the kernel's null space (K is centred), y's mean is zero. From the side of
    the SNPs (`marker_side`) the decomposed matrix is Z' Z, where K = Z Z'.

    Attributes
    ----------
    decomposition : Decomposition
    loadings : ndarray
        Q' y; Q' Z' y from the side of the SNPs.
    freedom : int
        Degrees of freedom: lines - 1.
    squares : float
        y' y.
    marker_side : bool
    """

    decomposition: Decomposition
    loadings: np.ndarray
    freedom: int
    squares: float
    marker_side: bool = False

    @property
    def spread(self):
        """Mean variance of a line's g at s_g^2 = 1: what ridges are measured against."""
        return self.decomposition.trace / self.freedom

    def _terms(self, ridge):
        """y'Py, and log|V| over the directions beside the intercept, at s_g^2 = 1."""
        solved, logs = self.decomposition.solve(self.loadings, ridge)
        explained = self.loadings @ solved
        # Sizes differ by eigenvalues of zero, each of which adds log(ridge).
        logs += (self.freedom - len(self.loadings)) * np.log(ridge)
        return (self.squares - explained) / ridge if self.marker_side else explained, logs

    def log_likelihood(self, ridge):
        """REML log-likelihood at a ridge, s_e^2 / s_g^2 per unit of the kernel."""
        return profiled_log_likelihood(*self._terms(ridge), self.freedom)

    def likeliest_ridge(self):
        """The ridge at the REML maximum, and whether it lies on the edge of the search."""
        return maximise(self.log_likelihood, np.log(self.spread))

    def figures(self, ridge, at_bound):
        """What a model reports of its variances: see `variance_figures`."""
        squares, logs = self._terms(ridge)
        return variance_figures(ridge, squares, logs, self.freedom, self.spread, at_bound)


def fit_by_reml(decomposition, values):
    """(K + ridge I)^-1 y at the likeliest ridge.

    Parameters
    ----------
    decomposition : Decomposition
        Of a centred kernel (n, n).
    values : ndarray (n,)
        y, whose mean is zero.

    Returns
    -------
    dual : ndarray (n,)
    figures : dict
        See `variance_figures`.
    """
    loadings = decomposition.rotate(values)
    likelihood = Likelihood(decomposition, loadings, len(values) - 1, values @ values)
    ridge, at_bound = likelihood.likeliest_ridge()
    dual = decomposition.restore(decomposition.solve(loadings, ridge)[0])
    return dual, likelihood.figures(ridge, at_bound)


def fit_at_ridge(kernel, values, ridge):
    """The same at a given ridge: one Cholesky, a quarter of a decomposition's operations.

    Parameters
    ----------
    kernel : ndarray (n, n) float64
        Centred; overwritten.
    values, ridge
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
    dual = cho_solve(factor, values, check_finite=False)
    logs = 2 * np.log(np.diag(factor[0])).sum() - np.log(ridge)
    return dual, variance_figures(ridge, values @ dual, logs, freedom, spread)
