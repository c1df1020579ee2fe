"""GBLUP of several traits at once: each is predicted from the values of all.

y_t = mu_t + Z u_t + e_t as in `gblup`, with covariances between traits: SNP effects by G, residuals
by R (Henderson and Quaas 1976, doi:10.2527/jas1976.4361188x). Both are put together from REML of
each trait, on all lines that have it, and of each two, on all lines that have both; what few lines
say is held to the phenotypic correlations and to the other traits (`kernels.pooling`), and bent
where that makes no covariance matrices (`kernels.pairwise`). Given these the predictions are exact
BLUPs from all values of all lines, whichever of them are absent (`kernels.grid`).

Of lines to be predicted some traits may be known, cheap or early ones: these values count as any
others. What is predicted is the genetic value alone: residuals that traits of one plot share would
predict the plot's value too, but nothing that is inherited. A correlation with values of the same
plots still takes such shared residuals for accuracy (Runcie and Cheng 2019,
doi:10.1534/g3.119.400598).
"""

import dataclasses
from functools import cached_property

import numpy as np

from soyfold.models.kernels.beside import part_of
from soyfold.models.kernels.likelihood import log_scale, weighted_kernel
from soyfold.models.kernels.names import ADDITIVE
from soyfold.models.kernels.pairwise import Covariances, estimate_pairs, put_together
from soyfold.models.kernels.shared import own_kernels
from soyfold.models.kernels.training_lines import TrainingLines
from soyfold.models.kernels.trait_errors import trait_errors
from soyfold.models.kernels.trait_values import TraitValues, project_lines, solve_values
from soyfold.models.linear import refuse_unusable
from soyfold.models.parameters import resolve

DECLARATION = {
    "label": "Multi-trait GBLUP",
    "meaning": "GBLUP that learns the traits of a group together, by their genetic and residual "
               "correlations.",
    "kind": "direct",
    "joint": True,
    "reliability": True,
    "weights": True,
    "covariates": True,
    "kernels": ["additive"],
    "parameters": {
        "known_traits": {"default": [], "type": "array", "items": {"type": "string"},
                         "uniqueItems": True,
                         "description": "Secondary traits that are known of test lines too: they "
                                        "help to predict the others of their group, never "
                                        "themselves."},
    },
    "citations": [
        {"what": "Multi-trait BLUP",
         "citation": "Henderson CR, Quaas RL (1976) Multiple trait evaluation using relatives' "
                     "records. Journal of Animal Science 43:1188-1197",
         "doi": "10.2527/jas1976.4361188x"},
        {"what": "Known traits of test lines",
         "citation": "Runcie D, Cheng H (2019) Pitfalls and remedies for cross validation with "
                     "multi-trait genomic prediction methods. G3 9:3727-3741",
         "doi": "10.1534/g3.119.400598"},
    ],
}  # fmt: skip
FEWEST = 10  # lines with two traits, from which on these may be correlated
EARLIER = {}  # REML of this process: where lines of one trait come and go, only its pairs are new


