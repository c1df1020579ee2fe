"""Random forest: the mean of regression trees grown on bootstrap samples (Breiman 2001,
doi:10.1023/A:1010933404324).

Each tree sees as many lines as there are, drawn with replacement, and at each split a random share
of the SNPs. A polygenic trait has many SNPs of little effect: with few SNPs a split none of those
that matter may be among them, which is why the share counts more here than the size of the leaves.
"""

from dataclasses import dataclass, field

import numpy as np
from sklearn.ensemble import RandomForestRegressor

from soyfold.models.linear import refuse_unusable
from soyfold.models.parameters import resolve

DECLARATION = {
    "label": "Random forest",
    "meaning": "The mean of regression trees grown on bootstrap samples.",
    "kind": "direct",
    "weights": True,
    "seeds_per_job": "all",
    "parameters": {
        "trees": {"default": 200, "type": "integer", "minimum": 1, "description": "Their number."},
        "max_features": {"default": 0.1, "type": "number", "exclusiveMinimum": 0, "maximum": 1,
                         "description": "Share of the SNPs that a split chooses from."},
        "min_samples_leaf": {"default": 1, "type": "integer", "minimum": 1,
                             "description": "Fewest lines of a leaf."},
    },
    "citations": [
        {"what": "random forest",
         "citation": "Breiman L (2001) Random forests. Machine Learning 45:5-32",
         "doi": "10.1023/A:1010933404324"},
    ],
}  # fmt: skip
LEAF = -1
WALKERS = 2**20  # lines x trees that walk down at a time


@dataclass(frozen=True)
class ForestModel:
    """All nodes of all trees, one tree after the other.

    Attributes
    ----------
    roots : ndarray (trees,) int64
        Where each tree begins.
    below, above : ndarray (nodes,) int32
        Node of the lines with dosage <= threshold, and of the others; LEAF for a leaf.
    snp : ndarray (nodes,) int32
        SNP that a node asks for; 0 in a leaf.
    threshold : ndarray (nodes,) int8
        Dosage.
    value : ndarray (nodes,)
        Mean of the training lines in the node, in trait units.
    figures : dict
        What `summary` gives.
    """

    roots: np.ndarray
    below: np.ndarray
    above: np.ndarray
    snp: np.ndarray
    threshold: np.ndarray
    value: np.ndarray
    figures: dict = field(default_factory=dict, repr=False)

    def predict(self, dosage):
        """Predicted values in trait units: dosage (m, L) counts of ALT -> (m,) float64."""
        step = max(1, WALKERS // len(self.roots))
        parts = [self._descend(dosage[a : a + step]) for a in range(0, len(dosage), step)]
        return np.concatenate(parts) if parts else np.empty(0)

    def _descend(self, dosage):
        """Each line walks down all trees, a level at a time."""
        node = np.tile(self.roots, (len(dosage), 1))
        row = np.arange(len(dosage))[:, None]
        while True:
            inner = self.below[node] != LEAF
            if not inner.any():
                return self.value[node].mean(1)
            low = dosage[row, self.snp[node]] <= self.threshold[node]
            node = np.where(inner, np.where(low, self.below[node], self.above[node]), node)

    def state(self):
        """All that predicts, as named arrays."""
        names = ("roots", "below", "above", "snp", "threshold", "value")
        return {name: getattr(self, name) for name in names}

    def summary(self):
        """Number of trees and nodes."""
        return dict(self.figures)


def from_state(arrays):
    """The model that `ForestModel.state` wrote: it predicts as before."""
    return ForestModel(**arrays)


def _flatten(trees):
    """Nodes of scikit-learn's trees as a `ForestModel`'s arrays."""
    sizes = [tree.node_count for tree in trees]
    roots = np.cumsum([0, *sizes[:-1]])
    inner = np.concatenate([tree.children_left != LEAF for tree in trees])

    def joined(name, shift=0):
        return np.concatenate(
            [getattr(t, name) + shift * a for t, a in zip(trees, roots, strict=True)]
        )

    return {
        "roots": roots.astype(np.int64),
        "below": np.where(inner, joined("children_left", 1), LEAF).astype(np.int32),
        "above": np.where(inner, joined("children_right", 1), LEAF).astype(np.int32),
        "snp": np.where(inner, joined("feature"), 0).astype(np.int32),
        # Thresholds lie between two counts: a count is at most 1.5 if it is at most 1.
        "threshold": np.where(inner, np.floor(joined("threshold")), 0).astype(np.int8),
        "value": np.concatenate([tree.value[:, 0, 0] for tree in trees]),
    }


def fit(dosage, y, *, parameters, seed, weights=None):
    """Fit a random forest.

    Parameters
    ----------
    dosage : ndarray (n, L) int8
        Counts of ALT of the training lines.
    y : ndarray (n,) float64
        Training values in trait units.
    parameters : dict
        trees: their number. max_features: share of the SNPs that a split chooses from.
        min_samples_leaf: fewest lines of a leaf.
    seed : int
        Of bootstrap samples and SNPs.
    weights : ndarray (n,), optional
        How much each value counts in splits and leaves.

    Returns
    -------
    ForestModel

    Raises
    ------
    UserError
        For fewer than 3 lines, a trait or SNPs without variance, or an offending parameter.
    """
    p = resolve(parameters, __name__)
    y = np.asarray(y, dtype=np.float64)
    refuse_unusable(dosage, y, model="random_forest")
    forest = RandomForestRegressor(
        n_estimators=p["trees"],
        max_features=p["max_features"],
        min_samples_leaf=p["min_samples_leaf"],
        random_state=seed,
    )
    # The type that scikit-learn's trees work on: any other would be copied.
    forest.fit(dosage.astype(np.float32), y, sample_weight=weights)
    arrays = _flatten([tree.tree_ for tree in forest.estimators_])
    return ForestModel(**arrays, figures={"trees": p["trees"], "nodes": len(arrays["snp"])})
