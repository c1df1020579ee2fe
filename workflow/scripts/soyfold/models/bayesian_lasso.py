"""Bayesian LASSO: every SNP has an effect, from a double exponential distribution.

Park and Casella 2008 (doi:10.1198/016214508000000337): b_j ~ N(0, s_e^2 t_j^2) with t_j^2
exponential of rate lambda^2 / 2. lambda^2 has a gamma prior whose scale follows from the share `r2`
of the variance that the SNPs are expected to explain, as in BGLR (doi:10.1534/genetics.114.164442).
"""

import numpy as np

from soyfold.models.gibbs import SHAPE, fit_effects
from soyfold.models.gibbs import from_state as from_state
from soyfold.models.parameters import resolve

DECLARATION = {
    "label": "Bayesian LASSO",
    "meaning": "SNP effects from a double exponential distribution.",
    "extends": "gibbs",
    "held_out": False,  # a second fit would double the time
    "citations": [
        {"what": "Bayesian LASSO",
         "citation": "Park T, Casella G (2008) The Bayesian lasso. J Am Stat Assoc 103:681-686",
         "doi": "10.1198/016214508000000337"},
    ],
}  # fmt: skip


def inverse_gaussian(rng, mean, shape):
    """Draws from the inverse Gaussian distribution, also where the mean is huge.

    Michael, Schucany and Haas 1976 (doi:10.2307/2683801), with the smaller root written so that
    nothing cancels: numpy's own `wald` returns zeros once mean / shape nears 1e16.

    Parameters
    ----------
    rng : numpy.random.Generator
    mean : ndarray (L,)
    shape : float

    Returns
    -------
    ndarray (L,)
    """
    a = mean * np.square(rng.standard_normal(mean.size)) / (2 * shape)
    root = mean / (1 + a + np.sqrt(a * (a + 2)))
    smaller = rng.random(mean.size) * (mean + root) <= mean
    return np.where(smaller, root, mean * (mean / root))


class DoubleExponential:
    """The law of the Bayesian LASSO; `soyfold.models.gibbs.Law`."""

    log_odds, changing = None, 1.0

    def __init__(self, data, start):
        # E(t^2) = 2 / lambda^2, and the SNPs' variance is s_e^2 E(t^2) MSx.
        expected = 2 * (1 - data.r2) / data.r2 * data.spread
        self.rate = (SHAPE - 1) / expected
        self.penalty = float(np.sqrt(2 * (1 - start) / start * data.spread))
        self.relative = np.full(data.markers, 2 / self.penalty**2)
        self.variance = data.variance * (1 - start) * self.relative

    def update(self, rng, effects, residual_variance):
        """lambda with all t_j^2 integrated out, then t_j^2.

        Without its prior's exp(-rate lambda^2) lambda would have a gamma distribution: drawn from
        that, it is accepted or not by Metropolis and Hastings' rule.
        """
        size = np.abs(effects) / np.sqrt(residual_variance)
        drawn = rng.gamma(2 * SHAPE + size.size) / size.sum()
        if rng.standard_exponential() > self.rate * (drawn**2 - self.penalty**2):
            self.penalty = drawn
        mean = self.penalty / np.maximum(size, 1e-12 * size.max())
        self.relative = 1 / inverse_gaussian(rng, mean, self.penalty**2)
        self.variance = residual_variance * self.relative

    def residual_terms(self, effects):
        """The effects' prior is scaled by s_e^2, so they tell of it too."""
        return float(np.sum(np.square(effects) / self.relative)), float(effects.size)

    def figures(self):
        """lambda."""
        return {"lambda": self.penalty}


def fit(dosage, y, *, parameters, seed, weights=None):
    """Fit the Bayesian LASSO.

    Parameters
    ----------
    dosage : ndarray (n, L) int8
        Counts of ALT of the training lines.
    y : ndarray (n,) float64
        Training values in trait units.
    parameters : dict
        iterations, burn_in, chains, r2 as in `gibbs`.
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
    return fit_effects(
        dosage, y, DoubleExponential,
        options=options, seed=seed, model="bayesian_lasso", weights=weights,
    )  # fmt: skip
