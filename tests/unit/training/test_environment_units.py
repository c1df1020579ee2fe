"""Models whose unit is a line in an environment: their tasks, networks, and what is written."""

import numpy as np
import pandas as pd
import pytest
import torch
from field_trials import PLACES, grow, write_trials
from tiny_study import QUICK, SMALL, block, fit, planted_lines

from soyfold.common.errors import UserError
from soyfold.evaluation.measures import measure_trait
from soyfold.training.cohorts import read_cohort
from soyfold.training.environment_tasks import draw_cells, fill_unknown, known_environments
from soyfold.training.scaling import fit_scaler

torch.set_num_threads(1)
KEYS = ["sample", "environment"]


def task_of(inputs, **changes):
    names = ("dosage", "samples", "variants", "phenotypes")
    cohort = read_cohort(**{name: inputs[name] for name in names})
    return draw_cells(cohort, inputs["splits"][0], 0)


@pytest.mark.parametrize("scheme", ["cv1", "cv2", "leave_environment_out"])
def test_a_task_has_every_value_once_in_the_column_of_its_environment(tmp_path, scheme):
    _, inputs, rows = write_trials(tmp_path, scheme)
    cells, task = pd.read_csv(inputs["splits"][0], sep="\t"), task_of(inputs)
    assert task.environments == tuple(PLACES)
    found = pd.DataFrame(task.y, columns=PLACES).assign(sample=task.sample, part=task.part)
    found = found.melt(["sample", "part"], var_name="environment").dropna()
    order = ["part", *KEYS]
    left, right = (t.sort_values(order)[[*order, "value"]] for t in (found, cells))
    np.testing.assert_array_equal(left.to_numpy(), right.to_numpy())
    # What is tested is what the scheme's other models are tested on, in one mean.
    test = rows[rows.part == "test"].sort_values(KEYS)
    ours = found[found.part == "test"].sort_values(KEYS)
    np.testing.assert_allclose(ours.value, test.value)
    assert ours[KEYS].to_numpy().tolist() == test[KEYS].to_numpy().tolist()
    # No line is learnt from twice, and none of what is tested is learnt from.
    fitted = task.rows("train", "val")
    assert len(set(task.sample[fitted])) == len(fitted)
    assert not found.duplicated(KEYS).any()
    np.testing.assert_array_equal(task.dosage, np.load(inputs["dosage"])[task.row])
    unknown = [PLACES[0]] if scheme == "leave_environment_out" else []
    assert [p for p, k in zip(PLACES, known_environments(task), strict=True) if not k] == unknown


def test_the_final_fits_values_have_what_environments_add(tmp_path):
    _, inputs, rows = write_trials(tmp_path, "final")
    task, cells = task_of(inputs), grow()
    assert task.parts == ["train", "val"]
    means = cells.groupby("environment").value.mean().to_numpy()
    np.testing.assert_allclose(np.nanmean(task.y, axis=0), means)
    assert dict(zip(task.sample, task.part, strict=True)) == rows.set_index("sample").part.to_dict()


def test_values_of_one_line_and_place_are_refused_twice(tmp_path):
    _, inputs, _ = write_trials(tmp_path, "cv1")
    cells = pd.read_csv(inputs["splits"][0], sep="\t")
    pd.concat([cells, cells[:1]]).to_csv(inputs["splits"][0], sep="\t", index=False)
    with pytest.raises(UserError, match="two values of"):
        task_of(inputs)


def test_a_network_tells_lines_in_environments_where_others_tell_lines(tmp_path):
    lines, cells, _ = write_trials(tmp_path, "leave_environment_out", noise=0.1)
    network = block("transformer", **SMALL, **QUICK) | {"cim": "none"}
    fit(network, folders=[tmp_path / "lines"], **lines)
    fit(network | {"unit": "environment"}, folders=[tmp_path / "cells"], **cells)
    ours, theirs = (
        pd.read_csv(tmp_path / name / "predictions.tsv", sep="\t") for name in ("cells", "lines")
    )
    test = [t[t.part == "test"].sort_values(KEYS) for t in (ours, theirs)]
    assert test[0][KEYS].to_numpy().tolist() == test[1][KEYS].to_numpy().tolist()
    np.testing.assert_allclose(*(t.observed for t in test))
    assert ours.predicted.notna().all() and ours[ours.part == "val"].held_out.notna().all()
    # Three outputs learn by their own values; the fourth, of an unknown place, is their mean.
    known = ours[ours.part == "train"].groupby("sample").predicted.nunique()
    assert (known > 1).any() and set(test[0].environment) == {PLACES[0]}
    fits = [
        {"model": name, "scheme": "leave_environment_out", "seed": 0, "role": "model",
         "file": tmp_path / name / "predictions.tsv", "cells": [cells["splits"][0]]}
        for name in ("cells", "lines")
    ]  # fmt: skip
    measures, intervals = measure_trait(fits, "yield")
    assert set(measures.model) == {"cells", "lines"} and len(intervals) == 2 * len(test[0])
    counts = measures[measures.metric == "test_share"].set_index("model").value
    assert counts["cells"] == pytest.approx(counts["lines"])


def test_what_is_told_of_an_unknown_environment_is_the_mean_of_the_others(tmp_path):
    task = task_of(write_trials(tmp_path, "leave_environment_out")[1])
    told = np.random.default_rng(0).standard_normal(task.y.shape)
    filled = fill_unknown(task, told)
    np.testing.assert_array_equal(filled[:, 1:], told[:, 1:])
    np.testing.assert_allclose(filled[:, 0], told[:, 1:].mean(1))


def test_columns_of_few_values_have_the_scale_of_all():
    dosage, y = planted_lines(60)
    columns = np.column_stack([y, 2 * y, y, y])
    columns[5:, 2] = columns[:, 3] = np.nan
    scaler, known = fit_scaler(dosage, columns, alike=True), columns[~np.isnan(columns)]
    np.testing.assert_allclose(scaler.sd, [y.std(), 2 * y.std(), known.std(), known.std()])
    np.testing.assert_allclose(scaler.mean, [y.mean(), 2 * y.mean(), y[:5].mean(), known.mean()])