@dataclasses.dataclass(frozen=True)
class MultiTraitModel:
    """SNP effects on T traits.

    Attributes
    ----------
    intercept : ndarray (T,)
        Values of a line with the mean dosages.
    centre : ndarray (L,)
        Training means of the dosages.
    effects : ndarray (L, T)
    beside : ndarray (p, T)
        Effects of covariates.
    figures : dict
        What `summary` gives.
    training : TraitValues or None
        None where it wasn't kept: then nothing is known of errors, nor of lines' other traits.
    """

    intercept: np.ndarray
    centre: np.ndarray
    effects: np.ndarray
    beside: np.ndarray
    figures: dict = dataclasses.field(repr=False)
    training: TraitValues | None = dataclasses.field(default=None, repr=False)

    def predict(self, dosage, beside=None):
        """Genetic values in trait units: dosage (m, L) -> (m, T), or (m,) of a lone trait.

        With what covariates add, where the lines' `beside` (m, p) is given.
        """
        values = project_lines(dosage, self.centre, self.effects) + self.intercept
        if beside is not None:
            values = values + beside @ self.beside
        return values[:, 0] if values.shape[1] == 1 else values

    def predict_known(self, dosage, values, trait, *, rows=None, weights=None, beside=None):
        """Genetic values of one trait of new lines, some of whose other traits are known.

        Parameters
        ----------
        dosage : ndarray (m, L)
        values : ndarray (m, T)
            Trait units; NaN where a value isn't known, all those of `trait` among them.
        trait : int
        rows : ndarray (m,) int, keyword only, optional
            Of the study's products, where the model was fitted with these.
        weights : ndarray (m, T), keyword only, optional
            Of the values, as those of the training lines.
        beside : ndarray (m, p), keyword only, optional
            Covariates, whose effects are then in what is predicted.

        Returns
        -------
        ndarray (m,)
        """
        if not np.isnan(values[:, trait]).all():
            raise ValueError(f"known values of trait {trait}, which is to be predicted")
        told = self.training.with_lines(dosage, values, weights, beside, rows)
        intercept, centre, effects, fixed = solve_values(told)
        found = project_lines(dosage, centre, effects[:, [trait]])[:, 0] + intercept[trait]
        return found if beside is None else found + beside @ fixed[:, trait]

    @cached_property
    def _lines(self):
        return TrainingLines(self.training.lines, self.centre, self.training.kernels)

    @cached_property
    def _errors(self):
        told = self.training
        return trait_errors(
            self._lines.within(), told.covariances, told.known,
            weights=told.weights, beside=told.beside,
        )  # fmt: skip

    def errors(self, dosage, rows=None, beside=None):
        """Reliability of each line's genetic values, and the sd of their errors (trait units).

        Parameters
        ----------
        dosage : ndarray (m, L)
        rows : ndarray (m,) int, optional
            Of the study's products, where the model was fitted with these.
        beside : ndarray (m, p), optional
            Covariates of the lines; at their mean without.

        Returns
        -------
        reliability, sd : ndarray (m, T), or (m,) of a lone trait
            See `kernels.certainty`, of lines of which no trait is known. NaN where the training
            lines weren't kept, or are too many (`kernels.trait_errors`).
        """
        found = np.full((2, len(dosage), self.effects.shape[1]), np.nan)
        if self.training is not None and self._errors is not None:
            count = len(self.beside)
            beside = np.zeros((len(dosage), count)) if beside is None else beside
            for part, across, own in self._lines.blocks(dosage, rows):
                found[:, part] = self._errors.of(across, own, beside[part])
        return tuple(found[..., 0] if found.shape[-1] == 1 else found)

    def without(self, groups, residuals):
        """Errors of the training lines, each predicted without its group, and their sd.

        See `kernels.certainty.LineErrors.without`; residuals and both results are (n, T), or (n,)
        of a lone trait.
        """
        found = np.full((2, *residuals.shape), np.nan)
        if self._errors is not None:
            told = self._errors.without(groups, residuals.reshape(len(residuals), -1))
            found[:] = np.reshape(told, found.shape)
        return tuple(found)

    def state(self):
        """All that predicts, and, where training lines were kept, what tells errors."""
        names = ("intercept", "centre", "effects")
        told = {name: getattr(self, name) for name in names} | {"fixed": self.beside}
        return told if self.training is None else told | self.training.state()

    def without_lines(self):
        """The same model, which predicts alone."""
        return dataclasses.replace(self, training=None)

    def summary(self):
        """Heritabilities, correlations of each two traits."""
        return dict(self.figures)


