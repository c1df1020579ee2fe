"""What models learned of pairs of chromosomes as one long table, over splits."""

import numpy as np
import pandas as pd

from soyfold.training.checkpoints import load_direct

VALUES = ("contacts", "weight", "share")
COLUMNS = [
    "trait", "model", "chromosome", "chromosome_2", "splits", "contacts", "weight", "weight_sd",
    "share", "share_sd", "agreement", "share_null", "p",
]  # fmt: skip
PAIR = COLUMNS[:4]


def _agreement(shares):
    """Mean rank correlation between two splits' shares: (pairs, splits); NaN for a single split."""
    correlations = shares.corr(method="spearman").to_numpy()
    first, second = np.triu_indices(len(correlations), 1)
    return correlations[first, second].mean() if len(first) else np.nan


def pairs_table(fits, names, nulls=()):
    """Mean and sd over splits of each pair's weight and share.

    Parameters
    ----------
    fits : iterable of dict
        trait, model and `checkpoint`, a direct model that has `pair_weights()`.
    names : list of str
        Chromosomes in the order of the CIM.
    nulls : iterable of DataFrame
        What `pair_null.permute_pairs` gave, with trait and model.

    Returns
    -------
    DataFrame
        `COLUMNS`: contacts and weight (of a product of two SNPs) over their mean over all pairs,
        share of the genetic variance; the sd of a single split is missing. agreement: mean rank
        correlation of the shares between splits, the same for all pairs of a fit. share_null, p:
        of `nulls`, missing without.
    """
    tables = []
    for fit in fits:
        table = load_direct(fit["checkpoint"]).pair_weights()
        tables.append(table.assign(trait=fit["trait"], model=fit["model"], split=len(tables)))
    if not tables:
        return pd.DataFrame(columns=COLUMNS)
    every = pd.concat(tables, ignore_index=True)
    for column in PAIR[2:]:
        every[column] = [names[code] for code in every[column]]
    grouped = every.groupby(PAIR, sort=False)[list(VALUES)]
    found = grouped.mean().join(grouped.std().add_suffix("_sd"))
    found = found.assign(splits=grouped.size()).reset_index()
    agreement = {
        fit: _agreement(rows.pivot(index=PAIR[2:], columns="split", values="share"))
        for fit, rows in every.groupby(PAIR[:2])
    }
    found["agreement"] = [agreement[fit] for fit in zip(found.trait, found.model, strict=True)]
    null = pd.concat([pd.DataFrame(columns=[*PAIR, "share_null", "p"], dtype=float), *nulls])
    null = null.astype(dict.fromkeys(PAIR, str))[[*PAIR, "share_null", "p"]]
    return found.merge(null, how="left", on=PAIR)[COLUMNS]
