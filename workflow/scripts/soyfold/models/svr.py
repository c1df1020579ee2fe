"""Support vector regression with a Gaussian kernel.

f(x) = b + sum over support lines i of a_i exp(-g d^2(x, x_i) / D), d^2 the squared distance between
dosages and D its mean over pairs of training lines, so that g hangs neither on the number of SNPs
nor on the lines. Errors below epsilon cost nothing, those above it C per unit (Drucker et al. 1997;
in breeding: Long et al. 2011, doi:10.1007/s00122-011-1648-y). C and epsilon are in standard
deviations of the trait; where values weigh differently, a line's C is times its weight. g, C and
epsilon are chosen on validation lines; the kernel of a g serves all C and epsilon.
"""

import itertools
from dataclasses import dataclass, field

import numpy as np
from sklearn.svm import SVR

from soyfold.common.blocks import blocks, line_products
from soyfold.models.linear import refuse_unusable, weighted_moments
from soyfold.models.parameters import resolve

DECLARATION = {
    "label": "SVR",
    "meaning": "Support vector regression with a Gaussian kernel, chosen by validation.",
    "kind": "direct",
    "needs": ["validation"],
    "weights": True,
    "seeds_per_job": "all",
    "parameters": {
        "gammas": {"default": [0.125, 0.25, 0.5, 1.0], "type": "array",
                   "items": {"type": "number", "exclusiveMinimum": 0}, "minItems": 1,
                   "uniqueItems": True,
                   "description": "Rates of exp(-gamma d^2 / mean d^2), those to try."},
        "costs": {"default": [2.0, 8.0, 32.0], "type": "array",
                  "items": {"type": "number", "exclusiveMinimum": 0}, "minItems": 1,
                  "uniqueItems": True,
                  "description": "Costs C of an error, those to try; in standard deviations of "
                                 "the trait."},
        "epsilons": {"default": [0.1, 0.3, 0.6], "type": "array",
                     "items": {"type": "number", "minimum": 0}, "minItems": 1, "uniqueItems": True,
                     "description": "Errors that cost nothing, those to try; in standard "
                                    "deviations of the trait."},
    },
    "citations": [
        {"what": "support vector regression",
         "citation": "Long N et al. (2011) Application of support vector regression to "
                     "genome-assisted prediction of quantitative traits. Theor Appl Genet "
                     "123:1065-1074",
         "doi": "10.1007/s00122-011-1648-y"},
    ],
}  # fmt: skip
CACHE_MB = 500  # of libsvm; more doesn't pay with a kernel that is there already


@dataclass(frozen=True)
class SupportModel:
    """A fitted support vector regression.

    Attributes
    ----------
    intercept : float
        b, in trait units.
    lines : ndarray (s, L) int8
        Dosages of the support lines.
    weights : ndarray (s,)
        a, in trait units.
    rate : float
        g / D: exponent per unit of squared distance.
    held_out : ndarray (m,)
        Predictions of the validation lines by the fit on the training lines alone.
    figures : dict
        What `summary` gives.
    """

    intercept: float
    lines: np.ndarray
    weights: np.ndarray
    rate: float
    held_out: np.ndarray | None = field(default=None, repr=False)
    figures: dict = field(default_factory=dict, repr=False)

    def predict(self, dosage):
        """Predicted values in trait units: dosage (m, L) counts of ALT -> (m,) float64."""
        values = np.full(len(dosage), self.intercept)
        for rows in blocks(len(dosage)):
            distances = squared_distances(dosage[rows], self.lines)
            values[rows] += np.exp(-self.rate * distances) @ self.weights
        return values

    def state(self):
        """All that predicts, as named arrays; the support lines' dosages are the bulk."""
        return {
            "intercept": np.array(self.intercept),
            "lines": self.lines,
            "weights": self.weights,
            "rate": np.array(self.rate),
        }

    def summary(self):
        """What validation chose, and the number of support lines."""
        return dict(self.figures)


def from_state(arrays):
    """The model that `SupportModel.state` wrote: it predicts as before."""
    return SupportModel(
        float(arrays["intercept"]), arrays["lines"], arrays["weights"], float(arrays["rate"])
    )


def squared_distances(left, right):
    """d^2 (m, n) between lines with dosages (m, L) and (n, L): whole numbers, exact."""
    products = line_products(left, right)
    squares = [np.einsum("ij,ij->i", x, x, dtype=np.int64) for x in (left, right)]
    products *= -2.0
    products += squares[0][:, None].astype(products.dtype)
    products += squares[1].astype(products.dtype)
    return products


