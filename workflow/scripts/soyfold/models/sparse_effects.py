"""Effects of single SNPs beside many small ones: the contact readout without its contacts.

y = c + x.(b0 / sqrt(L) + b s): a small effect of every SNP beside products b s of few. As
b^2 + s^2 is at least 2 |b s|, the readout's penalties on b and s are one on |beta|, beta = b s:

    |y - c - x.(theta + beta)|^2 + 10 lambda L |theta|^2 + 2 p sum |beta|,

which has one minimum. It is found here without a network's steps: theta in closed form, beta by
accelerated proximal steps (Beck and Teboulle 2009, doi:10.1137/080716542) that start at 0, so that
SNPs that are copies of each other share their effect. lambda is REML's; p is 0.3 of what noise
reaches by chance (`noise.largest_scores`; at all of it, noise alone leaves no beta). So nothing is
chosen by validation lines.
"""

import numpy as np

from soyfold.common.blocks import blocks
from soyfold.common.logs import log
from soyfold.models.declarations import declaration
from soyfold.models.kernels.names import ADDITIVE
from soyfold.models.kernels.shared import own_kernels
from soyfold.models.linear import weighted_means
from soyfold.models.noise import inverse, largest_scores, measure_noise, whitened

DECLARED = declaration("contact_products").defaults
RIDGE = DECLARED["ridge"]  # times lambda: large effects are then left to beta
SHARE = DECLARED["sparse"]  # of what noise reaches: the penalty
HALF = 0.5  # of a SNP's weight in a kernel, where the sparse fit has a say
STEPS, CHECK = 1000, 10  # at most; from one look at the gradient to the next
TOLERANCE = 0.02  # of the penalty: what the gradient may lack of a minimum's


def snp_weights(dosage, y, *, seed, kernels=None, share=SHARE, weights=None):
    """How much each SNP matters by itself, for a kernel of weighted SNPs.

    Parameters
    ----------
    dosage : ndarray (n, L) int8
        Counts of ALT of the training lines.
    y : ndarray (n,) float64
        Training values in trait units.
    seed : int, keyword only
        Of the orders in which noise is shuffled.
    kernels : soyfold.models.kernels.shared.LineKernels, keyword only, optional
        Of these lines; computed from their dosages where it isn't given.
    share : float, keyword only
        Of what noise reaches by chance: the penalty.
    weights : ndarray (n,), keyword only, optional
        How much each value counts: the sum of squares is weighted.

    Returns
    -------
    ndarray (L,) float64
        w, proportional to |beta| and from 0 on: mean over SNPs, each counted by its variance, of 1,
        so that Z diag(w) Z' has the trace of Z Z'. All 1 where no SNP stands out.

    Raises
    ------
    UserError
        For fewer than 3 lines, or a trait or SNPs without variance.
    """
    y = np.asarray(y, dtype=np.float64)
    x, beta = sparse_effects(dosage, y, seed=seed, kernels=kernels, share=share, weights=weights)
    size, variance = np.abs(beta), np.einsum("nl,nl->l", x, x, dtype=np.float64)
    total = size @ variance
    return size * (variance.sum() / total) if total > 0 else np.ones(len(size))


def kernel_weights(dosage, y, centre, *, sparse, **told):
    """Weights (L,) of SNPs with which Z diag(w) Z' has a mean diagonal of 1 (over n - 1).

    All alike; with `sparse` half of them as `snp_weights` says, which takes what else is `told`.
    """
    squares = np.zeros(dosage.shape[1])
    for rows in blocks(len(dosage)):
        squares += np.square(dosage[rows] - centre).sum(0)
    weights = np.full(len(squares), 1 / squares.sum())
    if sparse:
        found = snp_weights(dosage, y, **told)
        weights += HALF * (found / (found @ squares) - weights)
    return weights * (len(dosage) - 1)


def sparse_effects(dosage, y, *, seed, kernels=None, share=SHARE, weights=None):
    """x (n, L) float32 and beta (L,) float64, on z-scores: parameters as of `snp_weights`.

    x has even noise: with weights its rows are multiplied by their roots.
    """
    kernels = kernels or own_kernels(dosage)
    noise = measure_noise(dosage, y, kernels=kernels, model="sparse effects", weights=weights)
    x = dosage - weighted_means(dosage, weights).astype(np.float32)
    if weights is not None:
        x *= np.sqrt(weights, dtype=np.float32)[:, None]
    x /= np.sqrt(np.mean(np.einsum("nl,nl->l", x, x)) / len(x))
    ridge = RIDGE * noise.ridge
    # With theta at its best, |r - x theta|^2 + its penalty is r' W r.
    if weights is None:
        kernel, z = kernels.centred(ADDITIVE), y - y.mean()
    else:
        kernel, z = whitened(kernels, y, weights)
    whitener = (ridge * inverse(kernel, ridge)).astype(np.float32)
    z = (z / y.std()).astype(np.float32)
    beta = minimise(x, z, whitener, share * float(largest_scores(x, noise.shuffled(seed))))
    return x, beta.astype(np.float64)


def _steepness(x, whitener):
    """The largest eigenvalue of x' W x, from below, by power iteration."""
    effects = np.ones(x.shape[1], np.float32) + x[0]
    for _ in range(20):
        height = np.linalg.norm(effects)
        effects = x.T @ (whitener @ (x @ (effects / height)))
    return float(np.linalg.norm(effects))


def minimise(x, z, whitener, penalty):
    """beta (L,) of least (z - x beta)' W (z - x beta) + 2 penalty sum |beta|."""
    step = 1 / (1.05 * _steepness(x, whitener))
    beta = ahead = np.zeros(x.shape[1], np.float32)
    inertia = 1.0
    for number in range(STEPS):
        gradient = x.T @ (whitener @ (z - x @ ahead))
        if number % CHECK == 0 and _lacks(gradient, ahead, penalty) < TOLERANCE:
            break
        moved = ahead + step * gradient
        last, beta = beta, np.sign(moved) * np.maximum(np.abs(moved) - step * penalty, 0)
        if (ahead - beta) @ (beta - last) > 0:
            inertia = 1.0  # it went too far (O'Donoghue and Candes 2015)
        before, inertia = inertia, (1 + np.sqrt(1 + 4 * inertia**2)) / 2
        ahead = beta + np.float32((before - 1) / inertia) * (beta - last)
    else:
        log.warning("WARNING sparse effects of %d SNPs have not converged", len(beta))
    return beta


def _lacks(gradient, beta, penalty):
    """The gradient's largest distance from what |beta| allows at a minimum, over the penalty."""
    at_zero = np.maximum(np.abs(gradient) - penalty, 0)
    elsewhere = np.abs(gradient - np.sign(beta) * penalty)
    return float(np.where(beta == 0, at_zero, elsewhere).max()) / penalty
