"""Gradient boosting: small trees, each fitted to what those before it left over (Friedman 2001,
doi:10.1214/aos/1013203451), by LightGBM (Ke et al. 2017).

A dosage has three values, so that the histograms that splits are looked for in have three bins. The
number of trees, and the leaves of each, are chosen on validation lines; the refit on training and
validation lines grows as many. Of a binary trait cross-entropy is made small, not squared error,
and predictions are probabilities; lines whose records differ have shares as values.
"""

from dataclasses import dataclass, field

import lightgbm
import numpy as np

from soyfold.models.linear import refuse_unusable
from soyfold.models.parameters import resolve

DECLARATION = {
    "label": "LightGBM",
    "meaning": "Gradient boosting: small trees, each fitted to what those before it left over.",
    "kind": "direct",
    "weights": True,
    "binary": True,
    "needs": ["validation"],
    "seeds_per_job": "all",
    "parameters": {
        "leaves": {"default": [4, 7, 15], "type": "array",
                   "items": {"type": "integer", "minimum": 2}, "minItems": 1, "uniqueItems": True,
                   "description": "Leaves a tree, those to try."},
        "learning_rate": {"default": 0.05, "type": "number", "exclusiveMinimum": 0, "maximum": 1,
                          "description": "Share of each tree that is kept."},
        "snp_share": {"default": 0.1, "type": "number", "exclusiveMinimum": 0, "maximum": 1,
                      "description": "Share of the SNPs that a tree is grown on, drawn at "
                                     "random."},
        "line_share": {"default": 0.7, "type": "number", "exclusiveMinimum": 0, "maximum": 1,
                       "description": "Share of the lines that a tree is grown on, drawn at "
                                      "random."},
        "min_samples_leaf": {"default": 20, "type": "integer", "minimum": 1,
                             "description": "Fewest lines of a leaf."},
        "l2": {"default": 1.0, "type": "number", "minimum": 0,
               "description": "Penalty on a leaf's value, in lines."},
        "rounds": {"default": 5000, "type": "integer", "minimum": 1,
                   "description": "Trees at most."},
        "patience": {"default": 50, "type": "integer", "minimum": 1,
                     "description": "Trees without a lower validation error that end the growth."},
    },
    "citations": [
        {"what": "boosted trees",
         "citation": "Friedman JH (2001) Greedy function approximation: a gradient boosting "
                     "machine. Ann Stat 29:1189-1232",
         "doi": "10.1214/aos/1013203451"},
        {"what": "LightGBM",
         "citation": "Ke G et al. (2017) LightGBM: a highly efficient gradient boosting decision "
                     "tree. NeurIPS 30"},
    ],
}  # fmt: skip


@dataclass(frozen=True)
class BoostedModel:
    """Boosted trees in LightGBM's own words.

    Attributes
    ----------
    mean, sd : float
        What turns the trees' z-scores into trait units.
    text : str
        LightGBM's model file.
    held_out : ndarray (m,)
        Predictions of the validation lines by the fit on the training lines alone.
    figures : dict
        What `summary` gives.
    """

    mean: float
    sd: float
    text: str = field(repr=False)
    held_out: np.ndarray | None = field(default=None, repr=False)
    figures: dict = field(default_factory=dict, repr=False)

    def predict(self, dosage):
        """Predicted values in trait units: dosage (m, L) counts of ALT -> (m,) float64."""
        trees = lightgbm.Booster(model_str=self.text)
        return self.mean + self.sd * trees.predict(dosage, num_threads=1)

    def state(self):
        """All that predicts, as named arrays: the model file as bytes."""
        return {
            "mean": np.array(self.mean),
            "sd": np.array(self.sd),
            "text": np.frombuffer(self.text.encode(), dtype=np.uint8),
        }

    def summary(self):
        """Leaves and number of the trees."""
        return dict(self.figures)


def from_state(arrays):
    """The model that `BoostedModel.state` wrote: it predicts as before."""
    return BoostedModel(
        float(arrays["mean"]), float(arrays["sd"]), arrays["text"].tobytes().decode()
    )


