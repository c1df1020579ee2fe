"""REML for values of lines in environments: main effects, and effects in each environment.

y = X b + Z g + h + e: X has a column for each environment, Z the line of each value (a cell). Lines
have the kernel K, g ~ N(0, s_g K); effects in one environment h_e ~ N(0, s_h K_e) are independent
between environments, K_e being K between the lines grown there; e ~ N(0, s_e I). Or, with
covariates of environments, also effects with the covariance s_w K_ij O_ef of line i in environment
e and line j in f (Jarquin et al. 2014, doi:10.1007/s00122-013-2243-1).

`Cells` never has V = Z s_g K Z' + W. W is made of blocks, one for each environment, whose inverses
are small; with A = Z' W^-1 Z = C C' and T = I + s_g C' K C, both of the size of the lines,

    log|V| = log|W| + log|T|,  V^-1 = W^-1 - W^-1 Z C^-T (I - T^-1) C^-1 Z' W^-1.

Covariates fill V, which `DenseCells` then has: for studies of some thousand values.
"""

import numpy as np
from scipy.linalg import blas, cho_factor, cho_solve, lapack

from soyfold.common.errors import UserError
from soyfold.models.kernels.several import Point

MOST = 8000  # values, for which V and what is made of it are held whole: 0.5 GB each


class _Values:
    """Values in the order of their environments, and REML from what V^-1 is to a backend.

    Parameters
    ----------
    kernel : ndarray (n, n)
        Between lines, its diagonal about 1.
    values : ndarray (n, environments)
        NaN where a line has none.
    """

    def __init__(self, kernel, values):
        known = ~np.isnan(values)
        self.kernel = np.asfortranarray(kernel)
        self.shape = values.shape
        self.lines = [np.flatnonzero(column) for column in known.T]
        self.environment, self.line = np.nonzero(known.T)
        ends = np.cumsum([len(each) for each in self.lines])
        self.parts = [slice(end - len(x), end) for end, x in zip(ends, self.lines, strict=True)]
        self.told = np.flatnonzero(known.any(0))
        self.design = (self.environment[:, None] == self.told).astype(np.float64)
        means = np.array([y[x].mean() if len(x) else 0.0 for x, y in zip(
            self.lines, values.T, strict=True)])  # fmt: skip
        # P takes environments off, but with what rounding leaves of a large mean.
        self.means = means
        self.y = values.T[known.T] - means[self.environment]

    def evaluate(self, variances):
        """`Point` of the backend's variances and, last, that of the noise.

        Its log-likelihood is -1/2 [ log|V| + log|X'V^-1 X| + y'Py ].
        """
        backend = self.at(variances)
        solved = backend.solve(np.column_stack([self.y, self.design]))
        inner, across = self.design.T @ solved[:, 1:], solved[:, 1:]
        factor = cho_factor(inner)

        def project(solved, x):
            return solved - across @ cho_solve(factor, across.T @ x)

        dual = project(solved[:, 0], self.y)
        pushed = np.column_stack(self.push(dual))
        by_design = [np.trace(cho_solve(factor, across.T @ each)) for each in self.push(across)]
        height = backend.log_determinant + 2 * np.log(np.diag(factor[0])).sum() + self.y @ dual
        return Point(
            log_likelihood=-0.5 * height,
            gradient=0.5 * (dual @ pushed - backend.traces() + by_design),
            information=0.5 * (pushed.T @ project(backend.solve(pushed), pushed)),
        )

    def blup(self, variances):
        """What given variances tell.

        Returns
        -------
        means : ndarray (environments,)
            b, by generalised least squares; NaN of an environment without a value.
        dual : ndarray (n, environments)
            P y of each value; 0 where a line has none.
        """
        backend = self.at(variances)
        solved = backend.solve(np.column_stack([self.y, self.design]))
        b = np.linalg.solve(self.design.T @ solved[:, 1:], self.design.T @ solved[:, 0])
        means = np.full(self.shape[1], np.nan)
        means[self.told] = b + self.means[self.told]
        dual = np.zeros(self.shape)
        dual[self.line, self.environment] = solved[:, 0] - solved[:, 1:] @ b
        return means, dual

    def _gather(self, x):
        """Z'x: sums over the values of each line, (m, k) -> (n, k)."""
        sums = np.zeros((self.shape[0], *x.shape[1:]))
        for lines, part in zip(self.lines, self.parts, strict=True):
            sums[lines] += x[part]
        return sums

    def _main(self, x):
        """Z K Z' x."""
        return (self.kernel @ self._gather(x))[self.line]

    def _within(self, x):
        """What effects in one environment make of x."""
        return np.concatenate([
            self.kernel[np.ix_(lines, lines)] @ x[part]
            for lines, part in zip(self.lines, self.parts, strict=True)
        ])  # fmt: skip


