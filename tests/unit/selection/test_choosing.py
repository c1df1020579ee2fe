"""The best lines, of which none is nearly another."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soyfold.selection import choosing
from soyfold.selection.choosing import choose_lines, equal_calls


@given(st.integers(0, 2**31), st.integers(1, 12), st.integers(2, 50))
def test_as_one_after_the_other(seed, count, window):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=40)
    values[rng.integers(0, 40, 3)] = np.nan
    related = rng.random((40, 40)) < 0.1
    related |= related.T
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choosing, "WINDOW", window)
        found = choose_lines(values, count, lambda a, b: related[np.ix_(a, b)])
    expected = []
    for line in sorted(np.flatnonzero(np.isfinite(values)), key=lambda line: -values[line]):
        if len(expected) < count and not related[line, expected].any():
            expected.append(line)
    assert found.rows.tolist() == expected
    for line, by in found.passed_over.items():
        assert related[line, by] and by in expected and values[by] >= values[line]


def test_equal_calls():
    lines = np.random.default_rng(2).integers(0, 3, (6, 50)).astype(np.int8)
    plain = [[(a == b).mean() for b in lines] for a in lines]
    assert equal_calls(lines, lines) == pytest.approx(np.array(plain))
