"""Measures of fits: agreement part by part, from predictions alone."""

import numpy as np
import pandas as pd
import pytest

from soyfold.common.files import write_table
from soyfold.evaluation.measures import measure_agreement, measure_trait
from soyfold.metrics import pearson


@pytest.fixture
def predictions():
    rng = np.random.default_rng(3)
    n = 120
    observed = rng.normal(40, 2, n)
    return pd.DataFrame(
        {"sample": [f"L{k}" for k in range(n)], "part": np.repeat(["train", "val", "test"], n // 3),
         "observed": observed, "predicted": observed + rng.normal(0, 1, n),
         "held_out": observed + rng.normal(0, 1, n)}
    )  # fmt: skip


def test_agreement_is_that_of_each_parts_lines(predictions):
    measured = measure_agreement(predictions).set_index(["part", "metric"]).value
    for part, lines in predictions.groupby("part"):
        error = np.abs(lines.observed - lines.predicted)
        assert measured[part, "MAE"] == pytest.approx(error.mean())
        assert measured[part, "PCC"] == pytest.approx(
            np.corrcoef(lines.observed, lines.predicted)[0, 1]
        )
    assert not any("within" in metric for _, metric in measured.index)


def test_agreement_within_families_takes_lines_that_have_one(predictions):
    families = pd.Series(["a", "b"] * 40 + [None] * 40, index=predictions["sample"])
    measured = measure_agreement(predictions, families=families).set_index(["part", "metric"]).value
    train = predictions[predictions.part == "train"]
    own = [pearson(lines.observed, lines.predicted) for lines in (train[::2], train[1::2])]
    assert measured["train", "PCC_within_family"] == pytest.approx(np.mean(own))
    assert ("test", "PCC_within_family") not in measured.index


def test_of_a_control_agreement_alone_is_measured(predictions, tmp_path):
    write_table(predictions, tmp_path / "predictions.tsv")
    fit = {"scheme": "random", "seed": 0, "file": tmp_path / "predictions.tsv"}
    fits = [{**fit, "model": role, "role": role} for role in ("model", "control")]
    measures, intervals = measure_trait(fits, "oil")
    found = {name: set(table.metric) for name, table in measures.groupby("model")}
    assert "coverage90" in found["model"] and found["control"] < found["model"]
    assert {"PCC", "MAE", "CI"} <= found["control"]
    assert set(intervals.model) == {"model"}


def test_a_binary_trait_has_the_metrics_of_classes_beside(predictions, tmp_path):
    classes = (predictions.observed > 40.5).astype(float)
    table = predictions.assign(observed=classes, predicted=predictions.predicted / 80)
    write_table(table, tmp_path / "predictions.tsv")
    fits = [{"scheme": "random", "seed": 0, "file": tmp_path / "predictions.tsv", "model": "gblup",
             "role": "model"}]  # fmt: skip
    told = {
        kind: measure_trait(fits, "oil", kind=kind)[0].set_index(["part", "metric"]).value
        for kind in ("quantitative", "ordinal", "binary")
    }
    added = {kind: set(rows.index) - set(told["quantitative"].index) for kind, rows in told.items()}
    assert {name for _, name in added["binary"]} == {"AUC", "Brier", "prevalence"}
    assert {name for _, name in added["ordinal"]} == {"concordance"}
    assert told["binary"]["test", "AUC"] == told["ordinal"]["test", "concordance"] > 0.7
    assert told["binary"]["test", "prevalence"] == classes[:80].mean()
