"""The table of hypotheses: differences, ranks, Holm; a gain that copies share is told as none."""

import numpy as np
import pandas as pd
import pytest

from soyfold.evaluation.hypotheses import HELPS, NOTHING, SHARED, compare_hypotheses, verdict
from soyfold.evaluation.paired import holm, paired_difference

SEEDS = 5
COLUMNS = ["trait", "hypothesis", "model", "arm", "seed", "metric", "value"]


def scores(arms, *, metric="log_likelihood", seed=0):
    """A tidy table of arms: (hypothesis, arm) to mean; a seed's noise is the same for all."""
    rng = np.random.default_rng(seed)
    common = rng.standard_normal(SEEDS)
    rows = [
        (
            "oil",
            name,
            "group_gblup",
            arm,
            k,
            metric,
            mean + common[k] + 0.05 * rng.standard_normal(),
        )
        for (name, arm), mean in arms.items()
        for k in range(SEEDS)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def arms(name, real, copies):
    permuted = {(name, f"permuted{k}"): copies for k in range(1, 21)}
    return {(name, "real"): real, **permuted, (name, "random"): 0.0}


NONE = {("none", "none"): 0.0, ("none", "additive"): -0.1}


def test_a_gain_that_copies_share_is_none():
    table = compare_hypotheses(
        scores(NONE | arms("good", 1.0, 0.0) | arms("shared", 1.0, 1.0) | arms("idle", 0, 0)),
        test_share=0.1,
    ).set_index("hypothesis")
    assert table.verdict.to_dict() == {"good": HELPS, "shared": SHARED, "idle": NOTHING}
    assert table["rank"]["good"] == 1 and table["rank"]["shared"] > 1
    assert table.permutation_p["good"] == pytest.approx(1 / 21)
    assert np.array_equal(table.p_holm, holm(table.p))


def test_a_row_is_the_paired_difference_of_the_seeds_whatever_their_order():
    told = scores(NONE | arms("good", 0.3, 0.1)).sample(frac=1, random_state=1)
    row = compare_hypotheses(told, test_share=0.25).iloc[0]
    wide = told.pivot(index="seed", columns=["hypothesis", "arm"], values="value")
    wanted = paired_difference(wide["good", "real"], wide["none", "none"], test_share=0.25)
    assert (row.difference, row.low, row.p) == (wanted.mean, wanted.low, wanted.p)
    copies = wide["good"][[f"permuted{k}" for k in range(1, 21)]]
    assert row.permuted == pytest.approx(copies.to_numpy().mean())
    assert row.difference_permuted == pytest.approx(row.value - row.permuted)
    assert row.additive == pytest.approx(wide["none", "additive"].mean()) and np.isnan(row.diagonal)


def test_few_copies_can_prove_nothing():
    told = {"difference": 1.0, "p_holm": 0.001, "low_permuted": 0.5, "permutation_p": 1 / 4}
    assert verdict(told) == SHARED
    assert verdict(told | {"permutation_p": 1 / 21}) == HELPS
    assert verdict(told | {"permutation_p": 1 / 21, "low_permuted": -0.1}) == SHARED
    assert verdict(told | {"permutation_p": 1 / 21, "difference": np.nan}) == NOTHING


def test_other_metrics_are_left_out():
    both = pd.concat([scores(NONE | arms("a", 1, 0), metric=m) for m in ("PCC", "reml")])
    assert set(compare_hypotheses(both, test_share=0.1).metric) == {"PCC"}
