"""One sweep of a Gibbs sampler over all SNP effects, compiled, in two forms that draw the same.

y = Z b + e with Z the centred dosages. Given all others, effect j is zero with some probability,
else normal (Habier et al. 2011, doi:10.1186/1471-2105-12-186): with w = z_j'(y - Z b + z_j b_j),

    b_j = w shrink_j + noise_j   if   gain_j w^2 > cut_j,   else 0.

What is random or needs a logarithm lies in the four arrays, drawn beforehand for a whole sweep: the
kernels are additions and multiplications, know no prior, and serve every model.

With values that weigh differently Z' is Z'W throughout, and Z is centred by weighted means.

`GramForm` keeps Z'(y - Z b) beside Z'Z: an effect that stays zero costs nothing, one that changes L
operations. `ResidualForm` keeps y - Z b beside the dosages as bytes: n operations an effect and n
more where it changes, and no L x L matrix. All chains walk the SNPs side by side, so that a row of
Z'Z, or a column of Z, comes from memory once for all of them.
"""

import numpy as np
from numba import njit

from soyfold.common.blocks import blocks
from soyfold.models.linear import weighted_means

GRAM_BYTES = 2**31  # the largest Z'Z that is held


def _compiled(function, **options):
    """Compile, and keep the machine code for the next process where any place is writable."""
    try:
        return njit(cache=True, nogil=True, **options)(function)
    except RuntimeError:  # numba's word for no writable folder
        return njit(nogil=True, **options)(function)


def _project_column(column, first, second):
    left = right = np.float32(0.0)
    for i in range(column.size):
        count = np.float32(column[i])
        left += count * first[i]
        right += count * second[i]
    return left, right


def _sweep_gram(gram, diagonal, rest, effects, gain, cut, shrink, noise):
    chains, markers = effects.shape
    for j in range(markers):
        row = gram[j]
        for c in range(chains):
            old = effects[c, j]
            w = rest[c, j] + diagonal[j] * old
            new = w * shrink[c, j] + noise[c, j] if gain[c, j] * w * w > cut[c, j] else 0.0
            if new != old:
                effects[c, j] = new
                change = new - old
                for k in range(markers):
                    rest[c, k] -= change * row[k]


def _sweep_residual(
    columns, centre, diagonal, weights, residual, effects, gain, cut, shrink, noise
):
    chains, markers = effects.shape
    # Bytes become float32 in half of the time that float64 takes, and once for two chains. What is
    # rounded is a projection, far below its noise; the residuals themselves don't drift.
    rounded = (weights * residual).astype(np.float32)
    for j in range(markers):
        column = columns[j]
        for first in range(0, chains, 2):
            last = min(first + 1, chains - 1)
            # The weighted residuals sum to zero, so the column needs no centring here.
            projected = _project_column(column, rounded[first], rounded[last])
            for c in range(first, last + 1):
                old = effects[c, j]
                w = projected[c - first] + diagonal[j] * old
                new = w * shrink[c, j] + noise[c, j] if gain[c, j] * w * w > cut[c, j] else 0.0
                if new != old:
                    effects[c, j] = new
                    change = new - old
                    for i in range(column.size):
                        residual[c, i] -= change * (column[i] - centre[j])
                        rounded[c, i] = weights[i] * residual[c, i]


# Sums in any order: that is what lets the compiler use vector instructions for them.
_project_column = _compiled(_project_column, fastmath={"reassoc", "contract"})
_sweep_gram = _compiled(_sweep_gram)
_sweep_residual = _compiled(_sweep_residual)


class GramForm:
    """Effects of several chains beside Z'Z.

    Parameters
    ----------
    dosage : ndarray (n, L) int8
    y : ndarray (n,) float64
        Its (weighted) mean taken off.
    chains : int
    weights : ndarray (n,), optional
        Of the values; without them all are 1.

    Attributes
    ----------
    effects : ndarray (chains, L) float64
        Zero to begin with; `sweep` changes them in place.
    centre, diagonal : ndarray (L,)
        Means of the dosages, and z_j'W z_j.
    """

    def __init__(self, dosage, y, *, chains, weights=None):
        n, markers = dosage.shape
        self.centre = weighted_means(dosage, weights)
        self._gram = np.zeros((markers, markers), dtype=np.float32)
        self._projected = np.zeros(markers)
        if weights is None:
            for rows in blocks(n):
                # Sums of products of counts stay below 2**24, where float32 is exact.
                block = dosage[rows].astype(np.float32)
                self._gram += block.T @ block
                self._projected += y[rows] @ block
            for rows in blocks(markers):
                self._gram[rows] -= n * self.centre[rows, None] * self.centre
        else:
            roots = np.sqrt(weights)[:, None]
            for rows in blocks(n):
                block = (roots[rows] * (dosage[rows] - self.centre)).astype(np.float32)
                self._gram += block.T @ block
                self._projected += (weights[rows] * y[rows]) @ (dosage[rows] - self.centre)
        self.diagonal = self._gram.diagonal().astype(np.float64)
        self._squares = y @ y if weights is None else weights @ np.square(y)
        self.effects = np.zeros((chains, markers))
        self._rest = np.tile(self._projected, (chains, 1))

    def sweep(self, gain, cut, shrink, noise):
        """Draw all effects once: four arrays (chains, L), as the module says."""
        _sweep_gram(self._gram, self.diagonal, self._rest, self.effects, gain, cut, shrink, noise)

    def squares(self):
        """(Weighted) sums of squares of y - Z b and of Z b: two arrays (chains,)."""
        fitted = (self.effects * self._projected).sum(1)
        unfitted = (self.effects * self._rest).sum(1)
        return np.maximum(self._squares - fitted - unfitted, 0.0), fitted - unfitted


class ResidualForm:
    """Effects of several chains beside the dosages themselves; as `GramForm`.

    Attributes
    ----------
    residual : ndarray (chains, n) float64
        y - Z b, whose (weighted) sum has to stay 0; what else tells of y may be taken off.
    """

    def __init__(self, dosage, y, *, chains, weights=None):
        self.centre = weighted_means(dosage, weights)
        self._columns = np.ascontiguousarray(dosage.T)
        self._weights = np.ones(len(y)) if weights is None else weights
        sums = sum(
            (self._weights[rows, None] * np.square(dosage[rows], dtype=np.float64)).sum(0)
            for rows in blocks(len(y))
        )
        self.diagonal = sums - self._weights.sum() * np.square(self.centre)
        self._y = y
        self.effects = np.zeros((chains, dosage.shape[1]))
        self.residual = np.tile(y, (chains, 1))

    def sweep(self, gain, cut, shrink, noise):
        """Draw all effects once: four arrays (chains, L), as the module says."""
        _sweep_residual(
            self._columns, self.centre, self.diagonal, self._weights, self.residual,
            self.effects, gain, cut, shrink, noise,
        )  # fmt: skip

    def squares(self):
        """Sums of squares of y - Z b and of Z b: two arrays (chains,)."""
        parts = self.residual, self._y - self.residual
        return tuple((self._weights * np.square(part)).sum(1) for part in parts)


def choose_form(lines, markers, changing):
    """The cheaper form: a sweep costs `changing` L^2 with Z'Z, (1 + changing) n L without.

    Parameters
    ----------
    lines, markers : int
    changing : float
        Share of the effects that a sweep is expected to change.

    Returns
    -------
    type
        GramForm where it is cheaper and Z'Z, 4 L^2 bytes, has at most `GRAM_BYTES`.
    """
    cheaper = changing * markers <= (1 + changing) * lines
    return GramForm if cheaper and 4 * markers**2 <= GRAM_BYTES else ResidualForm
