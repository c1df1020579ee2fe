"""Hi-C of a simulated study, laid out as HiC-Pro leaves it."""

import itertools
import operator

import numpy as np
import pandas as pd

from soyfold.common.files import staged, zipped

# About two thirds of a plant library's contacts stay inside their chromosome.
WITHIN_SHARE = 0.6
# Contacts of a touching pair over those of two chromosomes of the same size that don't touch.
TOUCH_FOLD = 6.0
NEAREST = 1000
MOST = 500_000  # contacts in memory at a time: some 100 bytes each, as text 500
FRAGMENT = 4096


def draw_touching(n_chromosomes, count, rng):
    """Pairs of chromosomes that touch: (count, 2) int64, first below second, none twice."""
    first, second = np.triu_indices(n_chromosomes, k=1)
    drawn = np.sort(rng.choice(len(first), size=min(count, len(first)), replace=False))
    return np.stack([first[drawn], second[drawn]], axis=1)


def contact_shares(lengths, touching):
    """Expected share of contacts of each pair of contigs.

    Parameters
    ----------
    lengths : ndarray (C,) int64
        Base pairs.
    touching : ndarray (T, 2) int64
        Pairs with TOUCH_FOLD times the contacts of others.

    Returns
    -------
    ndarray (C, C) float64
        Upper triangle; sums to 1: WITHIN_SHARE on the diagonal, proportional to length; the rest
        proportional to the product of lengths, times TOUCH_FOLD where chromosomes touch.
    """
    between = np.triu(np.outer(lengths, lengths).astype(float), k=1)
    between[touching[:, 0], touching[:, 1]] *= TOUCH_FOLD
    within = WITHIN_SHARE * lengths / lengths.sum()
    total = between.sum()
    if total > 0:
        between *= (1 - WITHIN_SHARE) / total
    return between + np.diag(within if total > 0 else within / WITHIN_SHARE)


def _draw_within(length, count, rng):
    """Two ends on one chromosome (bp, 1-based, first below second); density falls as 1/distance."""
    furthest = max(length - 1, NEAREST + 1)
    distance = np.exp(rng.uniform(np.log(NEAREST), np.log(furthest), size=count)).astype(np.int64)
    distance = np.minimum(distance, length - 1)
    first = 1 + (rng.random(count) * (length - distance)).astype(np.int64)
    return first, first + distance


