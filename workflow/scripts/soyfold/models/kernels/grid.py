"""Several traits' values by line: (G x K + R x I)^-1 of those that are there.

With all T values of all n lines the covariance comes apart into T of one trait (`traits`), each
solved by the kernel's decomposition. Values that aren't there are taken out by conjugate gradients
whose preconditioner is the inverse with them: their number is that of steps at most, and steps are
few, since only what the absent values would have told stands between the two. So are values that
weigh differently, the residuals of a line being W^-1/2 e, e ~ N(0, R).
"""

import numpy as np

from soyfold.common.logs import log

TOLERANCE = 1e-10  # of the residual's length
STEPS = 500


class Grid:
    """Cells, lines x traits, of which some have a value.

    Parameters
    ----------
    kernel : soyfold.models.kernels.matrices.Kernel
        Of the lines, of the N that were decomposed.
    covariances : soyfold.models.kernels.pairwise.Covariances
        G per unit of the kernel, and R.
    known : ndarray (n, T) of bool
    weights : ndarray (n, T), optional
        W; above 0 where a value is known.
    """

    def __init__(self, kernel, covariances, known, weights=None):
        self.decomposition, self.places = kernel.decomposition, kernel.places
        self.genetic, self.residual = covariances.genetic, covariances.residual
        self.turn, self.ratios = covariances.canonical
        self.known = np.zeros((kernel.decomposed, known.shape[1]), dtype=bool)
        self.known[self.places] = known
        self.spread = None
        if weights is not None:
            self.spread = np.ones((*self.known.shape, 1))
            self.spread[self.places, :, 0] = np.where(known, weights, 1.0) ** -0.5

    def _turned(self, columns, function):
        """`function` of columns (N, T, k) by the decomposition, trait by trait of T."""
        decomposition, shape = self.decomposition, columns.shape
        rotated = decomposition.rotate(columns.reshape(len(columns), -1)).reshape(shape)
        told = np.stack([function(rotated[:, c], c) for c in range(shape[1])], axis=1)
        return decomposition.restore(told.reshape(len(columns), -1)).reshape(shape)

    def inverse(self, columns):
        """V^-1 of all cells, of columns (N, T, k)."""

        def solve(column, c):
            ridge = 1 / max(self.ratios[c], 1e-12)
            return ridge * self.decomposition.solve(column, ridge)[0]

        canonical = np.einsum("ct,ntk->nck", self.turn, columns)
        return np.einsum("ct,nck->ntk", self.turn, self._turned(canonical, solve))

    def times(self, columns):
        """V of all cells, times columns (N, T, k)."""
        with_kernel = self._turned(columns, lambda column, _: self.decomposition.product(column))
        inherited = np.einsum("st,nsk->ntk", self.genetic, with_kernel)
        if self.spread is not None:
            columns = self.spread * columns
        rest = np.einsum("st,nsk->ntk", self.residual, columns)
        return inherited + (rest if self.spread is None else self.spread * rest)

    def residuals(self, dual):
        """Residuals (n, T) of the lines, from V^-1 (y - mu - X b), (n, T), 0 in other cells."""
        if self.spread is None:
            return dual @ self.residual
        spread = self.spread[self.places, :, 0]
        return spread * ((spread * dual) @ self.residual)

    def solve(self, columns):
        """V^-1 of the cells that are known, of columns (N, T, k) that are 0 in all others."""
        known, wanted = self.known[..., None], columns
        if known.all() and self.spread is None:
            return self.inverse(columns)

        def dot(left, right):
            return np.einsum("ntk,ntk->k", left, right)

        found, rest = np.zeros_like(columns), columns.copy()
        better = direction = known * self.inverse(rest)
        height = dot(rest, better)
        goal = TOLERANCE**2 * dot(wanted, wanted)
        for _ in range(STEPS):
            if (dot(rest, rest) <= goal).all():
                break
            pushed = known * self.times(direction)
            length = height / np.maximum(dot(direction, pushed), 1e-300)
            found, rest = found + length * direction, rest - length * pushed
            better = known * self.inverse(rest)
            height, before = dot(rest, better), height
            direction = better + height / np.maximum(before, 1e-300) * direction
        else:
            far = np.sqrt((dot(rest, rest) / np.maximum(dot(wanted, wanted), 1e-300)).max())
            log.warning("WARNING absent values: an error of %.0e left after %d steps", far, STEPS)
        return found
