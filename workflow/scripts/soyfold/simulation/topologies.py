"""Which pairs of chromosomes hold a planted trait's products: where contacts say so, and where not.

A model that uses the CIM should gain where the pairs of most contact interact (`contact`). These
are a clique of small chromosomes, the easiest case: so pairs of the same sizes that don't meet
(`matched`), pairs of all sizes that share no chromosome (`random`) and the largest pair alone
(`large`, whose products are the most pairs of SNPs to search) stand beside it.
"""

import numpy as np

from soyfold.common.errors import UserError
from soyfold.simulation.epistasis import rank_pairs

TOPOLOGIES = ("contact", "matched", "random", "large")


def topology_pairs(name, sums, sizes, count, rng):
    """The pairs of chromosomes whose SNPs interact.

    Parameters
    ----------
    name : str
        One of `TOPOLOGIES`.
    sums : ndarray (G, G)
        Contacts summed by chromosome pair.
    sizes : sequence of int (G,)
        SNPs of each chromosome.
    count : int
        Pairs; `large` has one.
    rng : numpy.random.Generator
        Of `random` alone.

    Returns
    -------
    pairs : ndarray (count, 2) int64
        Each ascending.

    Raises
    ------
    UserError
        If there are too few pairs.
    """
    sizes = np.asarray(sizes, dtype=np.float64)
    ranked, ratio = rank_pairs(np.asarray(sums, dtype=np.float64))
    most = len(sizes) // 2 if name == "random" else len(ranked) // 2
    if count > most:
        raise UserError(f"{count} pairs", at="--pairs", allowed=f"1 to {most} of topology {name}")
    if name == "contact":
        return ranked[:count]
    if name == "large":
        return np.sort(np.argsort(-sizes, kind="stable")[:2])[None]
    if name == "random":
        return np.sort(rng.permutation(len(sizes))[: 2 * count].reshape(-1, 2), axis=1)
    if name != "matched":
        raise UserError(f"topology {name!r}", allowed=", ".join(TOPOLOGIES))
    return _matched(ranked, ratio, np.log(sizes), count)


def _matched(ranked, ratio, log_sizes, count):
    """The pairs nearest in size to those of most contact, of those that meet below expectation."""
    area = log_sizes[ranked].sum(1)
    apart = np.flatnonzero(ratio < 1)
    if len(apart) < count:
        raise UserError(
            f"{count} pairs", at="--pairs", allowed=f"1 to {len(apart)} that meet below expectation"
        )
    chosen = []
    for target in area[:count]:
        free = np.setdiff1d(apart, chosen)
        chosen.append(free[np.argmin(np.abs(area[free] - target))])
    return ranked[chosen]
