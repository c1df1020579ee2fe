"""The index against what each of its forms promises."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soyfold.common.errors import UserError
from soyfold.selection.index import (
    covariance,
    desired_coefficients,
    economic_coefficients,
    expected_response,
    index_coefficients,
)
from soyfold.selection.intensity import intensity


def drawn(seed, traits=3):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(traits, traits + 2))
    return root @ root.T, rng


def test_intensities_of_the_textbook():
    # Falconer and Mackay's appendix table A.
    told = [intensity(share) for share in (0.5, 0.2, 0.1, 0.05, 0.01)]
    assert told == pytest.approx([0.798, 1.400, 1.755, 2.063, 2.665], abs=1e-3)


@given(st.integers(0, 2**31))
def test_what_each_form_promises(seed):
    q, rng = drawn(seed)
    weights, gains = rng.normal(size=(2, 3))
    response = expected_response(desired_coefficients(gains, q), q, 0.1)
    assert response / np.linalg.norm(response) == pytest.approx(gains / np.linalg.norm(gains))
    held = np.array([False, True, False])
    b = economic_coefficients(weights, q, held)
    assert expected_response(b, q, 0.1)[1] == pytest.approx(0, abs=1e-9 * np.abs(q).max())
    # No index that holds the trait is worth more: it is Lagrange's, by another road.
    worth = (
        weights * ~held @ expected_response(economic_coefficients(weights * ~held, q, held), q, 0.1)
    )
    null = np.linalg.svd(q[[1]])[2][1:]
    for other in rng.normal(size=(20, 2)) @ null:
        assert weights * ~held @ expected_response(other, q, 0.1) <= worth * (1 + 1e-9) + 1e-12


@given(st.integers(0, 2**31), st.floats(0.1, 10))
def test_economic_index_is_worth_most_and_units_do_not_matter(seed, scale):
    q, rng = drawn(seed)
    weights = rng.normal(size=3)
    worth = weights @ expected_response(weights, q, 0.2)
    for other in rng.normal(size=(20, 3)):
        assert weights @ expected_response(other, q, 0.2) <= worth * (1 + 1e-9)
    units = np.array([scale, 1, 1])
    moved = expected_response(weights / units, q * np.outer(units, units), 0.2)
    assert moved == pytest.approx(units * expected_response(weights, q, 0.2))


def test_expected_response_is_that_of_many_lines():
    q, rng = drawn(5)
    lines = rng.multivariate_normal(np.zeros(3), q, size=200_000)
    b = np.array([1.0, -0.5, 2.0])
    value = lines @ b
    chosen = lines[value >= np.quantile(value, 0.9)]
    assert chosen.mean(0) == pytest.approx(expected_response(b, q, 0.1), abs=0.03 * q.max() ** 0.5)


def test_the_study_words():
    q, _ = drawn(1, traits=2)
    traits, better = ["oil", "lodging"], {"oil": "high", "lodging": "low"}
    sd = np.sqrt(np.diag(q))
    assert index_coefficients(None, traits, better, q) == pytest.approx([1 / sd[0], -1 / sd[1]])
    given_weights = {"weights": {"oil": 2.0}}
    assert index_coefficients(given_weights, traits, better, q) == pytest.approx([2, 0])
    held = index_coefficients(
        {"weights": {"oil": 2.0}, "restricted": ["lodging"]}, traits, better, q
    )
    assert (q @ held)[1] == pytest.approx(0, abs=1e-9)
    wanted = index_coefficients({"desired": {"oil": 1.0, "lodging": -2.0}}, traits, better, q)
    assert q @ wanted == pytest.approx([1, -2])


def test_what_no_index_can_do():
    values = np.random.default_rng(0).normal(size=(30, 1)) * [1, 2]
    traits, better = ["oil", "fat"], dict.fromkeys(["oil", "fat"], "high")
    with pytest.raises(UserError, match="predictions of oil, fat of which one follows"):
        index_coefficients({"desired": {"oil": 1.0}}, traits, better, covariance(values))
    values[:, 1] = 3
    with pytest.raises(UserError, match="the same prediction of fat for all candidates"):
        index_coefficients(None, traits, better, covariance(values))
