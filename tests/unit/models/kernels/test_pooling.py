"""Figures of few lines, held to those of the others."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soyfold.models.kernels.pooling import EDGE, FEWEST, pool

LINES = [2000] * 6


def test_sure_figures_stay():
    figures = [-0.6, 0.2, 0.5, 0.9]
    found = pool(figures, [0.01] * 4, [9000] * 4, low=-1.0, unknown=0.0)
    np.testing.assert_allclose(found, figures, atol=0.002)


def test_a_bound_of_few_lines_is_the_mean_of_the_others_and_one_of_many_stays():
    figures = np.array([0.7, 0.8, 0.75, 0.85, -1.0, 1.0])
    errors = [0.03, 0.03, 0.03, 0.03, np.nan, np.nan]
    found = pool(figures, errors, [2000] * 4 + [20, 10**5], low=-1.0, unknown=0.0)
    assert 0.75 < found[4] < 0.81 and found[5] == 1.0
    missing = pool([*figures[:4], np.nan], [*errors[:4], np.nan], LINES[:5], low=-1.0, unknown=0.0)
    assert missing[4] == pytest.approx(found[4])


def test_without_others_a_bound_of_few_lines_is_unknown():
    found = pool([1.0, -1.0, 0.4], [np.nan, np.nan, 0.2], [20, 500, 20], low=-1.0, unknown=0.0)
    assert found.tolist() == [0.0, -1.0, 0.4]
    own = np.array([0.0, 0.5])
    assert pool(own, [np.nan, 0.1], [20, 20], low=0.0, unknown=own).tolist() == [0.0, 0.5]


@given(
    st.lists(st.floats(0.05, 0.95), min_size=FEWEST, max_size=8),
    st.floats(0.01, 0.3),
    st.randoms(use_true_random=False),
)
def test_each_moves_towards_the_mean_and_order_does_not_matter(figures, error, random):
    figures = np.array(figures)
    found = pool(figures, np.full(len(figures), error), [500] * len(figures), low=0.0, unknown=0.0)
    assert np.ptp(found) <= np.ptp(figures) + 1e-9
    assert (found > EDGE / 2).all() and (found < 1).all()
    order = list(range(len(figures)))
    random.shuffle(order)
    turned = pool(figures[order], np.full(len(order), error), [500] * len(order), low=0.0,
                  unknown=0.0)  # fmt: skip
    np.testing.assert_allclose(turned, found[order], atol=1e-12)


def test_moments_are_those_of_the_literal_equations():
    """DerSimonian and Laird 1986, on the logit of heritabilities."""
    figures, errors = np.array([0.3, 0.5, 0.7, 0.4]), np.array([0.05, 0.02, 0.1, 0.08])
    z, s = np.log(figures / (1 - figures)), errors / (figures * (1 - figures))
    w = s**-2.0
    q = sum(w * (z - sum(w * z) / sum(w)) ** 2)
    t = (q - 3) / (sum(w) - sum(w**2) / sum(w))
    mean = sum(z / (s**2 + t)) / sum(1 / (s**2 + t))
    expected = mean + t / (t + s**2) * (z - mean)
    found = pool(figures, errors, [100] * 4, low=0.0, unknown=0.0)
    np.testing.assert_allclose(np.log(found / (1 - found)), expected)


def test_pooled_figures_are_nearer_the_true_ones():
    random, raw, held = np.random.default_rng(0), [], []
    for _ in range(200):
        true = 0.6 + 0.1 * random.standard_normal(6)
        error = random.uniform(0.03, 0.3, 6)
        seen = np.clip(true + error * random.standard_normal(6), -0.98, 0.98)
        raw.append(seen - true)
        held.append(pool(seen, error, [300] * 6, low=-1.0, unknown=0.0) - true)
    assert np.square(held).mean() < 0.6 * np.square(raw).mean()


def test_figures_lie_as_far_from_their_neighbours_as_the_others_do():
    near = np.array([-0.5, -0.2, 0.1, 0.4, 0.7, 0.8])
    z = np.log((1 + near) / (1 - near)) + 0.6  # each genetic correlation a little above its own
    true = (np.exp(z) - 1) / (np.exp(z) + 1)
    figures, errors = true.copy(), np.full(6, 0.02)
    figures[5], errors[5] = -1.0, np.nan
    found = pool(figures, errors, [2000] * 5 + [20], low=-1.0, unknown=near, near=near)
    np.testing.assert_allclose(found, true, atol=0.01)
    figures[4], errors[4] = 0.2, 0.9  # one of an error that tells nothing
    found = pool(figures, errors, [2000] * 4 + [20] * 2, low=-1.0, unknown=near, near=near)
    np.testing.assert_allclose(found, true, atol=0.02)
    far = pool(figures, errors, [2000] * 4 + [20] * 2, low=-1.0, unknown=near)
    assert np.abs(far - true)[4:].min() > 0.3
