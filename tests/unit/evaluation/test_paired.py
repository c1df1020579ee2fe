"""Statistics of comparisons, against closed forms, scipy and simulated resampling."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from soyfold.evaluation.paired import holm, paired_difference


def test_without_correction_it_is_the_paired_t_test():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 12))
    ours = paired_difference(a, b, test_share=0.0)
    theirs = stats.ttest_rel(a, b)
    interval = theirs.confidence_interval(0.95)
    assert ours.p == pytest.approx(theirs.pvalue)
    assert (ours.low, ours.high) == pytest.approx((interval.low, interval.high))
    assert (ours.mean, ours.sd, ours.n) == pytest.approx(((a - b).mean(), (a - b).std(ddof=1), 12))


def test_the_correction_in_closed_form():
    # d = 1, 3: mean 2, s^2 = 2; J = 2, n_test/n_train = 3/2 gives variance 2 (1/2 + 3/2) = 4.
    result = paired_difference([1.0, 3.0], [0.0, 0.0], test_share=1.5)
    # Student's t with one degree of freedom is Cauchy's: P(|t| > 1) = 1/2.
    assert result.p == pytest.approx(0.5)
    assert result.high - result.mean == pytest.approx(2 * np.tan(np.pi * 0.475))


@pytest.mark.parametrize(("share", "covered"), [(2 / 7, True), (0.0, False)])
def test_coverage_when_splits_share_lines(share, covered):
    """Differences with correlation n_test / (n_test + n_train), as the correction supposes."""
    rng, splits, repeats, rho = np.random.default_rng(7), 10, 4000, 2 / 9
    shared = np.sqrt(rho) * rng.normal(size=(repeats, 1))
    draws = 0.3 + shared + np.sqrt(1 - rho) * rng.normal(size=(repeats, splits))
    results = [paired_difference(d, np.zeros(splits), test_share=share) for d in draws]
    coverage = np.mean([r.low <= 0.3 <= r.high for r in results])
    # Three standard errors of a share of 0.95 in 4000 draws are 0.0103.
    assert (abs(coverage - 0.95) < 0.0103) == covered


@given(
    st.lists(st.floats(-5, 5), min_size=2, max_size=8),
    st.floats(0, 2),
    st.floats(0, 2),
)
def test_swapping_mirrors_and_a_larger_share_widens(values, share, more):
    a, b = np.array(values), np.arange(len(values)) / 10
    one, other = (paired_difference(*pair, test_share=share) for pair in ((a, b), (b, a)))
    assert (one.low, one.high, one.p) == pytest.approx((-other.high, -other.low, other.p))
    assert one.low <= one.mean <= one.high
    wide = paired_difference(a, b, test_share=share + more)
    assert wide.low <= one.low and wide.high >= one.high and wide.p >= one.p


def test_undefined_values_stay_undefined():
    gap = paired_difference([0.1, np.nan, 0.2], [0.0, 0.0, 0.0], test_share=0.3)
    assert np.isnan([gap.mean, gap.sd, gap.low, gap.high, gap.p]).all() and gap.n == 3
    single = paired_difference([0.3], [0.1], test_share=0.3)
    assert single.mean == pytest.approx(0.2)
    assert np.isnan([single.sd, single.low, single.high, single.p]).all()


def test_models_that_agree_exactly_do_not_differ():
    same = paired_difference([0.3, 0.5], [0.3, 0.5], test_share=0.3)
    assert (same.mean, same.low, same.high, same.p) == (0.0, 0.0, 0.0, 1.0)


@pytest.mark.parametrize(
    ("a", "b", "share"), [([1.0], [1.0, 2.0], 0.1), ([], [], 0.1), ([1.0], [1.0], -0.1)]
)
def test_what_cannot_be_compared_is_refused(a, b, share):
    with pytest.raises(ValueError, match="allowed"):
        paired_difference(a, b, test_share=share)


def test_holm_in_closed_form():
    # Sorted 0.01, 0.02, 0.04 times 3, 2, 1: 0.03, 0.04, 0.04.
    assert holm([0.04, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])
    # 3 x 0.02 = 0.06, then 2 x 0.025 = 0.05 must not fall below what came before.
    assert holm([0.025, 0.02, 0.9]) == pytest.approx([0.06, 0.06, 0.9])
    assert holm([0.5, np.nan, 0.6]) == pytest.approx([1.0, np.nan, 1.0], nan_ok=True)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=10))
def test_holm_lies_between_the_raw_and_bonferronis(p):
    adjusted, raw = holm(p), np.array(p)
    assert (adjusted >= raw).all()
    assert (adjusted <= np.minimum(len(p) * raw, 1) + 1e-15).all()
    assert adjusted.min() == pytest.approx(min(1.0, len(p) * raw.min()))
    order = np.argsort(raw, kind="stable")
    assert (np.diff(adjusted[order]) >= 0).all()
