"""Binary and ordered traits in networks: what is learnt and predicted, and where it isn't so."""

import numpy as np
import pytest
import torch
import yaml
from cut_fits import cut_short
from scipy.stats import norm
from tiny_study import (
    CHROMOSOMES,
    CODES,
    QUICK,
    block,
    fit,
    planted_lines,
    write_cohort,
    write_second_trait,
)

from soyfold.common.files import read_table, write_table
from soyfold.metrics import concordance
from soyfold.prediction.predictors import Networks
from soyfold.training import loop, transfer, tuning
from soyfold.training.checkpoints import load_network, read_checkpoint, rebuild_members
from soyfold.training.cohorts import Cohort
from soyfold.training.network_fits import fit_network
from soyfold.training.tasks import Task

torch.set_num_threads(1)
CUTS = {"binary": [0.0], "ordinal": [-1.0, 0.0, 0.5]}
MLP = {"tokens": "window", "window": 4, "d_model": 8, **QUICK, "epochs": 12}


def classed(folder, kind, *, n=300, file="phenotypes", noise=0.5, **changes):
    """A study whose trait is a class: what lies behind it, cut; as `fit` takes it."""
    folder.mkdir(exist_ok=True)
    inputs = write_cohort(folder, n=n)
    table = read_table(inputs[file], dtype={"sample": str})
    liability = (table["value"] - table["value"].mean()) / table["value"].std()
    liability += noise * np.random.default_rng(5).standard_normal(n)
    table["value"] = np.digitize(liability, CUTS[kind]).astype(float)
    write_table(table.assign(**changes), inputs[file])
    return inputs


def predictions(folder, chosen, inputs, **more):
    folder.mkdir()
    fit(chosen, folders=[folder], **inputs, **more)
    return read_table(folder / "predictions.tsv", dtype={"sample": str})


def log_likelihood(task, fit, kind):
    """Mean ln P of tested classes: of numbers by a normal of validation's errors, cut midway."""
    test, val = task.rows("test"), task.rows("val")
    y, predicted = task.y[test], fit.predicted[test]
    if kind == "binary":
        p = predicted.clip(0.01, 0.99)
        return np.log(np.where(y == 1, p, 1 - p)).mean()
    sd = np.sqrt(np.square(task.y[val] - fit.held_out[val]).mean())
    reached = norm.sf((np.array([0.5, 1.5, 2.5]) - predicted[:, None]) / sd)
    bounds = np.pad(reached, ((0, 0), (1, 1)), constant_values=((0, 0), (1, 0)))
    shares = -np.diff(bounds, axis=1)[np.arange(len(y)), y.astype(int)]
    return np.log(shares.clip(1e-3)).mean()


def planted_task(kind, *, n=1200, spoilt=()):
    """A task of 300 training and 100 validation lines, and what else a fit takes."""
    dosage, y = planted_lines(n, noise=2.0)
    y = np.digitize((y - y.mean()) / y.std(), CUTS[kind]).astype(float)
    part = np.repeat(["train", "val", "test"], [300, 100, n - 400])
    y[[400 + row for row in spoilt]] = 7.5
    lines = np.arange(n)
    task = Task(sample=lines.astype(str), part=part, y=y, dosage=dosage, row=lines, seed=0)
    return task, Cohort(dosage, None, y, np.array(CHROMOSOMES)[CODES], None, kind=kind)


@pytest.mark.parametrize("kind", CUTS)
def test_a_planted_liability_is_told_no_worse_than_by_squared_error(kind):
    (task, cohort), told, found = planted_task(kind), {}, {}
    for loss in ("auto", "squared"):
        told[loss] = fit_network(block("mlp", loss=loss, **MLP), task, cohort)
        found[loss] = log_likelihood(task, told[loss], kind)
    predicted, tested = told["auto"].predicted, task.rows("test")
    assert predicted.min() > 0 and predicted.max() < len(CUTS[kind])
    assert found["auto"] > found["squared"] - 0.01
    assert concordance(task.y[tested], predicted[tested]) > 0.7
    assert 0 < told["auto"].history.val_loss.min() < 0.95, "the mean predictor has 1"


