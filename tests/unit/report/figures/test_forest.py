"""Where a forest plot's axis ends."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from soyfold.report.figures.forest import NARROWEST, panel_ends

DIFFERENCES = st.lists(st.floats(-3, 3), min_size=1, max_size=30)


def rows(differences, half=0.01):
    difference = pd.Series(differences, dtype=float)
    return pd.DataFrame(
        {"difference": difference, "low": difference - half, "high": difference + half}
    )


@given(differences=DIFFERENCES, half=st.sampled_from([0.0, 0.01, np.nan]))
def test_each_better_model_and_zero_are_inside(differences, half):
    table = rows(differences, half)
    better = table.difference > 0
    low, high = panel_ends(table, better)
    assert low < 0 < high
    assert high - low >= NARROWEST
    assert table.difference[better].between(low, high).all()


@given(differences=DIFFERENCES, half=st.floats(0, 5))
def test_what_is_better_by_its_interval_is_shown_whole(differences, half):
    table = rows(differences, half)
    low, high = panel_ends(table, table.difference > 0)
    sure = table[table.low > 0]
    assert sure.low.between(low, high).all() and sure.high.between(low, high).all()


def test_a_better_model_of_a_wide_interval_squeezes_none():
    wide = pd.concat([rows([0.01, -0.02]), rows([0.1], half=5.0)], ignore_index=True)
    low, high = panel_ends(wide, wide.difference > 0)
    assert low < -0.02 and 0.2 <= high < 0.25


def test_a_worse_model_far_off_moves_no_end():
    near = rows([0.01, -0.02, 0.03])
    with_far = rows([0.01, -0.02, 0.03, -2.0])
    ends = panel_ends(near, near.difference > 0)
    assert panel_ends(with_far, with_far.difference > 0) == ends
    assert panel_ends(with_far, with_far.difference < 0)[0] < -2.0


def test_a_panel_without_any_difference_is_as_narrow_as_any():
    low, high = panel_ends(rows([np.nan, np.nan]), np.array([False, False]))
    assert low == -high
    assert high - low >= NARROWEST
