"""BayesB: most SNPs have no effect, the others one from a t distribution.

Meuwissen, Hayes and Goddard 2001 (doi:10.1093/genetics/157.4.1819) in the form of Habier et al.
2011 (doi:10.1186/1471-2105-12-186): with probability pi effect j is zero, else N(0, s_j^2). Each
s_j^2 has a scaled inverse chi-square prior with scale S, so that effects that aren't zero have a t
distribution. As in BGLR (doi:10.1534/genetics.114.164442) S has a gamma prior whose mode gives the
SNPs the share `r2` of the variance.
"""

import numpy as np

from soyfold.models.gibbs import DEGREES, SHAPE, fit_effects
from soyfold.models.gibbs import from_state as from_state
from soyfold.models.parameters import resolve

DECLARATION = {
    "label": "BayesB",
    "meaning": "SNP effects of which most are zero, the others from a t distribution.",
    "extends": "gibbs",
    "parameters": {
        "pi": {"default": 0.95, "type": "number", "minimum": 0, "exclusiveMaximum": 1,
               "description": "Share of SNPs without effect; 0 is BayesA. On validation lines "
                              "SoyNAM (4,341 SNPs) prefers less than the default."},
        "iterations": {"default": 4000},
        "burn_in": {"default": 1000},
    },
    "citations": [
        {"what": "BayesB",
         "citation": "Meuwissen THE, Hayes BJ, Goddard ME (2001) Prediction of total genetic "
                     "value using genome-wide dense marker maps. Genetics 157:1819-1829",
         "doi": "10.1093/genetics/157.4.1819"},
    ],
}  # fmt: skip


class SparseT:
    """The law of BayesB; `soyfold.models.gibbs.Law`."""

    def __init__(self, data, start, *, pi):
        self.log_odds = None if pi == 0 else float(np.log((1 - pi) / pi))
        # Effects enter and leave: about twice as many change as there are.
        self.changing = min(1.0, 2 * (1 - pi))
        mode = data.variance * data.r2 / data.spread * (DEGREES + 2) / (1 - pi)
        self.rate = (SHAPE - 1) / mode
        self.scale = mode * start / data.r2
        self.variance = np.full(data.markers, self.scale / (DEGREES + 2))
        self.included = 0

    def update(self, rng, effects, residual_variance):
        """s_j^2 of the effects that are there; then S, and with it all other s_j^2.

        S is drawn with the variances of absent effects integrated out, which are then drawn from
        their prior: given all of them, S would hardly move.
        """
        present = effects != 0
        self.included = int(present.sum())
        squares = np.square(effects[present])
        drawn = (self.scale + squares) / rng.chisquare(DEGREES + 1, self.included)
        rate = self.rate + 0.5 * np.sum(1 / drawn)
        self.scale = rng.gamma(SHAPE + 0.5 * DEGREES * self.included) / rate
        self.variance = self.scale / rng.chisquare(DEGREES, effects.size)
        self.variance[present] = drawn

    def residual_terms(self, effects):
        """None: the effects' prior doesn't know s_e^2."""
        return 0.0, 0.0

    def figures(self):
        """Effects that are there, and S."""
        return {"included": self.included, "scale": self.scale}


def fit(dosage, y, *, parameters, seed, weights=None):
    """Fit BayesB.

    Parameters
    ----------
    dosage : ndarray (n, L) int8
        Counts of ALT of the training lines.
    y : ndarray (n,) float64
        Training values in trait units.
    parameters : dict
        pi: share of SNPs without effect, 0 (BayesA) to 1 (excluded), default 0.95; iterations,
        burn_in, chains, r2 as in `gibbs`.
    seed : int
        The same seed gives the same bytes.

    weights : ndarray (n,), optional
        How much each value counts: its noise is over them.

    Returns
    -------
    soyfold.models.gibbs.GibbsModel

    Raises
    ------
    UserError
        For fewer than 3 lines, a trait or SNPs without variance, or an offending parameter.
    """
    options = resolve(parameters, __name__)

    def law(data, start):
        return SparseT(data, start, pi=options["pi"])

    return fit_effects(dosage, y, law, options=options, seed=seed, model="bayesb", weights=weights)
