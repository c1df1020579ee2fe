"""Values of several traits, and what is predicted from all of them: exact BLUP, given G and R."""

import dataclasses

import numpy as np

from soyfold.models.kernels.grid import RANK, Grid
from soyfold.models.kernels.names import ADDITIVE
from soyfold.models.kernels.pairwise import Covariances
from soyfold.models.kernels.shared import own_kernels
from soyfold.models.linear import project


@dataclasses.dataclass(frozen=True)
class TraitValues:
    """Values of T traits, and the lines that have them.

    Attributes
    ----------
    lines : ndarray (n, L) int8
    values : ndarray (n, T)
        NaN where there is none.
    covariances : soyfold.models.kernels.pairwise.Covariances
    weights : ndarray (n, T) or None
        Of the values: a line's residuals are W^-1/2 e, e ~ N(0, R).
    beside : ndarray (n, p)
        X of fixed effects beside the means.
    kernels : soyfold.models.kernels.shared.LineKernels or None
        Of these lines; not saved.
    """

    lines: np.ndarray
    values: np.ndarray
    covariances: Covariances
    weights: np.ndarray | None
    beside: np.ndarray
    kernels: object = None

    @property
    def known(self):
        """Cells with a value, (n, T) of bool."""
        return ~np.isnan(self.values)

    def with_lines(self, lines, values, weights, beside, rows):
        """The same with more lines, of which some traits are known."""
        if self.kernels is None or rows is None:
            kernels = None
        else:
            kernels = dataclasses.replace(self.kernels, rows=np.append(self.kernels.rows, rows))
        if self.weights is not None:
            weights = np.concatenate(
                [self.weights, np.ones(values.shape) if weights is None else weights]
            )
        beside = np.zeros((len(lines), self.beside.shape[1])) if beside is None else beside
        return dataclasses.replace(
            self,
            lines=np.concatenate([self.lines, lines]),
            values=np.concatenate([self.values, values]),
            weights=weights,
            beside=np.concatenate([self.beside, beside]),
            kernels=kernels,
        )

    def state(self):
        """As named arrays."""
        told = {"lines": self.lines, "values": self.values, "beside": self.beside}
        told |= {"genetic": self.covariances.genetic, "residual": self.covariances.residual}
        return told if self.weights is None else {**told, "weights": self.weights}


def project_lines(dosage, centre, effects):
    """(dosage - centre) effects, (m, T)."""
    step = max(16, 2**24 // max(1, dosage.shape[1]))
    values = np.empty((len(dosage), effects.shape[1]))
    for start in range(0, len(dosage), step):
        values[start : start + step] = dosage[start : start + step].astype(np.float64) @ effects
    return values - centre @ effects


def solve_values(training):
    """BLUP of all lines' values, given G and R.

    Parameters
    ----------
    training : TraitValues

    Returns
    -------
    intercept : ndarray (T,)
    centre : ndarray (L,)
        Means of the dosages.
    effects : ndarray (L, T)
    beside : ndarray (p, T)
        b.
    """
    kernels = training.kernels or own_kernels(training.lines)
    kernel, known, beside = kernels.kernel(ADDITIVE), training.known, training.beside
    values, covariances = training.values, training.covariances
    fixed = np.column_stack([np.ones(len(beside)), beside])
    grid = Grid(kernel, covariances, known, training.weights)
    dual = grid.solve(np.where(known, values - np.nanmean(values, axis=0), 0.0), fixed)
    centre = training.lines.mean(0, dtype=np.float64)
    effects = project(training.lines, centre, dual @ covariances.genetic)
    # Values are mu + X b + g + e with e = R dual, line by line, whatever the kernel is centred by.
    left = values - grid.residuals(dual) - project_lines(training.lines, centre, effects)
    told = zip(known.T, left.T, strict=True)
    b = [np.linalg.lstsq(fixed[own], rest[own], rcond=RANK)[0][1:] for own, rest in told]
    b = np.stack(b, axis=1)
    return np.nanmean(left - beside @ b, axis=0), centre, effects, b
