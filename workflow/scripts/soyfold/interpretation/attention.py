"""Attention between chromosomes as one long table, over seeds and beside uniform attention."""

import numpy as np
import pandas as pd

from soyfold.common.files import read_cim, read_table
from soyfold.training.health import UNIFORM, is_uniform, read_figures

COLUMNS = [
    "trait", "model", "queries", "on", "attention", "attention_sd", "uniform", "enrichment",
    "seed_correlation", "guards",
]  # fmt: skip


def attention_table(fits, counts):
    """Mean and sd over seeds of the attention of one chromosome's tokens on another's.

    Parameters
    ----------
    fits : iterable of dict
        trait, model, `attention`, the fit's table (G x G), and `estimates`, what it says of itself.
    counts : Series (G,)
        SNPs by chromosome.

    Returns
    -------
    DataFrame
        `COLUMNS`: `queries` attend `on`; uniform is the share of SNPs on `on`, enrichment
        attention over it (NaN for a chromosome without SNPs). seed_correlation is the mean over
        pairs of seeds of the enrichments' correlation, guards `UNIFORM` where the map says nothing
        (`soyfold.training.health`): the same for all rows of a trait and model.
    """
    paths, estimates = {}, {}
    for fit in fits:
        paths.setdefault((fit["trait"], fit["model"]), []).append(fit["attention"])
        estimates.setdefault((fit["trait"], fit["model"]), []).append(fit["estimates"])
    tables = []
    for (trait, model), files in paths.items():
        seeds = [read_cim(file) for file in files]
        names, values = list(seeds[0]), np.stack([table.to_numpy() for table in seeds])
        uniform = (counts.reindex(names, fill_value=0) / counts.sum()).to_numpy()
        sd = values.std(0, ddof=1) if len(values) > 1 else np.full(values.shape[1:], np.nan)
        table = pd.DataFrame(
            {
                "trait": trait,
                "model": model,
                "queries": np.repeat(names, len(names)),
                "on": np.tile(names, len(names)),
                "attention": values.mean(0).ravel(),
                "attention_sd": sd.ravel(),
                "uniform": np.tile(uniform, len(names)),
            }
        )
        tables.append(
            table.assign(
                enrichment=table["attention"] / table["uniform"].replace(0, np.nan),
                seed_correlation=seed_correlation(values / np.where(uniform > 0, uniform, np.nan)),
                guards=UNIFORM if is_uniform(read_figures(estimates[trait, model])) else None,
            )
        )
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=COLUMNS)


def seed_correlation(values):
    """Mean over pairs of seeds of the correlation of their maps.

    Parameters
    ----------
    values : ndarray (seeds, G, G)
        Attention as a multiple of uniform attention.

    Returns
    -------
    float
        NaN for one seed, or where some map is the same everywhere.
    """
    flat = values.reshape(len(values), -1)
    flat = flat[:, np.isfinite(flat).all(axis=0)]
    if len(flat) < 2 or flat.shape[1] < 2 or (np.ptp(flat, axis=1) < 1e-9).any():
        return float("nan")
    return float(np.corrcoef(flat)[np.triu_indices(len(flat), 1)].mean())


def count_snps(path):
    """SNPs on each chromosome, from cohort/variants.tsv."""
    table = read_table(path, required=("chromosome",), dtype={"chromosome": str})
    return table.chromosome.value_counts()
