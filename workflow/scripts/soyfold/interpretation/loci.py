"""Top loci along the genome, what lies near them, and what chance makes of that.

Importance is smooth along the genome, by linkage, and so top loci stand in clumps. Two ways to draw
others. All L - 1 circular shifts of the loci, SNP by SNP along the genome, keep clumps and the
genome's density of SNPs, and part only the loci from what they are compared with (circular genomic
permutation: Cabrera et al. 2012, doi:10.1534/g3.112.002618). Uniform draws, as many SNPs, each
anywhere, don't keep clumps: they reach more places by chance, and set a higher bar.
"""

import numpy as np

CHROMOSOME = 1 << 40  # between two chromosomes' places, beyond any reach


def line_up(codes, position):
    """Places on one line, on which no reach crosses from one chromosome to another.

    Parameters
    ----------
    codes : ndarray (L,) int
        Chromosome of each SNP, in genome order.
    position : ndarray (L,) int
        bp.

    Returns
    -------
    ndarray (L,) int64
    """
    return np.asarray(codes, dtype=np.int64) * CHROMOSOME + np.asarray(position, dtype=np.int64)


def top_loci(importance, share):
    """Which SNPs are top: the share of highest importance, one at least, none of importance 0.

    Parameters
    ----------
    importance : ndarray (L,)
        NaN is no importance.
    share : float
        0.01 for the top 1 %.

    Returns
    -------
    ndarray (L,) bool
    """
    importance = np.nan_to_num(np.asarray(importance, dtype=np.float64), nan=0.0)
    count = max(1, round(share * len(importance)))
    top = np.zeros(len(importance), dtype=bool)
    top[np.argsort(-importance, kind="stable")[:count]] = True
    return top & (importance > 0)


def reach_around(places, points, reach):
    """First and one past the last SNP within `reach` bp of each point, two int arrays (J,).

    Parameters
    ----------
    places : ndarray (L,) int64
        Ascending, of `line_up`.
    points : ndarray (J,) int64
        On the same line.
    reach : float
        bp, included.
    """
    first = np.searchsorted(places, points - int(reach), side="left")
    return first, np.searchsorted(places, points + int(reach), side="right")


def near(places, loci, reach):
    """Which SNPs lie within `reach` bp of a locus: loci (L,) bool -> (L,) bool."""
    first, past = reach_around(places, places[loci], reach)
    steps = np.bincount(first, minlength=len(places) + 1)
    steps = steps - np.bincount(past, minlength=len(places) + 1)
    return np.cumsum(steps)[: len(places)] > 0


def rotated_hits(loci, targets):
    """Loci among the targets at each circular shift of the loci along the genome.

    Parameters
    ----------
    loci, targets : ndarray (L,) bool

    Returns
    -------
    ndarray (L,) int64
        At [k] the number of SNPs i whose [i - k] is a locus and that are targets themselves; [0] is
        the observed one. A cross-correlation, O(L log L).
    """
    n = len(loci)
    product = np.fft.rfft(targets.astype(float)) * np.conj(np.fft.rfft(loci.astype(float)))
    return np.rint(np.fft.irfft(product, n)).astype(np.int64)


def found_points(loci, first, past):
    """Points with a locus near them: loci (..., L) bool, first and past (J,) -> (..., J) bool."""
    before = np.zeros((*loci.shape[:-1], loci.shape[-1] + 1), dtype=np.int64)
    np.cumsum(loci, axis=-1, out=before[..., 1:])
    return before[..., past] > before[..., first]


def rotated_finds(loci, first, past):
    """Points with a locus near them at each circular shift of the loci, (L,) int64.

    Parameters
    ----------
    loci : ndarray (L,) bool
    first, past : ndarray (J,) int
        Of `reach_around`.

    Returns
    -------
    ndarray (L,) int64
        [0] is the observed number.
    """
    n = len(loci)
    before = np.concatenate([[0], np.cumsum(np.tile(loci, 2))])
    finds = np.zeros(n, dtype=np.int64)
    shifts = (-np.arange(n)) % n
    for start, stop in zip(first, past, strict=True):
        low = (start + shifts) % n
        finds += before[low + stop - start] > before[low]
    return finds


def drawn_finds(loci, first, past, *, draws, rng, cells=1 << 21):
    """Points with a locus near them when as many SNPs are drawn uniformly, (draws,) int64."""
    n, count = len(loci), int(loci.sum())
    finds, step = [], max(1, cells // n)
    for start in range(0, draws, step):
        size = min(step, draws - start)
        chosen = np.argpartition(rng.random((size, n)), count, axis=1)[:, :count]
        drawn = np.zeros((size, n), dtype=bool)
        np.put_along_axis(drawn, chosen, True, axis=1)
        finds.append(found_points(drawn, first, past).sum(-1))
    return np.concatenate(finds)


def chance(observed, drawn):
    """Mean, 2.5 % and 97.5 % quantile of what chance gives, and p of the observed or more.

    Parameters
    ----------
    observed : float
    drawn : ndarray (m,)
        Without the observed one.

    Returns
    -------
    mean, low, high, p : float
        p = (1 + draws of at least the observed) / (1 + m).
    """
    low, high = np.quantile(drawn, [0.025, 0.975])
    return drawn.mean(), low, high, (1 + (drawn >= observed).sum()) / (1 + len(drawn))
