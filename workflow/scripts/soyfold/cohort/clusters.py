"""Lines that are nearly the same: connected components of pairs whose calls agree.

Two lines are linked where the share of equal calls, among SNPs called in both, exceeds a threshold.
Every pair is compared exactly: three bits a call, 64 calls at a time, and a pair is given up once
its different calls are too many, which for unrelated lines takes a few words. No n x n is kept.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from numba import njit

from soyfold.common.logs import log
from soyfold.genotypes import bed

WORD = 64


def _pack_calls(path, n, variants):
    """Planes (n, words, 3) uint64: called, heterozygous, homozygous for ALT; a bit a SNP."""
    words = -(-variants // WORD)
    planes = np.zeros((n, 3, words), dtype=np.uint64)
    rows = bed.open_bed(path, variants=variants, samples=n)
    # As many SNPs as fill whole words, and about 32 M calls.
    step = WORD * max(1, (1 << 25) // (WORD * n))
    for start in range(0, variants, step):
        counts = bed.unpack(rows[start : start + step], n).T
        block = slice(start // WORD, start // WORD - (-counts.shape[1] // WORD))
        for plane, wanted in enumerate((counts != bed.MISSING, counts == 1, counts == 2)):
            packed = np.packbits(wanted, axis=1)
            padding = 8 * (block.stop - block.start) - packed.shape[1]
            whole = np.pad(packed, ((0, 0), (0, padding)))
            planes[:, plane, block] = np.ascontiguousarray(whole).view(np.uint64)
    return np.ascontiguousarray(planes.transpose(0, 2, 1))


@njit
def _bits(word):
    """Bits that are set in a word (Warren, Hacker's Delight, 5-1)."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    fours = np.uint64(0x3333333333333333)
    word = (word & fours) + ((word >> np.uint64(2)) & fours)
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@njit
def _are_alike(a, b, identity, most_different):
    """Whether the share of equal calls among those of both lines exceeds `identity`."""
    called, different = 0, 0
    for word in range(len(a)):
        both = a[word, 0] & b[word, 0]
        called += _bits(both)
        different += _bits(both & ((a[word, 1] ^ b[word, 1]) | (a[word, 2] ^ b[word, 2])))
        if different > most_different:
            return False
    return called - different > identity * called


@njit
def _root(parent, line):
    while parent[line] != line:
        parent[line] = parent[parent[line]]
        line = parent[line]
    return line


@njit
def _join_alike(planes, identity, most_different):
    """First line of each line's component, (n,); pairs that are in one already are passed over."""
    n = len(planes)
    parent = np.arange(n)
    for i in range(n):
        for j in range(i):
            first, second = _root(parent, i), _root(parent, j)
            if first != second and _are_alike(planes[i], planes[j], identity, most_different):
                parent[max(first, second)] = min(first, second)
    return np.array([_root(parent, line) for line in range(n)])


def find_clusters(path, *, identity):
    """Cluster the lines of a bed file.

    Parameters
    ----------
    path : path-like
        PLINK bed with .bim and .fam beside it; calls may be missing.
    identity : float
        Lines with a larger share of equal calls, among those of both, are in one cluster, and so
        are all that such pairs connect.

    Returns
    -------
    DataFrame
        sample, cluster (name of its first sample), lines (of the cluster): in the order of the fam.
    """
    path = Path(path)
    samples = np.array(bed.read_fam(path.with_suffix(".fam")), dtype=object)
    variants = len(bed.read_bim(path.with_suffix(".bim")))
    planes = _pack_calls(path, len(samples), variants)
    # Among fewer common calls, as many differences are a smaller identity still.
    first = _join_alike(planes, identity, int((1 - identity) * variants))
    sizes = np.bincount(first, minlength=len(samples))
    log.info("%d lines in %d clusters of several, the largest of %d",
             sizes[sizes > 1].sum(), np.count_nonzero(sizes > 1), sizes.max(initial=0))  # fmt: skip
    return pd.DataFrame({"sample": samples, "cluster": samples[first], "lines": sizes[first]})
