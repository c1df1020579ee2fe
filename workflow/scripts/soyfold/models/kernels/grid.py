"""Several traits' values by line: (G x K + R x I)^-1 of those that are there.

With all T values of all n lines the covariance comes apart into T of one trait (`traits`), each
solved by the kernel's decomposition. Values that aren't there are taken out by conjugate gradients
whose preconditioner is the inverse with them: their number is that of steps at most, and steps are
few, since only what the absent values would have told stands between the two. So are fixed effects,
and values that weigh differently, the residuals of a line being W^-1/2 e, e ~ N(0, R).
"""

import numpy as np

from soyfold.common.logs import log

TOLERANCE = 1e-10  # of the residual's length
STEPS = 500
RANK = 1e-8  # of the largest singular value: a smaller one is none


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

    def solve(self, values, fixed):
        """P y: V^-1 (y - X b) of the cells with a value, b by generalised least squares.

        It is what is orthogonal to X and leaves of V times itself but y - X b; so the steps stay
        among columns that are orthogonal to X, and X needs no columns of its own.

        Parameters
        ----------
        values : ndarray (n, T)
            0 where there is none.
        fixed : ndarray (n, p)
            X of each trait, its mean among them.

        Returns
        -------
        ndarray (n, T)
            0 where there is no value.
        """
        bases = [_basis(fixed, own) for own in self.known[self.places].T]

        def project(cells):
            own = np.where(self.known[self.places], cells[self.places, :, 0], 0.0)
            for trait, basis in enumerate(bases):
                own[:, trait] -= basis @ (basis.T @ own[:, trait])
            cells = np.zeros_like(cells)
            cells[self.places, :, 0] = own
            return cells

        found = np.zeros((*self.known.shape, 1))
        rest = found.copy()
        rest[self.places, :, 0] = values
        rest = project(rest)
        better = direction = project(self.inverse(rest))
        wanted, height = np.vdot(rest, rest), np.vdot(rest, better)
        for _ in range(STEPS):
            if np.vdot(rest, rest) <= TOLERANCE**2 * wanted:
                break
            pushed = project(self.times(direction))
            length = height / np.vdot(direction, pushed)
            found, rest = found + length * direction, rest - length * pushed
            better = project(self.inverse(rest))
            height, before = np.vdot(rest, better), height
            direction = better + height / before * direction
        else:
            far = np.sqrt(np.vdot(rest, rest) / wanted)
            log.warning("WARNING absent values: an error of %.0e left after %d steps", far, STEPS)
        return found[self.places, :, 0]


def _basis(fixed, own):
    """An orthonormal basis (n, rank) of the columns of `fixed` in a trait's own lines."""
    left, values, _ = np.linalg.svd(own[:, None] * fixed, full_matrices=False)
    return left[:, values > RANK * values[0]]
