"""Line effects against an explicit dummy-coded least-squares fit."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soyfold.cohort.line_effects import line_effects


def records(lines, environments, values):
    return pd.DataFrame(
        {"line": lines, "environment": environments, "value": np.asarray(values, dtype=float)}
    )


def dense_fit(table):
    """mu + line of y = mu + environment + line, environment effects summing to zero."""
    lines, environments = pd.unique(table["line"]), pd.unique(table["environment"])
    design = np.hstack(
        [
            table["line"].to_numpy()[:, None] == lines,
            table["environment"].to_numpy()[:, None] == environments,
        ]
    ).astype(float)
    constraint = np.r_[np.zeros(len(lines)), np.ones(len(environments))]
    fit = np.linalg.lstsq(
        np.vstack([design, 1e3 * constraint]), np.r_[table["value"], 0.0], rcond=None
    )[0]
    return fit[: len(lines)]


def dense_errors(table):
    """Error variances of mu + line at the mean of the environments, from the normal equations."""
    lines, environments = pd.unique(table["line"]), pd.unique(table["environment"])
    n = len(lines)
    own = table["line"].to_numpy()[:, None] == lines
    place = table["environment"].to_numpy()[:, None] == environments
    design = np.hstack([own, place]).astype(float)
    inverse = np.linalg.pinv(design.T @ design)
    residual = table["value"] - design @ (inverse @ design.T @ table["value"])
    freedom = len(table) - np.linalg.matrix_rank(design)
    wanted = np.hstack([np.eye(n), np.full((n, len(environments)), 1 / len(environments))])
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.divide((residual**2).sum(), freedom) if freedom else np.nan
    return variance * np.einsum("ij,jk,ik->i", wanted, inverse, wanted)


@st.composite
def designs(draw):
    """Unbalanced tables in which line 0 is a check that is grown everywhere."""
    n_lines, n_places = draw(st.integers(1, 12)), draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    extra = draw(st.integers(1, 40))
    lines = np.r_[np.zeros(n_places, int), rng.integers(0, n_lines, extra)]
    places = np.r_[np.arange(n_places), rng.integers(0, n_places, extra)]
    return records(lines, places, rng.normal(40, 3, len(lines)))


@given(designs())
def test_equals_the_dense_fit(table):
    effects = line_effects(table)
    assert effects["connected"].all()
    np.testing.assert_allclose(effects["value"], dense_fit(table), atol=1e-7)
    assert effects["records"].sum() == len(table)
    expected = table.groupby("line", sort=False)["environment"].nunique()
    np.testing.assert_array_equal(effects["environments"], expected)


@given(designs())
def test_error_variances_are_those_of_the_dense_fit(table):
    np.testing.assert_allclose(
        line_effects(table)["error_variance"], dense_errors(table), rtol=1e-6, atol=1e-12
    )


def test_error_variances_where_checks_are_grown_hundreds_of_times():
    rng = np.random.default_rng(1)
    lines = np.r_[np.zeros(900, int), rng.integers(1, 300, 900)]
    table = records(
        lines, np.r_[np.arange(900) % 18, rng.integers(0, 18, 900)], rng.normal(size=1800)
    )
    np.testing.assert_allclose(
        line_effects(table)["error_variance"], dense_errors(table), rtol=1e-8
    )


def test_error_variances_are_the_spread_over_trials():
    """In the mean over noise. Effects are linear in it and their variances quadratic: of noise in
    one record alone after the other, what they come to adds up to both means.
    """
    table = records([0, 0, 0, 0, 1, 1, 2, 3], [*"XYZXXYXZ"], [0.0] * 8)
    truth, sd = np.arange(4) * 3.0, 2.0
    spread, told = np.zeros(4), np.zeros(4)
    for record in range(8):
        table["value"] = truth[table["line"]]
        table.loc[record, "value"] += sd
        effects = line_effects(table)
        spread += (effects["value"] - truth) ** 2
        told += effects["error_variance"]
    np.testing.assert_allclose(told, spread, rtol=1e-10)
    assert told[3] > told[2] > told[0]


@given(designs(), st.integers(0, 2**32 - 1))
def test_order_of_records_means_nothing(table, seed):
    shuffled = table.sample(frac=1, random_state=seed)
    one = line_effects(table).set_index("line").sort_index()
    other = line_effects(shuffled).set_index("line").sort_index()
    pd.testing.assert_frame_equal(one, other)


@given(designs(), st.floats(-50, 50))
def test_a_shift_of_one_environment_shifts_no_line_against_another(table, shift):
    moved = table.assign(value=table["value"] + shift * (table["environment"] == 0))
    difference = line_effects(moved)["value"] - line_effects(table)["value"]
    np.testing.assert_allclose(difference, difference.iloc[0], atol=1e-6)


def test_without_environments_the_mean():
    effects = line_effects(records(["a", "b", "a"], [None] * 3, [1, 5, 2]))
    # s^2 of one degree of freedom is 0.5: of two records half of it.
    assert effects.pop("error_variance").tolist() == [0.25, 0.5]
    assert effects.to_dict("list") == {
        "line": ["a", "b"],
        "value": [1.5, 5.0],
        "records": [2, 1],
        "environments": [0, 0],
        "connected": [True, True],
    }


def test_one_environment_is_the_mean():
    effects = line_effects(records(["a", "b", "a"], ["X"] * 3, [1, 5, 2]))
    assert effects["value"].tolist() == [1.5, 5.0]
    single = line_effects(records(["a", "b"], ["X"] * 2, [1, 5]))
    assert single["error_variance"].isna().all(), "no record is left to tell of errors"


def test_lines_grown_apart_get_no_value():
    table = records(["a", "b", "a", "c", "d", "d"], list("XXYYZW"), [1, 2, 4, 5, 9, 9])
    effects = line_effects(table).set_index("line")
    assert effects["connected"].to_dict() == {"a": True, "b": True, "c": True, "d": False}
    assert np.isnan(effects.loc["d", "value"])
    # Y lies 3 above X on line a; at their mean, b gains 1.5 and c loses 1.5.
    assert effects.loc[["a", "b", "c"], "value"].tolist() == pytest.approx([2.5, 3.5, 3.5])


def test_no_records():
    assert line_effects(records([], [], [])).empty
