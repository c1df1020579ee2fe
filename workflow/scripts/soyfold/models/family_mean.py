"""Family mean: what family structure alone predicts, the floor under within-family prediction.

y_ij = mu + f_i + e_ij with f_i ~ N(0, s_f^2), e_ij ~ N(0, s_e^2) for line j of family i. A line's
predicted value is mu plus the BLUP of its family's effect, n_i r / (1 + n_i r) (ybar_i - mu) with
r = s_f^2 / s_e^2 (Henderson 1975, doi:10.2307/2529430): the family's mean, shrunk towards mu the
more the fewer lines it has. mu is generalised least squares', r is REML's (Patterson and Thompson
1971, doi:10.1093/biomet/58.3.545). A family without training lines is predicted as mu. Of values
that weigh differently e_ij has s_e^2 / w_ij, n_i is the sum of the w_ij, and ybar_i weighted.
"""

from dataclasses import dataclass, field

import numpy as np

from soyfold.common.errors import UserError
from soyfold.models.parameters import resolve
from soyfold.models.reml import maximise, profiled_log_likelihood

DECLARATION = {
    "label": "Family mean",
    "meaning": "Each family's mean, shrunk: what family structure alone predicts.",
    "kind": "direct",
    "needs": ["families"],
    "weights": True,
    "untold": 1.0,
    "seeds_per_job": "all",
    "citations": [
        {"what": "family means",
         "citation": "Henderson CR (1975) Best linear unbiased estimation and prediction under a "
                     "selection model. Biometrics 31:423-447",
         "doi": "10.2307/2529430"},
    ],
}  # fmt: skip


@dataclass(frozen=True)
class FamilyModel:
    """Predicted values of families, in trait units.

    Attributes
    ----------
    mean : float
        mu, the value of a line of another family or of none.
    names : ndarray (k,) of str
        Families of the training lines, sorted.
    values : ndarray (k,)
        mu + BLUP of each.
    figures : dict
        What `summary` gives.
    """

    mean: float
    names: np.ndarray
    values: np.ndarray
    figures: dict = field(default_factory=dict, repr=False)

    def predict(self, dosage, *, families):
        """Predicted values in trait units of lines of the given families (m,): (m,) float64."""
        families = np.asarray(families, dtype=str)
        place = np.searchsorted(self.names, families).clip(max=len(self.names) - 1)
        return np.where(self.names[place] == families, self.values[place], self.mean)

    def state(self):
        """All that predicts, as named arrays."""
        return {"mean": np.array(self.mean), "names": self.names, "values": self.values}

    def summary(self):
        """Variances, the share of variance between families, and what was estimated from."""
        return dict(self.figures)


def from_state(arrays):
    """The model that `FamilyModel.state` wrote: it predicts as before."""
    return FamilyModel(float(arrays["mean"]), arrays["names"], arrays["values"])


@dataclass(frozen=True)
class Groups:
    """Sufficient statistics of a one-way layout.

    Attributes
    ----------
    size, mean : ndarray (k,)
        Lines of each family, or the sum of their weights, and their mean value.
    within : float
        Sum of squares around the families' means.
    freedom : int
        Lines - 1.
    """

    size: np.ndarray
    mean: np.ndarray
    within: float
    freedom: int

    def centre(self, ratio):
        """mu by generalised least squares, and the weights n_i / (1 + n_i r) of the means."""
        weight = self.size / (1 + ratio * self.size)
        return weight @ self.mean / weight.sum(), weight

    def residual_variance(self, ratio):
        """REML estimate of s_e^2 given r."""
        mu, weight = self.centre(ratio)
        return (self.within + weight @ np.square(self.mean - mu)) / self.freedom

    def log_likelihood(self, ratio):
        """REML log-likelihood at r, with mu and s_e^2 profiled out."""
        _, weight = self.centre(ratio)
        determinant = np.log1p(ratio * self.size).sum() + np.log(weight.sum() / self.size.sum())
        squares = self.residual_variance(ratio) * self.freedom
        return profiled_log_likelihood(squares, determinant, self.freedom)


def _group(y, families, weights):
    """Names of the families, sorted, and their `Groups`."""
    names, place, size = np.unique(families, return_inverse=True, return_counts=True)
    if len(names) < 2 or size.max() < 2:
        raise UserError(
            f"{len(y)} training lines in {len(names)} families of at most {size.max(initial=0)}",
            at="model family_mean",
            allowed="at least 2 families, one of them of 2 lines or more",
            mend="correct cohort.families in the config, or drop the model",
        )
    size = np.bincount(place, weights=weights)
    mean = np.bincount(place, weights=weights * y) / size
    within = float((weights * np.square(y - mean[place])).sum())
    if within == 0:
        raise UserError(
            f"one value for all lines of a family, in all {len(names)} families",
            at="model family_mean",
            allowed="a trait that differs within families",
        )
    return names, Groups(size, mean, within, len(y) - 1)


def fit(dosage, y, *, parameters, seed, families, weights=None):
    """Fit the family means.

    Parameters
    ----------
    dosage : ndarray (n, L) int8
        Not used.
    y : ndarray (n,) float64
        Training values in trait units.
    parameters : dict
        Not used.
    seed : int
        Not used: there is nothing random.
    families : ndarray (n,) of str
        Family of each training line; lines of none (an empty string) are left out.
    weights : ndarray (n,), optional
        How much each value counts: its noise is over them.

    Returns
    -------
    FamilyModel

    Raises
    ------
    UserError
        For fewer than 2 families, families of single lines, a trait that doesn't differ within
        them, or an unknown parameter.
    """
    resolve(parameters, __name__)
    families = np.asarray(families, dtype=str)
    known, weights = families != "", np.ones(len(families)) if weights is None else weights
    names, groups = _group(np.asarray(y, np.float64)[known], families[known], weights[known])
    ratio, at_bound = maximise(groups.log_likelihood)
    mu, weight = groups.centre(ratio)
    residual = groups.residual_variance(ratio)
    figures = {
        "families": len(names),
        "lines_of_no_family": int(np.count_nonzero(~known)),
        "variance_families": ratio * residual,
        "variance_residual": residual,
        "share_between_families": ratio / (1 + ratio),
        "log_likelihood": groups.log_likelihood(ratio),
        "at_bound": at_bound,
    }
    return FamilyModel(float(mu), names, mu + ratio * weight * (groups.mean - mu), figures)
