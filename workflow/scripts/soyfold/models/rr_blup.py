"""RR-BLUP: ridge regression on the SNPs, lambda by REML, solved from the side of the SNPs.

The model of GBLUP by another road: Z' Z (L x L) is decomposed in place of Z Z', and the SNP effects
are those of the mixed model equations (Z' Z + lambda I) u = Z' (y - mu) (Meuwissen, Hayes and
Goddard 2001, doi:10.1093/genetics/157.4.1819). The two agree to rounding, so that each checks the
other. Where SNPs outnumber lines Z' Z would be the larger matrix, and the fit is GBLUP's.
"""

import numpy as np

from soyfold.models import gblup
from soyfold.models.blup import blup_model
from soyfold.models.blup import from_state as from_state
from soyfold.models.kernels.decompositions import decompose
from soyfold.models.kernels.likelihood import MarkerLikelihood, log_scale
from soyfold.models.linear import (
    marker_products,
    project,
    refuse_unusable,
    weighted_base,
    weighted_means,
)
from soyfold.models.parameters import resolve

DECLARATION = {
    "label": "RR-BLUP",
    "meaning": "The model of GBLUP, solved from the side of the SNPs.",
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
        {"what": "RR-BLUP",
         "citation": "Meuwissen THE, Hayes BJ, Goddard ME (2001) Prediction of total genetic "
                     "value using genome-wide dense marker maps. Genetics 157:1819-1829",
         "doi": "10.1093/genetics/157.4.1819"},
    ],
}  # fmt: skip


def fit(dosage, y, *, parameters, seed, kernels=None, weights=None, beside=None):
    """Fit RR-BLUP.

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
        Of these lines; used where L > n.
    weights : ndarray (n,), optional
        How much each value counts: its noise is over them.
    beside : ndarray (n, p), optional
        X of fixed effects beside the mean, as for GBLUP.

    Returns
    -------
    BlupModel

    Raises
    ------
    UserError
        For fewer than 3 lines, a trait or SNPs without variance, or an offending parameter.
    """
    if dosage.shape[1] > len(dosage):
        return gblup.fit(
            dosage, y, parameters=parameters, seed=seed, kernels=kernels, weights=weights,
            beside=beside,
        )  # fmt: skip
    ridge = resolve(parameters, __name__)["ridge_lambda"]
    y = np.asarray(y, dtype=np.float64)
    refuse_unusable(dosage, y, model="rr_blup")
    centre = weighted_means(dosage, weights)
    roots = np.ones(len(y)) if weights is None else np.sqrt(weights)
    values = roots * (y - (y.mean() if weights is None else np.average(y, weights=weights)))
    products, taken, spread = marker_products(dosage, centre, weights), 0, None
    if beside is not None:  # y and Z without what X tells of them have the same REML
        base, taken = weighted_base(beside, weights), beside.shape[1]
        spread = np.trace(products) / (len(y) - 1)
        values = values - base @ (base.T @ values)
        across = project(dosage, centre, roots[:, None] * base)
        products -= across @ across.T
    projected = project(dosage, centre, roots * values)
    likelihood = MarkerLikelihood(decompose(products), projected, values, taken, spread)
    at_bound = False
    if ridge is None:
        ridge, at_bound = likelihood.likeliest_ridge()
    figures = likelihood.figures(ridge, at_bound)
    if weights is not None:
        figures["log_likelihood"] += log_scale(weights)
    effects = likelihood.effects(ridge)
    return blup_model(dosage, y, centre, effects, figures, None, weights, beside)
