"""Family GBLUP: SNP effects of all lines, and each family's own departures from them.

y_i = mu + z_i' (b + b_f(i)) + e_i, b ~ N(0, s_b^2 I), b_f ~ N(0, s_f^2 I) for every family f, and z
the dosages minus their training means. As kernels: G = Z Z', and G where two lines share a family,
0 elsewhere (Lehermeier, Schoen and de los Campos 2015, doi:10.1534/genetics.115.177394). In a
nested association panel the same SNP allele marks other QTL alleles in other families, whence such
departures. A line of a new family, or of none, is predicted by b alone.
"""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from scipy.linalg import cho_factor

from soyfold.common.logs import log
from soyfold.models.kernels.beside import part_of, solve_beside, take_off
from soyfold.models.kernels.certainty import LineErrors, collect, rows_beside
from soyfold.models.kernels.matrices import centre, kernel_matrix
from soyfold.models.kernels.names import ADDITIVE
from soyfold.models.kernels.several import covariance, estimate, meets_bound
from soyfold.models.kernels.shared import own_kernels
from soyfold.models.kernels.training_lines import TrainingLines
from soyfold.models.linear import project, refuse_unusable
from soyfold.models.parameters import resolve

DECLARATION = {
    "label": "Family GBLUP",
    "meaning": "SNP effects of all lines, and each family's departures from them.",
    "kind": "direct",
    "needs": ["families"],
    "linear": True,
    "reliability": True,
    "weights": True,
    "covariates": True,
    "kernels": [],
    "parameters": {
        # Each of some ten steps inverts n x n; on SoyNAM 1,500 lines predict as 2,500 do (PCC to
        # 0.002).
        "reml_lines": {"default": 1500, "type": "integer", "minimum": 30,
                       "description": "Most lines whose likelihood is maximised; effects come "
                                      "from all."},
    },
    "citations": [
        {"what": "family GBLUP",
         "citation": "Lehermeier C, Schön CC, de los Campos G (2015) Assessment of genetic "
                     "heterogeneity in structured plant populations using multivariate "
                     "whole-genome regression models. Genetics 201:323-337",
         "doi": "10.1534/genetics.115.177394"},
    ],
}  # fmt: skip


@dataclass(frozen=True)
class FamilyModel:
    """SNP effects in trait units per copy of ALT, of all lines and by family.

    Attributes
    ----------
    intercept : float
    centre : ndarray (L,)
        Training means of the dosages.
    effects : ndarray (L,)
    families : ndarray (F,) of str
    departures : ndarray (F, L)
        What a family's effects differ from those of all.
    figures : dict
        What `summary` gives.
    variances : ndarray (3,) or None
        Of a SNP's effect in all lines, of its departure in a family, and of the noise, in squared
        trait units.
    lines : ndarray (n, L) int8 or None
        Dosages of the training lines; None where they weren't kept: then nothing is known of
        errors.
    own : ndarray (n,) of str or None
        Their families.
    kernels : soyfold.models.kernels.shared.LineKernels or None
        Of these lines, for errors during the fit; not saved.
    weights : ndarray (n,) or None
        Of these lines' values, where they weigh differently: the noise is over them.
    beside : ndarray (n, p) or None
        Their covariates, where the model was fitted with some.
    """

    intercept: float
    centre: np.ndarray
    effects: np.ndarray
    families: np.ndarray
    departures: np.ndarray
    figures: dict = field(repr=False)
    variances: np.ndarray | None = None
    lines: np.ndarray | None = field(default=None, repr=False)
    own: np.ndarray | None = field(default=None, repr=False)
    kernels: object = field(default=None, repr=False)
    weights: np.ndarray | None = field(default=None, repr=False)
    beside: np.ndarray | None = field(default=None, repr=False)

    def predict(self, dosage, families):
        """Predicted values in trait units.

        Parameters
        ----------
        dosage : ndarray (m, L)
            Counts of ALT.
        families : ndarray (m,) of str

        Returns
        -------
        ndarray (m,) float64
        """
        families = np.asarray(families)
        values = np.full(len(dosage), self.intercept)
        for family in np.unique(families):
            rows = np.flatnonzero(families == family)
            effects = self.effects
            if family in self.families:
                effects = effects + self.departures[np.searchsorted(self.families, family)]
            values[rows] += dosage[rows].astype(np.float64) @ effects - self.centre @ effects
        return values

    @cached_property
    def _training(self):
        return TrainingLines(self.lines, self.centre, self.kernels)

    @cached_property
    def _errors(self):
        common, family, noise = self.variances
        noise = noise if self.weights is None else noise / self.weights
        covariance = self._training.within()
        covariance *= common + family * same_family(self.own)
        covariance[np.diag_indices_from(covariance)] += noise
        return LineErrors(covariance, noise, self.beside)

    def errors(self, dosage, families, rows=None, beside=None):
        """Reliability of each line's GEBV, and the sd of its error (trait units).

        A line of a new family departs from all by effects that nothing tells of, a line of none
        doesn't depart.

        Parameters
        ----------
        dosage : ndarray (m, L)
        families : ndarray (m,) of str
        rows : ndarray (m,) int, optional
            Of the study's products, where the model was fitted with these.
        beside : ndarray (m, p), optional
            Their covariates; at the mean without.

        Returns
        -------
        reliability, sd : ndarray (m,)
            See `kernels.certainty`; NaN where the training lines weren't kept.
        """
        if self.lines is None:
            return np.full((2, len(dosage)), np.nan)
        families = np.asarray(families, dtype=str)
        (common, family, _), x = self.variances, rows_beside(beside)

        def told():
            for part, across, own in self._training.blocks(dosage, rows):
                shared = same_family(families[part], self.own)
                prior = common + family * (families[part] != "")
                across *= common + family * shared
                yield part, self._errors.of(across, own * prior, x(part))

        return collect(len(dosage), told())

    def reliability(self, dosage, families):
        """Reliability of each line's GEBV, (m,): 1 - PEV / prior variance."""
        return self.errors(dosage, families)[0]

    def state(self):
        """All that predicts, and, where training lines were kept, what tells errors."""
        names = ("centre", "effects", "families", "departures")
        names += ("variances", "lines", "own", "weights", "beside")
        arrays = {name: getattr(self, name) for name in names}
        told = {name: array for name, array in arrays.items() if array is not None}
        return {"intercept": np.array(self.intercept), **told}

    def without(self, groups, residuals):
        """Errors of the training lines, each predicted without its group, and their sd.

        See `kernels.certainty.LineErrors.without`.
        """
        return self._errors.without(groups, residuals)

    def without_lines(self):
        """The same model, which predicts alone."""
        return replace(self, lines=None, own=None, kernels=None, weights=None, beside=None)

    def summary(self):
        """Heritability, the families' share of the genetic variance, variances, and REML's end."""
        return dict(self.figures)


