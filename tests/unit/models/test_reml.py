"""The search for a ratio of variances on functions whose maximum is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soyfold.models.reml import SEARCH, maximise


@given(st.floats(-11, 11), st.floats(-20, 20))
def test_the_highest_of_two_hills_is_found_wherever_the_unit_puts_it(top, unit):
    def height(ratio):
        x = np.log(ratio) - unit
        return max(-((x - top) ** 2), -0.5 - 9 * (x + top) ** 2)

    ratio, at_bound = maximise(height, unit)
    assert not at_bound
    assert np.log(ratio) - unit == pytest.approx(top, abs=1e-6)


@pytest.mark.parametrize(("slope", "bound"), [(-1, SEARCH[0]), (1, SEARCH[1])])
def test_a_slope_without_end_meets_the_bound(slope, bound):
    ratio, at_bound = maximise(lambda ratio: slope * np.log(ratio))
    assert at_bound and ratio == pytest.approx(bound)
