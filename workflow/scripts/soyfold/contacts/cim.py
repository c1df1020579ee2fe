"""The chromosome interaction matrix (CIM): expected sums, normalisation, controls, its table."""

import math
import re

import numpy as np
import pandas as pd

from soyfold.common.errors import UserError
from soyfold.common.files import write_table
from soyfold.common.logs import log

NORMALISATIONS = {
    "log1p_max": "log(1 + contacts) / its maximum",
    "row": "share of the row's contacts",
    "observed_expected": "observed / expected contacts",
    "length": "contacts per Mb²",
}
# Control CIMs beside permuted<k> (labels shuffled), in the order of tables and figures.
CONTROLS = ("expected", "identity", "constant", "zero")
CONTROL = r"permuted\d+|" + "|".join(CONTROLS)  # a control's name, as a regular expression
MEGABASE = 1e6
TRIES = 10_000  # shuffles in search of one that gives a new matrix
MOST_DISTINCT = 1000  # as many as a study may ask for


def write_cim(matrix, path):
    """Write a G x G DataFrame as TSV, the chromosomes in the first column `chromosome`."""
    write_table(matrix.rename_axis("chromosome").reset_index(), path)


def expected_sums(chromosomes, *, total_between=None):
    """Contacts by chromosome pair in a genome without structure, from lengths alone.

    Two ends that meet at random fall on chromosomes i and j with a probability proportional to
    l_i l_j; each contact counted once, the sum within i is proportional to l_i^2 / 2. (Real
    chromosomes meet themselves far more often: this is the null model, not a prediction.)

    Parameters
    ----------
    chromosomes : Chromosomes
    total_between : float, optional, keyword only
        Contacts between different chromosomes to scale to. By default the scale is that of an
        ICE-balanced map with bins of 1 Mb, whose rows sum to 1: S_ij = l_i l_j / sum(l), in Mb.

    Returns
    -------
    DataFrame (G, G)
    """
    length = chromosomes.lengths / MEGABASE
    sums = np.outer(length, length) / length.sum()
    sums[np.diag_indices_from(sums)] /= 2
    if total_between is not None:
        between = np.triu(sums, 1).sum()
        sums *= total_between / between if between > 0 else 1.0
    return pd.DataFrame(sums, index=chromosomes.names, columns=chromosomes.names)


def expected_between(contacts):
    """Contacts expected between chromosomes from their marginals alone.

    Finds E_ij = a_i a_j (i != j) whose rows have the same sums as the observed contacts between
    chromosomes (quasi-independence). Other than the product of marginals, it is exact for a
    structureless genome: there a_i is proportional to the length, and observed / expected is 1.

    Parameters
    ----------
    contacts : ndarray (G, G)
        Symmetric; the diagonal is not looked at.

    Returns
    -------
    ndarray (G, G)
        The diagonal is NaN.

    Raises
    ------
    UserError
        If no such product exists (one chromosome has more than half of all contacts).
    """
    observed = contacts - np.diag(np.diag(contacts))
    marginal = observed.sum(axis=1)
    share = np.sqrt(marginal)
    for _ in range(10_000):
        fitted = share * (share.sum() - share)
        if np.allclose(fitted, marginal, rtol=1e-12, atol=0):
            break
        share = share * np.sqrt(marginal / fitted)
    else:
        raise UserError(
            "contacts between chromosomes that no marginals explain",
            at="normalisation observed_expected",
            mend="choose another contacts.normalisation (log1p_max, row, length)",
        )
    expected = np.outer(share, share)
    np.fill_diagonal(expected, np.nan)
    return expected


def _refuse_unusable(sums, file):
    values = sums.to_numpy(dtype=np.float64)
    if not np.isfinite(values).all() or (values < 0).any():
        row, column = np.argwhere(~(values >= 0) | ~np.isfinite(values))[0]
        raise UserError(
            f"{values[row, column]} contacts of {sums.index[row]} and {sums.columns[column]}",
            file=file,
            allowed="finite sums from 0 on",
        )
    empty = [name for name, row in zip(sums.index, values, strict=True) if not row.any()]
    if empty:
        raise UserError(
            f"no contacts of chromosome {', '.join(empty)}",
            file=file,
            allowed="contacts of every chromosome",
            mend="if balancing masked all its bins, take coarser bins or contacts.balance: false",
        )


def normalise(sums, method, *, chromosomes, zero_diagonal=False, file=None):
    """Normalise the contacts summed by chromosome pair.

    Parameters
    ----------
    sums : DataFrame (G, G)
        Each contact once, as `sum_by_chromosome` returns it.
    method : str
        log1p_max: log(1 + S), divided by its maximum, in [0, 1]. row: each row divided by its
        sum; NOT symmetric, since S_ij is another share of i's contacts than of j's.
        observed_expected: between chromosomes, S over `expected_between(S)`; 1 on the diagonal.
        length: S_ij / (l_i l_j), contacts per Mb^2.
    chromosomes : Chromosomes, keyword only
    zero_diagonal : bool, keyword only
        Leave contacts within chromosomes out before normalising; the diagonal is 0.
    file : path-like, optional, keyword only
        Where the sums come from, for messages.

    Returns
    -------
    DataFrame (G, G) float64

    Raises
    ------
    UserError
        For sums that are not finite or negative, a chromosome without contacts, or a method that
        isn't one of `NORMALISATIONS`.
    """
    if method not in NORMALISATIONS:
        raise UserError(
            f"normalisation {method!r}",
            at="key contacts.normalisation",
            allowed=", ".join(NORMALISATIONS),
        )
    counted = sums.astype(np.float64).copy()
    if zero_diagonal:
        np.fill_diagonal(counted.to_numpy(), 0.0)
    _refuse_unusable(counted, file)
    contacts = counted.to_numpy()
    if method == "log1p_max":
        result = np.log1p(contacts)
        result /= result.max()
    elif method == "row":
        result = contacts / contacts.sum(axis=1, keepdims=True)
    elif method == "length":
        length = chromosomes.lengths / MEGABASE
        result = contacts / np.outer(length, length)
    else:
        result = _observed_expected(contacts)
    if zero_diagonal:
        np.fill_diagonal(result, 0.0)
    return pd.DataFrame(result, index=sums.index, columns=sums.columns)


