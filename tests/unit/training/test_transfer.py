"""Curves over the lines that have a value: nested lines, the same test, nothing known too early."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from field_trials import PLACES, grow
from hypothesis import given
from hypothesis import strategies as st
from tiny_study import QUICK, SMALL, block, write_cohort, write_second_trait

from soyfold.common.errors import UserError
from soyfold.common.files import read_table, write_table
from soyfold.training import transfer
from soyfold.training.cohorts import read_cohort
from soyfold.training.direct_fits import fit_direct
from soyfold.training.network_fits import fit_network
from soyfold.training.tasks import FEWEST, draw_task

COUNTS = {"points": 3, "fewest": 20}


@given(most=st.integers(21, 5000), points=st.integers(2, 9))
def test_counts_ascend_from_the_fewest_to_all(most, points):
    counts = transfer.label_counts(most, points=points, fewest=20)
    assert counts[0] == 20 and counts[-1] == most and len(counts) <= points
    assert all(np.diff(counts) > 0)


@given(train=st.integers(15, 300), val=st.integers(3, 80), seed=st.integers(0, 9))
def test_lines_of_a_smaller_number_are_among_those_of_a_larger(train, val, seed):
    names = [f"t{k}" for k in range(train)] + [f"v{k}" for k in range(val)] + ["x", "gone"]
    parts = dict.fromkeys(names, "train") | {f"v{k}": "val" for k in range(val)} | {"x": "test"}
    order = transfer.order_lines(parts, [name for name in names if name != "gone"], seed)
    before = set()
    for count in range(15, train + val + 1):
        lines = transfer.labelled(order, count)
        assert before <= lines and len(lines) <= count and not {"x", "gone"} & lines
        judged = sum(parts[name] == "val" for name in lines)
        assert judged == min(val, max(FEWEST["val"], round(count * val / (train + val))))
        before = lines
    assert len(before) == train + val


@pytest.fixture
def study(tmp_path):
    inputs = write_cohort(tmp_path, n=160, seeds=(0, 1))
    phenotypes = write_second_trait(tmp_path, inputs)
    inputs = {name: inputs[name] for name in ("dosage", "samples", "variants", "splits", "seeds")}
    return {**inputs, "phenotypes": phenotypes, "target": "second"}


def direct(name, *, joint):
    return {**block(name, kind="direct", train_on=["train", "val"]), "joint": joint}


def table_of(scores, metric="R2"):
    own = scores[scores.metric == metric]
    return own.pivot(index=["seed", "lines"], columns="arm", values="value")


def test_other_traits_help_where_few_lines_have_a_value(study):
    scores = transfer.transfer_trait(
        direct("multi_trait_gblup", joint=True), fit_direct,
        **{**study, "seeds": [0], "splits": study["splits"][:1]}, points=2, fewest=20,
    )  # fmt: skip
    assert list(scores) == transfer.SCORES and set(scores.trait) == {"second"}
    told = table_of(scores)
    assert sorted(set(scores.lines)) == [20, max(scores.lines)]
    few = told.xs(20, level="lines")
    assert (few.joint > few.alone + 0.05).all()
    full = told.xs(max(scores.lines), level="lines")
    assert (full.alone > few.alone).all() and ((full.joint - full.alone).abs() < 0.1).all()


def test_all_labels_alone_are_the_model_itself(study, tmp_path):
    scores = transfer.transfer_trait(direct("gblup", joint=False), fit_direct, **study, **COUNTS)
    assert set(scores.arm) == {"alone"}
    names = ("dosage", "samples", "variants")
    cohort = read_cohort(
        phenotypes=study["phenotypes"]["second"], **{name: study[name] for name in names}
    )
    tasks = [draw_task(cohort, split, seed) for seed, split in enumerate(study["splits"])]
    sizes = [len(task.rows("train", "val")) for task in tasks]
    whole = int(np.argmin(sizes))
    fit = fit_direct(direct("gblup", joint=False), tasks[whole], cohort)
    told = table_of(scores).loc[(whole, min(sizes)), "alone"]
    wanted = transfer.score_target(tasks[whole], fit, "second", "quantitative")["R2"]
    assert told == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize("module", ["gblup", "transformer"])
def test_values_that_are_not_labelled_yet_and_tested_ones_have_no_say(study, tmp_path, module):
    """Whatever they are: they change no prediction, and the tests' alone change no fit."""
    kind = "network" if module == "transformer" else "direct"
    learn, own = fit_direct, direct(module, joint=False)
    if kind == "network":
        small = {"tokens": "window", "window": 4, "d_model": 8, "layers": 1, "heads": 2}
        small |= {"feed_forward": 8, "epochs": 2, "batch_size": 32, "learning_rate": 1e-3}
        learn, own = fit_network, {**block(module, **small), "joint": True}
    told = []

    def heard(block, task, cohort):
        fit = learn(block, task, cohort)
        told.append(fit.predicted[task.rows("test")])
        return fit

    one = {**study, "seeds": [0], "splits": study["splits"][:1]}
    transfer.transfer_trait(own, heard, **one, points=2, fewest=20)
    values = read_table(study["phenotypes"]["second"], dtype={"sample": str})
    parts = read_table(study["splits"][0], dtype={"sample": str}).set_index("sample")["part"]
    order = transfer.order_lines(parts.to_dict(), values["sample"], 0)
    known = transfer.labelled(order, 20)
    spoilt = ~values["sample"].isin(known)
    values.loc[spoilt, "value"] = 100 * np.random.default_rng(3).standard_normal(spoilt.sum())
    path = tmp_path / "spoilt.tsv"
    write_table(values, path)
    one["phenotypes"] = {**study["phenotypes"], "second": path}
    before, told[:] = list(told), []
    transfer.transfer_trait(own, heard, **one, points=2, fewest=20)
    arms = len(before) // 2  # alone, and of the network joint; of 20 lines, then of all
    for early, again in zip(before[:arms], told[:arms], strict=True):
        np.testing.assert_allclose(early, again, rtol=1e-6)
    assert not np.allclose(before[arms], told[arms])  # with all lines the values count


