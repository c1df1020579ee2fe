"""Contacts summed by pairs of chromosomes: the unnormalised CIM."""

import numpy as np
import pandas as pd

from soyfold.common.errors import UserError
from soyfold.contacts.coolers import open_cooler

CHUNK = 4_000_000  # pixels in memory at a time


def _order_of(chromosomes, clr, uri):
    """For each bin of the cooler the row of its chromosome in the order wanted, or -1."""
    wanted = {name: row for row, name in enumerate(chromosomes)}
    if len(wanted) != len(chromosomes):
        twice = next(name for name in wanted if list(chromosomes).count(name) > 1)
        raise UserError(f"chromosome {twice!r} wanted twice", file=uri, allowed="each once")
    names = list(clr.chrom.categories)
    unknown = [name for name in wanted if name not in names]
    if unknown:
        raise UserError(
            f"no chromosome {', '.join(map(str, unknown))}", file=uri, allowed=", ".join(names)
        )
    return np.array([wanted.get(name, -1) for name in names], dtype=np.int64)[clr.chrom.codes]


def _weights(clr, uri):
    if clr.weight is None:
        raise UserError(
            "no balancing weights",
            file=uri,
            allowed="a column `weight` among the bins",
            mend="run `cooler balance`, or set contacts.balance: false",
        )
    return clr.weight


def sum_by_chromosome(uri, chromosomes, *, balanced=False):
    """Sum a cooler's contacts by pairs of chromosomes, each contact once.

    The sum of a chromosome with itself is that of the upper triangle of its block, the main
    diagonal included once; the sum of two chromosomes is that of the block between them. Balanced
    sums hold the contacts within a bin and with the next one too, which ICE leaves out of what it
    balances: without them a chromosome's own sum would hang on the bin size, and a chromosome of
    one or two bins would have none. Pixels are read in chunks, so memory does not grow with the
    file.

    Parameters
    ----------
    uri : str or path-like
        Cooler URI (`file.cool`, `file.mcool::/resolutions/10000`).
    chromosomes : sequence of str
        Names in the order wanted, as they stand in the cooler; others are left out.
    balanced : bool, keyword only
        Sum count x weight x weight; pixels of masked bins (NaN weight) are left out.

    Returns
    -------
    DataFrame (G, G)
        Symmetric, names on both axes; int64 for integer counts, else float64.

    Raises
    ------
    UserError
        For a file that is no cooler, a name that is not in it or given twice, or missing weights.
    """
    chromosomes = list(chromosomes)
    clr = open_cooler(uri)
    row = _order_of(chromosomes, clr, uri)
    weight = _weights(clr, uri) if balanced else None
    n = len(chromosomes)
    total = np.zeros(n * n)
    for _, one, two, count in clr.pixels(CHUNK):
        value = count.astype(np.float64)
        if balanced:
            value = value * weight[one] * weight[two]
        kept = (row[one] >= 0) & (row[two] >= 0) & ~np.isnan(value)
        pair = row[one[kept]] * n + row[two[kept]]
        total += np.bincount(pair, weights=value[kept], minlength=n * n)
    once = total.reshape(n, n)
    sums = once + once.T - np.diag(np.diag(once))
    if not balanced and clr.integer:
        sums = np.rint(sums).astype(np.int64)
    return pd.DataFrame(sums, index=chromosomes, columns=chromosomes)
