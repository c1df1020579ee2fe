"""Elastic net: SNP effects under a mixed penalty, which sets most of them to zero.

Least of 1/(2n) ||y - Z b||^2 + a (l ||b||_1 + (1 - l)/2 ||b||_2^2), y the trait in z-scores and Z
the dosages minus their training means (Zou and Hastie 2005, doi:10.1111/j.1467-9868.2005.00503.x);
of values that weigh differently, all means and the sum of squares are weighted.
In z-scores, since the balance of the two penalties would change with the trait's unit. SNPs aren't
divided by their deviations: a rare allele's effect is shrunk more, as in GBLUP. For each l, a is
lowered step by step, each fit starting at the last one's effects (Friedman, Hastie and Tibshirani
2010, doi:10.18637/jss.v033.i01); the fit of least error on validation lines gives a and l.
"""

import dataclasses
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import enet_path

from soyfold.models.linear import RidgeModel, refuse_unusable, weighted_means, weighted_moments
from soyfold.models.parameters import resolve

DECLARATION = {
    "label": "Elastic net",
    "meaning": "Additive effects, most of them zero; penalties by validation.",
    "kind": "direct",
    "needs": ["validation"],
    "weights": True,
    "linear": True,
    "seeds_per_job": "all",
    "parameters": {
        "l1_ratios": {"default": [0.1, 0.5, 1.0], "type": "array",
                      "items": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
                      "minItems": 1, "uniqueItems": True,
                      "description": "Shares of the absolute in the penalty, those to try; 1 is "
                                     "the lasso."},
        "steps": {"default": 30, "type": "integer", "minimum": 2,
                  "description": "Penalties of a path."},
    },
    "citations": [
        {"what": "elastic net",
         "citation": "Zou H, Hastie T (2005) Regularization and variable selection via the "
                     "elastic net. J R Stat Soc B 67:301-320",
         "doi": "10.1111/j.1467-9868.2005.00503.x"},
    ],
}  # fmt: skip
SPAN = 1e-3  # the path's last penalty over its first, at which all effects are zero
PATIENCE = 4  # steps without a lower validation error, after which a path isn't walked on
# Up to so many SNPs Z'Z fits in 0.8 GB, and spares each step the lines: on 3,719 lines x 4,341 SNPs
# a path takes 12 s with it, 58 s without.
GRAM_SNPS = 10_000
ITERATIONS, TOLERANCE = 1000, 1e-3  # sweeps a step; dual gap over ||y||^2


@dataclasses.dataclass(frozen=True)
class SparseModel(RidgeModel):
    """SNP effects, most of them zero.

    Attributes
    ----------
    held_out : ndarray (m,)
        Predictions of the validation lines by the fit on the training lines alone.
    """

    held_out: np.ndarray = dataclasses.field(default=None, repr=False)


def from_state(arrays):
    """The model that `SparseModel.state` wrote: it predicts as before."""
    return SparseModel(float(arrays["intercept"]), arrays["centre"], arrays["effects"], {})