def from_state(arrays):
    """The model that `MultiTraitModel.state` wrote."""
    effects, training = arrays["effects"], None
    if "lines" in arrays:
        genetic, residual = arrays["genetic"], arrays["residual"]
        covariances = Covariances(genetic, residual, np.full(len(genetic), np.nan), False)
        training = TraitValues(
            arrays["lines"], arrays["values"], covariances, arrays.get("weights"), arrays["beside"]
        )
    fixed = arrays.get("fixed", np.zeros((0, effects.shape[1])))
    return MultiTraitModel(arrays["intercept"], arrays["centre"], effects, fixed, {}, training)


def _summary(found, covariances, traits, weights):
    """Heritability of a lone trait, else heritabilities and correlations by name."""
    shares = covariances.heritability
    if len(shares) == 1:
        alone = found[0,].estimate
        return {
            "heritability": shares[0],
            "log_likelihood": alone.log_likelihood + (0 if weights is None else log_scale(weights)),
            "at_bound": bool(alone.at_bound[0, 0]),
        }
    names = traits or [f"trait{number}" for number in range(1, len(shares) + 1)]
    told = {f"heritability_{name}": share for name, share in zip(names, shares, strict=True)}
    for kind, matrix in (("genetic", covariances.genetic), ("residual", covariances.residual)):
        sd = np.sqrt(np.maximum(np.diag(matrix), 1e-300))
        for i, j in zip(*np.triu_indices(len(names), 1), strict=True):
            told[f"{kind}_correlation_{names[i]}_{names[j]}"] = matrix[i, j] / (sd[i] * sd[j])
    at_bound = any(found[trait,].estimate.at_bound[0, 0] for trait in range(len(shares)))
    return told | {"bent": covariances.bent, "at_bound": at_bound}


def fit(dosage, y, *, parameters, seed, kernels=None, traits=(), weights=None, beside=None):
    """Fit GBLUP of several traits.

    Parameters
    ----------
    dosage : ndarray (n, L) int8
        Counts of ALT of the training lines.
    y : ndarray (n, T) or (n,) float64
        Training values in trait units; NaN where a line has no value of one of T traits.
    parameters : dict
        Not used here: what is known of new lines is up to those who predict them.
    seed : int
        Not used: there is nothing random.
    kernels : soyfold.models.kernels.shared.LineKernels, optional
        Of these lines; computed from their dosages where it isn't given.
    traits : sequence of str, optional
        Names for the summary.
    weights : ndarray of y's shape, optional
        How much each value counts: a line's residuals are W^-1/2 e, e ~ N(0, R).
    beside : ndarray (n, p), optional
        X of fixed effects beside the means, as for GBLUP.

    Returns
    -------
    MultiTraitModel

    Raises
    ------
    UserError
        For a trait with fewer than `FEWEST` lines, a trait or SNPs without variance.
    """
    resolve(parameters, __name__)
    values = np.asarray(y, dtype=np.float64).reshape(len(y), -1)
    weights = None if weights is None else weights.reshape(values.shape)
    for column in values.T:
        known = ~np.isnan(column)
        refuse_unusable(dosage[known], column[known], model="multi_trait_gblup")
        if beside is not None:
            part_of(beside, known)
    given, kernels = kernels, kernels or own_kernels(dosage)

    def kernel_of(chosen, weights=None):
        own = dataclasses.replace(kernels, rows=kernels.rows[chosen])
        if weights is None:
            return own.kernel(ADDITIVE)
        return weighted_kernel(own.matrix(ADDITIVE)[0], weights)

    least = min(FEWEST, int((~np.isnan(values)).sum(0).min()))
    found = estimate_pairs(
        values, kernel_of, fewest=least, beside=beside, weights=weights, kept=(dosage, EARLIER)
    )
    covariances = put_together(found, values.shape[1])
    beside = np.zeros((len(values), 0)) if beside is None else beside
    training = TraitValues(dosage, values, covariances, weights, beside, given)
    solved = solve_values(dataclasses.replace(training, kernels=kernels))
    figures = _summary(found, covariances, traits, weights)
    return MultiTraitModel(*solved, figures, training)
