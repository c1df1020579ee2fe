"""Covariates in fits: a planted effect is used, and training lines alone tell it."""

import numpy as np
import pandas as pd
import pytest
from tiny_study import QUICK, SMALL, agreement, block, fit, write_cohort, write_second_trait

from soyfold.common.errors import UserError
from soyfold.training.cohorts import read_cohort
from soyfold.training.covariates import base_of, shift_of
from soyfold.training.outputs import read_predictions
from soyfold.training.tasks import draw_task

FILES = ("dosage", "samples", "variants", "phenotypes")
MODELS = [
    ("gblup", "direct", {}),
    ("rr_blup", "direct", {}),
    ("rkhs", "direct", {"bandwidths": [4]}),
    ("mean", "direct", {}),
    ("elastic_net", "direct", {}),
]


@pytest.fixture
def study(tmp_path):
    """120 lines; sex adds 8 to the females, as much as three sd of the trait, and batch nothing."""
    inputs = write_cohort(tmp_path)
    values = pd.read_csv(inputs["phenotypes"], sep="\t")
    random = np.random.default_rng(5)
    table = pd.DataFrame(
        {"sample": values["sample"], "sex": random.choice(["F", "M"], len(values)),
         "number(age)": random.normal(30, 4, len(values))}
    )  # fmt: skip
    values["value"] += 8.0 * (table["sex"] == "F") + 0.5 * table["number(age)"]
    values.to_csv(inputs["phenotypes"], sep="\t", index=False)
    table.to_csv(tmp_path / "covariates.tsv", sep="\t", index=False)
    return tmp_path, inputs, table


def run(study, name, model, covariates=True):
    folder, inputs, _ = study
    module, kind, parameters = model
    more = {"covariates": folder / "covariates.tsv"} if covariates else {}
    out = folder / name
    out.mkdir()
    fit(block(module, kind=kind, **parameters), folders=[out], **inputs, **more)
    return out


@pytest.mark.parametrize("model", MODELS, ids=[model[0] for model in MODELS])
def test_a_planted_effect_of_sex_is_worth_what_it_is(study, model):
    without, within = run(study, "without", model, False), run(study, "within", model)
    one, other = agreement(without), agreement(within)
    assert other["test", "PCC"] > 0.85
    assert not one["test", "PCC"] > other["test", "PCC"] - 0.05
    assert other["test", "MAE"] < 0.75 * one["test", "MAE"]
    tables = [read_predictions(path / "predictions.tsv", None) for path in (without, within)]
    np.testing.assert_allclose(tables[0]["observed"], tables[1]["observed"], rtol=1e-9)


def test_a_network_learns_what_is_left_and_predicts_with_it(study):
    """In a few epochs it would learn nothing of sex by itself."""
    out = run(study, "within", ("transformer", "network", {**SMALL, **QUICK, "epochs": 3}))
    table = read_predictions(out / "predictions.tsv", None)
    female = table["sample"].map(study[2].set_index("sample")["sex"]) == "F"
    for column in ("predicted", "held_out"):
        told = table[column]
        assert told[female].mean() - told[~female].mean() == pytest.approx(8, abs=2)


@pytest.mark.parametrize("model", MODELS[:2], ids=["gblup", "rr_blup"])
def test_the_mixed_model_is_that_of_all_fixed_effects_together(study, model):
    """Predictions of test lines with their own sex and age, by generalised least squares."""
    _, inputs, table = study
    out = run(study, "within", model)
    found = read_predictions(out / "predictions.tsv", None).set_index("sample")
    ridge = pd.read_csv(out / "estimates.tsv", sep="\t").set_index("metric").value["lambda"]
    dosage = np.load(inputs["dosage"]).astype(float)
    part = found["part"].reindex(table["sample"]).to_numpy()
    y = found["observed"].reindex(table["sample"]).to_numpy()
    known = part != "test"
    fixed = np.column_stack([np.ones(len(y)), table["sex"] == "F", table["number(age)"]])
    z = dosage - dosage[known].mean(0)
    inverse = np.linalg.inv(z[known] @ z[known].T + ridge * np.eye(known.sum()))
    x = fixed[known]
    effects = np.linalg.solve(x.T @ inverse @ x, x.T @ inverse @ y[known])
    expected = fixed @ effects + z @ z[known].T @ inverse @ (y[known] - x @ effects)
    np.testing.assert_allclose(found["predicted"].reindex(table["sample"]), expected, rtol=1e-7)