def draw_contacts(lengths, shares, count, rng):
    """Draw a library's contacts by the contig of their first end, at most about MOST at a time.

    Parameters
    ----------
    lengths : ndarray (C,) int64
    shares : ndarray (C, C) float64
        Upper triangle that sums to 1.
    count : int
    rng : numpy.random.Generator

    Yields
    ------
    tuple of int, ndarray, ndarray, ndarray
        Contig of the first end; position of the first end, contig and position of the second,
        (m,) int64 each, sorted by these three.
    """
    counts = rng.multinomial(count, shares.ravel() / shares.sum()).reshape(shares.shape)
    for first, row in enumerate(counts):
        for part in _split_evenly(row, max(1, -(-int(row.sum()) // MOST))):
            contig = np.repeat(np.arange(len(lengths)), part)
            start = rng.integers(1, lengths[first] + 1, size=len(contig))
            end = rng.integers(1, lengths[contig] + 1)
            same = contig == first
            start[same], end[same] = _draw_within(int(lengths[first]), int(part[first]), rng)
            order = np.lexsort((end, contig, start))
            yield first, start[order], contig[order], end[order]


def _split_evenly(counts, parts):
    """Yield `parts` arrays that add up to `counts`, as equal as whole numbers can be."""
    for k in range(parts):
        yield counts // parts + (k < counts % parts)


def write_valid_pairs(path, contigs, lengths, shares, count, rng):
    """Write a library as HiC-Pro's allValidPairs (gzip), 12 columns, no header.

    Parameters
    ----------
    path : path-like
    contigs : list of str
        Names to write, in the order of `lengths`.
    lengths, shares, count, rng
        As for `draw_contacts`.
    """
    names = np.array(contigs)
    written = 0
    with staged(path) as temporary, zipped(temporary) as stream:
        for first, start, contig, end in draw_contacts(lengths, shares, count, rng):
            m = len(start)
            strands = np.array(["+", "-"])[rng.integers(0, 2, size=(2, m))]
            table = pd.DataFrame(
                {
                    "read": np.char.add(
                        "SIM.", np.arange(written + 1, written + m + 1).astype(str)
                    ),
                    "chr1": contigs[first],
                    "pos1": start,
                    "strand1": strands[0],
                    "chr2": names[contig],
                    "pos2": end,
                    "strand2": strands[1],
                    "size": rng.integers(150, 600, size=m),
                    "frag1": _fragments(np.full(m, first), start, names),
                    "frag2": _fragments(contig, end, names),
                    "mapq1": 42,
                    "mapq2": 42,
                }
            )
            text = table.to_csv(sep="\t", header=False, index=False, lineterminator="\n")
            stream.write(text.encode())
            written += m


def _fragments(contig, position, names):
    """Names of restriction fragments, one each FRAGMENT bp."""
    numbers = (position // FRAGMENT + 1).astype(str)
    return np.char.add(np.char.add(np.char.add("HIC_", names[contig]), "_"), numbers)


def write_matrices(folder, library, contigs, lengths, resolution, contacts):
    """Write a library as HiC-Pro's matrices: bins, raw counts and ICE-balanced counts.

    Parameters
    ----------
    folder : path-like
        HiC-Pro's hic_results.
    library : str
    contigs : list of str
    lengths : ndarray (C,) int64
    resolution : int
        Bin size in bp.
    contacts : iterable
        As `draw_contacts` yields them.

    Returns
    -------
    dict of str to pathlib.Path
        `raw`, `bins`, `iced`.
    """
    n_bins = -(-lengths // resolution)
    offsets = np.concatenate([[0], np.cumsum(n_bins)])
    cells = []
    for _, parts in itertools.groupby(contacts, key=operator.itemgetter(0)):
        counted = []
        for first, start, contig, end in parts:
            row = offsets[first] + (start - 1) // resolution
            column = offsets[contig] + (end - 1) // resolution
            counted.append(np.unique(row * offsets[-1] + column, return_counts=True))
            if len(counted) > 1:
                counted = [_add_cells(*counted)]
        cells += counted
    # A row of bins belongs to one first contig, so no cell comes up twice.
    row, column = np.divmod(np.concatenate([cell for cell, _ in cells]), offsets[-1])
    count = np.concatenate([n for _, n in cells])
    base = folder / "matrix" / library
    paths = {
        "raw": base / "raw" / str(resolution) / f"{library}_{resolution}.matrix",
        "bins": base / "raw" / str(resolution) / f"{library}_{resolution}_abs.bed",
        "iced": base / "iced" / str(resolution) / f"{library}_{resolution}_iced.matrix",
    }
    starts = (np.arange(offsets[-1]) - np.repeat(offsets[:-1], n_bins)) * resolution
    ends = np.minimum(starts + resolution, np.repeat(lengths, n_bins))
    bins = [np.repeat(contigs, n_bins), starts, ends, np.arange(1, offsets[-1] + 1)]
    _write_columns(paths["bins"], bins)
    _write_columns(paths["raw"], [row + 1, column + 1, count])
    _write_columns(paths["iced"], [row + 1, column + 1, balance(row, column, count, offsets[-1])])
    return paths


def _add_cells(one, two):
    """Sum two counts of cells, each (cells, counts)."""
    cells, place = np.unique(np.concatenate([one[0], two[0]]), return_inverse=True)
    counts = np.zeros(len(cells), dtype=np.int64)
    np.add.at(counts, place, np.concatenate([one[1], two[1]]))
    return cells, counts


def _write_columns(path, columns):
    with staged(path) as temporary:
        pd.DataFrame(dict(enumerate(columns))).to_csv(
            temporary, sep="\t", header=False, index=False, float_format="%.6f", lineterminator="\n"
        )


def balance(row, column, count, n, *, rounds=200):
    """ICE-balance a symmetric matrix given by its upper triangle.

    Each round divides every contact by both bins' relative coverage (Imakaev et al. 2012), as
    HiC-Pro's `ice` does; the mean coverage stays as it was.

    Parameters
    ----------
    row, column : ndarray (m,) int64
        Bins, row <= column.
    count : ndarray (m,)
    n : int
        Number of bins; bins without contacts stay empty.
    rounds : int

    Returns
    -------
    ndarray (m,) float64
    """
    balanced = count.astype(float)
    apart = row != column
    for _ in range(rounds):
        coverage = np.bincount(row, weights=balanced, minlength=n)
        coverage += np.bincount(column[apart], weights=balanced[apart], minlength=n)
        relative = coverage / coverage[coverage > 0].mean()
        relative[coverage == 0] = 1.0
        balanced /= relative[row] * relative[column]
        if np.ptp(relative[coverage > 0]) < 1e-6:
            break
    return balanced * (count.sum() / balanced.sum())
