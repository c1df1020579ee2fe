"""What models learned of pairs of chromosomes as one long table, over splits."""

import pandas as pd

from soyfold.training.checkpoints import load_direct

VALUES = ("contacts", "weight", "share")
COLUMNS = [
    "trait", "model", "chromosome", "chromosome_2", "splits", "contacts", "weight", "weight_sd",
    "share", "share_sd",
]  # fmt: skip


def pairs_table(fits, names):
    """Mean and sd over splits of each pair's weight and share.

    Parameters
    ----------
    fits : iterable of dict
        trait, model and `checkpoint`, a direct model that has `pair_weights()`.
    names : list of str
        Chromosomes in the order of the CIM.

    Returns
    -------
    DataFrame
        `COLUMNS`: contacts and weight (of a product of two SNPs) over their mean over all pairs,
        share of the genetic variance; the sd of a single split is missing.
    """
    tables = []
    for fit in fits:
        table = load_direct(fit["checkpoint"]).pair_weights()
        tables.append(table.assign(trait=fit["trait"], model=fit["model"]))
    if not tables:
        return pd.DataFrame(columns=COLUMNS)
    keys = COLUMNS[:4]
    grouped = pd.concat(tables).groupby(keys, sort=False)[list(VALUES)]
    found = grouped.mean().join(grouped.std().add_suffix("_sd"))
    found = found.assign(splits=grouped.size()).reset_index()
    for column in ("chromosome", "chromosome_2"):
        found[column] = [names[code] for code in found[column]]
    return found[COLUMNS]
