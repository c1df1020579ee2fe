"""Metrics against closed forms, scipy, and the bounds that their definitions imply."""

import math
import warnings

import numpy as np
import pytest
import scipy.stats
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import brier_score_loss, roc_auc_score

from soyfold.metrics import (
    BY_KIND,
    all_metrics,
    auc,
    brier,
    calibration_intercept,
    calibration_slope,
    concordance,
    consistency_index,
    mae,
    pearson,
    r2,
    rmse,
    spearman,
    within_groups,
)

NAMES = [
    "MAE", "PCC", "CI", "R2", "RMSE", "Spearman", "calibration_slope", "calibration_intercept",
]  # fmt: skip


@st.composite
def pairs(draw):
    n = draw(st.integers(3, 30))
    values = arrays(np.float64, n, elements=st.floats(-100, 100).map(lambda x: round(x, 3)))
    y, p = draw(values), draw(values)
    assume(np.ptp(y) > 0 and np.ptp(p) > 0)
    return y, p


def test_closed_forms():
    y, p = np.array([1.0, 2.0, 3.0, 4.0]), np.array([2.0, 2.0, 4.0, 4.0])
    correlation = 4 / math.sqrt(5 * 4)
    assert mae(y, p) == 0.5
    assert rmse(y, p) == pytest.approx(math.sqrt(0.5))
    assert pearson(y, p) == pytest.approx(correlation)
    assert consistency_index(y, p) == pytest.approx(correlation / (0.5 / 2.5 + 1))
    assert r2(y, p) == pytest.approx(1 - 2 / 5)
    assert calibration_slope(y, p) == pytest.approx(1.0)
    assert spearman(y, p) == pytest.approx(correlation)


@given(pairs())
def test_equal_other_programs(pair):
    y, p = pair
    assert pearson(y, p) == pytest.approx(scipy.stats.pearsonr(y, p).statistic, abs=1e-9)
    assert spearman(y, p) == pytest.approx(scipy.stats.spearmanr(y, p).statistic, abs=1e-9)
    line = scipy.stats.linregress(p, y)
    assert calibration_slope(y, p) == pytest.approx(line.slope, rel=1e-6, abs=1e-9)
    assert calibration_intercept(y, p) == pytest.approx(line.intercept, rel=1e-6, abs=1e-6)
    assert r2(y, p) == pytest.approx(1 - np.mean((y - p) ** 2) / np.var(y), rel=1e-9)


@given(pairs())
def test_bounds_and_order(pair):
    y, p = pair
    found = all_metrics(y, p)
    assert list(found) == NAMES
    assert -1 <= found["PCC"] <= 1
    # Eq. 20 divides by at least 1: CI has PCC's sign and never its size.
    assert abs(found["CI"]) <= abs(found["PCC"])
    assert found["CI"] * found["PCC"] >= 0
    assert found["MAE"] <= found["RMSE"] * (1 + 1e-12)
    if np.ptp(y) > 1e-2:
        # Of all shifts and scales of p, none explains more than PCC squared.
        assert found["R2"] <= found["PCC"] ** 2 + 1e-9


@given(pairs(), st.floats(0.1, 10), st.floats(-50, 50))
def test_units_do_not_matter_to_correlations(pair, scale, shift):
    y, p = pair
    assume(np.ptp(y) > 0.01 and np.ptp(p) > 0.01)
    assert pearson(y * scale + shift, p) == pytest.approx(pearson(y, p), abs=1e-8)
    assert mae(y * scale, p * scale) == pytest.approx(scale * mae(y, p))
    assert consistency_index(y * scale, p * scale) == pytest.approx(
        consistency_index(y, p), abs=1e-8
    )


@given(pairs())
def test_perfect_predictions(pair):
    y, _ = pair
    wanted = {
        "MAE": 0,
        "RMSE": 0,
        "PCC": 1,
        "CI": 1,
        "R2": 1,
        "Spearman": 1,
        "calibration_slope": 1,
        "calibration_intercept": 0,
    }
    assert all_metrics(y, y) == pytest.approx(wanted, abs=1e-8)


@pytest.mark.parametrize("constant", [0.0, 34.1, 0.1 + 0.2, -1e-300])
def test_constant_predictions_are_nan_without_a_warning(constant):
    y = np.linspace(30, 40, 7)
    p = np.full(7, constant)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = all_metrics(y, p)
    assert all(math.isnan(found[name]) for name in ("PCC", "CI", "Spearman", "calibration_slope"))
    assert math.isfinite(found["MAE"])
    assert math.isfinite(found["R2"])


def test_rounding_of_a_constant_is_no_spread():
    p = np.full(50, 34.1)
    p[::2] = np.nextafter(34.1, 35)
    assert math.isnan(pearson(np.arange(50.0), p))


def test_constant_observations_are_nan():
    found = all_metrics(np.full(5, 2.0), np.arange(5.0))
    assert all(math.isnan(found[name]) for name in ("PCC", "CI", "R2", "Spearman"))
    assert all(math.isnan(all_metrics([1.0], [2.0])[name]) for name in ("PCC", "R2"))


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_extreme_units_neither_overflow_nor_vanish(scale):
    y, p = np.array([1.0, 2.0, 4.0]), np.array([1.0, 3.0, 3.0])
    assert pearson(y * scale, p * scale) == pytest.approx(pearson(y, p))