class Descent:
    """The penalised least squares of some lines, solved for one penalty after another.

    Parameters
    ----------
    dosage : ndarray (n, L) int8
    y : ndarray (n,) float64
    weights : ndarray (n,), optional
    """

    def __init__(self, dosage, y, weights=None):
        self.centre = weighted_means(dosage, weights)
        self.mean, self.sd = weighted_moments(y, weights)
        by_gram = dosage.shape[1] <= GRAM_SNPS
        # Coordinate descent walks along columns; without Z'Z it is Z that takes the memory.
        kind = np.float64 if by_gram else np.float32
        self.lines = np.asfortranarray(dosage, dtype=kind)
        self.lines -= self.centre.astype(kind)
        self.values = ((y - self.mean) / self.sd).astype(kind)
        if weights is not None:
            roots = np.sqrt(weights / weights.mean()).astype(kind)
            self.lines *= roots[:, None]
            self.values *= roots
        self.covariances = self.lines.T @ self.values
        self.gram = self.lines.T @ self.lines if by_gram else False

    def largest_penalty(self, l1_ratio):
        """The least penalty that leaves no effect."""
        return float(np.abs(self.covariances).max()) / (len(self.values) * l1_ratio)

    def solve(self, penalty, l1_ratio, start=None):
        """z-scored effects (L,) at a penalty, from those of `start`; whether they converged."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # told by `converged` instead
            _, effects, _, sweeps = enet_path(
                self.lines,
                self.values,
                l1_ratio=l1_ratio,
                alphas=[penalty],
                precompute=self.gram,
                Xy=self.covariances,
                coef_init=start,
                max_iter=ITERATIONS,
                tol=TOLERANCE,
                return_n_iter=True,
                check_input=False,
            )
        return np.asfortranarray(effects[:, 0]), sweeps[0] < ITERATIONS

    def model(self, effects):
        """z-scored effects as a model that predicts."""
        return SparseModel(self.mean, self.centre, self.sd * effects.astype(np.float64), {})


def _penalties(largest, steps):
    return np.geomspace(largest, largest * SPAN, steps)


def _walk(descent, l1_ratio, steps, validation, weights=None):
    """Walk down a path until the validation error, weighted or not, no longer falls.

    Returns
    -------
    tuple
        Error (mean square), penalty and predictions of the validation lines, at its best step.
    """
    dosage, y = validation
    best, effects, since = (np.inf, None, None), None, 0
    for penalty in _penalties(descent.largest_penalty(l1_ratio), steps):
        effects, _ = descent.solve(penalty, l1_ratio, effects)
        predicted = descent.model(effects).predict(dosage)
        error = float(np.average(np.square(predicted - y), weights=weights))
        since = 0 if error < best[0] else since + 1
        if since == 0:
            best = (error, float(penalty), predicted)
        elif since == PATIENCE:
            break
    return best


def _settle(descent, penalty, l1_ratio, steps):
    """z-scored effects at a penalty, by the path that leads there; whether they converged."""
    path = _penalties(descent.largest_penalty(l1_ratio), steps)
    effects = None
    for stop in path[path > penalty]:
        effects, _ = descent.solve(stop, l1_ratio, effects)
    return descent.solve(penalty, l1_ratio, effects)


def fit(dosage, y, *, parameters, seed, validation, weights=None, validation_weights=None):
    """Fit an elastic net.

    Parameters
    ----------
    dosage : ndarray (n, L) int8
        Counts of ALT of the training lines.
    y : ndarray (n,) float64
        Training values in trait units.
    parameters : dict
        l1_ratios: the l to try. steps: penalties of a path. refit: after the choice, on training
        and validation lines together (default).
    seed : int
        Not used: there is nothing random.
    validation : tuple of ndarray (m, L) int8, (m,)
        Dosages and values of the lines by which penalty and l are chosen.
    weights, validation_weights : ndarray (n,), (m,), optional
        How much each value counts.

    Returns
    -------
    SparseModel

    Raises
    ------
    UserError
        For fewer than 3 lines, a trait or SNPs without variance, or an offending parameter.
    """
    p = resolve(parameters, __name__)
    y = np.asarray(y, dtype=np.float64)
    refuse_unusable(dosage, y, model="elastic_net")
    descent = Descent(dosage, y, weights)
    walks = {
        ratio: _walk(descent, ratio, p["steps"], validation, validation_weights)
        for ratio in p["l1_ratios"]
    }
    l1_ratio = min(walks, key=lambda ratio: walks[ratio][0])
    _, penalty, held_out = walks[l1_ratio]
    if p["refit"]:
        del descent  # two Z'Z would take twice the memory
        both = None if weights is None else np.concatenate([weights, validation_weights])
        dosage, y = np.vstack([dosage, validation[0]]), np.concatenate([y, validation[1]])
        descent = Descent(dosage, y, both)
    effects, converged = _settle(descent, penalty, l1_ratio, p["steps"])
    figures = {
        "l1_ratio": l1_ratio,
        "penalty": penalty,
        "effects_not_zero": np.count_nonzero(effects),
        "converged": converged,
    }
    return dataclasses.replace(descent.model(effects), figures=figures, held_out=held_out)
