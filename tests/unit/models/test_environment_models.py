"""Environment GBLUP and reaction norms: what they come down to, and what they must find."""

import numpy as np
import pandas as pd
import pytest
from field_trials import PLACES, grow, write_trials
from tiny_study import block, fit, planted_lines

from soyfold.common.conditions import read_conditions, standardise_conditions
from soyfold.common.errors import UserError
from soyfold.evaluation.measures import measure_agreement
from soyfold.models import environment_gblup, gblup, reaction_norm
from soyfold.training.outputs import read_predictions


def learn(module, dosage, values, **more):
    return module.fit(dosage, values, parameters={}, seed=0, **more)


def wide(**growing):
    """Dosages and values (120 lines, 4 environments) of a trial."""
    cells = grow(**growing).pivot(index="sample", columns="environment", values="value")
    rows = cells.index.str[2:].astype(int)
    return planted_lines(120)[0][rows], cells.to_numpy()


def test_one_environment_is_gblup():
    dosage, values = wide()
    known = ~np.isnan(values[:, 0])
    dosage, y = dosage[known], values[known, 0]
    alone = gblup.fit(dosage, y, parameters={}, seed=0)
    for module in (environment_gblup, reaction_norm):
        model = learn(module, dosage, y[:, None])
        # REML ends where the likelihood is flat to 1e-8.
        np.testing.assert_allclose(model.predict(dosage)[:, 0], alone.predict(dosage), atol=1e-3)
        told, expected = model.summary(), alone.summary()
        assert told["heritability"] == pytest.approx(expected["heritability"], rel=1e-3)
        assert told["log_likelihood"] == pytest.approx(expected["log_likelihood"], abs=1e-6)


def test_variances_of_fewer_lines_leave_effects_of_all():
    dosage, values = wide(interaction=0.5)
    few, whole = (
        reaction_norm.fit(dosage, values, parameters={"reml_lines": lines}, seed=0)
        for lines in (60, 2000)
    )
    assert few.summary()["reml_lines"] == 60 and whole.summary()["reml_lines"] == len(dosage)
    told = [model.predict(dosage).ravel() for model in (few, whole)]
    assert np.corrcoef(*told)[0, 1] > 0.99 and not np.allclose(*told)


def test_lines_with_all_values_are_told_as_by_their_means():
    """Balanced values: environment GBLUP is GBLUP of the lines' means, at its variances."""
    dosage, values = wide(lost=0.0)
    model = learn(environment_gblup, dosage, values)
    told = model.summary()
    ridge = told["variance_residual"] / 4 / told["variance_genetic"]
    centred = dosage - dosage.mean(0)
    scale = (centred**2).sum() / len(dosage)
    alone = gblup.fit(dosage, values.mean(1), parameters={"ridge_lambda": ridge * scale}, seed=0)
    predicted = model.predict(dosage)
    np.testing.assert_allclose(predicted.mean(1), alone.predict(dosage), atol=1e-8)
    np.testing.assert_allclose(np.ptp(predicted - values.mean(0), axis=1), 0, atol=1e-8)


def test_a_reaction_norm_without_departures_is_environment_gblup():
    dosage, values = wide(interaction=0.0, seed=3)
    norm, plain = (learn(module, dosage, values) for module in (reaction_norm, environment_gblup))
    assert norm.summary()["variance_interaction"] < 0.02 * norm.summary()["variance_genetic"]
    if norm.summary()["variance_interaction"] == 0:
        np.testing.assert_allclose(norm.predict(dosage), plain.predict(dosage), rtol=1e-6)
    likelihoods = [model.summary()["log_likelihood"] for model in (norm, plain)]
    assert likelihoods[0] >= likelihoods[1] - 1e-6


@pytest.mark.parametrize(("interaction", "gains"), [(0.8, True), (0.0, False)])
def test_departures_are_found_where_they_are_planted_and_not_elsewhere(
    tmp_path, interaction, gains
):
    _, cells, _ = write_trials(tmp_path, "cv2", interaction=interaction, lost=0.1)
    found = {}
    for name in ("environment_gblup", "reaction_norm"):
        entry = block(name, kind="direct") | {"cim": "none", "unit": "environment"}
        fit(entry, folders=[tmp_path / name], **cells)
        table = read_predictions(tmp_path / name / "predictions.tsv", None)
        told = measure_agreement(table).set_index(["part", "metric"]).value
        found[name] = told["test", "PCC_within_environment"]
        assert table[table.part == "val"].held_out.notna().all()
    difference = found["reaction_norm"] - found["environment_gblup"]
    assert difference > 0.05 if gains else abs(difference) < 0.01