@pytest.mark.parametrize(
    ("y", "p", "message"),
    [
        ([1.0, np.nan], [1.0, 2.0], "1 of 2 observed values"),
        ([1.0, 2.0], [np.inf, np.nan], "2 of 2 predicted values"),
        ([1.0, 2.0], [1.0], "allowed: 1-d, of equal length"),
        ([[1.0, 2.0]], [[1.0, 2.0]], "allowed: 1-d"),
        ([], [], "not empty"),
    ],
)
def test_bad_input_is_refused(y, p, message):
    with pytest.raises(ValueError, match=message):
        all_metrics(y, p)


def test_within_groups_is_the_weighted_mean_of_the_large_ones():
    rng = np.random.default_rng(3)
    y, p = rng.normal(size=(2, 45))
    groups = np.repeat(["a", "b", "c", "d"], [20, 12, 9, 4])
    a, b = pearson(y[:20], p[:20]), pearson(y[20:32], p[20:32])
    assert within_groups(y, p, groups, pearson) == pytest.approx((20 * a + 12 * b) / 32)
    order = rng.permutation(45)
    again = within_groups(y[order], p[order], groups[order], pearson)
    assert again == pytest.approx(within_groups(y, p, groups, pearson))


def test_what_tells_groups_apart_counts_for_nothing_within_them():
    rng = np.random.default_rng(4)
    family = np.repeat(np.arange(30), 40)
    p = 10.0 * family + rng.normal(size=1200)
    y = 10.0 * family + rng.normal(size=1200)
    assert pearson(y, p) > 0.99
    # 30 families of 40: the standard error is 1 / sqrt(30 * 38).
    assert abs(within_groups(y, p, family, pearson)) < 4 / math.sqrt(30 * 38)


def test_groups_without_a_value_are_no_zeros():
    y = np.arange(30.0)
    p = np.concatenate([np.zeros(15), y[15:]])
    groups = np.repeat(["constant", "known"], 15)
    assert within_groups(y, p, groups, pearson) == pytest.approx(1.0)
    missing = np.where(groups == "known", groups, None)
    assert within_groups(y, p, missing, pearson) == pytest.approx(1.0)
    assert math.isnan(within_groups(y, p, np.repeat("constant", 30), lambda a, b: math.nan))
    assert math.isnan(within_groups(y[:8], p[:8], groups[:8], pearson))
    with pytest.raises(ValueError, match="one for each line"):
        within_groups(y, p, groups[:3], pearson)


@st.composite
def classes(draw, number):
    """Classes, not all of one, and predictions among which some are tied."""
    n = draw(st.integers(3, 40))
    y = draw(arrays(np.float64, n, elements=st.integers(0, number - 1).map(float)))
    p = draw(arrays(np.float64, n, elements=st.floats(-0.5, 1.5).map(lambda x: round(x, 1))))
    assume(np.ptp(y) > 0)
    return y, p


@given(classes(2))
def test_two_classes_are_those_of_scikit_learn(pair):
    y, p = pair
    assert auc(y, p) == pytest.approx(roc_auc_score(y, p), abs=1e-12)
    assert brier(y, p) == pytest.approx(brier_score_loss(y, np.clip(p, 0, 1)), abs=1e-12)
    assert concordance(y, p) == pytest.approx(auc(y, p), abs=1e-12)
    # A mean of several records is of the nearer class, one in the middle of none.
    assert auc(0.2 + 0.6 * y, p) == auc(y, p)
    assert auc(np.append(y, 0.5), np.append(p, 9)) == auc(y, p)


@given(classes(4))
def test_concordance_is_the_count_of_pairs(pair):
    y, p = pair
    ahead, told = (np.sign(x[:, None] - x) for x in pair)
    apart = ahead > 0
    assert concordance(y, p) == pytest.approx((1 + told[apart].mean()) / 2, abs=1e-12)
    if np.ptp(p) > 0:
        somers = scipy.stats.somersd(y, p).statistic
        assert concordance(y, p) == pytest.approx((1 + somers) / 2, abs=1e-9)
    assert concordance(y, -p) == pytest.approx(1 - concordance(y, p), abs=1e-12)


def test_a_kind_adds_its_metrics():
    y, p = np.array([0.0, 1, 1, 0]), np.array([0.2, 0.9, 0.4, 0.6])
    assert all_metrics(y, p).keys() == all_metrics(y, p, "quantitative").keys()
    for kind, own in BY_KIND.items():
        told = all_metrics(y, p, kind)
        assert list(told)[len(NAMES) :] == list(own) and list(told)[: len(NAMES)] == NAMES
    assert all_metrics(y, p, "binary")["AUC"] == 0.75
    assert np.isnan([auc([1.0, 1], [0, 1]), auc([0.5], [1]), brier([0.5], [1])]).all()
    assert auc([0.0, 1], [3, 3]) == 0.5
