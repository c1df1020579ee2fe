"""Family BayesB: sparse SNP effects of all lines, and each family's own departures from them.

y_i = mu + z_i' (b + b_f(i)) + e_i as in family GBLUP, but b have BayesB's prior: most SNPs have no
effect in all lines, the others one from a t distribution. b_f ~ N(0, s_f^2 I) for every family f
(`gibbs_departures`). A line of a new family, or of none, is predicted by b alone.
"""

import numpy as np

from soyfold.models.bayesb import SparseT
from soyfold.models.family_gblup import FamilyModel
from soyfold.models.family_gblup import from_state as from_state
from soyfold.models.gibbs import sample_effects
from soyfold.models.parameters import resolve

DECLARATION = {
    "label": "Family BayesB",
    "meaning": "Sparse SNP effects of all lines, and each family's departures from them.",
    "extends": "gibbs",
    "needs": ["families"],
    "parameters": {
        "pi": {"default": 0.95, "type": "number", "minimum": 0, "exclusiveMaximum": 1,
               "description": "Share of SNPs without effect in all lines; 0 is BayesA."},
    },
    "citations": [
        {"what": "BayesB",
         "citation": "Meuwissen THE, Hayes BJ, Goddard ME (2001) Prediction of total genetic "
                     "value using genome-wide dense marker maps. Genetics 157:1819-1829",
         "doi": "10.1093/genetics/157.4.1819"},
        {"what": "departures of families",
         "citation": "Lehermeier C, Schön CC, de los Campos G (2015) Assessment of genetic "
                     "heterogeneity in structured plant populations using multivariate "
                     "whole-genome regression models. Genetics 201:323-337",
         "doi": "10.1534/genetics.115.177394"},
    ],
}  # fmt: skip


def fit(dosage, y, *, parameters, seed, families, weights=None):
    """Fit family BayesB.

    Parameters
    ----------
    dosage : ndarray (n, L) int8
        Counts of ALT of the training lines.
    y : ndarray (n,) float64
        Training values in trait units.
    parameters : dict
        pi: share of SNPs without effect in all lines, 0 (BayesA) to 1 (excluded), default 0.95;
        iterations, burn_in, chains, r2 (of the effects of all) as in `gibbs`.
    seed : int
        The same seed gives the same bytes.
    families : ndarray (n,) of str
        An empty string for a line of no family.
    weights : ndarray (n,), optional
        How much each value counts: its noise is over them.

    Returns
    -------
    soyfold.models.family_gblup.FamilyModel

    Raises
    ------
    UserError
        For fewer than 3 lines, a trait or SNPs without variance, or an offending parameter.
    """
    options, families = resolve(parameters, __name__), np.asarray(families, dtype=str)

    def law(data, start):
        return SparseT(data, start, pi=options["pi"])

    common, departures = sample_effects(
        dosage, y, law, options=options, seed=seed, model="family_bayesb", weights=weights,
        families=families,
    )  # fmt: skip
    names = np.unique(families[families != ""])
    return FamilyModel(
        common.intercept, common.centre, common.effects, names, departures, common.figures
    )
