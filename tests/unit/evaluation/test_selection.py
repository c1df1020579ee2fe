"""Selecting the best by prediction, against counting by hand and the bounds of the definitions."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from soyfold.evaluation.selection import selection_metrics

NAMES = ["selection_overlap", "selection_gain", "selection_efficiency"]


@st.composite
def pairs(draw):
    n = draw(st.integers(3, 40))
    values = arrays(np.float64, n, elements=st.integers(-20, 20).map(float))
    y, p = draw(values), draw(values)
    assume(np.ptp(y) > 0 and np.ptp(p) > 0)
    return y, p


def test_counted_by_hand():
    # Of 20 lines two are selected: those observed at 19 (a best one) and at 0.
    y = np.arange(20.0)
    p = np.where(y == 19, 50.0, np.where(y == 0, 40.0, -y))
    found = selection_metrics(y, p)
    assert found == pytest.approx(
        {"selection_overlap": 0.5, "selection_gain": 0.0, "selection_efficiency": 0.0}
    )
    # Low is wanted: -18 and -17 are the lowest predictions, 0 and 1 the lowest observed.
    assert selection_metrics(y, p, better="low")["selection_gain"] == pytest.approx(9.5 - 17.5)


def test_the_number_selected_is_the_share_rounded():
    y = np.arange(25.0)  # 2.5 of 25 lines: three
    assert selection_metrics(y, y)["selection_gain"] == pytest.approx(23 - 12)
    assert selection_metrics(y[:4], y[:4])["selection_gain"] == pytest.approx(3 - 1.5)


@given(pairs(), st.sampled_from(["high", "low"]))
def test_bounds_and_perfect_selection(pair, better):
    y, p = pair
    found, perfect = (selection_metrics(y, q, better=better) for q in (p, y))
    most = perfect["selection_overlap"] + 1e-12  # the sums of ties round
    assert 0 <= found["selection_overlap"] <= most <= 1 + 2e-12
    assert found["selection_gain"] <= perfect["selection_gain"] + 1e-9
    assert perfect["selection_gain"] > 0
    assert perfect["selection_efficiency"] == pytest.approx(1)
    assert found["selection_efficiency"] <= 1 + 1e-9


@given(pairs(), st.randoms(use_true_random=False), st.integers(2, 9), st.integers(-50, 50))
def test_order_units_and_direction_do_not_matter(pair, random, scale, shift):
    y, p = pair
    order = list(range(len(y)))
    random.shuffle(order)
    found = selection_metrics(y, p)
    assert selection_metrics(y[order], p[order]) == pytest.approx(found, abs=1e-9)
    scaled = selection_metrics(scale * y + shift, scale * p - shift)
    found["selection_gain"] *= scale
    assert scaled == pytest.approx(found, abs=1e-7)
    mirrored = selection_metrics(-scale * y, -p, better="low")
    assert mirrored == pytest.approx(found, abs=1e-7)


def test_ties_are_the_mean_of_breaking_them_at_random():
    rng = np.random.default_rng(5)
    y, p = rng.integers(0, 6, 60).astype(float), rng.integers(0, 4, 60).astype(float)
    noise = [(y + 1e-6 * rng.random(60), p + 1e-6 * rng.random(60)) for _ in range(4000)]
    drawn = {name: np.mean([selection_metrics(*pair)[name] for pair in noise]) for name in NAMES}
    # Overlap of 6 of 60: a standard error of about 0.13 / sqrt(4000).
    assert selection_metrics(y, p) == pytest.approx(drawn, abs=0.01)


def test_chance_overlaps_by_the_share_selected():
    rng = np.random.default_rng(6)
    found = [selection_metrics(*rng.normal(size=(2, 200))) for _ in range(500)]
    assert np.mean([f["selection_overlap"] for f in found]) == pytest.approx(0.1, abs=0.01)
    assert np.mean([f["selection_efficiency"] for f in found]) == pytest.approx(0, abs=0.02)


def test_constants_select_nobody():
    for y, p in ((np.arange(9.0), np.full(9, 0.3)), (np.full(9, 0.3), np.arange(9.0))):
        assert all(math.isnan(value) for value in selection_metrics(y, p).values())


@pytest.mark.parametrize("options", [{"top": 0.0}, {"top": 1.0}, {"better": "higher"}])
def test_other_options_are_refused(options):
    with pytest.raises(ValueError, match="allowed"):
        selection_metrics([1.0, 2.0], [1.0, 2.0], **options)
