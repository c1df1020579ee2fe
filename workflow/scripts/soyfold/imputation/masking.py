"""How well imputation does: calls that are hidden, imputed, and compared with what they were."""

import numpy as np
import pandas as pd

from soyfold.genotypes import bed

NONE_MISSING = "none missing"
NO_VARIANTS = "no variants"
TOTAL = "all"
# Columns of calls.tsv: masked calls by true and imputed count of ALT.
PAIRS = [f"true{t}_imputed{i}" for t in range(3) for i in range(3)]


def draw_masked(rows, samples, fraction, seed):
    """Draw the called genotypes to hide.

    Parameters
    ----------
    rows : ndarray (v, b) uint8
        Packed genotypes.
    samples : int
    fraction : float
        Share of all genotypes that is drawn; those among them that are missing fall out, so that
        the same share of the called ones is left, in the mean.
    seed : int or list of int

    Returns
    -------
    ndarray (m,) int64
        Sorted indices variant * samples + sample; in a small chromosome there may be none.
    """
    size = len(rows) * samples
    rng = np.random.default_rng(seed)
    cells = np.sort(rng.choice(size, size=max(1, round(fraction * size)), replace=False))
    return cells[_take(rows, samples, cells) != bed.MISSING]


def _take(rows, samples, cells):
    """Counts of ALT of single genotypes, (m,) int8, by index variant * samples + sample."""
    variant, sample = np.divmod(cells, samples)
    found = bed.unpack(rows[variant, sample // 4][:, None], 4)
    return found[np.arange(len(cells)), sample % 4]


def put_missing(rows, samples, cells):
    """Copy of packed rows in which the genotypes at `cells` are missing."""
    variant, sample = np.divmod(cells, samples)
    masked = rows.copy()
    shift = (2 * (sample % 4)).astype(np.uint8)
    np.bitwise_and.at(masked, (variant, sample // 4), ~(np.uint8(3) << shift))
    np.bitwise_or.at(masked, (variant, sample // 4), np.uint8(1) << shift)
    return masked


def count_pairs(true, imputed, samples, cells):
    """Masked calls by true (row) and imputed (column) count of ALT, (3, 3) int64."""
    pairs = np.zeros((3, 3), dtype=np.int64)
    np.add.at(pairs, (_take(true, samples, cells), _take(imputed, samples, cells)), 1)
    return pairs


def concordance(pairs):
    """Share of masked calls that were imputed exactly; NaN without any."""
    return float(np.trace(pairs) / pairs.sum()) if pairs.sum() else float("nan")


def dosage_r2(pairs):
    """Squared correlation of true and imputed counts of ALT; NaN where either is constant.

    Parameters
    ----------
    pairs : ndarray (3, 3) int64
        Calls by true (row) and imputed (column) count.
    """
    if not pairs.sum():
        return float("nan")
    weights = pairs / pairs.sum()
    value = np.arange(3)
    true, imputed = weights.sum(axis=1), weights.sum(axis=0)
    variances = [w @ value**2 - (w @ value) ** 2 for w in (true, imputed)]
    if min(variances) < 1e-12:
        return float("nan")
    covariance = value @ weights @ value - (true @ value) * (imputed @ value)
    return float(covariance**2 / (variances[0] * variances[1]))


def judge_imputation(calls):
    """accuracy.tsv: a row a chromosome and a row for all of them.

    Parameters
    ----------
    calls : DataFrame
        chromosome, variants, missing_before, method and the columns `PAIRS`.

    Returns
    -------
    DataFrame
        chromosome, variants, missing_before, method, masked (calls), concordance and dosage_r2
        (on masked calls; missing where none was masked).
    """
    total = calls[["variants", "missing_before", *PAIRS]].sum()
    used = calls.loc[~calls["method"].isin([NO_VARIANTS, NONE_MISSING]), "method"]
    total["chromosome"], total["method"] = TOTAL, ", ".join(used.unique()) or NONE_MISSING
    calls = pd.concat([calls, total.to_frame().T], ignore_index=True)
    pairs = calls[PAIRS].to_numpy(dtype=np.int64).reshape(-1, 3, 3)
    return calls[["chromosome", "variants", "missing_before", "method"]].assign(
        masked=pairs.sum(axis=(1, 2)),
        concordance=[concordance(table) for table in pairs],
        dosage_r2=[dosage_r2(table) for table in pairs],
    )
