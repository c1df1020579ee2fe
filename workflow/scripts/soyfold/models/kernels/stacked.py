"""The kernels of all chromosomes at once, and sums over them and over their pairs.

V = s_e I + sum over g of A_g K_g + sum over g < h of M_gh K_g o K_h, o the product by entries.
With all K_g side by side, V takes one product of M and the stack, and the derivatives of a
likelihood by all A_g and M_gh one product of the stack and its transpose: each of G x G x n^2
numbers, in place of G (G - 1) / 2 walks over n^2. All of these matrices are symmetric: their lower
triangles are kept, in blocks of rows, in float32: a stack takes 2 G n^2 bytes, and V 8 n^2.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.linalg import cho_factor, cho_solve, lapack

from soyfold.models.kernels.beside import profile

FLOATS = 2**19  # numbers of the stack in a block: a processor's cache holds them


@dataclass(frozen=True)
class KernelStack:
    """Lower triangles of G kernels between n lines.

    Attributes
    ----------
    blocks : list of (slice, ndarray (G, rows, columns))
        Some rows of all kernels, columns up to the last of these rows.
    """

    blocks: list

    @property
    def lines(self):
        """n."""
        return self.blocks[-1][0].stop

    def covariance(self, chromosomes, pairs, noise):
        """The lower triangle of V, (n, n) float64; above it are numbers without a meaning.

        Parameters
        ----------
        chromosomes : ndarray (G,)
            A.
        pairs : ndarray (G, G)
            M, symmetric with a diagonal of 0.
        noise : float or ndarray (n,)
            s_e, of each line.
        """
        total = np.zeros((self.lines, self.lines))
        for rows, kernels in self.blocks:
            flat, own = kernels.reshape(len(kernels), -1), chromosomes.astype(kernels.dtype)
            met = (pairs / 2).astype(kernels.dtype) @ flat + own[:, None]
            total[rows, : rows.stop] = np.einsum("gk,gk->k", met, flat).reshape(kernels.shape[1:])
        total[np.diag_indices_from(total)] += noise
        return total

    def factor(self, chromosomes, pairs, noise):
        """V's `Factor`; all as of `covariance`."""
        return Factor(self, chromosomes, pairs, noise)

    def sums(self, vectors, inverse=None):
        """Sums over all entries of W o K_g, (G,), and of W o K_g o K_h, (G, G).

        Parameters
        ----------
        vectors : ndarray (n, k)
        inverse : ndarray (n, n), optional
            W = vectors vectors' - inverse; its lower triangle is read.
        """
        first, second = 0.0, 0.0
        for rows, kernels in self.blocks:
            weights = vectors[rows] @ vectors[: rows.stop].T
            if inverse is not None:
                weights -= inverse[rows, : rows.stop]
            weights *= 2.0  # for the upper triangle
            within = np.tril(weights[:, rows])
            within[np.diag_indices_from(within)] /= 2
            weights[:, rows] = within
            flat = kernels.reshape(len(kernels), -1)
            weighted = flat * weights.astype(kernels.dtype).ravel()
            first = first + weighted.sum(1, dtype=np.float64)
            second = second + (weighted @ flat.T).astype(np.float64)
        return first, second

    def diagonals(self):
        """The kernels' diagonals, (G, n) float64."""
        parts = [
            np.diagonal(kernels[:, :, rows], axis1=1, axis2=2) for rows, kernels in self.blocks
        ]
        return np.concatenate(parts, axis=1).astype(np.float64)

    def variances(self):
        """What the K_g and the K_g o K_h add to the lines' variance: traces of them, centred.

        Returns
        -------
        own : ndarray (G,)
        pairs : ndarray (G, G)
            Both over n - 1; not negative.
        """
        n, diagonals = self.lines, self.diagonals()
        first, second = self.sums(np.ones((n, 1)))
        own = diagonals.sum(1) - first / n
        pairs = diagonals @ diagonals.T - second / n
        return np.maximum(own, 0) / (n - 1), np.maximum(pairs, 0) / (n - 1)