def from_state(arrays):
    """The model that `FamilyModel.state` wrote: it predicts as before."""
    return FamilyModel(**{**arrays, "intercept": float(arrays["intercept"])}, figures={})


def _scaled(kernel):
    """Z Z' from X X', in place, scaled to a mean diagonal of 1; and that scale."""
    centre(kernel)
    scale = np.trace(kernel) / len(kernel)
    kernel /= scale
    return kernel, scale


def same_family(families, others=None):
    """Whether two lines share a family, (n, m) bool; lines of no family share none.

    `others` (m,) are the families themselves by default.
    """
    families = np.asarray(families)
    others = families if others is None else others
    return (families[:, None] == others) & (others != "")


def _variances(additive, within, y, lines, seed, uneven, beside):
    """REML of up to `lines` lines, drawn at random: variances (3,) and what to report of it."""
    chosen = np.arange(len(y))
    if len(y) > lines:
        chosen = np.sort(np.random.default_rng(seed).choice(len(y), lines, replace=False))
    part = np.ix_(chosen, chosen)
    kernels = [additive[part], additive[part] * within[part]]
    variances, _, converged = estimate(
        kernels, y[chosen], uneven=uneven[chosen], beside=part_of(beside, chosen)
    )
    if not converged:
        log.warning("WARNING REML of %d lines has not converged", len(chosen))
    at_bound = meets_bound(variances, y[chosen])
    return variances, {"reml_lines": len(chosen), "converged": converged, "at_bound": at_bound}


def _figures(variances, additive, within, reml):
    """What `summary` gives; `reml` is what `_variances` says beside them."""
    common, family, residual = variances
    genetic = common + family * float(np.mean(np.diag(additive) * np.diag(within)))
    return {
        "heritability": genetic / (genetic + residual),
        "family_share": 1 - common / genetic if genetic > 0 else np.nan,
        "variance_genetic": genetic,
        "variance_residual": residual,
        **reml,
    }


def fit(dosage, y, *, parameters, seed, families, kernels=None, weights=None, beside=None):
    """Fit family GBLUP.

    Parameters
    ----------
    dosage : ndarray (n, L) int8
        Counts of ALT of the training lines.
    y : ndarray (n,) float64
        Training values in trait units.
    parameters : dict
        reml_lines: most lines whose likelihood is maximised; effects come from all.
    seed : int
        Of the draw of those lines.
    families : ndarray (n,) of str
        An empty string for a line of no family.
    kernels : soyfold.models.kernels.shared.LineKernels, optional
        Of these lines; computed from their dosages where it isn't given.
    weights : ndarray (n,), optional
        How much each value counts: its noise is over them.
    beside : ndarray (n, p), optional
        X of fixed effects beside the mean, as for GBLUP.

    Returns
    -------
    FamilyModel

    Raises
    ------
    UserError
        For fewer than 3 lines, a trait or SNPs without variance, or an offending parameter.
    """
    most = resolve(parameters, __name__)["reml_lines"]
    families = np.asarray(families, dtype=str)
    y = np.asarray(y, dtype=np.float64)
    refuse_unusable(dosage, y, model="family_gblup")
    given, kernels = kernels, kernels or own_kernels(dosage)
    additive, scale = _scaled(kernel_matrix(kernels.products, kernels.rows, ADDITIVE)[0])
    within = same_family(families)
    known, (beside, y) = beside, take_off(beside, y, weights)
    uneven = np.ones(len(y)) if weights is None else 1 / weights
    variances, reml = _variances(additive, within, y, most, seed, uneven, beside)
    figures = _figures(variances, additive, within, reml)
    factor = cho_factor(
        covariance([additive, additive * within], variances, uneven),
        lower=True, overwrite_a=True, check_finite=False,
    )  # fmt: skip
    solved = solve_beside(factor, y, beside)
    dual = solved.dual
    means = dosage.mean(0, dtype=np.float64)
    names = np.unique(families[families != ""])
    departures = np.empty((len(names), dosage.shape[1]))
    for row, name in zip(departures, names, strict=True):
        own = families == name
        row[:] = project(dosage[own], means, dual[own]) * (variances[1] / scale)
    effects = project(dosage, means, dual) * (variances[0] / scale)
    return FamilyModel(
        solved.mean, means, effects, names, departures, figures,
        variances / [scale, scale, 1], dosage, families, given, weights, known,
    )  # fmt: skip
