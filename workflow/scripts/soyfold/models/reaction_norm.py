"""Reaction norms: SNP effects of all environments, and each environment's own departures.

y_ie = mu_e + z_i' (u + u_e) + e, u ~ N(0, s_u^2 I), u_e ~ N(0, s_d^2 I) for each environment e, mu
fixed: the kernel of lines, and the same where two values share an environment, 0 elsewhere. With
covariates w_e of environments also z_i' v_e, whose covariance between environments is s_v^2 times
w_e'w_f over their number, w standardised: environments that are alike by their covariates share
departures, and one without a value has those that its covariates foretell (Jarquin et al. 2014,
doi:10.1007/s00122-013-2243-1; there, main effects of covariates stand where mu does here).
"""

from functools import partial

import numpy as np

from soyfold.models.environment_gblup import (
    EnvironmentModel,
    effects_of,
    estimate_cells,
    scaled_kernel,
)
from soyfold.models.environment_gblup import from_state as from_state
from soyfold.models.kernels.cells import Cells, DenseCells
from soyfold.models.parameters import resolve

DECLARATION = {
    "label": "Reaction norm",
    "meaning": "GBLUP of single values with SNP effects of each environment beside those of all, "
               "and by covariates of environments where the study has some.",
    "kind": "direct",
    "unit": "environment",
    "conditions": True,
    "kernels": [],
    "parameters": {
        "reml_lines": {"default": 2000, "type": "integer", "minimum": 30,
                       "description": "Most lines whose likelihood is maximised; effects come "
                                      "from all."},
    },
    "citations": [
        {"what": "Reaction norm",
         "citation": "Jarquín D, Crossa J, Lacaze X et al. (2014) A reaction norm model for "
                     "genomic selection using high-dimensional genomic and environmental data. "
                     "Theoretical and Applied Genetics 127:595-607",
         "doi": "10.1007/s00122-013-2243-1"},
    ],
}  # fmt: skip


def fit(dosage, y, *, parameters, seed, environments=(), kernels=None, conditions=None):
    """Fit a reaction norm.

    Parameters
    ----------
    dosage : ndarray (n, L) int8
        Counts of ALT of the training lines.
    y : ndarray (n, E) float64, or (n,) of a lone environment
        Training values in trait units; NaN where a line has no value in an environment.
    parameters : dict
        reml_lines: most lines whose likelihood is maximised; effects come from all.
    seed : int
        Of the draw of those lines.
    environments : sequence of str
        Not used: columns go by their place.
    kernels : soyfold.models.kernels.shared.LineKernels, optional
        Of these lines; computed from their dosages where it isn't given.
    conditions : ndarray (E, q), optional
        Standardised covariates of the environments.

    Returns
    -------
    soyfold.models.environment_gblup.EnvironmentModel

    Raises
    ------
    UserError
        For fewer than 3 values, values or SNPs without variance, or too many values beside
        covariates of environments.
    """
    most = resolve(parameters, __name__)["reml_lines"]
    y = np.asarray(y, dtype=np.float64).reshape(len(y), -1)
    kernel, scale = scaled_kernel(dosage, y, kernels, model="reaction_norm")
    names, cells_of = ["genetic", "interaction"], partial(Cells, interaction=True)
    if conditions is not None:
        likeness = conditions @ conditions.T / conditions.shape[1]
        names, cells_of = [*names, "conditions"], partial(DenseCells, likeness=likeness)
    variances, figures = estimate_cells(cells_of, kernel, y, names, most=most, seed=seed)
    means, centre, told = effects_of(dosage, cells_of(kernel, y), variances, scale)
    departures = variances[1] * told
    if conditions is not None:
        departures += variances[2] * likeness @ told
    return EnvironmentModel(means, centre, variances[0] * told.sum(0), departures, figures)