def test_of_an_unknown_environment_the_main_effect_is_told(tmp_path):
    _, cells, _ = write_trials(tmp_path, "leave_environment_out", interaction=0.5)
    entry = block("reaction_norm", kind="direct") | {"cim": "none", "unit": "environment"}
    fit(entry, folders=[tmp_path / "fit"], **cells)
    table = read_predictions(tmp_path / "fit/predictions.tsv", None)
    test = table[table.part == "test"]
    assert set(test.environment) == {PLACES[0]} and test.predicted.nunique() > 10
    told = measure_agreement(table).set_index(["part", "metric"]).value
    assert told["test", "PCC"] > 0.5


def by_rain(rain, *, lost=0.0):
    """A trial whose SNP effects go with the rain of six environments."""
    random = np.random.default_rng(5)
    dosage, y = planted_lines(100, noise=0.0)
    slope = (dosage - dosage.mean(0)) @ random.standard_normal(dosage.shape[1])
    values = y[:, None] + np.outer(slope, rain) + random.standard_normal((100, len(rain)))
    values[random.random(values.shape) < lost] = np.nan
    return dosage, values


def test_covariates_foretell_departures_in_an_environment_without_values():
    rain = standardise_conditions(
        pd.DataFrame({"rain": [1.0, 2, 4, 5, 7, 9]}, index=list("abcdef")), list("abcdef"), "rain"
    )
    dosage, values = by_rain(rain[:, 0])
    seen = values.copy()
    seen[:, -1] = np.nan
    told = learn(reaction_norm, dosage, seen, conditions=rain).predict(dosage)[:, -1]
    blind = learn(reaction_norm, dosage, seen).predict(dosage)[:, -1]
    found, without = (np.corrcoef(x, values[:, -1])[0, 1] for x in (told, blind))
    assert found > without + 0.05 and found > 0.8


def test_a_model_comes_back_from_its_arrays():
    dosage, values = wide(interaction=0.5)
    for module in (environment_gblup, reaction_norm):
        model = learn(module, dosage, values)
        again = module.from_state(model.state())
        np.testing.assert_array_equal(again.predict(dosage), model.predict(dosage))
        assert model.predict(dosage[:3]).shape == (3, 4)


@pytest.mark.parametrize("module", [environment_gblup, reaction_norm])
def test_values_without_variance_are_refused(module):
    dosage, values = wide()
    flat = np.where(np.isnan(values), np.nan, np.arange(4.0))
    with pytest.raises(UserError, match="lines that differ"):
        learn(module, dosage, flat)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("place\train\na\t1\n", "no column environment"),
        ("environment\na\n", "no covariate; allowed"),
        ("environment\train\na\t1\na\t2\n", "line 3: found environment 'a' twice"),
        ("environment\train\na\tmuch\n", "line 2, column 'rain'.*'much'"),
        ("environment\train\na\t1\nb\tNA\n", "line 3, column 'rain': found no value"),
        ("environment\train\n\t1\n", "line 2: found no environment"),
    ],
)
def test_tables_of_environments_are_refused_by_line(tmp_path, text, message):
    (tmp_path / "rain.tsv").write_text(text)
    with pytest.raises(UserError, match=message):
        read_conditions(tmp_path / "rain.tsv")


def test_covariates_are_standardised_over_the_environments_at_hand(tmp_path):
    path = tmp_path / "rain.tsv"
    path.write_text("environment\train\theight\nc\t3\t7\na\t1\t7\nb\t2\t7\nz\t99\t7\n")
    table = read_conditions(path)
    found = standardise_conditions(table, ["a", "b", "c"], path)
    np.testing.assert_allclose(found[:, 0], np.array([-1, 0, 1]) * np.sqrt(1.5))
    assert found.shape == (3, 1)
    with pytest.raises(UserError, match="no row for 1 of 2 environments: d"):
        standardise_conditions(table, ["a", "d"], path)
    with pytest.raises(UserError, match="no covariate that varies"):
        standardise_conditions(table[["height"]], ["a", "b"], path)