@pytest.mark.parametrize("kind", CUTS)
def test_values_that_are_tested_change_no_class_and_no_prediction(kind):
    chosen = block("mlp", **{**MLP, "epochs": 2})
    told = [
        fit_network(chosen, *planted_task(kind, n=420, spoilt=spoilt)).predicted
        for spoilt in ((), range(20))
    ]
    np.testing.assert_array_equal(*told)


@pytest.mark.parametrize("kind", CUTS)
def test_a_saved_ensemble_predicts_the_same(tmp_path, kind):
    inputs = classed(tmp_path / "study", kind, n=120)
    more = {"members": 2, "refit": True, "ema": 0.9, "mixup": 1.0, "snp_dropout": 0.2}
    chosen = block("mlp", kind="ensemble", **{**MLP, "epochs": 4, **more})
    told = predictions(tmp_path / "fit", chosen, inputs, kind=kind)
    arrays, facts = read_checkpoint(tmp_path / "fit/checkpoint.npz")
    assert facts["links"] == {"0": len(CUTS[kind]) + 1}
    dosage = np.load(inputs["dosage"])
    values, sd = Networks(*rebuild_members(arrays, facts), MLP["batch_size"]).predict(dosage, None)
    rows = told["sample"].str[2:].astype(int)
    np.testing.assert_allclose(values[rows, 0], told.predicted, rtol=1e-9)
    assert (sd > 0).all()
    network, scaler = load_network(tmp_path / "fit/checkpoint.npz")
    again = loop.predict(network, dosage, scaler=scaler)[rows]
    np.testing.assert_allclose(again, told.predicted, rtol=1e-5, atol=1e-5)


def test_a_killed_fit_goes_on_with_its_thresholds(tmp_path, monkeypatch):
    inputs = {**classed(tmp_path / "study", "ordinal", n=120), "kind": "ordinal"}
    chosen = block("mlp", **{**MLP, "epochs": 6, "ema": 0.5})
    whole = predictions(tmp_path / "whole", chosen, inputs)
    (tmp_path / "cut").mkdir()
    cut_short(tmp_path / "cut", inputs, chosen, monkeypatch)
    fit(chosen, folders=[tmp_path / "cut"], **inputs)
    again = read_table(tmp_path / "cut/predictions.tsv", dtype={"sample": str})
    np.testing.assert_array_equal(again.predicted, whole.predicted)
    assert read_table(tmp_path / "cut/cost.tsv")["resumed"].tolist() == [1]


def test_traits_of_mixed_kinds_are_learnt_together(tmp_path):
    inputs = classed(tmp_path / "study", "binary")
    (tmp_path / "number").mkdir()
    number = write_second_trait(tmp_path / "number", write_cohort(tmp_path / "number", n=300))
    inputs["phenotypes"] = number | {"first": inputs["phenotypes"]}
    chosen = block("mlp", **{**MLP, "mixup": 1.0})
    told = predictions(tmp_path / "fit", chosen, inputs, kind=["binary", "quantitative"])
    first, second = (told[told.trait == name] for name in ("first", "second"))
    assert first.predicted.between(0, 1).all() and len(second) < len(first)
    assert read_checkpoint(tmp_path / "fit/checkpoint.npz")[1]["links"] == {"0": 2}
    for own in (first, second):
        new = own[own.part != "train"]
        assert concordance(new.observed, new.predicted) > 0.7


def test_lines_that_weigh_nothing_have_no_say_in_the_loss_of_classes(tmp_path):
    """Every other line says the reverse, from a hundredth of the records."""
    records = np.where(np.arange(300) % 2, 1, 100)
    inputs = classed(tmp_path / "study", "binary", noise=0.0, records=records)
    table = read_table(inputs["phenotypes"], dtype={"sample": str})
    light = records == 1
    write_table(
        table.assign(value=table.value.where(~light, 1 - table.value)), inputs["phenotypes"]
    )
    told = predictions(
        tmp_path / "fit", block("mlp", **MLP), inputs, kind="binary", weights="records"
    ).set_index("sample")  # fmt: skip
    heavy = told.loc[table["sample"][~light]]
    assert concordance(heavy.observed, heavy.predicted) > 0.75, "without weights 0.5"


