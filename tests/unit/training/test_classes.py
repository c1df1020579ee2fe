"""Classes of values, and how far each value lies in them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as some

from soyfold.training.classes import are_shares, classes_of, shares_of

VALUES = some.lists(
    some.integers(-40, 40).map(lambda tenths: tenths / 10) | some.just(np.nan),
    min_size=3, max_size=20,
).map(np.array).filter(lambda y: np.unique(y[~np.isnan(y)]).size > 1)  # fmt: skip


def test_classes_are_the_whole_numbers_around_the_values():
    assert classes_of(np.array([1.0, 0.0, np.nan, 1.0])).tolist() == [0, 1]
    assert classes_of(np.array([-2.0, 3.5, 7.0])).tolist() == [-2, 3, 4, 7]
    assert classes_of(np.array([1 - 1e-15, 3 + 1e-12])).tolist() == [1, 3]


def test_a_value_between_two_classes_is_of_both_and_one_beyond_the_ends_of_the_last():
    shares = shares_of(np.array([2.0, 1.25, 3.0, 9.0, 0.0, np.nan]), np.array([1.0, 2.0, 4.0]))
    expected = [[0, 1, 0], [0.75, 0.25, 0], [0, 0.5, 0.5], [0, 0, 1], [1, 0, 0], [np.nan] * 3]
    np.testing.assert_allclose(shares, expected)


@given(VALUES)
def test_shares_add_up_and_their_mean_class_is_the_value(y):
    classes = classes_of(y)
    shares = shares_of(y, classes)
    known = ~np.isnan(y)
    np.testing.assert_allclose(shares[known].sum(1), 1)
    np.testing.assert_allclose(shares[known] @ classes, y[known], atol=1e-12)
    assert (np.nanmean(shares, axis=0) > 0).all(), "a class that no line has"
    assert np.isnan(shares[~known]).all()


def test_shares_of_1_lie_between_0_and_1():
    assert are_shares(np.array([0.0, 1.0, 0.3, np.nan]))
    assert not are_shares(np.array([0.0, 1.1])) and not are_shares(np.array([-0.1, 1.0]))
