"""A decomposition by products of matrices: K = Q B Q', B a band of b entries beside the diagonal.

Half of the operations of a reduction to tridiagonal form are products of the matrix with a vector,
which wait for memory. To a band they are all products of matrices (Dongarra, Sorensen and
Hammarling 1989, doi:10.1016/0377-0427(89)90367-1): b columns at a time are made triangular below
the band by a QR factorisation, and its reflectors, as one block I - V T V', turn the rest from both
sides. A ridge then costs O(n b^2), a Cholesky factor of the band, in place of O(n).

LAPACK has this as the first stage of dsytrd_2stage, which SciPy doesn't hand on.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.linalg import blas, eig_banded, lapack
from scipy.sparse.linalg import LinearOperator, eigsh

WIDTH = 64  # b: a half of it makes a reduction a fourth dearer, twice of it a ridge four times
TILE = 256  # rows and columns that are updated at once
FEW = 8  # lines an eigenvector, from which on they are found by iteration


@dataclass(frozen=True)
class BandDecomposition:
    """K = Q B Q' of a symmetric matrix (n, n).

    Attributes
    ----------
    band : ndarray (b + 1, n)
        Row i: B's entries i below the diagonal, as LAPACK has a lower band.
    reflectors : ndarray (about n^2 / 2,)
        The blocks' V (n - b (p + 1), at most b) one after the other, each in C order. May be
        memory-mapped.
    turns : ndarray (blocks, b, b)
        Their T.
    """

    band: np.ndarray
    reflectors: np.ndarray
    turns: np.ndarray

    @property
    def diagonal(self):
        """Of B, (n,)."""
        return self.band[0]

    @property
    def trace(self):
        """Sum of the eigenvalues."""
        return float(self.diagonal.sum())

    def _blocks(self):
        """Of each block: from which row on it acts, V and T."""
        n, width = len(self.diagonal), len(self.band) - 1
        end = 0
        for number, turn in enumerate(self.turns):
            rows = n - width * (number + 1)
            columns = min(rows, width)
            start, end = end, end + rows * columns
            block = self.reflectors[start:end].reshape(rows, columns)
            yield n - rows, block, turn[:columns, :columns]

    def rotate(self, x):
        """Q' x, for x (n,) or (n, k)."""
        turned = np.array(x, dtype=np.float64)
        for start, block, turn in self._blocks():
            turned[start:] -= block @ (turn.T @ (block.T @ turned[start:]))
        return turned

    def restore(self, z):
        """Q z, for z (n,) or (n, k)."""
        restored = np.array(z, dtype=np.float64)
        for start, block, turn in reversed(list(self._blocks())):
            restored[start:] -= block @ (turn @ (block.T @ restored[start:]))
        return restored

    def _factor(self, ridge):
        """The Cholesky factor of B + ridge I, as a band, and log|B + ridge I|."""
        band = np.array(self.band, order="F")
        band[0] += ridge
        factor, failed = lapack.dpbtrf(band, lower=1, overwrite_ab=1)
        if failed:
            raise ValueError(f"ridge {ridge:g}; allowed: above the kernel's rounding errors")
        return factor, 2 * float(np.log(factor[0]).sum())

    def product(self, z):
        """B z, for z (n, k)."""
        product = self.diagonal[:, None] * z
        for below in range(1, len(self.band)):
            entries = self.band[below, : len(z) - below, None]
            product[below:] += entries * z[: len(z) - below]
            product[: len(z) - below] += entries * z[below:]
        return product

    def solve(self, z, ridge):
        """(B + ridge I)^-1 z, for z (n,) or (n, k), and log|B + ridge I|.

        Raises
        ------
        ValueError
            If B + ridge I is not positive definite.
        """
        factor, logs = self._factor(ridge)
        solved, _ = lapack.dpbtrs(factor, z.reshape(len(z), -1), lower=1)
        return solved.reshape(z.shape), logs

    def quadratic(self, z, ridge):
        """z' (B + ridge I)^-1 z (k, k), for z (n, k), and log|B + ridge I|."""
        factor, logs = self._factor(ridge)
        half, _ = lapack.dtbtrs(factor, z, uplo="L")
        return half.T @ half, logs

    def leading(self, count):
        """The `count` largest eigenvalues, descending, and their eigenvectors (n, count)."""
        n = len(self.diagonal)
        count = min(count, n)
        if count * FEW > n:
            values, vectors = eig_banded(
                self.band, lower=True, select="i", select_range=(n - count, n - 1)
            )
        else:
            band = np.asfortranarray(self.band)

            def product(x):
                return blas.dsbmv(len(band) - 1, 1.0, band, x, lower=1)

            operator = LinearOperator((n, n), matvec=product, dtype=np.float64)
            start = np.random.default_rng(0).standard_normal(n)
            values, vectors = eigsh(operator, count, which="LA", v0=start)
        order = np.argsort(values)[::-1]
        return values[order], self.restore(vectors[:, order])


