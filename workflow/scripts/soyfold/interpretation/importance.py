"""Importance over seeds, by SNP, by window of the genome, by chromosome."""

import numpy as np
import pandas as pd

from soyfold.common.errors import UserError
from soyfold.common.files import read_table, write_table
from soyfold.training.outputs import of_trait

PLACE = ["variant", "chromosome", "position", "ref", "alt"]
FITS = [
    "trait", "model", "seed", "method", "lines", "steps", "completeness_error", "seed_agreement",
]  # fmt: skip
TABLES = ("snps", "windows", "chromosomes", "fits")


def read_places(path):
    """Places of the dosage matrix's columns: variant, chromosome, position (bp), ref, alt.

    Parameters
    ----------
    path : path-like
        cohort/variants.tsv.

    Returns
    -------
    DataFrame
        In the order of the columns, which is genome order.
    """
    text = dict.fromkeys(("variant", "chromosome", "ref", "alt"), str)
    table = read_table(path, required=(*PLACE, "column"), dtype=text)
    return table.sort_values("column", ignore_index=True)[PLACE]


def read_test_lines(predictions, samples, *, trait, most, seed):
    """Rows of the dosage matrix of a fit's test lines, or of some of them drawn at random.

    Parameters
    ----------
    predictions, samples : path-like
        The fit's predictions.tsv; cohort/samples.tsv.
    trait : str
    most : int
        Lines at most.
    seed : int
        Of the draw.

    Returns
    -------
    ndarray (n,) int64
        Ascending.

    Raises
    ------
    UserError
        If the fit has no test line among the samples.
    """
    text = {"sample": str, "trait": str}
    told = of_trait(read_table(predictions, required=("sample", "part"), dtype=text), trait)
    lines = told.loc[told["part"] == "test", "sample"].unique()
    rows = read_table(samples, required=("sample", "row"), dtype={"sample": str})
    rows = np.sort(rows.loc[rows["sample"].isin(lines), "row"].to_numpy(dtype=np.int64))
    if not len(rows):
        raise UserError("no test line", file=predictions, allowed=f"some, of {samples}")
    if len(rows) > most:
        rows = np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
    return rows


def _over_seeds(values, name):
    """Mean and sd over the first axis, as two columns; sd is missing with a single seed."""
    one = len(values) == 1
    sd = np.full(values.shape[1], np.nan) if one else values.std(0, ddof=1)
    return {name: values.mean(0), f"{name}_sd": sd}


def snp_table(places, importance, effects):
    """Importance and signed effect of each SNP, mean and sd over seeds.

    Parameters
    ----------
    places : DataFrame (L rows)
        As `read_places` gives them.
    importance, effects : ndarray (S, L)
        Trait units; trait units per copy of ALT.

    Returns
    -------
    DataFrame
        places, importance, importance_sd, effect, effect_sd.
    """
    return places.assign(**_over_seeds(importance, "importance"), **_over_seeds(effects, "effect"))


def _sums(importance, group, groups):
    """Sums of importance (S, L) over groups of SNPs, (S, groups)."""
    return np.stack([np.bincount(group, row, groups) for row in importance])


def window_table(places, importance, *, window_kb):
    """Importance summed over windows of each chromosome.

    Parameters
    ----------
    places, importance
        As for `snp_table`.
    window_kb : float
        Width; windows start at the chromosome's first base. Those without SNPs are left out.

    Returns
    -------
    DataFrame
        chromosome, start, end (bp, both included), snps, importance, importance_sd.
    """
    width = round(1000 * window_kb)
    names, number = places["chromosome"], (places["position"] - 1) // width
    group, found = pd.factorize(pd.Series(list(zip(names, number, strict=True))))
    chromosomes, numbers = zip(*found, strict=True)
    start = np.array(numbers) * width + 1
    sums = _sums(importance, group, len(found))
    return pd.DataFrame(
        {
            "chromosome": chromosomes,
            "start": start,
            "end": start + width - 1,
            "snps": np.bincount(group),
            **_over_seeds(sums, "importance"),
        }
    )


def chromosome_table(places, importance):
    """Importance summed over chromosomes, and its share beside the share of SNPs.

    Returns
    -------
    DataFrame
        chromosome, snps, snp_share (what the share would be if all SNPs were alike), importance,
        importance_sd, share, share_sd: NaN where no SNP is important.
    """
    group, names = pd.factorize(places["chromosome"])
    sums, snps = _sums(importance, group, len(names)), np.bincount(group)
    with np.errstate(invalid="ignore"):
        shares = sums / sums.sum(1, keepdims=True)
    return pd.DataFrame(
        {
            "chromosome": names,
            "snps": snps,
            "snp_share": snps / snps.sum(),
            **_over_seeds(sums, "importance"),
            **_over_seeds(shares, "share"),
        }
    )


def seed_agreement(importance):
    """Mean Spearman correlation of each seed's importance with the other seeds', (S,).

    NaN with a single seed, and for one whose importance is the same everywhere.
    """
    if len(importance) == 1:
        return np.full(1, np.nan)
    with np.errstate(invalid="ignore"):
        between = np.corrcoef(pd.DataFrame(importance).rank(axis=1))
    np.fill_diagonal(between, 0.0)
    return between.sum(1) / (len(importance) - 1)


def write_importance(paths, places, importance, effects, *, window_kb, fits):
    """Write the four tables of one model and trait.

    Parameters
    ----------
    paths : dict of str to path-like
        Of each of `TABLES`.
    places, importance, effects, window_kb
        As for `snp_table` and `window_table`.
    fits : DataFrame (S rows)
        Columns of `FITS` that are known of each fit; seed_agreement is added.
    """
    write_table(snp_table(places, importance, effects), paths["snps"])
    write_table(window_table(places, importance, window_kb=window_kb), paths["windows"])
    write_table(chromosome_table(places, importance), paths["chromosomes"])
    fits = fits.reindex(columns=FITS).assign(seed_agreement=seed_agreement(importance))
    write_table(fits, paths["fits"])


def stack_tables(paths, *, facts=None):
    """Tables under each other; `facts`, a dict for each, are put before their columns."""
    text = dict.fromkeys(("trait", "model", "chromosome"), str)
    tables = [read_table(path, dtype=text) for path in paths]
    keys = facts or [{}] * len(tables)
    tables = [
        table.assign(**own)[[*own, *table.columns]] for own, table in zip(keys, tables, strict=True)
    ]
    return pd.concat(tables, ignore_index=True)
