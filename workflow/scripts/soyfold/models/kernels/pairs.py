"""Kernels between lines of products of pairs of chromosomes."""

import numpy as np

FLOATS = 2**24  # numbers that a block of kernels may hold: 128 MB


def chromosome_kernels(left, right, centre, snp_chromosome, count, snp_weights=None):
    """Every chromosome's kernel between some lines and others, (count, m, n) float64.

    Parameters
    ----------
    left, right : ndarray (m, L), (n, L)
        Dosages; K_c = (left_c - centre_c) S_c (right_c - centre_c)'.
    centre : ndarray (L,)
    snp_chromosome : ndarray (L,) int
        From 0 to `count` - 1.
    count : int
        Of chromosomes.
    snp_weights : ndarray (L,), optional
        S; 1 for every SNP by default.
    """
    kernels = np.empty((count, len(left), len(right)))
    for chromosome, kernel in enumerate(kernels):
        own = np.flatnonzero(snp_chromosome == chromosome)
        rows = left[:, own] - centre[own]
        if snp_weights is not None:
            rows *= snp_weights[own]
        np.matmul(rows, (right[:, own] - centre[own]).T, out=kernel)
    return kernels


def cross_products(left, right, centre, snp_chromosome, weights, snp_weights=None):
    """Rows of sum over c < d of w_cd K_c o K_d, in blocks.

    For a row of all the K_c, the sum over pairs is 1/2 sum over c of K_c o (sum over d of w_cd
    K_d): one matrix product instead of G (G - 1) / 2 of them by entries.

    Parameters
    ----------
    left, right, centre, snp_chromosome, snp_weights
        As of `chromosome_kernels`.
    weights : ndarray (G, G)
        Symmetric, with a diagonal of 0.

    Yields
    ------
    rows : slice
    products : ndarray (rows, n)
    """
    step = max(16, FLOATS // (len(weights) * max(1, len(right))))
    for start in range(0, len(left), step):
        rows = slice(start, start + step)
        kernels = chromosome_kernels(
            left[rows], right, centre, snp_chromosome, len(weights), snp_weights
        )
        met = np.tensordot(weights, kernels, axes=1)
        met *= kernels
        yield rows, met.sum(0) / 2


def pair_products(dosage, centre, snp_chromosome, weights):
    """The same among the lines themselves, (n, n)."""
    products = np.empty((len(dosage), len(dosage)))
    for rows, own in cross_products(dosage, dosage, centre, snp_chromosome, weights):
        products[rows] = own
    return products
