"""Loci that don't copy each other, in the order of scores or along the genome.

Of SNPs in this order each is taken that isn't correlated beyond a bound with one taken before. The
bound of Rijal et al. 2025 (arXiv:2504.10388) for loci along the genome, |r| 0.94, stands for copies
of a locus. Products of pairs are made of loci by their scores, networks take those of the genome.
"""

import numpy as np

BLOCK = 512  # SNPs whose correlations are computed together
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
    x, open_ = _unit_columns(dosage[:, ranked], np.float32)
    taken, copies = [], 0
    while open_.any() and len(taken) < count:
        best = int(np.argmax(open_))
        taken.append(best)
        open_[best] = False
        copied = open_ & (np.abs(x[:, best] @ x) > independence)
        copies += int(copied.sum())
        open_ &= ~copied
    return ranked[taken].astype(np.int64), copies


def independent_loci(dosage, snp_chromosome, *, bound):
    """SNPs that copy none before them on their chromosome, greedily along it.

    Parameters
    ----------
    dosage : ndarray (n, L) int8
        Of the training lines, and of these alone.
    snp_chromosome : ndarray (L,)
        Chromosome of each SNP, in the order of the genome.
    bound : float, keyword only
        |r| above which a SNP is a copy of one that was taken.

    Returns
    -------
    taken : ndarray (L,) of bool
        SNPs without variance are never taken.
    """
    taken = np.zeros(dosage.shape[1], bool)
    for chromosome in dict.fromkeys(snp_chromosome):
        before = []  # those taken, block by block
        here = np.flatnonzero(snp_chromosome == chromosome)
        for snps in np.split(here, range(BLOCK, len(here), BLOCK)):
            x, open_ = _unit_columns(dosage[:, snps], np.float64)
            for known in before:
                open_ &= ~(np.abs(known.T @ x) > bound).any(0)
            copies = np.abs(x.T @ x) > bound
            for snp in range(len(snps)):
                if open_[snp]:
                    open_[snp + 1 :] &= ~copies[snp, snp + 1 :]
            taken[snps] = open_
            before.append(x[:, open_])
    return taken


def _unit_columns(dosage, kind):
    """Columns of mean 0 and length 1, and whether each varies; one that doesn't is 0."""
    x = dosage.astype(kind)
    x -= x.mean(0)
    lengths = np.sqrt(np.einsum("nl,nl->l", x, x))
    varies = lengths > 0
    return x / np.where(varies, lengths, 1), varies
