"""What a trait's noise looks like to SNPs, by GBLUP: penalties set by it need no validation.

A penalty that just keeps noise out has to be as large as what noise shows by chance. GBLUP gives
noise of the trait's own kind: what is left of each line's value when the others predict it,
scaled to REML's noise variance. Shuffled over lines it has no more to do with any SNP.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, lapack

from soyfold.common.blocks import blocks
from soyfold.models.kernels.likelihood import LineLikelihood
from soyfold.models.kernels.matrices import whole
from soyfold.models.kernels.names import ADDITIVE
from soyfold.models.kernels.shared import own_kernels
from soyfold.models.linear import refuse_unusable

SHUFFLES = 5
# Noise's least share of the variance: REML of a few lines may find none at all, and penalties that
# follow from none would let them be learnt by heart.
LEAST_SHARE = 0.01


@dataclass(frozen=True)
class Noise:
    """GBLUP's view of a trait on some lines.

    Attributes
    ----------
    ratio : float
        REML's noise variance over the genetic one, of a line's value.
    ridge : float
        The same over the variance of one SNP's effect: per unit of Z Z'.
    residuals : ndarray (n,)
        y minus what the other lines predict, times the root of the value's weight where values
        weigh differently, with a mean of 0 and REML's noise variance; in training standard
        deviations of y.
    roots : ndarray (n,) or None
        Of the values' weights.
    """

    ratio: float
    ridge: float
    residuals: np.ndarray
    roots: np.ndarray | None = None

    def shuffled(self, seed):
        """The residuals in random orders, (SHUFFLES, n) float32."""
        rng = np.random.default_rng(seed)
        return np.array([rng.permutation(self.residuals) for _ in range(SHUFFLES)], np.float32)

    def scores(self, seed):
        """What such noise e adds to the scores of effects, (SHUFFLES, n) float32: W e, its sum 0.

        Without weights that is `shuffled`.
        """
        noise = self.shuffled(seed)
        if self.roots is None:
            return noise
        weights, pull = np.square(self.roots), noise * self.roots
        pull -= pull.sum(1, keepdims=True) * weights / weights.sum()
        return pull.astype(np.float32)


def inverse(kernel, ridge):
    """(K + ridge I)^-1 of a centred kernel (n, n) float64, which is overwritten."""
    kernel[np.diag_indices_from(kernel)] += ridge
    # The transpose of a symmetric matrix is itself, in LAPACK's order.
    factor, _ = cho_factor(kernel.T, lower=True, overwrite_a=True, check_finite=False)
    lower = np.tril(lapack.dpotri(factor, lower=1, overwrite_c=1)[0])
    return lower + np.tril(lower, -1).T


def whitened(kernels, y, weights):
    """The centred additive kernel, and y, whose noise is even: both times the weights' roots.

    Parameters
    ----------
    kernels : soyfold.models.kernels.shared.LineKernels
    y : ndarray (n,)
    weights : ndarray (n,)

    Returns
    -------
    kernel : ndarray (n, n)
    values : ndarray (n,)
        Of the weighted mean 0.
    """
    roots = np.sqrt(weights)
    kernel = kernels.centred(ADDITIVE, weights) * roots * roots[:, None]
    return kernel, roots * (y - np.average(y, weights=weights))


def measure_noise(dosage, y, *, kernels=None, model, weights=None):
    """Noise of a trait by GBLUP.

    Parameters
    ----------
    dosage : ndarray (n, L) int8
        Counts of ALT of the training lines.
    y : ndarray (n,) float64
    kernels : soyfold.models.kernels.shared.LineKernels, optional
        Of these lines; computed from their dosages where it isn't given.
    model : str, keyword only
        For messages.
    weights : ndarray (n,), keyword only, optional
        How much each value counts.

    Returns
    -------
    Noise

    Raises
    ------
    UserError
        For fewer than 3 lines, or a trait or SNPs without variance.
    """
    refuse_unusable(dosage, y, model=model)
    kernels, z = kernels or own_kernels(dosage), (y - y.mean()) / y.std()
    if weights is None:
        kernel, centred, even = kernels.kernel(ADDITIVE), kernels.centred(ADDITIVE), 1 / len(z)
    else:
        centred, z = whitened(kernels, z, weights)
        kernel, even = whole(centred.copy()), weights / weights.sum()
    likelihood = LineLikelihood(kernel, z)
    ridge = likelihood.likeliest_ridge()[0]
    ridge = max(ridge, likelihood.spread * LEAST_SHARE / (1 - LEAST_SHARE))
    # P = V^-1 - 11' / (n ridge), as the intercept is an eigenvector; a line left out misses its
    # prediction by (P y)_i / P_ii.
    spared = np.diag(inverse(centred, ridge)) - even / ridge
    residuals = likelihood.dual(ridge) / spared
    residuals -= residuals.mean()
    variance = likelihood.figures(ridge, False)["variance_residual"]
    residuals = residuals * np.sqrt(variance) / residuals.std()
    roots = None if weights is None else np.sqrt(weights)
    return Noise(ridge / likelihood.spread, ridge, residuals, roots)


def largest_scores(x, noise):
    """How far noise correlates with a SNP by chance: the median of max_l |x_l . e|.

    Parameters
    ----------
    x : ndarray (n, L) float32
    noise : ndarray (..., shuffles, n) float32

    Returns
    -------
    ndarray (...)
    """
    rows = noise.reshape(-1, noise.shape[-1])
    heights = [np.abs(rows @ x[:, columns]).max(1) for columns in blocks(x.shape[1])]
    return np.median(np.max(heights, axis=0).reshape(noise.shape[:-1]), axis=-1)