def _kernel(distances, rate):
    # libsvm computes in float64 and would copy any other type.
    return np.exp(-rate * distances.astype(np.float64))


def _support(kernel, z, weights, cost, epsilon):
    """libsvm's solution: rows of the support lines, their weights, intercept (in z-scores)."""
    machine = SVR(kernel="precomputed", C=cost, epsilon=epsilon, cache_size=CACHE_MB)
    found = machine.fit(kernel, z, sample_weight=weights)
    return found.support_, found.dual_coef_[0], float(found.intercept_[0])


def _choose(distances, z, judged, observed, grid, weights=None, judged_weights=None):
    """Walk over the grid.

    Parameters
    ----------
    distances : ndarray (n, n)
        Between training lines, divided by their mean.
    z : ndarray (n,)
    judged : ndarray (m, n)
        Between validation and training lines, divided by the same mean.
    observed : ndarray (m,)
        z-scores of the validation lines.
    grid : tuple of lists
        g, C, epsilon.
    weights, judged_weights : ndarray (n,), (m,), optional

    Returns
    -------
    tuple
        Error (mean square of z-scores), (g, C, epsilon), predicted z-scores (m,), at the best.
    """
    best = (np.inf, None, None)
    gammas, costs, epsilons = grid
    for gamma in gammas:
        kernel, to_judged = _kernel(distances, gamma), _kernel(judged, gamma)
        for cost, epsilon in itertools.product(costs, epsilons):
            rows, pull, intercept = _support(kernel, z, weights, cost, epsilon)
            predicted = to_judged[:, rows] @ pull + intercept
            error = float(np.average(np.square(predicted - observed), weights=judged_weights))
            if error < best[0]:
                best = (error, (gamma, cost, epsilon), predicted)
    return best


def _scaled_distances(dosage):
    """Squared distances between lines over their mean, and that mean."""
    distances = squared_distances(dosage, dosage)
    n = len(dosage)
    mean = float(distances.sum(dtype=np.float64)) / (n * (n - 1))
    distances /= mean
    return distances, mean


def fit(dosage, y, *, parameters, seed, validation, weights=None, validation_weights=None):
    """Fit a support vector regression.

    Parameters
    ----------
    dosage : ndarray (n, L) int8
        Counts of ALT of the training lines.
    y : ndarray (n,) float64
        Training values in trait units.
    parameters : dict
        gammas, costs, epsilons: the g, C and epsilon to try, in all combinations. refit: after the
        choice, on training and validation lines together (default).
    seed : int
        Not used: libsvm's solver has nothing random.
    validation : tuple of ndarray (m, L) int8, (m,)
        Dosages and values of the lines by which g, C and epsilon are chosen.
    weights, validation_weights : ndarray (n,), (m,), optional
        How much each value counts.

    Returns
    -------
    SupportModel

    Raises
    ------
    UserError
        For fewer than 3 lines, a trait or SNPs without variance, or an offending parameter.
    """
    p = resolve(parameters, __name__)
    y = np.asarray(y, dtype=np.float64)
    refuse_unusable(dosage, y, model="svr")
    mean, sd = weighted_moments(y, weights)
    distances, spread = _scaled_distances(dosage)
    judged = squared_distances(validation[0], dosage) / spread
    _, chosen, held_out = _choose(
        distances,
        (y - mean) / sd,
        judged,
        (np.asarray(validation[1]) - mean) / sd,
        (p["gammas"], p["costs"], p["epsilons"]),
        weights,
        validation_weights,
    )
    held_out = mean + sd * held_out
    if p["refit"]:
        dosage, y = np.vstack([dosage, validation[0]]), np.concatenate([y, validation[1]])
        if weights is not None:
            weights = np.concatenate([weights, validation_weights])
        mean, sd = weighted_moments(y, weights)
        distances, spread = _scaled_distances(dosage)
    gamma, cost, epsilon = chosen
    kernel = _kernel(distances, gamma)
    rows, pull, intercept = _support(kernel, (y - mean) / sd, weights, cost, epsilon)
    figures = {"gamma": gamma, "cost": cost, "epsilon": epsilon, "support_lines": len(rows)}
    return SupportModel(
        mean + sd * intercept, dosage[rows], sd * pull, gamma / spread, held_out, figures
    )
