"""Fits on values by environment: rows of a task, predictions, agreement within groups."""

import numpy as np
import pandas as pd
import pytest
from tiny_study import agreement, block, fit, write_cohort

from soyfold.common.errors import UserError
from soyfold.metrics import pearson
from soyfold.training.cohorts import read_cohort
from soyfold.training.tasks import draw_task

PLACES = ["east", "west"]


@pytest.fixture
def study(tmp_path):
    """A study of 120 lines in families, with a split of environments: 90, 10 and 2 x 20 rows."""
    inputs = write_cohort(tmp_path)
    values = pd.read_csv(inputs["phenotypes"], sep="\t").set_index("sample").value
    samples = pd.read_csv(inputs["samples"], sep="\t")
    samples["family"] = np.where(samples.row < 5, None, "f" + (samples.row % 3).astype(str))
    samples.to_csv(inputs["samples"], sep="\t", index=False, na_rep="NA")
    lines = samples["sample"].to_numpy()
    rows = pd.concat(
        [
            pd.DataFrame({"sample": lines[:90], "environment": None, "part": "train"}),
            pd.DataFrame({"sample": lines[90:100], "environment": None, "part": "val"}),
            *(
                pd.DataFrame(
                    {"sample": lines[start : start + 20], "environment": p, "part": "test"}
                )
                for p, start in zip(PLACES, (80, 100), strict=True)
            ),
        ],
        ignore_index=True,
    )
    rows["value"] = values[rows["sample"]].to_numpy() + 0.5 * (rows.environment == "west")
    path = tmp_path / "cells.tsv"
    rows.to_csv(path, sep="\t", index=False, na_rep="NA")
    return inputs | {"splits": [path], "families": inputs["samples"]}, rows


def cohort_of(inputs, phenotypes=None):
    names = ("dosage", "samples", "variants", "phenotypes", "families")
    files = {name: inputs[name] for name in names}
    return read_cohort(**files | ({"phenotypes": phenotypes} if phenotypes else {}))


def test_a_task_has_a_row_a_value_and_the_splits_own_values(study):
    inputs, rows = study
    cohort = cohort_of(inputs)
    task = draw_task(cohort, inputs["splits"][0], 0)
    found = pd.DataFrame(
        {"sample": task.sample, "environment": task.environment, "part": task.part, "value": task.y}
    )
    keys = ["sample", "environment"]
    pd.testing.assert_frame_equal(
        found.sort_values(keys, ignore_index=True),
        rows.fillna({"environment": ""}).sort_values(keys, ignore_index=True),
    )
    place = cohort.lines.set_index("sample").row
    np.testing.assert_array_equal(task.dosage, cohort.dosage[place[task.sample]])


def test_predictions_and_agreement_by_environment_and_family(study, tmp_path):
    inputs, rows = study
    folder = tmp_path / "fit"
    inputs = {name: inputs[name] for name in inputs if name != "cim"}
    gblup = block("gblup", kind="direct", train_on=["train", "val"]) | {"cim": "none"}
    fit(gblup, folders=[folder], **inputs)
    table = pd.read_csv(folder / "predictions.tsv", sep="\t")
    assert len(table) == len(rows)
    assert table.environment.isna().equals(table.part != "test")
    families = pd.read_csv(inputs["samples"], sep="\t", dtype=str).set_index("sample").family
    metrics = agreement(folder, families=families)
    test = table[table.part == "test"]
    by_hand = [
        pearson(test.observed[test.environment == p], test.predicted[test.environment == p])
        for p in PLACES
    ]
    assert metrics["test", "PCC_within_environment"] == pytest.approx(np.mean(by_hand))
    assert metrics["test", "PCC"] == pytest.approx(pearson(test.observed, test.predicted))
    assert ("train", "PCC_within_environment") not in metrics.index
    assert metrics["train", "PCC_within_family"] > 0.5
    # A line's genotype says one thing, wherever it grows.
    assert table.groupby("sample").predicted.agg(np.ptp).max() < 1e-9


def test_studies_without_families_or_environments_have_no_such_metrics(tmp_path):
    inputs = write_cohort(tmp_path)
    inputs.pop("cim")
    fit(block("mean", kind="direct") | {"cim": "none"}, folders=[tmp_path / "fit"], **inputs)
    metrics = agreement(tmp_path / "fit").index.get_level_values("metric")
    assert not metrics.str.contains("within").any()
    assert "environment" not in pd.read_csv(tmp_path / "fit/predictions.tsv", sep="\t")


def test_traits_learnt_together_take_no_values_by_environment(study):
    inputs, _ = study
    joint = {"oil": inputs["phenotypes"], "protein": inputs["phenotypes"]}
    with pytest.raises(UserError, match="one trait's values for oil, protein learnt together"):
        draw_task(cohort_of(inputs, joint), inputs["splits"][0], 0)