def _options(p, leaves, seed, loss):
    """LightGBM's parameters."""
    return {
        "objective": loss,
        "num_leaves": leaves,
        "learning_rate": p["learning_rate"],
        "feature_fraction": p["snp_share"],
        "bagging_fraction": p["line_share"],
        "bagging_freq": 1,
        "min_data_in_leaf": p["min_samples_leaf"],
        "lambda_l2": p["l2"],
        "max_bin": 4,
        "min_data_in_bin": 1,
        "seed": seed,
        # Trees don't depend on the machine; histograms by column take half the time of by row.
        "deterministic": True,
        "force_col_wise": True,
        "num_threads": 1,
        "verbose": -1,
    }


def _grow(p, leaves, seed, lines, validation, loss):
    """Grow trees until the validation error has not fallen for `patience` trees.

    Returns
    -------
    tuple
        Error (mean square of z-scores, or cross-entropy), leaves, booster.
    """
    booster = lightgbm.train(
        _options(p, leaves, seed, loss),
        lines,
        p["rounds"],
        valid_sets=[validation],
        valid_names=["validation"],
        callbacks=[lightgbm.early_stopping(p["patience"], verbose=False)],
    )
    (error,) = booster.best_score["validation"].values()
    return error, leaves, booster


def fit(
    dosage, y, *, parameters, seed, validation, weights=None, validation_weights=None, binary=False
):  # fmt: skip
    """Fit boosted trees.

    Parameters
    ----------
    dosage : ndarray (n, L) int8
        Counts of ALT of the training lines.
    y : ndarray (n,) float64
        Training values in trait units.
    parameters : dict
        leaves: leaves a tree, those to try. learning_rate: share of each tree that is kept.
        snp_share, line_share: what a tree is grown on, drawn at random. min_samples_leaf: fewest
        lines of a leaf. l2: penalty on a leaf's value, in lines. rounds: trees at most. patience:
        trees without a lower validation error before growth stops. refit: after the choice, on
        training and validation lines together (default).
    seed : int
        Of the draws.
    validation : tuple of ndarray (m, L) int8, (m,)
        Dosages and values of the lines by which leaves and number of trees are chosen.
    weights, validation_weights : ndarray (n,), (m,), optional
        How much each value counts.
    binary : bool
        Whether values are classes 0 and 1, or shares of 1.

    Returns
    -------
    BoostedModel

    Raises
    ------
    UserError
        For fewer than 3 lines, a trait or SNPs without variance, or an offending parameter.
    """
    p = resolve(parameters, __name__)
    y = np.asarray(y, dtype=np.float64)
    refuse_unusable(dosage, y, model="boosted_trees")
    judged, observed = validation
    loss = "cross_entropy" if binary else "regression"
    mean, sd = (0.0, 1.0) if binary else (float(y.mean()), float(y.std()))
    # Binned once: what is tried differs in leaves alone.
    options = _options(p, p["leaves"][0], seed, loss)
    lines = lightgbm.Dataset(dosage, (y - mean) / sd, weight=weights, params=options)
    scaled = lines.create_valid(
        judged, (np.asarray(observed) - mean) / sd, weight=validation_weights
    )
    tried = [_grow(p, leaves, seed, lines, scaled, loss) for leaves in p["leaves"]]
    _, leaves, booster = min(tried, key=lambda found: found[0])
    rounds = booster.best_iteration
    held_out = mean + sd * booster.predict(judged, num_iteration=rounds, num_threads=1)
    if p["refit"]:
        dosage, y = np.vstack([dosage, judged]), np.concatenate([y, observed])
        mean, sd = (mean, sd) if binary else (float(y.mean()), float(y.std()))
        options = _options(p, leaves, seed, loss)
        both = None if weights is None else np.concatenate([weights, validation_weights])
        lines = lightgbm.Dataset(dosage, (y - mean) / sd, weight=both)
        booster = lightgbm.train(options, lines, rounds)
    text = booster.model_to_string(num_iteration=rounds)
    return BoostedModel(mean, sd, text, held_out, {"leaves": leaves, "trees": rounds})
