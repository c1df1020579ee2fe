"""BayesCpi: an unknown share pi of SNPs has no effect, the others share one variance.

Habier et al. 2011 (doi:10.1186/1471-2105-12-186): with probability pi effect j is zero, else
N(0, s_b^2). s_b^2 has a scaled inverse chi-square prior, whose mode gives the SNPs the share `r2`
of the variance, and pi a beta prior; both as in BGLR (doi:10.1534/genetics.114.164442).
"""

import numpy as np

from soyfold.models.gibbs import DEGREES, fit_effects
from soyfold.models.gibbs import from_state as from_state
from soyfold.models.parameters import resolve

DECLARATION = {
    "label": "BayesCpi",
    "meaning": "SNP effects of which a sampled share is zero, the others with one variance.",
    "extends": "gibbs",
    "held_out": False,  # a second fit would double the time
    "parameters": {
        "pi": {"default": None, "type": ["number", "null"], "minimum": 0, "exclusiveMaximum": 1,
               "description": "Share of SNPs without effect; null to sample it, a number for "
                              "BayesC."},
    },
    "citations": [
        {"what": "BayesCpi",
         "citation": "Habier D et al. (2011) Extension of the Bayesian alphabet for genomic "
                     "selection. BMC Bioinformatics 12:186",
         "doi": "10.1186/1471-2105-12-186"},
    ],
}  # fmt: skip
EXPECTED, COUNTS = 0.5, 10.0  # mean of pi's beta prior and what it weighs, in SNPs


class SparseNormal:
    """The law of BayesCpi, and of BayesC where pi is given; `soyfold.models.gibbs.Law`."""

    def __init__(self, data, start, *, pi):
        self.sampled = pi is None
        share = 1 - (EXPECTED if pi is None else pi)
        self.changing = min(1.0, 2 * share)
        self.scale = data.variance * data.r2 / data.spread * (DEGREES + 2) / share
        self.variance = self.scale / (DEGREES + 2) * start / data.r2
        # From the sparse side: many small effects become few far more slowly than the reverse.
        self.pi = 1 - 0.1 ** (1 + start) if self.sampled else pi
        self.included = 0

    @property
    def log_odds(self):
        """Log prior odds of an effect to be other than zero; None where pi is 0."""
        return None if self.pi == 0 else float(np.log((1 - self.pi) / self.pi))

    def update(self, rng, effects, residual_variance):
        """s_b^2 and pi given the effects that are there."""
        self.included = int(np.count_nonzero(effects))
        squares = self.scale + np.square(effects).sum()
        self.variance = squares / rng.chisquare(DEGREES + self.included)
        if self.sampled:
            absent = effects.size - self.included
            prior = COUNTS * EXPECTED, COUNTS * (1 - EXPECTED)
            self.pi = rng.beta(prior[0] + absent, prior[1] + self.included)

    def residual_terms(self, effects):
        """None: the effects' prior doesn't know s_e^2."""
        return 0.0, 0.0

    def figures(self):
        """Effects that are there, their variance, and pi where it is sampled."""
        sampled = {"pi": self.pi} if self.sampled else {}
        return {"included": self.included, "variance_snp": self.variance, **sampled}


def fit(dosage, y, *, parameters, seed, weights=None):
    """Fit BayesCpi.

    Parameters
    ----------
    dosage : ndarray (n, L) int8
        Counts of ALT of the training lines.
    y : ndarray (n,) float64
        Training values in trait units.
    parameters : dict
        pi: share of SNPs without effect; None to sample it (default), a number from 0 to 1
        (excluded) for BayesC; iterations, burn_in, chains, r2 as in `gibbs`.
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
        return SparseNormal(data, start, pi=options["pi"])

    return fit_effects(
        dosage, y, law, options=options, seed=seed, model="bayescpi", weights=weights
    )