def _observed_expected(contacts):
    between = contacts - np.diag(np.diag(contacts))
    if len(contacts) > 1 and not between.sum(axis=1).all():
        raise UserError(
            "a chromosome without contacts to others",
            at="normalisation observed_expected",
            mend="choose another contacts.normalisation (log1p_max, row, length)",
        )
    ratio = between / expected_between(contacts) if len(contacts) > 1 else contacts
    return np.where(np.eye(len(contacts), dtype=bool), 1.0, ratio)


def distinct_orders(cim, seeds):
    """Orders of the chromosomes that each give another CIM: none the CIM itself, none twice.

    Each is the first draw of its seed's generator that gives a matrix not seen before. A small
    genome, or one whose CIM is symmetric in some chromosomes, has fewer than asked for: of 3
    chromosomes there are 5 at most. Each matrix comes of equally many orders, so that every one is
    as likely as another.

    Parameters
    ----------
    cim : DataFrame (G, G)
    seeds : sequence of int

    Returns
    -------
    list of ndarray (G,) int64
        One a seed, up to the seed for which `TRIES` draws found no further matrix; or 40 for each
        order that there is, of which a matrix that is left escapes one seed in e^40.
    """
    tries = min(TRIES, 40 * math.factorial(len(cim)))
    values = cim.to_numpy(dtype=np.float64)
    scale = np.abs(values).max() or 1.0

    def key(order):
        return np.round(values[np.ix_(order, order)] / scale, 9).tobytes()

    seen, orders = {key(np.arange(len(values)))}, []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        drawn = (rng.permutation(len(values)) for _ in range(tries))
        order = next((order for order in drawn if key(order) not in seen), None)
        if order is None:
            break
        seen.add(key(order))
        orders.append(order)
    return orders


def permute(cim, number):
    """Shuffle the chromosome labels of a CIM: its rows and columns together.

    The values stay the same, their diagonal stays a diagonal, symmetry stays; only which
    chromosomes meet is lost.

    Parameters
    ----------
    cim : DataFrame (G, G)
    number : int
        Matrices of the numbers from 1 to `MOST_DISTINCT` differ from `cim` and from each other as
        far as there are so many (`distinct_orders`); then they come again, with a warning.

    Returns
    -------
    DataFrame (G, G)

    Raises
    ------
    UserError
        For a single chromosome.
    """
    n = len(cim)
    if n < 2:
        raise UserError(f"{n} chromosome", at="control permuted", allowed="2 or more to permute")
    seeds = range(1, number + 1) if 0 < number <= MOST_DISTINCT else [number]
    orders = distinct_orders(cim, seeds)
    if len(orders) < len(seeds):
        log.warning(
            "permuted%d is a copy: %d shuffles of this CIM differ from it and from each other",
            number,
            len(orders),
        )
    order = orders[(len(seeds) - 1) % len(orders)] if orders else np.arange(n)
    log.info(
        "permuted%d: %s",
        number,
        ", ".join(f"{cim.index[k]} <- {cim.index[source]}" for k, source in enumerate(order)),
    )
    return pd.DataFrame(cim.to_numpy()[np.ix_(order, order)], index=cim.index, columns=cim.columns)


def make_control(name, cim, sums, *, chromosomes, method, zero_diagonal):
    """Make the CIM of a control.

    Parameters
    ----------
    name : str
        permuted<k> (labels shuffled: `permute`), expected (from lengths alone, with as many
        contacts between chromosomes as observed, normalised the same way), identity, constant (the
        mean of all entries of the CIM everywhere), zero.
    cim, sums : DataFrame (G, G)
        The normalised CIM and the sums that it came from.
    chromosomes : Chromosomes, keyword only
    method, zero_diagonal : keyword only
        As for `normalise`.

    Returns
    -------
    DataFrame (G, G)
    """
    permuted = re.fullmatch(r"permuted(\d+)", name)
    if permuted:
        return permute(cim, int(permuted[1]))
    if name == "expected":
        between = np.triu(sums.to_numpy(dtype=np.float64), 1).sum()
        expected = expected_sums(chromosomes, total_between=between)
        return normalise(expected, method, chromosomes=chromosomes, zero_diagonal=zero_diagonal)
    values = {
        "identity": np.eye(len(cim)),
        "constant": np.full(cim.shape, cim.to_numpy().mean()),
        "zero": np.zeros(cim.shape),
    }
    if name not in values:
        raise UserError(f"control {name!r}", allowed=", ".join(["permuted<k>", *CONTROLS]))
    return pd.DataFrame(values[name], index=cim.index, columns=cim.columns)
