"""Blend: a convex combination of other models' predictions, weighted on validation lines.

The models are stacked as by Breiman (1996, Stacked regressions, Machine Learning 24:49-64): by what
fits that hadn't seen the validation lines told of them, with weights that are not negative and add
up to 1. Of few lines the weights are mostly noise, so they are drawn towards equal ones.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from soyfold.models.parameters import resolve

DECLARATION = {
    "label": "Blend",
    "meaning": "A convex combination of other models' predictions, weighted on validation lines.",
    "kind": "blend",
    "parameters": {
        "weights": {"default": "validation", "enum": ["validation", "equal"],
                    "description": "Fitted on validation lines, or equal."},
        "shrink": {"default": 500.0, "type": "number", "minimum": 0,
                   "description": "Validation lines that equal weights count for: (m w + s / K) "
                                  "/ (m + s)."},
    },
}  # fmt: skip


@dataclass(frozen=True)
class BlendModel:
    """Weights (K,) of K models, and those before they were shrunk; `lines` they were fitted on."""

    weights: np.ndarray
    fitted: np.ndarray
    lines: int

    def predict(self, predictions):
        """Weighted mean (m,) of the models' predictions (m, K)."""
        return predictions @ self.weights

    def state(self):
        return {"weights": self.weights, "fitted": self.fitted}


def from_state(arrays):
    """The model that `BlendModel.state` wrote: it predicts as before."""
    return BlendModel(arrays["weights"], arrays["fitted"], 0)


def convex_weights(predictions, y):
    """Weights of the least mean squared error among those that are convex.

    With weights that add up to 1 the error of the mean is E w, E the errors (m, K) of the models.
    Over u >= 0, |E u|^2 + (1 - sum u)^2 is least along the very direction in which |E w|^2 is: for
    u = s w the best s leaves |E w|^2 / (1 + |E w|^2). So one non-negative least squares is exact.

    Parameters
    ----------
    predictions : ndarray (m, K) float64
    y : ndarray (m,) float64
        The same unit.

    Returns
    -------
    ndarray (K,) float64
    """
    errors = predictions - y[:, None]
    scale = np.sqrt(np.mean(errors**2) * len(y)) or 1.0
    u, _ = nnls(np.vstack([errors / scale, np.ones(errors.shape[1])]), np.r_[np.zeros(len(y)), 1])
    return u / u.sum()


def shrink_weights(weights, *, lines, strength):
    """Weights drawn towards equal ones: (m w + s / K) / (m + s).

    Parameters
    ----------
    weights : ndarray (K,)
    lines : int
        m, lines that they were fitted on.
    strength : float
        s, lines that equal weights count for.
    """
    equal = np.full(len(weights), 1 / len(weights))
    return (lines * weights + strength * equal) / (lines + strength)


def fit(predictions, y, *, parameters):
    """Fit the weights of K models.

    Parameters
    ----------
    predictions : ndarray (m, K) float64
        Of validation lines, by fits that hadn't seen them; trait units.
    y : ndarray (m,) float64
    parameters : dict
        `weights`: validation, or equal; `shrink`: lines that equal weights count for.

    Returns
    -------
    BlendModel

    Raises
    ------
    UserError
        For an unknown parameter.
    """
    p = resolve(parameters, __name__)
    count = predictions.shape[1]
    equal = np.full(count, 1 / count)
    if p["weights"] == "equal":
        return BlendModel(equal, equal, 0)
    fitted = convex_weights(predictions, y)
    weights = shrink_weights(fitted, lines=len(y), strength=p["shrink"])
    return BlendModel(weights, fitted, len(y))