class Cells(_Values):
    """Values whose V is taken apart; variances s_g, s_h (with `interaction`), s_e."""

    def __init__(self, kernel, values, *, interaction):
        super().__init__(kernel, values)
        self.interaction = interaction

    def at(self, variances):
        """V^-1 at these variances."""
        return _Apart(self, *variances) if self.interaction else _Even(self, *variances)

    def push(self, x):
        """x by the matrix of each variance."""
        return [self._main(x), *([self._within(x)] if self.interaction else []), x]


class _Apart:
    """V^-1 by the blocks of environments; see the module."""

    def __init__(self, cells, main, within, noise):
        self.cells, self.main, self.within, self.noise = cells, main, within, noise
        self.log_determinant, self.blocks = 0.0, []
        a = np.zeros((cells.shape[0],) * 2, order="F")
        for lines in cells.lines:
            here = np.ix_(lines, lines)
            inverse, log_determinant = _invert(within * cells.kernel[here], noise)
            a[here] += inverse
            self.blocks.append(inverse)
            self.log_determinant += log_determinant
        self.c = lapack.dpotrf(a, lower=1, clean=1, overwrite_a=1)[0]
        self._reduce()

    def _left(self, x, transposed=False):
        """C^-1 x, or C^-T x; x is overwritten where it is in LAPACK's order."""
        return blas.dtrsm(1.0, self.c, x, lower=1, trans_a=int(transposed), overwrite_b=1)

    def _between(self):
        """C' K C."""
        half = blas.dtrmm(1.0, self.c, self.cells.kernel, lower=1, trans_a=1)
        return blas.dtrmm(1.0, self.c, half, side=1, lower=1, overwrite_b=1)

    def _reduce(self):
        between = self._between()
        t = self.main * between
        t[np.diag_indices_from(t)] += 1.0
        self.t, _ = lapack.dpotrf(t, lower=1, clean=0, overwrite_a=1)
        self.log_determinant += 2 * np.log(np.diag(self.t)).sum()
        self.between = between

    def _blocks(self, x):
        """W^-1 x."""
        parts = zip(self.blocks, self.cells.parts, strict=True)
        return np.concatenate([block @ x[part] for block, part in parts])

    def solve(self, x):
        """V^-1 x, (m, k)."""
        first = self._blocks(x)
        inner = self._left(np.asfortranarray(self.cells._gather(first)))
        inner -= cho_solve((self.t, True), inner)
        back = self._left(np.asfortranarray(inner), transposed=True)
        return first - self._blocks(back[self.cells.line])

    def _inverse_t(self):
        return _whole(lapack.dpotri(self.t, lower=1)[0])

    def _pushed(self):
        """tr(W^-1 K_h), and Z' W^-1 K_h W^-1 Z."""
        own, pushed = 0.0, np.zeros_like(self.c)
        for lines, block in zip(self.cells.lines, self.blocks, strict=True):
            here = np.ix_(lines, lines)
            turned = block @ self.cells.kernel[here]
            own += np.trace(turned)
            pushed[here] += turned @ block
        return own, pushed

    def traces(self):
        """tr(V^-1 V_k) for the matrix V_k of each variance."""
        own, pushed = self._pushed()
        n, inverse = len(self.t), self._inverse_t()
        main = np.vdot(inverse, self.between)
        left = n - np.trace(inverse)  # tr(A M), M = C^-T (I - T^-1) C^-1
        inner = np.asfortranarray(-inverse)
        inner[np.diag_indices_from(inner)] += 1.0
        inner = self._left(inner, transposed=True)
        inner = blas.dtrsm(1.0, self.c, inner, side=1, lower=1, overwrite_b=1)
        within = own - np.vdot(inner, pushed)
        noise = (len(self.cells.y) - left - self.within * within) / self.noise
        return np.array([main, within, noise])