@pytest.mark.parametrize("case", ["asked", "penalty", "moved", "many", "environments"])
def test_what_has_no_loss_of_its_own_is_learnt_by_squared_error_and_told(tmp_path, caplog, case):
    caplog.set_level("INFO", logger="soyfold")
    kind = "ordinal" if case == "many" else "binary"
    inputs, chosen = classed(tmp_path / "study", kind, n=120), block("mlp", **{**MLP, "epochs": 2})
    table = read_table(inputs["phenotypes"], dtype={"sample": str})
    if case == "asked":
        chosen["parameters"]["loss"] = "squared"
    elif case == "penalty":
        chosen = block("contact_readout", epochs=2, rho=0.5)
    elif case == "environments":
        split = read_table(inputs["splits"][0], dtype={"sample": str}).merge(table, on="sample")
        write_table(split.assign(environment="here")[["sample", "environment", "part", "value"]],
                    inputs["splits"][0])  # fmt: skip
        chosen["unit"] = "environment"
    else:
        add = 0.2 if case == "moved" else np.arange(len(table))
        write_table(table.assign(value=table["value"] + add), inputs["phenotypes"])
    told = predictions(tmp_path / "own", chosen, inputs, kind=kind)
    number = predictions(tmp_path / "number", chosen, inputs)
    np.testing.assert_array_equal(told.predicted, number.predicted)
    said = [line for line in caplog.messages if line.startswith("learnt by squared error")]
    assert len(said) == (case != "asked")
    words = {"penalty": "penalties", "moved": "beyond 0 and 1", "many": "classes, more than 20",
             "environments": "lines in environments"}  # fmt: skip
    assert case == "asked" or words[case] in said[0]


def test_a_search_judges_trials_by_the_loss_of_the_trait(tmp_path):
    inputs = classed(tmp_path / "study", "binary", n=120)
    inputs["split"] = inputs.pop("splits")[0]
    del inputs["seeds"]
    chosen, best = block("mlp", **{**MLP, "epochs": 2}), tmp_path / "best.yaml"
    tuning.tune(
        chosen, space={"snp_dropout": {"low": 0.0, "high": 0.3}}, trials=1, workers=1, seed=0,
        storage=tmp_path / "search.journal", best=best, kind="binary",
        trials_table=tmp_path / "trials.tsv", **inputs,
    )  # fmt: skip
    value = yaml.safe_load(best.read_text())["value"]
    inputs |= {"splits": [inputs.pop("split")], "seeds": [0]}
    for kind, same in (("binary", True), ("quantitative", False)):
        predictions(tmp_path / kind, chosen, inputs, kind=kind)
        found = read_table(tmp_path / kind / "history.tsv").val_loss.min()
        assert (found == pytest.approx(value, rel=1e-6)) == same


def test_curves_over_labelled_lines_follow_the_kind_of_each_trait(tmp_path):
    inputs = classed(tmp_path / "study", "binary", n=160)
    phenotypes = write_second_trait(tmp_path / "study", inputs)
    files = {name: inputs[name] for name in ("dosage", "samples", "variants", "splits", "seeds")}
    told = []

    def learn(block, task, cohort):
        told.append((cohort.kinds, fit_network(block, task, cohort)))
        return told[-1][1]

    scores = transfer.transfer_trait(
        {**block("mlp", **{**MLP, "epochs": 2}), "joint": True}, learn, target="first", points=2,
        fewest=60, phenotypes=phenotypes, kinds={"first": "binary"}, **files,
    )  # fmt: skip
    assert {"AUC", "Brier"} <= set(scores.metric)
    assert {kinds for kinds, _ in told} == {("binary",), ("binary", "quantitative")}
    for _, found in told:
        first = found.predicted.reshape(len(found.predicted), -1)[:, 0]
        assert first.min() > 0 and first.max() < 1
