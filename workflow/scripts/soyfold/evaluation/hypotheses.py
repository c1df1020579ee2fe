"""Does a hypothesis help? Each against none, beside its own copies that hold other SNPs."""

import numpy as np
import pandas as pd

from soyfold.evaluation.controls import rank_among
from soyfold.evaluation.paired import holm, paired_difference

METRICS = ("log_likelihood", "PCC", "R2")  # the first decides
LEVEL = 0.05
COLUMNS = [
    "trait", "hypothesis", "model", "metric", "value", "none", "difference", "low", "high", "p",
    "p_holm", "splits", "permuted", "difference_permuted", "low_permuted", "high_permuted", "rank",
    "permutations", "permutation_p", "random", "diagonal", "additive", "share", "verdict",
]  # fmt: skip
HELPS, SHARED, NOTHING = "helps", "none: its copies do as much", "none"


def verdict(row):
    """What a hypothesis is worth by one metric.

    Parameters
    ----------
    row : mapping
        difference, p_holm, low_permuted, permutation_p.

    Returns
    -------
    str
        helps: better than none (Holm's p below 0.05), than its permuted copies (interval above 0)
        and than chance lets one of them be (permutation p below 0.05). A gain over none that
        copies share is none.
    """
    if not (row["difference"] > 0 and row["p_holm"] < LEVEL):
        return NOTHING
    beats = row["low_permuted"] > 0 and row["permutation_p"] < LEVEL
    return HELPS if beats else SHARED


def _compare(own, none, *, test_share):
    """Columns of one hypothesis and metric; `own` (seeds, arms), `none` (seeds, none and others).

    All have the same index.
    """

    def mean(table, arm):
        return table[arm].mean(skipna=False) if arm in table else np.nan

    real = own["real"]
    copies = own[[arm for arm in own if arm.startswith("permuted")]]
    to_none = paired_difference(real, none["none"], test_share=test_share)
    pooled = copies.mean(axis=1, skipna=False)
    to_copies = paired_difference(real, pooled, test_share=test_share)
    return {
        "value": real.mean(skipna=False), "none": none["none"].mean(skipna=False),
        "difference": to_none.mean, "low": to_none.low, "high": to_none.high, "p": to_none.p,
        "splits": to_none.n, "permuted": pooled.mean(skipna=False),
        "difference_permuted": to_copies.mean, "low_permuted": to_copies.low,
        "high_permuted": to_copies.high,
        **rank_among(real.mean(skipna=False), copies.mean(skipna=False), higher_is_better=True),
        "random": mean(own, "random"), "additive": mean(none, "additive"),
        "diagonal": mean(own, "diagonal"),
    }  # fmt: skip


def compare_hypotheses(scores, *, test_share):
    """Every hypothesis against none, and its rank among its permuted copies: hypotheses.tsv.

    Parameters
    ----------
    scores : DataFrame
        As `training.hypotheses.try_hypotheses` and `training.network_hypotheses.try_arm` return
        it, of one trait or several.
    test_share : float, keyword only
        n_test / n_train of a split.

    Returns
    -------
    DataFrame
        A row for each trait, hypothesis, model and metric (higher is better): value (mean over
        splits), none (all pairs of SNPs alike; of a network, all pairs of its groups), difference
        (paired), low, high (95 %), p (`paired.paired_difference`), p_holm (over the hypotheses of
        a trait, model and metric), splits;
        permuted (mean over splits and copies) and the difference to it; rank, permutations,
        permutation_p (`controls.rank_among`); random, diagonal, additive (no products); share of
        the products in the genetic variance; verdict.
    """
    rows = []
    for (trait, model, metric), group in scores.groupby(["trait", "model", "metric"], sort=False):
        if metric not in METRICS:
            continue
        wide = {
            name: part.pivot(index="seed", columns="arm", values="value")
            for name, part in group.groupby("hypothesis", sort=False)
        }
        shared = wide.pop("none", None)  # a network's groups are those of a hypothesis in each arm
        for name, own in wide.items():
            none = own if shared is None else shared
            told = _compare(own.loc[none.index], none, test_share=test_share)
            keys = {"trait": trait, "hypothesis": name, "model": model, "metric": metric}
            rows.append(keys | told)
    table = pd.DataFrame(rows)
    families = table.groupby(["trait", "model", "metric"], sort=False)["p"]
    table["p_holm"] = families.transform(lambda p: holm(p.to_numpy()))
    shares = scores[(scores.metric == "share") & (scores.arm == "real")]
    keys = ["trait", "hypothesis", "model"]
    means = shares.groupby(keys)["value"].mean()
    table["share"] = means.reindex(pd.MultiIndex.from_frame(table[keys])).to_numpy()
    table["verdict"] = [verdict(row) for row in table.to_dict("records")]
    return table.reindex(columns=COLUMNS)