class _Even(_Apart):
    """The same where W is noise alone, and A the number of each line's values over it."""

    def __init__(self, cells, main, noise):
        self.cells, self.main, self.noise = cells, main, noise
        counts = np.bincount(cells.line, minlength=cells.shape[0])
        self.c = np.sqrt(counts / noise)
        self.log_determinant = len(cells.y) * np.log(noise)
        self._reduce()

    def _left(self, x, transposed=False):
        return x / self.c[:, None]

    def _between(self):
        return np.asfortranarray(self.c[:, None] * self.cells.kernel * self.c)

    def _blocks(self, x):
        return x / self.noise

    def traces(self):
        inverse = self._inverse_t()
        noise = (len(self.cells.y) - len(self.t) + np.trace(inverse)) / self.noise
        return np.array([np.vdot(inverse, self.between), noise])


class DenseCells(_Values):
    """Values whose V is full; variances s_g, s_h, s_w, s_e.

    Parameters
    ----------
    kernel, values
        As of `Cells`.
    likeness : ndarray (environments, environments)
        O, positive semidefinite.

    Raises
    ------
    UserError
        For more than `MOST` values.
    """

    def __init__(self, kernel, values, likeness):
        super().__init__(kernel, values)
        if len(self.y) > MOST:
            raise UserError(
                f"{len(self.y)} values with covariates of environments",
                at="key cohort.environment_covariates",
                allowed=f"at most {MOST} training values",
                mend="fewer lines or environments, or no covariates: effects in each environment"
                " have no such limit",
            )
        between = self.kernel[np.ix_(self.line, self.line)]
        same = self.environment[:, None] == self.environment
        like = likeness[np.ix_(self.environment, self.environment)]
        self.kernels = [between, between * same, between * like]

    def push(self, x):
        """x by the matrix of each variance."""
        return [*(kernel @ x for kernel in self.kernels), x]

    def at(self, variances):
        """V^-1 at these variances."""
        return _Full(self.kernels, variances)


class _Full:
    """V^-1 itself."""

    def __init__(self, kernels, variances):
        self.kernels = kernels
        total = sum(v * kernel for v, kernel in zip(variances[:-1], kernels, strict=True))
        self.inverse, self.log_determinant = _invert(total, variances[-1])

    def solve(self, x):
        return self.inverse @ x

    def traces(self):
        return np.array([*(np.vdot(self.inverse, k) for k in self.kernels), self.inverse.trace()])


def _invert(matrix, noise):
    """(matrix + noise I)^-1 of a symmetric matrix, which is overwritten; log of the determinant."""
    if not len(matrix):  # of an environment without values; LAPACK complains of it
        return matrix, 0.0
    matrix = matrix.T  # itself, in LAPACK's order
    matrix[np.diag_indices_from(matrix)] += noise
    factor, _ = cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)
    log_determinant = 2 * np.log(np.diag(factor)).sum()
    return _whole(lapack.dpotri(factor, lower=1, overwrite_c=1)[0]), log_determinant


def _whole(lower):
    """A symmetric matrix of its lower triangle."""
    lower = np.tril(lower)
    lower += np.tril(lower, -1).T
    return lower
