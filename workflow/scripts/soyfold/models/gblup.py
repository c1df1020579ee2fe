"""GBLUP with REML variances; its SNP effects predict new lines.

y = mu + Z u + e with u ~ N(0, s_u^2 I), e ~ N(0, s_e^2 I) and Z the dosages minus their training
means; lambda = s_e^2 / s_u^2. The lines' values Z u have covariance s_u^2 Z Z', which is GBLUP; the
SNP effects u = Z' (Z Z' + lambda I)^-1 (y - mu) are what predicts a new line (Habier, Fernando and
Dekkers 2007, doi:10.1534/genetics.107.081190).

Since the columns of Z sum to zero, the intercept is an eigenvector of Z Z' of its own: mu is the
training mean, and one decomposition gives the REML likelihood of any trait at any lambda in O(n).

Values that weigh differently, e ~ N(0, s_e^2 W^-1), are the same model of W^1/2 y: with Z centred
by weighted means W^1/2 1 is an eigenvector of W^1/2 Z Z' W^1/2, which is decomposed for them alone.
"""

import numpy as np

from soyfold.models.blup import blup_model
from soyfold.models.blup import from_state as from_state
from soyfold.models.kernels.likelihood import fit_at_ridge, fit_by_reml, fit_weighted
from soyfold.models.kernels.names import ADDITIVE
from soyfold.models.kernels.shared import own_kernels
from soyfold.models.linear import project, refuse_unusable, weighted_means
from soyfold.models.parameters import resolve

DECLARATION = {
    "label": "GBLUP",
    "meaning": "Additive effects of all SNPs, variances by REML: what breeders use.",
    "kind": "direct",
    "linear": True,
    "reliability": True,
    "weights": True,
    "covariates": True,
    "kernels": ["additive"],
    "parameters": {
        "ridge_lambda": {"default": None, "type": ["number", "null"], "exclusiveMinimum": 0,
                         "description": "A fixed ratio of residual to SNP variance; null lets "
                                        "REML choose."},
    },
    "citations": [
        {"what": "GBLUP",
         "citation": "Habier D, Fernando RL, Dekkers JCM (2007) The impact of genetic "
                     "relationship information on genome-assisted breeding values. Genetics "
                     "177:2389-2397",
         "doi": "10.1534/genetics.107.081190"},
    ],
}  # fmt: skip


def fit(dosage, y, *, parameters, seed, kernels=None, weights=None, beside=None):
    """Fit GBLUP.

    Parameters
    ----------
    dosage : ndarray (n, L) int8
        Counts of ALT of the training lines.
    y : ndarray (n,) float64
        Training values in trait units.
    parameters : dict
        ridge_lambda: None for REML (default), or a fixed s_e^2 / s_u^2.
    seed : int
        Not used: there is nothing random.
    kernels : soyfold.models.kernels.shared.LineKernels, optional
        Of these lines; computed from their dosages where it isn't given.
    weights : ndarray (n,), optional
        How much each value counts: its noise is over them.
    beside : ndarray (n, p), optional
        X of fixed effects beside the mean: orthonormal columns, with sums of zero. Predictions are
        without them, at their mean.

    Returns
    -------
    BlupModel

    Raises
    ------
    UserError
        For fewer than 3 lines, a trait or SNPs without variance, or an offending parameter.
    """
    ridge = resolve(parameters, __name__)["ridge_lambda"]
    y = np.asarray(y, dtype=np.float64)
    refuse_unusable(dosage, y, model="gblup")
    given, kernels = kernels, kernels or own_kernels(dosage)
    values = y - y.mean()
    if weights is not None:
        dual, figures, _ = fit_weighted(
            kernels.matrix(ADDITIVE)[0], y, weights, ridge=ridge, beside=beside
        )
    elif ridge is None:
        dual, figures = fit_by_reml(kernels.kernel(ADDITIVE), values, beside)
    else:
        dual, figures = fit_at_ridge(kernels.centred(ADDITIVE), values, ridge, beside)
    centre = weighted_means(dosage, weights)
    effects = project(dosage, centre, dual)
    return blup_model(dosage, y, centre, effects, figures, given, weights, beside)
