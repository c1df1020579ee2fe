"""Attention between chromosomes as one long table, over seeds and beside uniform attention."""

import numpy as np
import pandas as pd

from soyfold.common.files import read_cim, read_table

COLUMNS = [
    "trait", "model", "queries", "on", "attention", "attention_sd", "uniform", "enrichment",
]  # fmt: skip


def attention_table(fits, counts):
    """Mean and sd over seeds of the attention of one chromosome's tokens on another's.

    Parameters
    ----------
    fits : iterable of dict
        trait, model and `attention`, the fit's table (G x G).
    counts : Series (G,)
        SNPs by chromosome.

    Returns
    -------
    DataFrame
        `COLUMNS`: `queries` attend `on`; uniform is the share of SNPs on `on`, enrichment
        attention over it (NaN for a chromosome without SNPs).
    """
    paths = {}
    for fit in fits:
        paths.setdefault((fit["trait"], fit["model"]), []).append(fit["attention"])
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
            table.assign(enrichment=table["attention"] / table["uniform"].replace(0, np.nan))
        )
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=COLUMNS)


def count_snps(path):
    """SNPs on each chromosome, from cohort/variants.tsv."""
    table = read_table(path, required=("chromosome",), dtype={"chromosome": str})
    return table.chromosome.value_counts()
