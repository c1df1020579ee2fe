"""What attention learned of pairs of classes of variants, as one long table over splits."""

import numpy as np
import pandas as pd

from soyfold.training.checkpoints import read_checkpoint

PARAMETER = "/motif_bias.motif_pairs"  # the end of its name among a network's weights
COLUMNS = ["trait", "model", "class", "class_2", "splits", "bias", "bias_sd"]


def learned_bias(checkpoint):
    """A fit's table, the mean of its members': DataFrame (C, C), rows the query's class."""
    arrays, facts = read_checkpoint(checkpoint)
    # Each layer has it, and so has the network: all by the same name, and one number.
    own = [array for name, array in arrays.items() if name.endswith(f"weights{PARAMETER}")]
    return pd.DataFrame(np.mean(own, axis=0), index=facts["classes"], columns=facts["classes"])


def tabulate_motif_bias(fits):
    """Mean and sd over splits of what is added to the logit of a pair of classes.

    Parameters
    ----------
    fits : iterable of dict
        trait (or the group of traits learnt together), model and `checkpoint`, of networks with
        `motif_bias`.

    Returns
    -------
    DataFrame
        `COLUMNS`: class is the query's, class_2 the key's; the sd of a single split is missing.
    """
    tables = []
    for fit in fits:
        table = learned_bias(fit["checkpoint"]).rename_axis(index="class", columns="class_2")
        long = table.stack().rename("bias").reset_index()
        tables.append(long.assign(trait=fit["trait"], model=fit["model"]))
    if not tables:
        return pd.DataFrame(columns=COLUMNS)
    every = pd.concat(tables, ignore_index=True)
    grouped = every.groupby(COLUMNS[:4], sort=False)["bias"]
    found = grouped.agg(splits="size", bias="mean", bias_sd="std").reset_index()
    return found[COLUMNS]