def decompose(matrix, width=WIDTH):
    """Reduce a symmetric matrix to a band, in its own memory.

    Parameters
    ----------
    matrix : ndarray (n, n) float64
        Overwritten.
    width : int
        b, below n.

    Returns
    -------
    BandDecomposition
    """
    # The transpose of a symmetric matrix is itself: no copy of n x n numbers. Of it the part above
    # the diagonal is worked on, whose rows are the columns below it.
    matrix = matrix if matrix.flags.c_contiguous else np.ascontiguousarray(matrix.T)
    n, flat = len(matrix), matrix.reshape(-1)
    band, turns, used = np.zeros((width + 1, n), order="F"), [], 0  # as LAPACK will copy it
    for start in range(0, max(1, n - width - 1), width):
        rest = start + width
        if rest >= n - 1:
            break
        block, turn, triangle = _reflect(matrix[start:rest, rest:].T)
        turned = np.vstack([matrix[start:rest, start:rest].T, triangle])
        _store(band[:, start:rest], turned)
        _turn(matrix[rest:, rest:], block, turn, -rest % TILE)
        # Rows whose band is stored make room for the reflectors, which are fewer numbers.
        flat[used : used + block.size] = block.reshape(-1)
        used += block.size
        turns.append(np.pad(turn, (0, width - len(turn))))
    last = width * len(turns)
    _store(band[:, last:], matrix[last:, last:].T)
    shape = (len(turns), width, width)
    return BandDecomposition(band, flat[:used], np.array(turns).reshape(shape))


def _store(band, columns):
    """Columns of the lower triangle, from their diagonal on, into those of a band."""
    for number in range(band.shape[1]):
        column = columns[number : number + len(band), number]
        band[: len(column), number] = column


def _reflect(panel):
    """QR factors of a panel (m, b): V (m, k), T (k, k) of I - V T V', and R (k, b).

    T comes from T^-1 + T'^-1 = V'V (Puglisi 1992, doi:10.1137/0913042).
    """
    room = int(lapack.dgeqrf_lwork(*panel.shape)[0])
    packed, factors, _, _ = lapack.dgeqrf(np.asfortranarray(panel), lwork=room, overwrite_a=1)
    count = len(factors)
    block = np.tril(packed[:, :count], -1)
    np.fill_diagonal(block, 1.0)
    block[:, factors == 0] = 0.0  # a reflector that is none
    inverse = np.triu(block.T @ block)
    np.fill_diagonal(inverse, np.where(factors == 0, 1.0, np.diag(inverse) / 2))
    turn, _ = lapack.dtrtri(inverse)
    return np.ascontiguousarray(block), np.triu(turn), np.triu(packed[:count])


def _turn(matrix, block, turn, first):
    """(I - V T V')' S (I - V T V') of a symmetric S (m, m), in place above the diagonal.

    S is S - V W' - W V' with W = X - V (T' V' X) / 2, X = S V T. Tiles on the diagonal hold both
    triangles; the first one has `first` rows (0: TILE), so that tiles stay where they are while S
    shrinks. X' is what is summed: products with few rows are quicker than such with few columns.
    """
    edges = [0, *range(first or TILE, len(matrix), TILE), len(matrix)]
    tiles = [slice(*edge) for edge in pairwise(edges)]
    turned, product = turn.T @ block.T, np.zeros(block.shape[::-1])
    for tile in tiles:
        product[:, tile] += turned[:, tile.start :] @ matrix[tile, tile.start :].T
        product[:, tile.stop :] += turned[:, tile] @ matrix[tile, tile.stop :]
    product -= product @ block @ turn / 2 @ block.T
    left, right = np.hstack([block, product.T]), np.hstack([product.T, block])
    for number, tile in enumerate(tiles):
        for other in tiles[number:]:
            matrix[tile, other] -= left[tile] @ right[other].T
