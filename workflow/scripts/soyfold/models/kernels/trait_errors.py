"""How sure predictions of several traits are, given G and R: prediction error variances, exactly.

With all values of all lines the traits come apart (`traits`): of Q' D^-1 y each is a trait of its
own, with the covariance q_c K + I, whose errors (`certainty`) add up to those of the traits. Where
values are absent or weigh differently the covariance of all cells is factorised as it is.
"""

import numpy as np
from scipy.linalg import qr

from soyfold.common.logs import log
from soyfold.models.kernels.certainty import LineErrors

MOST = 12_000  # cells of a matrix, with 8 bytes for each two of them
TINY = 1e-8


def trait_errors(kernel, covariances, known, *, weights=None, beside=None):
    """What tells the errors of T traits.

    Parameters
    ----------
    kernel : ndarray (n, n)
        Of the training lines; not changed.
    covariances : soyfold.models.kernels.pairwise.Covariances
    known : ndarray (n, T) of bool
    weights : ndarray (n, T), keyword only, optional
        W, where a line's residuals are W^-1/2 e, e ~ N(0, R).
    beside : ndarray (n, p), keyword only, optional
        X, with the means of full rank.

    Returns
    -------
    CanonicalErrors, CellErrors, or None where their matrices were larger than one of `MOST` cells.
    """
    beside = np.zeros((len(known), 0)) if beside is None else beside
    whole = known.all() and weights is None
    floats = len(known) * known.size if whole else int(known.sum()) ** 2
    if floats > MOST**2:
        log.warning(
            "WARNING %d values of several traits: reliability isn't told of so many", known.sum()
        )
        return None
    if whole:
        return CanonicalErrors(kernel, covariances, beside)
    return CellErrors(kernel, covariances, known, weights, beside)


class CanonicalErrors:
    """Of traits that all lines have: T of `LineErrors`."""

    def __init__(self, kernel, covariances, beside):
        self.turn, self.ratios = covariances.canonical
        self.squares = np.square(np.linalg.inv(self.turn))  # of what trait c adds to trait t
        self.errors = [self._one(kernel * ratio, beside) for ratio in self.ratios]

    @staticmethod
    def _one(covariance, beside):
        covariance[np.diag_indices_from(covariance)] += 1.0
        return LineErrors(covariance, 1.0, beside)

    def of(self, across, own, beside):
        """Errors of lines.

        Parameters
        ----------
        across : ndarray (m, n)
            Their kernel with the training lines.
        own : ndarray (m,)
            And with themselves.
        beside : ndarray (m, p)

        Returns
        -------
        reliability, sd : ndarray (m, T)
            As of `LineErrors`, trait by trait.
        """
        reliability, sd = np.empty((2, len(self.ratios), len(own)))
        for c, (ratio, errors) in enumerate(zip(self.ratios, self.errors, strict=True)):
            reliability[c], sd[c] = errors.of(ratio * across, ratio * own, beside)
        shares = self.squares * self.ratios
        shares /= np.maximum(shares.sum(1, keepdims=True), 1e-300)
        # A trait without genetic variance has no reliability, and no share in one.
        told = shares @ np.where(self.ratios[:, None] > 0, reliability, 0.0)
        return told.T, np.sqrt(self.squares @ np.square(sd)).T

    def without(self, groups, residuals):
        """As of `LineErrors`: residuals (n, T) to errors and sd (n, T)."""
        told = [
            errors.without(groups, own)
            for errors, own in zip(self.errors, self.turn @ residuals.T, strict=True)
        ]
        errors, sd = (np.array(each) for each in zip(*told, strict=True))
        back = np.linalg.inv(self.turn)
        return (back @ errors).T, np.sqrt(self.squares @ np.square(sd)).T


class CellErrors:
    """Of the cells, lines x traits, that have a value: `LineErrors` of all at once."""

    def __init__(self, kernel, covariances, known, weights, beside):
        self.line, self.trait = np.nonzero(known)
        self.known, self.genetic = known, covariances.genetic
        weights = np.ones(known.shape) if weights is None else weights
        self.spread = np.where(known, weights, 1.0) ** -0.5
        self.residual = covariances.residual
        line, trait, spread = self.line, self.trait, self.spread[known]
        covariance = kernel[np.ix_(line, line)] * self.genetic[np.ix_(trait, trait)]
        same = line[:, None] == line
        rest = self.residual[np.ix_(trait, trait)] * np.multiply.outer(spread, spread)
        covariance[same] += rest[same]
        self.noise = np.diag(rest).copy()
        fixed = np.stack([self._fixed(beside, t)[line] for t in range(known.shape[1])], axis=-1)[
            np.arange(len(line)), :, trait
        ]
        # What some trait's lines don't tell apart has no effect on it.
        away = fixed - fixed.mean(0)
        _, sizes, order = qr(away, mode="economic", pivoting=True)
        sizes = np.abs(np.diag(sizes))
        self.kept = np.sort(order[: (sizes > TINY * sizes.max(initial=0)).sum()])
        self.errors = LineErrors(covariance, self.noise, fixed[:, self.kept])

    def _fixed(self, beside, trait):
        """Fixed effects of lines' values of a trait beside the first one's mean: (m, ...)."""
        traits = self.known.shape[1]
        own = np.eye(traits)[trait]
        mean = np.broadcast_to(own[1:], (len(beside), traits - 1))
        return np.hstack([mean, np.einsum("mp,t->mtp", beside, own).reshape(len(beside), -1)])

    def of(self, across, own, beside):
        """As of `CanonicalErrors`."""
        told = [
            self.errors.of(
                across[:, self.line] * self.genetic[t, self.trait],
                own * self.genetic[t, t],
                self._fixed(beside, t)[:, self.kept],
            )
            for t in range(self.known.shape[1])
        ]
        return tuple(np.stack(each, axis=1) for each in zip(*told, strict=True))

    def without(self, groups, residuals):
        """As of `CanonicalErrors`; NaN where there is no value."""
        absent = ~self.known
        rest = self.residual * self.spread[:, :, None] * self.spread[:, None]
        rest[absent[:, :, None] | absent[:, None]] = 0.0
        rest += absent[:, :, None] * np.eye(absent.shape[1])
        left = np.where(self.known, residuals, 0.0)
        dual = np.linalg.solve(rest, left[..., None])[self.known, 0]
        found = np.full((2, *self.known.shape), np.nan)
        found[:, self.known] = self.errors.without(groups[self.line], dual * self.noise)
        return found[0], found[1]
