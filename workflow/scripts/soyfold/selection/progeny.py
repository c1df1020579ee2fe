"""What the inbred progeny of a cross will be: its mean and its genetic variance, in closed form.

A locus at which two inbred parents differ is +1 or -1 in a progeny line. Over the lines the
covariance of two such loci is 1 - 2c for doubled haploids of an F1 and (1 - 2c) / (1 + 2c) for
recombinant inbred lines by selfing (Haldane and Waddington 1931, Genetics 16:357), with c the
recombination between them: Haldane's 1 - 2c = exp(-2d) at d Morgans, 0 between chromosomes. With a
the effects of a copy of ALT, x the parents' dosages and D these covariances, the variance is

    v_12 = b' D b,   b_i = a_i (x_1i - x_2i) / 2
         = (g_11 + g_22 - 2 g_12) / 4,   g_12 = (a x_1)' D (a x_2)

(Lehermeier, Teyssedre and Schoen 2017, doi:10.1534/genetics.117.300403), so that one product per
chromosome and parent gives the variances of all crosses between all parents at once. A heterozygous
call counts as half of a difference: parents are taken as the inbred lines that they nearly are.
"""

import numpy as np

from soyfold.common.blocks import blocks

KINDS = {
    "dh": lambda near: near,
    "ril": lambda near: near / (2 - near),
}


def linkage(morgans, others, *, kind):
    """Covariance of loci that are +1 or -1 in inbred progeny.

    Parameters
    ----------
    morgans, others : ndarray (l,), (m,)
        Places of loci on one chromosome, in Morgans.
    kind : {'dh', 'ril'}, keyword only
        Doubled haploids of the F1, or recombinant inbred lines by selfing.

    Returns
    -------
    ndarray (l, m)
        1 - 2c, or (1 - 2c) / (1 + 2c), by Haldane's map function.
    """
    return KINDS[kind](np.exp(-2 * np.abs(np.subtract.outer(morgans, others))))


def _add_chromosome(products, scaled, morgans, kind):
    """Add (a x_1)' D (a x_2) of one chromosome to (K, P, P), from a x (K, P, l), block by block."""
    for rows in blocks(len(morgans)):
        near = np.zeros((*scaled.shape[:2], morgans[rows].size))
        for columns in blocks(len(morgans)):
            near += scaled[..., columns] @ linkage(morgans[columns], morgans[rows], kind=kind)
        products += near @ scaled[..., rows].swapaxes(1, 2)


def progeny_sd(dosage, effects, chromosome, morgans, *, kind):
    """Genetic standard deviation of the inbred progeny of all crosses between some parents.

    Parameters
    ----------
    dosage : ndarray (P, L) int8
        Counts of ALT of the parents.
    effects : ndarray (K, L)
        Of one copy of ALT, for each trait or index, in its units.
    chromosome : ndarray (L,)
        Label of each SNP's chromosome.
    morgans : ndarray (L,)
        Place of each SNP on it, in Morgans.
    kind : {'dh', 'ril'}, keyword only

    Returns
    -------
    ndarray (K, P, P)
        Symmetric, 0 on the diagonal. Memory beyond the arguments': two blocks of a chromosome's
        SNPs squared, and K P times the SNPs of the largest chromosome.
    """
    effects = np.atleast_2d(effects)
    products = np.zeros((len(effects), len(dosage), len(dosage)))
    for name in dict.fromkeys(chromosome):
        own = np.flatnonzero(chromosome == name)
        calls = dosage[:, own].astype(np.float64)
        differing = np.ptp(calls, axis=0) > 0
        own, calls = own[differing], calls[:, differing]
        calls -= calls.mean(0)  # what all parents share drops out: less to cancel below
        _add_chromosome(products, effects[:, None, own] * calls, morgans[own], kind)
    diagonal = np.einsum("kpp->kp", products)
    squares = diagonal[:, :, None] + diagonal[:, None, :] - 2 * products
    # Rounding alone leaves something between equal parents.
    squares[squares < 1e-12 * diagonal.max(axis=1, initial=0.0)[:, None, None]] = 0.0
    return np.sqrt(squares) / 2