def test_training_lines_alone_tell_the_effects(study):
    folder, inputs, table = study
    files = {name: inputs[name] for name in FILES}
    values = pd.read_csv(inputs["phenotypes"], sep="\t")

    def task_of(covariates="covariates.tsv"):
        cohort = read_cohort(**files, covariates=folder / covariates)
        return draw_task(cohort, inputs["splits"][0], 0)

    task = task_of()
    other = np.isin(values["sample"], task.sample[task.rows("val", "test")])
    values.loc[other, "value"] += np.random.default_rng(1).normal(0, 9, other.sum())
    values.to_csv(inputs["phenotypes"], sep="\t", index=False)
    np.testing.assert_array_equal(task_of().shift, task.shift)
    female = (table.set_index("sample")["sex"].reindex(task.sample) == "F").to_numpy()
    age = table.set_index("sample")["number(age)"].reindex(task.sample).to_numpy()
    train = task.rows("train")
    design = np.column_stack([np.ones(len(train)), female[train], age[train]])
    effects = np.linalg.lstsq(design, task.restored(task.y)[train], rcond=None)[0]
    wanted = female * effects[1] + age * effects[2]
    np.testing.assert_allclose(task.shift, wanted - wanted[train].mean(), atol=1e-8)


def test_a_covariate_that_tells_nothing_changes_nothing(study, caplog):
    folder, _, table = study
    one = run(study, "one", MODELS[0])
    table["again"], table["same"], table["number(same)"] = table["sex"], "x", 0.1
    table.to_csv(folder / "covariates.tsv", sep="\t", index=False)
    caplog.clear()
    other = run(study, "other", MODELS[0])
    tables = [read_predictions(path / "predictions.tsv", None) for path in (one, other)]
    pd.testing.assert_frame_equal(*tables, rtol=1e-9)
    assert [name in caplog.text for name in ("sex is", "again is", "x is", "number(same) is")] == [
        False, True, False, True,
    ]  # fmt: skip


def test_what_is_not_known_counts_as_the_mean(caplog):
    table = pd.DataFrame(
        {"sex": ["F", "M", "F", "M", None, "X"], "number(age)": [1.0, 2, 4, 6, 5, np.nan]}
    )
    fitted = np.array([True, True, True, True, True, False])
    base = base_of(table, fitted)
    np.testing.assert_allclose(base[fitted].T @ base[fitted], np.eye(2), atol=1e-12)
    np.testing.assert_allclose(base[fitted].sum(0), 0, atol=1e-12)
    assert not base[5].any() and "1 values of sex have a level" in caplog.text
    y = np.array([1.0, 2, 3, 4, 5, 6])
    assert shift_of(base, y, fitted)[fitted].mean() == pytest.approx(0)
    assert shift_of(base, y, fitted)[5] == 0


def test_traits_learnt_together_have_effects_of_their_own(study):
    folder, inputs, _ = study
    phenotypes = write_second_trait(folder, inputs)
    files = {name: inputs[name] for name in FILES[:3]}
    cohort = read_cohort(**files, phenotypes=phenotypes, covariates=folder / "covariates.tsv")
    both = draw_task(cohort, inputs["splits"][0], 0)
    for number, path in enumerate(phenotypes.values()):
        alone = read_cohort(**files, phenotypes=path, covariates=folder / "covariates.tsv")
        task = draw_task(alone, inputs["splits"][0], 0)
        shift = pd.DataFrame(both.shift, index=both.sample)[number].reindex(task.sample)
        # Around another mean where some lines lack the trait.
        difference = shift.to_numpy() - task.shift
        np.testing.assert_allclose(difference, difference[0], atol=1e-8)


def test_more_levels_than_lines_can_tell_are_refused():
    table = pd.DataFrame({"plate": [str(k % 8) for k in range(12)]})
    with pytest.raises(UserError, match="covariates of 7 directions for 12 lines"):
        base_of(table, np.ones(12, bool))


def test_a_binary_trait_that_covariates_move_is_fitted_by_squared_error(study):
    folder, inputs, _ = study
    values = pd.read_csv(inputs["phenotypes"], sep="\t")
    values["value"] = (values["value"] > values["value"].median()).astype(float)
    values.to_csv(inputs["phenotypes"], sep="\t", index=False)
    trees = block("boosted_trees", kind="direct", leaves=[4], rounds=40, min_samples_leaf=5)
    told = {}
    for name, more in (
        ("squares", {}),
        ("binary", {"kind": "binary"}),
        ("moved", {"kind": "binary", "covariates": folder / "covariates.tsv"}),
        ("moved_squares", {"covariates": folder / "covariates.tsv"}),
    ):
        (folder / name).mkdir()
        fit(trees, folders=[folder / name], **inputs, **more)
        told[name] = read_predictions(folder / name / "predictions.tsv", None)["predicted"]
    assert told["binary"].between(0, 1).all() and (told["binary"] != told["squares"]).any()
    pd.testing.assert_series_equal(told["moved"], told["moved_squares"])
