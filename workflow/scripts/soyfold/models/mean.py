"""The mean predictor: every line gets the training mean. The floor that every table shows."""

from dataclasses import dataclass

import numpy as np

from soyfold.models.parameters import resolve

DECLARATION = {
    "label": "Mean",
    "meaning": "The mean of the training lines for every line: the floor.",
    "kind": "direct",
    "weights": True,
    "untold": 1.0,
    "seeds_per_job": "all",
}  # fmt: skip


@dataclass(frozen=True)
class MeanModel:
    """Mean of the training values, in trait units."""

    mean: float

    def predict(self, dosage):
        """The training mean for each row of dosage (m, L): (m,) float64."""
        return np.full(len(dosage), self.mean)

    def state(self):
        return {"mean": np.array(self.mean)}

    def summary(self):
        return {"mean": self.mean}


def from_state(arrays):
    """The model that `MeanModel.state` wrote: it predicts as before."""
    return MeanModel(float(arrays["mean"]))


def fit(dosage, y, *, parameters, seed, weights=None):
    """Fit the mean predictor.

    Parameters
    ----------
    dosage : ndarray (n, L) int8
        Not used.
    y : ndarray (n,) float64
        Training values in trait units.
    parameters : dict
        Not used.
    seed : int
        Not used.
    weights : ndarray (n,), optional
        How much each value counts.

    Returns
    -------
    MeanModel

    Raises
    ------
    UserError
        For an unknown parameter.
    """
    resolve(parameters, __name__)
    return MeanModel(float(np.average(y, weights=weights)))
