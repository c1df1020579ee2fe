"""Loci that tell of a trait and not of each other: what products of pairs are made of.

Of SNPs in the order of their scores each is taken that isn't correlated beyond a bound with one
taken before. The bound of Rijal et al. 2025 (arXiv:2504.10388) for loci along the genome, |r| 0.94,
stands for copies of a locus.
"""

import numpy as np

CANDIDATES = 20  # for each locus that is asked for: SNPs beyond are not looked at


def choose_loci(dosage, scores, *, count, independence):
    """The SNPs of highest score that are no copies of each other.

    Parameters
    ----------
    dosage : ndarray (n, L)
        Of the training lines, and of these alone.
    scores : ndarray (L,)
        From 0 on; SNPs with 0, or without variance, are never taken.
    count : int, keyword only
        Most loci.
    independence : float, keyword only
        |r| above which a SNP is a copy of one that was taken.

    Returns
    -------
    loci : ndarray (k,) int64
        Columns of `dosage`, the highest score first.
    copies : int
        SNPs that were left out on the way, as copies of one of them.
    """
    ranked = np.argsort(-scores, kind="stable")[: CANDIDATES * count]
    ranked = ranked[scores[ranked] > 0]
    x = dosage[:, ranked].astype(np.float32)
    x -= x.mean(0)
    lengths = np.sqrt(np.einsum("nl,nl->l", x, x))
    open_ = lengths > 0
    x /= np.where(open_, lengths, 1)
    taken, copies = [], 0
    while open_.any() and len(taken) < count:
        best = int(np.argmax(open_))
        taken.append(best)
        open_[best] = False
        copied = open_ & (np.abs(x[:, best] @ x) > independence)
        copies += int(copied.sum())
        open_ &= ~copied
    return ranked[taken].astype(np.int64), copies