def test_too_few_labels_are_refused(study):
    with pytest.raises(UserError, match=r"training lines with a value of second.*500 or more"):
        transfer.transfer_trait(
            direct("gblup", joint=False), fit_direct, **study, points=3, fewest=500
        )


def test_noise_and_covariates_are_those_of_the_labelled_lines(study):
    cohort = read_cohort(
        phenotypes=study["phenotypes"],
        **{name: study[name] for name in ("dosage", "samples", "variants")},
    )
    lines = cohort.lines["sample"]
    noise = np.where(np.isnan(cohort.values), np.nan, 1.0)
    beside = pd.DataFrame({"batch": np.arange(len(lines))})
    cohort = dataclasses.replace(cohort, noise=noise, covariates=beside)
    kept = {*lines[:30]}
    found = transfer.with_labels(cohort, "second", kept)
    known = ~np.isnan(found.values)
    assert known[:, 1].sum() == (~np.isnan(cohort.values[:30, 1])).sum()
    assert known[:, 0].sum() == (~np.isnan(cohort.values[:, 0])).sum()
    assert np.array_equal(known, ~np.isnan(found.noise))
    rows = lines.isin(found.lines["sample"])
    assert np.array_equal(found.covariates["batch"], np.flatnonzero(rows))


def test_environments_take_the_place_of_traits(study, tmp_path):
    """Of one trait: few lines have a value in the south, and all theirs elsewhere."""
    cells = grow(160, lost=0.1)
    write_table(cells, tmp_path / "cells.tsv")
    network = block("transformer", **{**SMALL, **QUICK, "epochs": 2}) | {
        "joint": False,
        "unit": "environment",
    }
    tasks = []

    def heard(block, task, cohort):
        tasks.append(task)
        return fit_network(block, task, cohort)

    one = {**study, "seeds": [0], "splits": study["splits"][:1], "target": "first"}
    one |= {"environments": ["south"], "cells": tmp_path / "cells.tsv", "points": 2, "fewest": 20}
    scores = transfer.transfer_trait(network, heard, **one)
    assert set(scores.trait) == {"first, south"} and set(scores.arm) == {"alone", "joint"}
    alone, joint = tasks[:2]
    assert alone.environments == () and joint.environments == tuple(PLACES)
    south, fitted = joint.y[:, PLACES.index("south")], joint.rows("train", "val")
    assert (~np.isnan(south[fitted])).sum() == 20 == len(alone.rows("train", "val"))
    # In the trait's units, as they are in the table: no environment's mean is taken off.
    told = cells[cells.environment == "south"].set_index("sample")["value"]
    known = ~np.isnan(south)
    np.testing.assert_allclose(south[known], told[joint.sample[known]])
    other = joint.y[fitted, PLACES.index("north")]
    north = cells[cells.environment == "north"]["sample"]
    assert (~np.isnan(other)).sum() == np.isin(joint.sample[fitted], north).sum()
    # A direct model of lines in environments learns nothing of one alone.
    linear = direct("environment_gblup", joint=False) | {"unit": "environment"}
    told = transfer.transfer_trait(linear, fit_direct, **{**one, "fewest": 90})
    assert set(told.arm) == {"joint"} and told[told.metric == "PCC"].value.min() > 0.5
    with pytest.raises(UserError, match=r"environment 'moon'.*allowed: east, north, south, west"):
        transfer.transfer_trait(network, heard, **{**one, "environments": ["moon"]})