def stack_kernels(
    dosage, centre, snp_chromosome, count, snp_weights, *, kind=np.float32, floats=None
):
    """The kernels of `pairs.chromosome_kernels` among some lines: `KernelStack`.

    Parameters
    ----------
    dosage : ndarray (n, L)
    centre, snp_chromosome, count, snp_weights
        As there.
    kind : type, keyword only
        Of the numbers that are kept.
    floats : int, keyword only, optional
        How many of them a block has; a processor's cache holds those of the default.
    """
    n = len(dosage)
    step = max(16, (floats or FLOATS) // (count * n))
    edges = [*range(0, n, step), n]
    blocks = [
        (slice(start, stop), np.empty((count, stop - start, stop), dtype=kind))
        for start, stop in pairwise(edges)
    ]
    for chromosome in range(count):
        own = np.flatnonzero(snp_chromosome == chromosome)
        centred = dosage[:, own] - centre[own]
        weighted = centred * snp_weights[own]
        for rows, kernels in blocks:
            kernels[chromosome] = weighted[rows] @ centred[: rows.stop].T
    return KernelStack(blocks)


class Factor:
    """V of a stack, factorised (Cholesky).

    Parameters
    ----------
    stack : KernelStack
    chromosomes, pairs, noise
        As of `KernelStack.covariance`.

    Raises
    ------
    numpy.linalg.LinAlgError
        Where V has no factor in float64.
    """

    def __init__(self, stack, chromosomes, pairs, noise):
        covariance = stack.covariance(chromosomes, pairs, noise)
        self.stack = stack
        # Its transpose lies in LAPACK's order, with what was the lower triangle as its upper one.
        self.factor = cho_factor(covariance.T, lower=False, overwrite_a=True, check_finite=False)
        self.logs = 2 * np.log(np.diag(self.factor[0])).sum()  # log|V|

    def solve(self, sides):
        """V^-1 times (n, k)."""
        return cho_solve(self.factor, sides, check_finite=False)

    def sums(self, vectors):
        """`KernelStack.sums` of W = vectors vectors' - V^-1, and the diagonal of V^-1 (n,).

        The factor is used up.
        """
        inverse = lapack.dpotri(self.factor[0], lower=0, overwrite_c=1)[0].T
        return *self.stack.sums(vectors, inverse), np.diag(inverse)


@dataclass(frozen=True)
class Likelihood:
    """REML of y = mu + X b + g + e at some variances.

    Attributes
    ----------
    log_likelihood : float
        -1/2 [ log|V| + log|F'V^-1 F| - log n + (n - 1 - p) log(2 pi) + y'Py ], F = [1 X].
    mean : float
        mu, of generalised least squares.
    dual : ndarray (n,)
        P y = V^-1 (y - mu - X b).
    by_chromosome : ndarray (G,)
        Derivatives by A.
    by_pair : ndarray (G, G)
        By M: each of M_gh = M_hg.
    by_noise : float
        By s_e.
    """

    log_likelihood: float
    mean: float
    dual: np.ndarray
    by_chromosome: np.ndarray
    by_pair: np.ndarray
    by_noise: float


def evaluate(stack, y, chromosomes, pairs, noise, uneven=1.0, beside=None):
    """`Likelihood` at these variances: one Cholesky factor, one inverse.

    The derivative by a variance whose matrix is D is 1/2 sum over W o D, with W = P y y' P - P.

    Parameters
    ----------
    stack : KernelStack or soyfold.models.kernels.stacked_on_gpu.GpuStack
    y : ndarray (n,)
    chromosomes, pairs, noise
        As of `KernelStack.covariance`.
    uneven : float or ndarray (n,)
        What of s_e each value's noise has: 1 over its weight.
    beside : ndarray (n, p), optional
        X: orthonormal columns with sums of zero, or as `beside.take_off` gives it.
    """
    n = len(y)
    beside = np.zeros((n, 0)) if beside is None else beside
    factor = stack.factor(chromosomes, pairs, noise * uneven)
    found = profile(factor.solve, y, beside)
    vectors = np.column_stack([found.dual, found.fixed])
    by_chromosome, by_pair, inverse = factor.sums(vectors)
    freedom = n - 1 - beside.shape[1]
    height = factor.logs + np.log(found.total / n) + freedom * np.log(2 * np.pi) + y @ found.dual
    return Likelihood(
        log_likelihood=-0.5 * (height + found.logs),
        mean=found.mean,
        dual=found.dual,
        by_chromosome=by_chromosome / 2,
        by_pair=by_pair / 2,
        by_noise=0.5
        * float(
            (np.square(vectors) * np.reshape(uneven, (-1, 1))).sum() - (inverse * uneven).sum()
        ),
    )
