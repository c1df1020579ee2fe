"""Is a trait learnt better beside others? Curves over the lines that have a value of it."""

import numpy as np
import pandas as pd

from soyfold.evaluation.paired import paired_difference

METRICS = ("R2", "PCC")
ALONE, JOINT = "alone", "joint"
REFERENCE = "multi_trait_gblup"  # a module's name, and its entry's
COLUMNS = [
    "trait", "metric", "model", "label", "arm", "lines", "value", "sd", "splits", "alone",
    "difference", "low", "high", "p", "reference", "difference_reference", "low_reference",
    "high_reference", "p_reference",
]  # fmt: skip


def _against(own, other, suffix, *, test_share):
    """Columns of the paired difference of two arms' values by seed; NaN without the other."""
    names = ("difference", "low", "high", "p")
    if other is None:
        return {f"{name}{suffix}": np.nan for name in names}
    found = paired_difference(own, other[own.index], test_share=test_share)
    told = (found.mean, found.low, found.high, found.p)
    return {f"{name}{suffix}": value for name, value in zip(names, told, strict=True)}


def compare_transfer(scores, *, labels, test_share):
    """Means over splits at each number of lines, and what the other traits add: transfer.tsv.

    Parameters
    ----------
    scores : DataFrame
        As `training.transfer.transfer_trait` returns it, of all traits and models.
    labels : dict of str to str, keyword only
        What tables call each model.
    test_share : float, keyword only
        n_test / n_train of a split. The lines with a value are fewer; they are draws from as many.

    Returns
    -------
    DataFrame
        A row for each trait, metric (higher is better), model, arm and number of lines: value, sd
        over splits; of the joint arm alone (the same model on the trait by itself, at as many
        lines), the paired difference to it, low, high (95 %), p (`paired.paired_difference`);
        reference (multi-trait GBLUP's joint arm) and the difference to that.
    """
    rows = []
    for (trait, metric), group in scores.groupby(["trait", "metric"], sort=False):
        if metric not in METRICS:
            continue
        arms = {
            key: part.set_index("seed")["value"].sort_index()
            for key, part in group.groupby(["model", "arm", "lines"], sort=False)
        }
        for (model, arm, lines), own in arms.items():
            alone = arms.get((model, ALONE, lines)) if arm == JOINT else None
            other = None if model == REFERENCE else arms.get((REFERENCE, JOINT, lines))
            rows.append({
                "trait": trait, "metric": metric, "model": model, "label": labels[model],
                "arm": arm, "lines": lines, "value": own.mean(skipna=False), "sd": own.std(),
                "splits": len(own), "alone": np.nan if alone is None else alone.mean(skipna=False),
                **_against(own, alone, "", test_share=test_share),
                "reference": np.nan if other is None else other.mean(skipna=False),
                **_against(own, other, "_reference", test_share=test_share),
            })  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)
