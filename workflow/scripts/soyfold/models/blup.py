"""SNP effects by BLUP that know how sure they are: what GBLUP and RR-BLUP leave behind."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from soyfold.models.kernels.certainty import (
    LineErrors,
    MarkerErrors,
    collect,
    rows_beside,
)
from soyfold.models.kernels.training_lines import TrainingLines
from soyfold.models.linear import RidgeModel, marker_products, project


@dataclass(frozen=True)
class BlupModel(RidgeModel):
    """SNP effects, with the lines and variances that their errors follow from.

    Attributes
    ----------
    variances : ndarray (2,)
        Of a SNP's effect and of the noise, in squared trait units.
    lines : ndarray (n, L) int8 or None
        Dosages of the training lines; None where they weren't kept: then nothing is known of
        errors.
    kernels : soyfold.models.kernels.shared.LineKernels or None
        Of these lines, for errors during the fit; not saved.
    weights : ndarray (n,) or None
        Of these lines' values, where they weigh differently: the noise is over them.
    beside : ndarray (n, p) or None
        Their covariates, where the model was fitted with some.
    """

    variances: np.ndarray | None = None
    lines: np.ndarray | None = field(default=None, repr=False)
    kernels: object = field(default=None, repr=False)
    weights: np.ndarray | None = field(default=None, repr=False)
    beside: np.ndarray | None = field(default=None, repr=False)

    @cached_property
    def _training(self):
        return TrainingLines(self.lines, self.centre, self.kernels)

    @cached_property
    def _by_lines(self):
        """Whether errors come from the side of the lines: where that is the smaller matrix."""
        return self.kernels is not None or len(self.lines) <= self.lines.shape[1]

    @cached_property
    def _errors(self):
        effect, noise = self.variances
        if not self._by_lines:
            products = marker_products(self.lines, self.centre, self.weights)
            across, weights = None, 1.0 if self.weights is None else self.weights[:, None]
            if self.beside is not None:
                across = project(self.lines, self.centre, weights * self.beside)
            return MarkerErrors(
                products, len(self.lines), effect, noise, self.weights, self.beside, across
            )
        covariance = self._training.within()
        covariance *= effect
        noise = noise if self.weights is None else noise / self.weights
        covariance[np.diag_indices_from(covariance)] += noise
        return LineErrors(covariance, noise, self.beside)

    def errors(self, dosage, rows=None, beside=None):
        """Reliability of each line's GEBV, and the sd of its error (trait units).

        Parameters
        ----------
        dosage : ndarray (m, L)
        rows : ndarray (m,) int, optional
            Of the study's products, where the model was fitted with these.
        beside : ndarray (m, p), optional
            Their covariates; at the mean without.

        Returns
        -------
        reliability, sd : ndarray (m,)
            See `kernels.certainty`; NaN where the training lines weren't kept.
        """
        if self.lines is None or self.variances is None:
            return np.full((2, len(dosage)), np.nan)
        effect, x = self.variances[0], rows_beside(beside)
        if self._by_lines:
            told = (
                (part, self._errors.of(effect * across, effect * own, x(part)))
                for part, across, own in self._training.blocks(dosage, rows)
            )
        else:
            step = max(16, 2**24 // dosage.shape[1])
            parts = [slice(start, start + step) for start in range(0, len(dosage), step)]
            told = ((part, self._errors.of(dosage[part] - self.centre, x(part))) for part in parts)
        return collect(len(dosage), told)

    def without(self, groups, residuals):
        """Errors of the training lines, each predicted without its group, and their sd.

        Parameters
        ----------
        groups : ndarray (n,) of str
            An empty string for a line of none.
        residuals : ndarray (n,)
            Observed - predicted of the training lines.

        Returns
        -------
        errors, sd : ndarray (n,)
            See `kernels.certainty`; NaN for lines of no group.
        """
        if self._by_lines:
            return self._errors.without(groups, residuals)
        return self._errors.without(groups, residuals, lambda rows: self.lines[rows] - self.centre)

    def reliability(self, dosage):
        """Reliability of each line's GEBV, (m,): 1 - PEV / prior variance."""
        return self.errors(dosage)[0]

    def state(self):
        """All that predicts, and, where training lines were kept, what tells errors."""
        kept = {name: getattr(self, name) for name in ("lines", "weights", "beside")}
        kept = {name: array for name, array in kept.items() if array is not None}
        return super().state() | kept | {"variances": np.asarray(self.variances)}

    def without_lines(self):
        """The same model, which predicts alone."""
        return replace(self, lines=None, kernels=None, weights=None, beside=None)


def from_state(arrays):
    """The model that `BlupModel.state` wrote, or one of before, which knows no errors."""
    return BlupModel(
        float(arrays["intercept"]), arrays["centre"], arrays["effects"], {},
        arrays.get("variances"), arrays.get("lines"), None, arrays.get("weights"),
        arrays.get("beside"),
    )  # fmt: skip


def blup_model(dosage, y, centre, effects, figures, kernels, weights=None, beside=None):
    """`BlupModel` of a fit, its variances read off its figures."""
    noise = figures["variance_residual"]
    variances = np.array([noise / figures["lambda"], noise])
    mean = float(np.average(y, weights=weights)) if weights is not None else float(y.mean())
    return BlupModel(mean, centre, effects, figures, variances, dosage, kernels, weights, beside)
