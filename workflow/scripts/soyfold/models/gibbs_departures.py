"""Each family's departures from the SNP effects of all, in the chains of a Gibbs sampler.

y = mu + Z b + d + e with d_f = Z_f u_f for the lines of family f, u_f ~ N(0, s_f^2 / MSx I): what
family GBLUP has (Lehermeier et al. 2015, doi:10.1534/genetics.115.177394), here beside effects b of
any law. With K_f = Z_f Z_f' / MSx and W^1/2 K_f W^1/2 = U diag(v) U', the numbers a = U' W^1/2 d_f
are independent given the rest,

    a_k ~ N(m_k, c_k),   c_k = 1 / (1 / s_e^2 + 1 / (s_f^2 v_k)),   m_k = c_k U_k' W^1/2 t / s_e^2,

t = y - mu - Z b, so that a draw costs as much as a product with U. The SNPs' own draws have mu
integrated out; here it is drawn first. s_f^2 has a scaled inverse chi-square prior whose mode is
`SHARE` of the values' variance.
"""

import numpy as np

from soyfold.models.linear import project

DEGREES = 5.0  # of the inverse chi-square priors of all variances, as in BGLR
SHARE = 0.1
TINY = 1e-8  # of the largest eigenvalue, below which one is 0


class Departures:
    """Of all families, in several chains.

    Parameters
    ----------
    dosage : ndarray (n, L)
        Of the training lines.
    centre : ndarray (L,)
    families : ndarray (n,) of str
        An empty string for a line of no family, which departs from nothing.
    variance, spread : float
        Of the values; MSx, the sum of the SNPs' variances.
    starts : sequence of float
        A chain's first s_f^2, in shares of the values' variance.
    weights : ndarray (n,), optional
        Of the values.

    Attributes
    ----------
    names : ndarray (F,) of str
    variance : ndarray (chains,)
        s_f^2, of a line of mean squared length.
    """

    def __init__(self, dosage, centre, families, *, variance, spread, starts, weights=None):
        self.names = np.unique(families[families != ""])
        self.lines = [np.flatnonzero(families == name) for name in self.names]
        self.spread = spread
        self.weights = np.ones(len(families)) if weights is None else weights
        self.roots = np.sqrt(self.weights)
        self.turns = [self._decompose(dosage[lines] - centre, lines) for lines in self.lines]
        self.count = sum(len(values) for values, _ in self.turns)
        self.scale = SHARE * variance * (DEGREES + 2)
        self.variance = variance * np.asarray(starts, dtype=np.float64)
        self.told = np.zeros((len(self.variance), len(families)))
        self.sums, self.kept = [np.zeros(len(values)) for values, _ in self.turns], 0

    def _decompose(self, z, lines):
        z = self.roots[lines, None] * z
        values, vectors = np.linalg.eigh(z @ z.T / self.spread)
        there = values > TINY * max(values[-1], TINY)
        return values[there], vectors[:, there]

    def draw(self, residual, noise, rngs):
        """Draw mu, d and s_f^2 of each chain.

        Parameters
        ----------
        residual : ndarray (chains, n)
            y - mean - Z b - d; changed in place, its weighted mean taken off.
        noise : ndarray (chains,)
            s_e^2.
        rngs : sequence of numpy.random.Generator
        """
        self.now = []
        for c, rng in enumerate(rngs):
            mean = rng.standard_normal() * np.sqrt(noise[c] / self.weights.sum())
            left, drawn, squares = residual[c] + self.told[c] - mean, [], 0.0
            for lines, (values, vectors) in zip(self.lines, self.turns, strict=True):
                spread = 1 / (1 / noise[c] + 1 / (self.variance[c] * values))
                pull = vectors.T @ (self.roots[lines] * left[lines]) / noise[c]
                a = spread * pull + np.sqrt(spread) * rng.standard_normal(len(values))
                squares += np.sum(np.square(a) / values)
                self.told[c, lines] = vectors @ a / self.roots[lines]
                drawn.append(a)
            self.now.append(drawn)
            self.variance[c] = (self.scale + squares) / rng.chisquare(DEGREES + self.count)
            left -= self.told[c]
            residual[c] = left - np.average(left, weights=self.weights)

    def keep(self):
        """Count the present draws in the posterior means."""
        self.kept += len(self.now)
        for drawn in self.now:
            for total, a in zip(self.sums, drawn, strict=True):
                total += a

    def share(self, c, genetic):
        """Of the lines' squared genetic values `genetic`, in chain c."""
        told = self.told[c] - np.average(self.told[c], weights=self.weights)
        return float(self.weights @ np.square(told) / genetic) if genetic > 0 else np.nan

    def mean(self):
        """Posterior mean over the lines of what departures add (trait units)."""
        told = np.zeros(len(self.weights))
        for lines, (_, vectors), total in zip(self.lines, self.turns, self.sums, strict=True):
            told[lines] = vectors @ total / self.kept / self.roots[lines]
        return float(np.average(told, weights=self.weights))

    def effects(self, dosage, centre):
        """Posterior means of u_f, (F, L), in trait units per copy of ALT."""
        found = np.empty((len(self.names), dosage.shape[1]))
        turns = zip(found, self.lines, self.turns, self.sums, strict=True)
        for row, lines, (values, vectors), total in turns:
            dual = self.roots[lines] * (vectors @ (total / self.kept / values))
            row[:] = project(dosage[lines], centre, dual) / self.spread
        return found
