"""GBLUP of several traits at once: each is predicted from the values of all.

y_t = mu_t + Z u_t + e_t as in `gblup`, with covariances between traits: SNP effects by G, residuals
by R (Henderson and Quaas 1976, doi:10.2527/jas1976.4361188x). Both are put together from REML of
each trait, on all lines that have it, and of each two, on all lines that have both, and are bent
where that makes no covariance matrices (`kernels.pairwise`). Given these the predictions are exact
BLUPs from all values of all lines, whichever of them are absent (`kernels.grid`).

Of lines to be predicted some traits may be known, cheap or early ones: these values count as any
others. What is predicted is the genetic value alone: residuals that traits of one plot share would
predict the plot's value too, but nothing that is inherited. A correlation with values of the same
plots still takes such shared residuals for accuracy (Runcie and Cheng 2019,
doi:10.1534/g3.119.400598).
"""

import dataclasses

import numpy as np

from soyfold.models.kernels.grid import Grid
from soyfold.models.kernels.names import ADDITIVE
from soyfold.models.kernels.pairwise import estimate_pairs, put_together
from soyfold.models.kernels.shared import own_kernels
from soyfold.models.linear import project, refuse_unusable
from soyfold.models.parameters import resolve

DECLARATION = {
    "label": "Multi-trait GBLUP",
    "meaning": "GBLUP that learns the traits of a group together, by their genetic and residual "
               "correlations.",
    "kind": "direct",
    "joint": True,
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
    figures : dict
        What `summary` gives.
    training : tuple
        Dosages, values, kernels and covariances of the training lines; not saved.
    """

    intercept: np.ndarray
    centre: np.ndarray
    effects: np.ndarray
    figures: dict = dataclasses.field(repr=False)
    training: tuple = dataclasses.field(default=(), repr=False)

    def predict(self, dosage):
        """Genetic values in trait units: dosage (m, L) -> (m, T), or (m,) of a lone trait."""
        values = project_lines(dosage, self.centre, self.effects) + self.intercept
        return values[:, 0] if values.shape[1] == 1 else values

    def predict_known(self, dosage, values, trait, rows=None):
        """Genetic values of one trait of new lines, some of whose other traits are known.

        Parameters
        ----------
        dosage : ndarray (m, L)
        values : ndarray (m, T)
            Trait units; NaN where a value isn't known, all those of `trait` among them.
        trait : int
        rows : ndarray (m,) int, optional
            Of the study's products, where the model was fitted with these.

        Returns
        -------
        ndarray (m,)
        """
        if not np.isnan(values[:, trait]).all():
            raise ValueError(f"known values of trait {trait}, which is to be predicted")
        lines, known, kernels, covariances = self.training
        lines, known = np.concatenate([lines, dosage]), np.concatenate([known, values])
        if kernels is None or rows is None:
            kernels = own_kernels(lines)
        else:
            kernels = dataclasses.replace(kernels, rows=np.append(kernels.rows, rows))
        intercept, centre, effects = _solve(kernels, lines, known, covariances)
        return project_lines(dosage, centre, effects[:, [trait]])[:, 0] + intercept[trait]

    def state(self):
        """All that predicts, as named arrays."""
        return {name: getattr(self, name) for name in ("intercept", "centre", "effects")}

    def summary(self):
        """Heritabilities, correlations of each two traits."""
        return dict(self.figures)


def from_state(arrays):
    """The model that `MultiTraitModel.state` wrote."""
    return MultiTraitModel(arrays["intercept"], arrays["centre"], arrays["effects"], {})


def project_lines(dosage, centre, effects):
    """(dosage - centre) effects, (m, T)."""
    step = max(16, 2**24 // max(1, dosage.shape[1]))
    values = np.empty((len(dosage), effects.shape[1]))
    for start in range(0, len(dosage), step):
        values[start : start + step] = dosage[start : start + step].astype(np.float64) @ effects
    return values - centre @ effects


def _solve(kernels, dosage, values, covariances):
    """BLUP of all lines' values (n, T): intercepts (T,), means of the dosages, effects (L, T)."""
    kernel, known = kernels.kernel(ADDITIVE), ~np.isnan(values)
    count = values.shape[1]
    means = np.nanmean(values, axis=0)
    columns = np.zeros((kernel.decomposed, count, 1 + count))
    columns[kernel.places, :, 0] = np.where(known, values - means, 0.0)
    for trait in range(count):
        columns[kernel.places, trait, 1 + trait] = known[:, trait]
    solved = Grid(kernel, covariances, known).solve(columns)[kernel.places]
    sums = solved.sum(0)  # over the cells that are known, a trait at a time
    dual = solved[:, :, 0] - solved[:, :, 1:] @ np.linalg.solve(sums[:, 1:], sums[:, 0])
    centre = dosage.mean(0, dtype=np.float64)
    effects = project(dosage, centre, dual @ covariances.genetic)
    # Values are mu + g + e with e = R dual, line by line, whatever the kernel was centred by.
    left = values - dual @ covariances.residual - project_lines(dosage, centre, effects)
    return np.nanmean(left, axis=0), centre, effects


def _summary(found, covariances, traits):
    """Heritability of a lone trait, else heritabilities and correlations by name."""
    shares = covariances.heritability
    if len(shares) == 1:
        alone = found[0,].estimate
        return {
            "heritability": shares[0],
            "log_likelihood": alone.log_likelihood,
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


def fit(dosage, y, *, parameters, seed, kernels=None, traits=()):
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
    for column in values.T:
        known = ~np.isnan(column)
        refuse_unusable(dosage[known], column[known], model="multi_trait_gblup")
    given, kernels = kernels, kernels or own_kernels(dosage)

    def kernel_of(chosen):
        return dataclasses.replace(kernels, rows=kernels.rows[chosen]).kernel(ADDITIVE)

    least = min(FEWEST, int((~np.isnan(values)).sum(0).min()))
    found = estimate_pairs(values, kernel_of, fewest=least)
    covariances = put_together(found, values.shape[1])
    solved = _solve(kernels, dosage, values, covariances)
    figures = _summary(found, covariances, traits)
    return MultiTraitModel(*solved, figures, (dosage, values, given, covariances))
