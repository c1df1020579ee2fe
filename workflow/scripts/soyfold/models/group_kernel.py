"""GBLUP plus products of SNPs, by REML of both kernels: what hypotheses of groups are tried in.

y = mu + a + e + noise; a has GBLUP's covariance, e the kernel of products that a hypothesis, its
copies or none of them says (`kernels.groups`). All of them have the same three variances.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, solve_triangular

from soyfold.models.kernels.beside import solve_beside, take_off
from soyfold.models.kernels.several import (
    NOISE_OF_SINGLES,
    covariance,
    estimate,
    meets_bound,
)


@dataclass(frozen=True)
class KernelFit:
    """Variances of kernels, and what they tell of the training lines.

    Attributes
    ----------
    variances : ndarray (k + 1,)
        Of the kernels as given, then of the noise; squared trait units.
    mean : float
        mu, of generalised least squares.
    dual : ndarray (n,)
        V^-1 (y - mu), without fixed effects.
    factor : tuple
        Cholesky's, of V.
    share : float
        Of all kernels but the first in the genetic variance; 0 where there is none.
    log_likelihood : float
        REML's, without a constant that is the same for all kernels.
    at_bound, converged : bool
    """

    variances: np.ndarray
    mean: float
    dual: np.ndarray
    factor: tuple
    share: float
    log_likelihood: float
    at_bound: bool
    converged: bool

    def predict(self, between, own):
        """Mean and variance of lines that weren't seen: the predictive Gaussian.

        Parameters
        ----------
        between : list of ndarray (m, n)
            Each kernel between them and the training lines.
        own : list of ndarray (m,)
            Its diagonal.

        Returns
        -------
        mean, variance : ndarray (m,)
            Noise (of a weight of 1) and the doubt about mu are in the variance.
        """
        mixed = sum(s * k for s, k in zip(self.variances[:-1], between, strict=True))
        prior = sum(s * k for s, k in zip(self.variances[:-1], own, strict=True))
        matrix, lower = self.factor
        turned = solve_triangular(matrix, mixed.T, lower=lower, check_finite=False)
        ones = solve_triangular(matrix, np.ones(len(matrix)), lower=lower, check_finite=False)
        doubt = np.square(1 - ones @ turned) / (ones @ ones)
        variance = prior + self.variances[-1] - np.square(turned).sum(0) + doubt
        return self.mean + mixed @ self.dual, variance


def spread(kernel):
    """What a kernel (n, n) adds to the lines' variance: its mean diagonal, centred."""
    return (np.trace(kernel) - kernel.sum() / len(kernel)) / (len(kernel) - 1)


def fit_kernels(kernels, y, beside=None, weights=None):
    """REML of several kernels on the training lines.

    Parameters
    ----------
    kernels : list of ndarray (n, n)
        The additive one first; one that adds nothing has the variance 0. They may be of float32.
    y : ndarray (n,)
        Trait units.
    beside : ndarray (n, p), optional
        X of fixed effects beside the mean: orthonormal columns, with sums of zero.
    weights : ndarray (n,), optional
        How much each value counts: its noise is over them.

    Returns
    -------
    KernelFit
    """
    spreads = np.array([spread(kernel) for kernel in kernels])
    told = np.flatnonzero(spreads > 1e-12 * max(1e-300, spreads.max()))
    scaled = [kernels[k] / spreads[k] for k in told]
    beside, y = take_off(beside, y, weights)
    uneven = 1.0 if weights is None else 1 / weights
    found, point, converged = estimate(
        scaled, y, uneven=uneven, beside=beside, noise=NOISE_OF_SINGLES
    )
    variances = np.zeros(len(kernels) + 1)
    variances[told], variances[-1] = found[:-1] / spreads[told], found[-1]
    factor = cho_factor(covariance(scaled, found, uneven), lower=True, check_finite=False)
    solved = solve_beside(factor, y, beside)
    genetic = variances[:-1] * spreads
    return KernelFit(
        variances=variances,
        mean=solved.mean,
        dual=solved.dual,
        factor=factor,
        share=float(genetic[1:].sum() / genetic.sum()) if genetic.any() else 0.0,
        log_likelihood=point.log_likelihood,
        at_bound=meets_bound(found, y, NOISE_OF_SINGLES),
        converged=converged,
    )
