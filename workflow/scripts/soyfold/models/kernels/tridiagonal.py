"""One decomposition of a kernel that serves every trait: K = Q T Q', T tridiagonal.

Of kernels that outgrow the processor's caches, `band` has another one.

REML needs log|K + ridge I| and (K + ridge I)^-1 y at many ridges. Eigenvectors give both (Kang et
al. 2008, doi:10.1534/genetics.107.080101), but T does as well: once y is turned by Q', its L D L'
factors cost O(n) at any ridge. LAPACK's dsytrd, the first step of any dense eigendecomposition, is
then the whole price: a third of the time of eigenvectors, in the kernel's own memory. Principal
components still come from it, by the eigenvectors of T.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh_tridiagonal, lapack


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
    """

    diagonal: np.ndarray
    beside: np.ndarray
    reflectors: np.ndarray
    factors: np.ndarray

    @property
    def trace(self):
        """Sum of the eigenvalues."""
        return float(self.diagonal.sum())

    def rotate(self, x):
        """Q' x, for x (n,) or (n, k)."""
        return self._apply(x, "T")

    def restore(self, z):
        """Q z, for z (n,) or (n, k)."""
        return self._apply(z, "N")

    def _apply(self, x, transposed):
        turned = np.array(x.reshape(len(x), -1), dtype=np.float64, order="F")
        if len(x) > 1:
            below = np.asfortranarray(turned[1:])
            room = int(self._reflect(transposed, below, -1)[1][0])
            turned[1:] = self._reflect(transposed, below, room)[0]
        return turned.reshape(x.shape)

    def _reflect(self, transposed, below, room):
        return lapack.dormqr("L", transposed, self.reflectors, self.factors, below, room)

    def product(self, z):
        """T z, for z (n, k)."""
        product = self.diagonal[:, None] * z
        product[1:] += self.beside[:, None] * z[:-1]
        product[:-1] += self.beside[:, None] * z[1:]
        return product

    def solve(self, z, ridge):
        """(T + ridge I)^-1 z, for z (n,) or (n, k), and log|T + ridge I|.

        Raises
        ------
        ValueError
            If T + ridge I is not positive definite.
        """
        diagonal, beside, failed = lapack.dpttrf(self.diagonal + ridge, self.beside)
        if failed:
            raise ValueError(f"ridge {ridge:g}; allowed: above the kernel's rounding errors")
        solved, _ = lapack.dpttrs(diagonal, beside, z.reshape(len(z), -1))
        return solved.reshape(z.shape), float(np.log(diagonal).sum())

    def quadratic(self, z, ridge):
        """z' (T + ridge I)^-1 z (k, k), for z (n, k), and log|T + ridge I|."""
        solved, logs = self.solve(z, ridge)
        return z.T @ solved, logs

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
