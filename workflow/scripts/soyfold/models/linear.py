"""What models of SNP effects share: the fitted model, and the step from lines to SNPs."""

from dataclasses import dataclass, field

import numpy as np

from soyfold.common.blocks import blocks
from soyfold.common.errors import UserError


@dataclass(frozen=True)
class RidgeModel:
    """SNP effects in trait units per copy of ALT.

    Attributes
    ----------
    intercept : float
        Training mean, the value of a line with the mean dosages.
    centre : ndarray (L,)
        Training means of the dosages.
    effects : ndarray (L,)
    figures : dict
        What `summary` gives.
    """

    intercept: float
    centre: np.ndarray
    effects: np.ndarray
    figures: dict = field(repr=False)

    def predict(self, dosage):
        """Predicted values in trait units: dosage (m, L) counts of ALT -> (m,) float64."""
        values = np.empty(len(dosage))
        for rows in blocks(len(dosage)):
            values[rows] = dosage[rows].astype(np.float64) @ self.effects
        return values + (self.intercept - self.centre @ self.effects)

    def state(self):
        """All that predicts, as named arrays."""
        return {
            "intercept": np.array(self.intercept),
            "centre": self.centre,
            "effects": self.effects,
        }

    def summary(self):
        """What the fit says of itself, such as heritability or log-likelihood."""
        return dict(self.figures)


def from_state(arrays):
    """The model that `RidgeModel.state` wrote: it predicts as before."""
    return RidgeModel(float(arrays["intercept"]), arrays["centre"], arrays["effects"], {})


def project(dosage, centre, x):
    """Z' x, for Z = dosage - centre: lines (n,) or (n, k) to SNPs (L,) or (L, k)."""
    sums = np.zeros((dosage.shape[1], *x.shape[1:]))
    for rows in blocks(len(dosage)):
        sums += dosage[rows].astype(np.float64).T @ x[rows]
    return sums - np.multiply.outer(centre, x.sum(0))


def weighted_means(dosage, weights=None):
    """Means (L,) of dosages (n, L) over lines that weigh differently."""
    if weights is None:
        return dosage.mean(0, dtype=np.float64)
    sums = np.zeros(dosage.shape[1])
    for rows in blocks(len(dosage)):
        sums += weights[rows] @ dosage[rows]
    return sums / weights.sum()


def weighted_moments(y, weights=None):
    """Mean and sd of values (n,) that weigh differently."""
    mean = np.average(y, weights=weights)
    return float(mean), float(np.sqrt(np.average(np.square(y - mean), weights=weights)))


MOST_BESIDE = 0.5  # directions of covariates per line


def refuse_many(directions, lines, *, most=MOST_BESIDE):
    """Raise `UserError` for covariates of more than `most` as many directions as lines."""
    if directions > most * lines:
        raise UserError(
            f"covariates of {directions} directions for {lines} lines",
            at="key cohort.covariates.columns", allowed="at most half as many",
            mend="write number(column) for a number, or name fewer columns",
        )  # fmt: skip


def weighted_base(beside, weights):
    """X (n, p) of fixed effects, orthonormal beside the mean, for values times W^1/2; None stays.

    Its columns are then orthonormal, and orthogonal to W^1/2 1.
    """
    if beside is None or weights is None:
        return beside
    centred = beside - np.average(beside, axis=0, weights=weights)
    return np.linalg.qr(np.sqrt(weights)[:, None] * centred)[0]


def marker_products(dosage, centre, weights=None):
    """Z' W Z (L, L) float64, for Z = dosage - centre of the means by these weights."""
    products = np.zeros((dosage.shape[1],) * 2)
    if weights is not None:
        for rows in blocks(len(dosage)):
            block = (dosage[rows] - centre) * np.sqrt(weights[rows])[:, None]
            products += block.T @ block
        return products
    for rows in blocks(len(dosage)):
        # Sums of a block's products of counts stay below 2**24: exact in float32, in half the time.
        block = dosage[rows].astype(np.float32 if dosage.dtype == np.int8 else np.float64)
        products += block.T @ block
    for rows in blocks(len(products)):
        products[rows] -= len(dosage) * centre[rows, None] * centre
    return products


def refuse_unusable(dosage, y, *, model):
    """Raise `UserError` for training lines from which nothing can be learnt."""
    if len(y) < 3 or np.ptp(y) == 0:
        raise UserError(
            f"{len(y)} training lines with {len(np.unique(y))} different values",
            at=f"model {model}",
            allowed="at least 3 lines that differ",
        )
    if all((dosage[rows] == dosage[0]).all() for rows in blocks(len(dosage))):
        raise UserError(
            f"no SNP that differs among {len(y)} training lines",
            at=f"model {model}",
            mend="check the filters",
        )
