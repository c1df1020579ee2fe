"""Kernels between lines, additive and of pairs of chromosomes, and REML for the two together."""

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize, minimize_scalar

from soyfold.models.kernels.tridiagonal import SEARCH

FLOATS = 2**24  # numbers that a block of kernels may hold: 128 MB


def cross_products(left, right, centre, snp_chromosome, weights, *, full):
    """Rows of sum over c < d of w_cd K_c o K_d, in blocks.

    For a row of all the K_c, the sum over pairs is 1/2 sum over c of K_c o (sum over d of w_cd
    K_d): one matrix product instead of G (G - 1) / 2 of them by entries.

    Parameters
    ----------
    left, right : ndarray (m, L), (n, L)
        Dosages; K_c = (left_c - centre_c) (right_c - centre_c)'.
    centre : ndarray (L,)
    snp_chromosome : ndarray (L,) int
        Row of `weights`.
    weights : ndarray (G, G)
        Symmetric, with a diagonal of 0.
    full : bool
        Yield the sum of the K_c as well.

    Yields
    ------
    rows : slice
    products : ndarray (rows, n)
    additive : ndarray (rows, n)
        Where `full`.
    """
    columns = [np.flatnonzero(snp_chromosome == c) for c in range(len(weights))]
    step = max(16, FLOATS // (len(weights) * max(1, len(right))))
    for start in range(0, len(left), step):
        rows = slice(start, start + step)
        block = left[rows]
        kernels = np.empty((len(weights), len(block), len(right)))
        for kernel, own in zip(kernels, columns, strict=True):
            np.matmul(block[:, own] - centre[own], (right[:, own] - centre[own]).T, out=kernel)
        met = np.tensordot(weights, kernels, axes=1)
        met *= kernels
        products = met.sum(0) / 2
        yield (rows, products, kernels.sum(0)) if full else (rows, products)


def pair_products(dosage, centre, snp_chromosome, weights):
    """The additive kernel Z Z' and the weighted sum of K_c o K_d, both (n, n)."""
    additive, products = np.empty((2, len(dosage), len(dosage)))
    blocks = cross_products(dosage, dosage, centre, snp_chromosome, weights, full=True)
    for rows, of_pairs, of_snps in blocks:
        products[rows], additive[rows] = of_pairs, of_snps
    return additive, products


def _solve(additive, products, y, share, ridge):
    """V^-1 y and log|V| for V = (1 - share) K + share E + ridge I."""
    covariance = (1 - share) * additive + share * products
    covariance[np.diag_indices_from(covariance)] += ridge
    factor = cho_factor(covariance, lower=True, overwrite_a=True, check_finite=False)
    return cho_solve(factor, y, check_finite=False), 2 * np.log(np.diag(factor[0])).sum()


def log_likelihood(additive, products, y, share, ridge):
    """REML log-likelihood of two centred kernels, with the variance profiled out.

    The intercept is an eigenvector of V with eigenvalue `ridge`, so that the terms of
    gblup.Spectrum.log_likelihood become log|V| - log(ridge).

    Parameters
    ----------
    additive, products : ndarray (n, n)
        Kernels whose rows sum to zero.
    y : ndarray (n,)
        Values whose mean is zero.
    share : float
        Of `products`; 1 - share is that of `additive`.
    ridge : float
        Noise variance over genetic variance.

    Returns
    -------
    float
    """
    dual, determinant = _solve(additive, products, y, share, ridge)
    freedom = len(y) - 1
    variance = y @ dual / freedom
    return -0.5 * (freedom * (np.log(2 * np.pi * variance) + 1) + determinant - np.log(ridge))


def estimate(additive, products, y, *, share=None):
    """REML estimate of the share of the products and of the noise.

    Parameters
    ----------
    additive, products : ndarray (n, n)
        Centred kernels whose diagonals average 1 (over n - 1).
    y : ndarray (n,)
        Values whose mean is zero.
    share : float, optional, keyword only
        Fixed share of the products; None estimates it.

    Returns
    -------
    dict
        dual (n,): V^-1 y; share, ridge, heritability, variance_genetic, variance_residual,
        log_likelihood, gain: log-likelihood over that at share 0.
    """

    def depth(share, log_ridge):
        return -log_likelihood(additive, products, y, share, np.exp(log_ridge))

    bounds = tuple(np.log(SEARCH))

    def descend(share):
        found = minimize_scalar(
            lambda log_ridge: depth(share, log_ridge),
            bounds=bounds,
            method="bounded",
            options={"xatol": 1e-6},
        )
        return found.fun, share, found.x

    alone = best = descend(0.0)
    if share is None:
        # A step of 1e-4 is far above the likelihood's rounding, far below its curvature.
        found = minimize(
            lambda at: depth(*at),
            (0.2, alone[2]),
            method="L-BFGS-B",
            bounds=((0.0, 1.0), bounds),
            options={"eps": 1e-4, "ftol": 1e-10, "gtol": 1e-3},
        )
        best = min(alone, (found.fun, *found.x), key=lambda end: end[0])
    elif share > 0:
        best = descend(share)
    share, ridge = float(best[1]), float(np.exp(best[2]))
    dual, _ = _solve(additive, products, y, share, ridge)
    variance = y @ dual / (len(y) - 1)
    return {
        "dual": dual,
        "share": share,
        "ridge": ridge,
        "heritability": 1 / (1 + ridge),
        "variance_genetic": variance,
        "variance_residual": variance * ridge,
        "log_likelihood": -float(best[0]),
        "gain": float(alone[0] - best[0]),
    }
