"""Walks over large matrices that are made floating a block at a time."""

import numpy as np

BLOCK = 2048  # rows or columns
EXACT = 2**24  # whole numbers below it have no rounding in float32


def blocks(size):
    """Slices that cover range(size), BLOCK at a time."""
    return (slice(start, start + BLOCK) for start in range(0, size, BLOCK))


def line_products(left, right):
    """X_left X_right' (m, n): products of the dosages of lines, summed over the SNPs.

    Parameters
    ----------
    left, right : ndarray (m, L), (n, L) int8
        Counts of ALT; may be memory-mapped. The same object for all products of some lines.

    Returns
    -------
    ndarray (m, n)
        Exact: float32 where it holds all whole numbers that can come up, else float64.
    """
    kind = np.float32 if 4 * left.shape[1] < EXACT and left.dtype == np.int8 else np.float64
    products = np.zeros((len(left), len(right)), dtype=kind)
    for columns in blocks(left.shape[1]):
        own = left[:, columns].astype(kind)
        # A matrix times its own transpose costs half: BLAS then knows that it is symmetric.
        products += own @ (own if left is right else right[:, columns].astype(kind)).T
    return products
