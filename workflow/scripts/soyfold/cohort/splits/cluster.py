"""Scheme `cluster`: lines that are nearly the same stay together."""

import numpy as np
import pandas as pd

from soyfold.cohort.splits.parts import (
    PARTS,
    as_tables,
    deal,
    generator,
    kept_names,
    refuse_empty,
    shuffled,
)


def _seat_clusters(sizes, free, random):
    """Part of each cluster; `free` (3,) loses the seats that they take.

    A cluster lands in a part with a chance in proportion to the seats free there, as its first
    line would; one that no part has room for goes where there is most.
    """
    part = np.empty(len(sizes), dtype=np.int64)
    for number, size in enumerate(sizes):
        room = np.where(free >= size, free, 0)
        part[number] = random.choice(3, p=room / room.sum()) if room.any() else free.argmax()
        free[part[number]] -= size
    return part


def cluster_split(samples, cluster, *, ratio, seed):
    """Deal whole clusters to the parts.

    Clusters of several lines are seated first, in random order; single lines fill what is left, so
    that the ratio is kept where there are enough of them.

    Parameters
    ----------
    samples : sequence of str, length n
        Distinct names. The draw depends on the names, not on their order.
    cluster : sequence, length n
        Label of each line's cluster.
    ratio : sequence of three numbers
        Shares of train, val and test.
    seed : int

    Returns
    -------
    ndarray (n,) of str

    Raises
    ------
    UserError
        If a part would be empty.
    """
    random = generator(seed)
    order = shuffled(samples, random)
    label, _ = pd.factorize(np.asarray(cluster, dtype=object)[order])  # by first line in the order
    sizes = np.bincount(label)
    free = np.bincount(deal(len(order), ratio), minlength=3)
    seated = np.empty(len(sizes), dtype=np.int64)
    several = sizes > 1
    seated[several] = _seat_clusters(sizes[several], free, random)
    # Where clusters took more than a part's seats, the others have too many.
    left = np.repeat(np.arange(3), np.maximum(free, 0))
    seated[~several] = random.permutation(left)[: np.count_nonzero(~several)]
    part = np.empty(len(order), dtype=object)
    part[order] = np.asarray(PARTS, dtype=object)[seated[label]]
    refuse_empty(part, ratio)
    return part


def draw(samples, settings, *, seed, clusters):
    """One split, and no line lost; `clusters` (sample, cluster) are those of the cohort."""
    names = kept_names(samples)
    label = pd.Series(names).map(clusters.set_index("sample")["cluster"])
    return as_tables(names, cluster_split(names, label, ratio=settings["ratio"], seed=seed))
