"""Principal components alone: what family and population structure predict.

Least squares of the trait on the first k principal components of the dosages, which are the leading
eigenvectors of the additive kernel; k is chosen on validation lines. What the other models add
to this is more than structure (Price et al. 2006, doi:10.1038/ng1847; Janss et al. 2012,
doi:10.1534/genetics.112.141143). Of values that weigh differently both the components and least
squares are weighted: those of W^1/2 Z, for which coefficients still don't hang on each other.
"""

import dataclasses

import numpy as np

from soyfold.models.kernels.matrices import whole
from soyfold.models.kernels.names import ADDITIVE
from soyfold.models.kernels.shared import own_kernels
from soyfold.models.linear import RidgeModel, project, refuse_unusable, weighted_means
from soyfold.models.linear import from_state as from_state
from soyfold.models.parameters import resolve

DECLARATION = {
    "label": "Principal components",
    "meaning": "What family and population structure alone predict.",
    "kind": "direct",
    "needs": ["validation"],
    "linear": True,
    "weights": True,
    "untold": 1.0,
    "kernels": ["additive"],
    "parameters": {
        "components": {"default": 100, "type": "integer", "minimum": 1,
                       "description": "At most so many: further ones follow single segments "
                                      "rather than families."},
    },
    "citations": [
        {"what": "principal components",
         "citation": "Price AL et al. (2006) Principal components analysis corrects for "
                     "stratification in genome-wide association studies. Nat Genet 38:904-909",
         "doi": "10.1038/ng1847"},
    ],
}  # fmt: skip
LEAST = 1e-9  # share of the largest eigenvalue below which a component is rounding


@dataclasses.dataclass(frozen=True)
class ComponentModel(RidgeModel):
    """SNP effects that follow from the components' coefficients.

    Attributes
    ----------
    held_out : ndarray (m,)
        Predictions of the validation lines by the fit on the training lines alone.
    """

    held_out: np.ndarray = dataclasses.field(default=None, repr=False)


def _components(dosage, y, count, kernels, weights):
    """SNP effects of each leading component's share in the trait.

    Components are orthogonal, so that the coefficient of one doesn't hang on the others, and the
    fit on k of them is the sum of the first k columns.

    Returns
    -------
    centre : ndarray (L,)
    effects : ndarray (L, k)
        k is at most `count`.
    """
    centre, mean = weighted_means(dosage, weights), np.average(y, weights=weights)
    if weights is None:
        kernel, roots = kernels.kernel(ADDITIVE, gaps=False), np.ones(len(y))
    else:
        roots = np.sqrt(weights)
        kernel = whole(kernels.centred(ADDITIVE, weights) * roots * roots[:, None])
    values, vectors = kernel.leading(min(count, len(y) - 1))
    kept = values > LEAST * values[0]
    values, vectors = values[kept], vectors[:, kept] * roots[:, None]
    loadings = project(dosage, centre, vectors)
    return centre, loadings * (vectors.T @ (y - mean) / values)


def _explained(effects, k):
    return effects[:, :k].sum(1)


def _choose(dosage, y, validation, count, kernels, weights, validation_weights):
    """The number of components of least validation error, and that fit's predictions.

    Returns
    -------
    k : int
        From 0, the mean alone.
    model : RidgeModel
    held_out : ndarray (m,)
        Predictions of the validation lines.
    """
    centre, effects = _components(dosage, y, count, kernels, weights)
    judged, observed = validation
    mean = float(np.average(y, weights=weights))
    steps = (judged.astype(np.float64) - centre) @ effects
    paths = mean + np.cumsum(np.column_stack([np.zeros(len(judged)), steps]), axis=1)
    squares = np.square(paths - np.asarray(observed)[:, None])
    k = int(np.argmin(np.average(squares, axis=0, weights=validation_weights)))
    return k, RidgeModel(mean, centre, _explained(effects, k), {}), paths[:, k]


def fit(
    dosage, y, *, parameters, seed, validation, kernels=None, refit_kernels=None, weights=None,
    validation_weights=None,
):  # fmt: skip
    """Fit a regression on principal components.

    Parameters
    ----------
    dosage : ndarray (n, L) int8
        Counts of ALT of the training lines.
    y : ndarray (n,) float64
        Training values in trait units.
    parameters : dict
        components: at most so many. refit: after the choice, on training and validation lines
        together (default).
    seed : int
        Not used: there is nothing random.
    validation : tuple of ndarray (m, L) int8, (m,)
        Dosages and values of the lines by which k is chosen.
    kernels, refit_kernels : soyfold.models.kernels.shared.LineKernels, optional
        Of the training lines; of training and then validation lines. Computed from the dosages
        where they aren't given.
    weights, validation_weights : ndarray (n,), (m,), optional
        How much each value counts.

    Returns
    -------
    ComponentModel

    Raises
    ------
    UserError
        For fewer than 3 lines, a trait or SNPs without variance, or an offending parameter.
    """
    p = resolve(parameters, __name__)
    y = np.asarray(y, dtype=np.float64)
    refuse_unusable(dosage, y, model="principal_components")
    k, model, held_out = _choose(
        dosage, y, validation, p["components"], kernels or own_kernels(dosage), weights,
        validation_weights,
    )  # fmt: skip
    if p["refit"]:
        dosage = np.vstack([dosage, validation[0]])
        y = np.concatenate([y, validation[1]])
        both = None if weights is None else np.concatenate([weights, validation_weights])
        if k:
            centre, effects = _components(dosage, y, k, refit_kernels or own_kernels(dosage), both)
            effects = _explained(effects, k)
        else:
            centre, effects = model.centre, model.effects
        model = RidgeModel(float(np.average(y, weights=both)), centre, effects, {})
    figures = {"components": k}
    return ComponentModel(model.intercept, model.centre, model.effects, figures, held_out)
