"""Numbers as text: rounded, and one sign for zero."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soyfold.common.decimals import decimals, difference_text


@given(st.floats(-1e7, 1e7), st.integers(0, 5), st.booleans(), st.booleans())
def test_a_text_is_the_rounded_number_and_a_zero_has_no_sign(value, digits, sign, commas):
    text = decimals(value, digits, sign=sign, commas=commas)
    number = float(text.replace(",", ""))
    assert number == pytest.approx(value, abs=0.51 * 10.0**-digits)
    assert text.startswith("-") == (number < 0)
    assert text.startswith("+") == (sign and number > 0)
    assert len(text.partition(".")[2]) == digits


def test_what_is_missing_says_so():
    assert decimals(np.nan) == decimals(None) == "NA"
    assert difference_text(np.nan, np.nan, np.nan) == "NA"
    assert difference_text(0.25, np.nan, np.nan) == "+0.250"


def test_a_difference_has_its_interval():
    assert difference_text(-0.0001, -0.01, 0.0004) == "0.000 [-0.010, 0.000]"
