"""Have the chains of a sampler met, and how many independent draws are they worth?

Gelman et al. 2013, Bayesian Data Analysis, 3rd edition, section 11.4 and 11.5: the potential scale
reduction of chains cut in halves, and the effective number of draws from their autocorrelation,
summed as far as Geyer's initial monotone sequence (1992, doi:10.1214/ss/1177011137).
"""

import numpy as np


def _halves(draws):
    """Each chain cut into two: (chains, iterations, ...) -> (2 chains, iterations // 2, ...)."""
    half = draws.shape[1] // 2
    return np.concatenate([draws[:, :half], draws[:, -half:]])


def _variances(halves):
    """Mean variance within the halves, and the marginal variance that they estimate together."""
    size = halves.shape[1]
    within = halves.var(1, ddof=1).mean(0)
    between = halves.mean(1).var(0, ddof=1)
    return within, within * (size - 1) / size + between


def split_rhat(draws):
    """Potential scale reduction of split chains: about 1 once they have met, else above.

    Parameters
    ----------
    draws : ndarray (chains, iterations, ...)
        At least 4 iterations of any number of quantities.

    Returns
    -------
    ndarray (...)
        1 for a quantity that never moves, infinite for chains that stand still apart.
    """
    within, marginal = _variances(_halves(np.asarray(draws, dtype=np.float64)))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(marginal > 0, np.sqrt(marginal / within), 1.0)


def effective_size(draws):
    """Number of independent draws that would estimate the mean as well.

    Parameters
    ----------
    draws : ndarray (chains, iterations)
        At least 4 iterations of one quantity.

    Returns
    -------
    float
        At most the number of draws; that number for a quantity that never moves.
    """
    halves = _halves(np.asarray(draws, dtype=np.float64))
    count, size = halves.shape
    within, marginal = _variances(halves)
    if marginal == 0:
        return float(draws.size)
    centred = halves - halves.mean(1, keepdims=True)
    spectrum = np.fft.rfft(centred, 2 * size, axis=1)
    covariance = np.fft.irfft(np.square(np.abs(spectrum)), axis=1)[:, :size].mean(0) / size
    correlation = 1 - (within - covariance * size / (size - 1)) / marginal
    correlation[0] = 1.0
    pairs = correlation[: size // 2 * 2].reshape(-1, 2).sum(1)
    negative = np.flatnonzero(pairs < 0)
    pairs = np.minimum.accumulate(pairs[: negative[0]] if negative.size else pairs)
    return float(min(count * size / max(2 * pairs.sum() - 1, 1e-12), draws.size))
