"""What the uncertainty of SNP effects adds to the variance that a cross is expected to have.

The variance b'Db of progeny by the estimated effects leaves out that they are shrunk. The posterior
mean of the variance adds the trace of D with the effects' posterior covariance C, that is for
parents x_1 and x_2 with d = (x_1 - x_2) / 2 the sum of d_i d_j D_ij C_ij (Lehermeier, Teyssedre and
Schoen 2017, doi:10.1534/genetics.117.300403).
"""

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular

from soyfold.models.blup import BlupModel
from soyfold.models.linear import marker_products
from soyfold.selection.progeny import linkage

MOST_SNPS = 12_000  # of a chromosome, whose covariances are a matrix of 1.2 GB


class EffectCovariance:
    """Posterior covariance of SNP effects by BLUP, from the smaller side.

    With Z the centred dosages of the training lines it is s_u^2 (I - Z' V^-1 Z s_u^2), V = s_u^2
    Z Z' + s_e^2 I, or s_e^2 (Z' Z + lambda I)^-1, lambda = s_e^2 / s_u^2.

    Parameters
    ----------
    lines : ndarray (n, L) int8
    centre : ndarray (L,)
    variances : (float, float)
        s_u^2 and s_e^2.
    weights : ndarray (n,), optional
        Of the lines' values, whose noise is s_e^2 over them.
    """

    def __init__(self, lines, centre, variances, weights=None):
        self._lines, self._centre = lines, centre
        self._effect, noise = map(float, variances)
        self._factor = self._inverse = None
        if len(lines) > lines.shape[1]:
            inner = marker_products(lines, centre, weights)
            inner[np.diag_indices_from(inner)] += noise / self._effect
            identity = np.eye(len(inner))
            self._inverse = noise * cho_solve(cho_factor(inner, lower=True), identity)
            return
        inner = np.zeros((len(lines),) * 2)
        for start in range(0, lines.shape[1], 2048):
            part = self._centred(slice(start, start + 2048))
            inner += part @ part.T
        inner *= self._effect
        inner[np.diag_indices_from(inner)] += noise if weights is None else noise / weights
        self._factor = cho_factor(inner, lower=True, overwrite_a=True)[0]

    def _centred(self, snps):
        return self._lines[:, snps].astype(np.float64) - self._centre[snps]

    def of(self, snps):
        """Covariance (l, l) of some SNPs' effects."""
        if self._inverse is not None:
            return self._inverse[np.ix_(snps, snps)]
        half = solve_triangular(self._factor, self._centred(snps), lower=True, check_finite=False)
        told = -(self._effect**2) * (half.T @ half)
        told[np.diag_indices_from(told)] += self._effect
        return told


def effect_covariance(saved):
    """`EffectCovariance` of a saved model; None of one that doesn't know it.

    Parameters
    ----------
    saved : soyfold.prediction.saved_models.SavedModel
    """
    model = getattr(saved.model, "model", None)
    if type(model) is not BlupModel or model.lines is None or model.variances is None:
        return None
    return EffectCovariance(model.lines, model.centre, model.variances, model.weights)


def added_variance(dosage, covariance, chromosome, morgans, *, kind):
    """What uncertain effects add to the progeny variance of all crosses between some parents.

    Parameters
    ----------
    dosage : ndarray (P, L) int8
    covariance : EffectCovariance
    chromosome, morgans, kind
        As for `progeny.progeny_sd`.

    Returns
    -------
    ndarray (P, P)
        NaN where a chromosome has more than `MOST_SNPS` SNPs at which the parents differ.
    """
    products = np.zeros((len(dosage),) * 2)
    for name in dict.fromkeys(chromosome):
        own = np.flatnonzero(chromosome == name)
        own = own[np.ptp(dosage[:, own], axis=0) > 0]
        if len(own) > MOST_SNPS:
            return np.full_like(products, np.nan)
        calls = dosage[:, own].astype(np.float64)
        calls -= calls.mean(0)
        weights = linkage(morgans[own], morgans[own], kind=kind) * covariance.of(own)
        products += calls @ weights @ calls.T
    own = np.diag(products)
    return np.maximum(own[:, None] + own - 2 * products, 0.0) / 4
