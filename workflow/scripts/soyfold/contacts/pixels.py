"""Contacts in any order -> sorted upper-triangle pixels -> a cooler."""

import itertools
import warnings

import cooler
import h5py
import numpy as np
import pandas as pd

from soyfold.common.errors import UserError

# Aggregated pixels held before they are flushed: 16 bytes each, about thrice that while sorting.
LIMIT = 8_000_000
MERGE = 4_000_000  # pixels that cooler merges at a time: about 100 bytes each


def _aggregate(parts):
    """Sum the counts of equal keys; keys come out sorted."""
    if len(parts) == 1 and parts[0][1] is None:
        return np.unique(parts[0][0], return_counts=True)
    key = np.concatenate([part[0] for part in parts])
    count = np.concatenate([part[1] for part in parts])
    order = np.argsort(key, kind="stable")
    key, count = key[order], count[order]
    first = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))
    return key[first], np.add.reduceat(count, first)


def gather(chunks, n_bins, *, limit=LIMIT):
    """Fold contacts onto the upper triangle and sum those of the same pair of bins.

    Parameters
    ----------
    chunks : iterable of (one, two, count)
        Bins (m,) int64 in any order and counts (m,), or None for one each.
    n_bins : int
    limit : int, keyword only
        Rows held in memory.

    Yields
    ------
    DataFrame
        bin1_id <= bin2_id, count; sorted and unique within a chunk, not between chunks.
    """
    parts, size = [], 0
    for one, two, count in chunks:
        if not len(one):
            continue
        key = np.minimum(one, two) * n_bins + np.maximum(one, two)
        parts.append(_aggregate([(key, count)]))
        size += len(parts[-1][0])
        if size > limit:
            parts = [_aggregate(parts)]
            size = len(parts[0][0])
            # Little was saved: the next merge would come soon and save as little.
            if size > limit // 2:
                yield _frame(parts.pop(), n_bins)
                size = 0
    if parts:
        yield _frame(_aggregate(parts), n_bins)


def _frame(aggregated, n_bins):
    key, count = aggregated
    return pd.DataFrame({"bin1_id": key // n_bins, "bin2_id": key % n_bins, "count": count})


def _total(count, where):
    """Contacts where the mask is true: a number of rows if each row is one contact."""
    return int(where.sum()) if count is None else count[where].sum().item()


class Tally:
    """Counts contacts as they stream by, and lets those on the grid pass.

    Attributes
    ----------
    cis, trans, dropped : int or float
        Contacts within a chromosome, between two, and with an end on another contig.
    by_chromosome : ndarray (G,)
        Ends of contacts on each chromosome.
    whole : bool
        Whether all counts so far are whole numbers: fractions come of balancing or scaling.
    """

    def __init__(self, grid):
        self.chromosome = grid.chromosome_of_bin
        self.cis = self.trans = self.dropped = 0
        self.by_chromosome = np.zeros(len(grid.chromosomes.names))
        self.whole = True

    def watch(self, chunks):
        """Yield the chunks (one, two, count) without contacts on other contigs."""
        for one, two, count in chunks:
            if self.whole and count is not None and count.dtype.kind == "f":
                self.whole = bool((count == np.rint(count)).all())
            kept = (one >= 0) & (two >= 0)
            if not kept.all():
                self.dropped += _total(count, ~kept)
                one, two = one[kept], two[kept]
                count = None if count is None else count[kept]
            first, second = self.chromosome[one], self.chromosome[two]
            self.cis += _total(count, first == second)
            self.trans += _total(count, first != second)
            for ends in (first, second):
                self.by_chromosome += np.bincount(ends, count, minlength=len(self.by_chromosome))
            yield one, two, count


def write_cooler(path, grid, chunks, *, integer, file, weights=None, others=()):
    """Write contacts as a cooler on the grid, in memory bounded by `LIMIT`.

    Parameters
    ----------
    path : path-like
    grid : Grid
    chunks : iterable of (one, two, count)
        As for `gather`.
    integer : bool, keyword only
        Store int64, else float64.
    file : path-like, keyword only
        The library, for messages.
    weights : ndarray (n_bins,), optional
        Balancing weights to store beside the bins.
    others : set of str, keyword only
        Contigs that are no chromosome, as far as they were seen; for messages.

    Raises
    ------
    UserError
        If there is no contact at all.
    """
    frames = gather(chunks, grid.size)
    head = list(itertools.islice(frames, 2))
    if not head:
        names = grid.chromosomes.names
        raise UserError(
            "no contacts on the chromosomes",
            file=file,
            allowed=f"contacts of {names[0]} to {names[-1]}, by the names and aliases of"
            f" {grid.chromosomes.file}",
            mend="add the library's names"
            + (f" ({', '.join(sorted(others)[:8])})" if others else "")
            + " to the aliases, or name the assembly it was mapped to",
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a row of bins may exceed MERGE by a little
        cooler.create_cooler(
            str(path),
            grid.table(),
            itertools.chain(head, frames),
            dtypes={"count": np.int64 if integer else np.float64},
            ordered=len(head) == 1,  # else cooler sorts through temporary files
            mergebuf=MERGE,
        )
    if weights is not None:
        store_weights(path, weights)


def store_weights(path, weights):
    """Store balancing weights (n_bins,) in a cooler as `cooler balance` does."""
    with h5py.File(path, "r+") as h5:
        if "weight" in h5["bins"]:
            del h5["bins/weight"]
        h5["bins"].create_dataset("weight", data=np.asarray(weights, dtype=np.float64))
