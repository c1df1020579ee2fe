"""Validation schemes side by side."""

import pandas as pd

from soyfold.evaluation.scores import (
    FURTHER_METRICS,
    NAMED_METRICS,
    PAPER_METRICS,
    mean_over_seeds,
)


def scheme_table(scores):
    """Mean and spread of each metric over the splits of each scheme.

    Only the study's models: variants and control CIMs have tables of their own.

    Parameters
    ----------
    scores : DataFrame
        As `scores.collect_scores` returns it.

    Returns
    -------
    DataFrame
        trait, model (label), scheme, metric, mean, sd, splits: schemes in the order of the study.
        A metric that is undefined on some split has no mean.
    """
    named = sorted(name for name in scores.metric.unique() if name.startswith(NAMED_METRICS))
    wanted = [*PAPER_METRICS, *named, *FURTHER_METRICS]
    ours = scores[(scores.role == "model") & scores.metric.isin(wanted)]
    rows = []
    for (trait, label, scheme, metric), group in ours.groupby(
        ["trait", "label", "scheme", "metric"], sort=False
    ):
        mean, sd = mean_over_seeds(group.value)
        rows.append(
            {
                "trait": trait, "model": label, "scheme": scheme, "metric": metric,
                "mean": mean, "sd": sd, "splits": len(group),
            }
        )  # fmt: skip
    table = pd.DataFrame(rows)
    order = {
        "trait": list(dict.fromkeys(table.trait)),
        "model": list(dict.fromkeys(table.model)),
        "scheme": list(dict.fromkeys(table.scheme)),
        "metric": wanted,
    }
    places = pd.DataFrame({name: table[name].map(known.index) for name, known in order.items()})
    return table.loc[places.sort_values(list(order)).index].reset_index(drop=True)
