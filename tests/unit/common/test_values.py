"""Cells as numbers: what is missing, what is a code, and advice that gives right values."""

import re

import numpy as np
import pandas as pd
import pytest
from cohort_files import trait_row, write_text
from hypothesis import assume, given
from hypothesis import strategies as st

from soyfold.cohort.phenotypes import read_records
from soyfold.common.errors import UserError
from soyfold.common.values import CODES, parse_numbers, refuse_codes

OIL = [19.4, 20.1, 21.7, 22.0, 23.8, 24.2, 25.9, 26.6, 21.1, 20.8]


def read(path, cells, **changes):
    text = "".join(f'L{k},"{cell}"\n' for k, cell in enumerate(cells))
    file = write_text(path / "t.csv", f"id,protein\n{text}")
    return read_records({**trait_row(file), **changes})["value"]


def parse(cells, **changes):
    cells = pd.Series(list(map(str, cells)))
    lines = pd.Series(cells.index + 2)
    return parse_numbers(cells, lines, file="t.csv", column="c", **changes)


@pytest.mark.parametrize("code", ["-9", "-9.0", "-99", "-999", "9999", "99", "-1"])
def test_a_code_is_refused_with_its_count_and_read_where_it_is_declared(tmp_path, code):
    said = rf"found {float(code):g} in 2 cells.*column missing"
    with pytest.raises(UserError, match=said) as told:
        read(tmp_path, [*OIL, code, code])
    marks = re.search(r"to mend: write (\S+) in that column", str(told.value))[1]
    np.testing.assert_array_equal(
        read(tmp_path, [*OIL, code, code], missing=marks), [*OIL, np.nan, np.nan]
    )
    np.testing.assert_array_equal(read(tmp_path, [*OIL, code], missing="none"), [*OIL, float(code)])


def test_several_codes_are_told_at_once(tmp_path):
    with pytest.raises(UserError, match=r"found -999 in 1 cells, -9 in 3 cells, 9999 in 1 cells"):
        read(tmp_path, [*OIL, -9, -9, -9, -999, 9999])


@pytest.mark.parametrize(
    "values",
    [
        [60, 72, 80, 85, 91, 95, 98, 99, 99],  # heights
        [1, 2, 3, 4, 5, 7, 9, 9],  # scores
        [-3.1, -0.2, 0.4, 1.2, 2.5, -1.0, -1.0],  # differences
        [0, 1, 1, 0, 9],  # few values say nothing
        [900, 950, 990, 999, 1010, 1100],
    ],
)
def test_values_that_are_no_codes(values):
    refuse_codes(pd.Series(values, dtype=float), file="f", column="c")


@given(
    st.lists(st.floats(-1e7, 1e7, width=32), min_size=6, max_size=30, unique=True),
    st.sampled_from(sorted(CODES)),
)
def test_a_code_between_other_values_is_one_of_them(values, code):
    assume(min(values) < code < max(values))
    refuse_codes(pd.Series([*values, code, code]), file="f", column="c")


def test_a_few_values_that_stand_apart_are_told(caplog):
    refuse_codes(pd.Series([*OIL, *OIL, 213.0]), file="oil.csv", column="OIL")
    (line,) = caplog.messages
    assert (
        "oil.csv, column 'OIL': 1 values (213) stand apart from all others (19.4 to 26.6)" in line
    )
    caplog.clear()
    refuse_codes(pd.Series([*OIL, *OIL, 0.0]), file="oil.csv", column="OIL")
    assert "1 values (0) stand apart" in caplog.messages[0]
    caplog.clear()
    refuse_codes(pd.Series(np.random.default_rng(1).lognormal(size=500)), file="f", column="c")
    assert not caplog.messages


def test_texts_are_told_at_once_and_read_where_they_are_declared(tmp_path):
    cells = [*OIL, "n.d.", "n.d.", "lost", "NULL"]
    said = r"line 12, .*found 'n\.d\.' \(2\), 'lost' \(1\) .*no numbers: 3"
    with pytest.raises(UserError, match=said):
        read(tmp_path, cells)
    found = read(tmp_path, cells, missing="N.D., lost")
    np.testing.assert_array_equal(found, [*OIL, *[np.nan] * 4])


@pytest.mark.parametrize(
    ("cells", "decimal", "right"),
    [
        (["1,234", "2,345"], ".", {"thousands": [1234, 2345], "decimals": [1.234, 2.345]}),
        (["1.234", "2.345"], ",", {"thousands": [1234, 2345], "decimals": [1.234, 2.345]}),
        (["1,234", "56.7"], ".", {"thousands": [1234, 56.7]}),
        (["1,234,567", "1"], ".", {"thousands": [1234567, 1]}),
        (["1 234", "5"], ".", {"thousands": [1234, 5]}),
        (["41,3", "1,234"], ".", {"decimals": [41.3, 1.234]}),
        (["41.3", "40"], ",", {"decimals": [41.3, 40]}),
        ([",5", "1"], ".", {"decimals": [0.5, 1]}),
    ],
)
def test_advice_on_marks_in_numbers_gives_right_values(cells, decimal, right):
    """Each way that the message shows is followed; it shows no other way."""
    with pytest.raises(UserError) as told:
        parse(cells, decimal=decimal)
    other = {".": ",", ",": "."}[decimal]
    mend = str(told.value).split("to mend: ")[1]
    assert ("thousands" in mend) == ("thousands" in right), mend
    assert ("column decimal" in mend) == ("decimals" in right), mend
    shown = re.search(r"write (\S+?)[, ]", mend)[1]
    if "thousands" in right:
        bad = [cell for cell in cells if not re.fullmatch(r"[0-9]+([.][0-9]{1,2})?", cell)]
        assert shown == re.sub("[., ]", "", bad[0])
        written = [re.sub(f"[ {other}]", "", cell) for cell in cells]
        np.testing.assert_array_equal(parse(written, decimal=decimal), right["thousands"])
    if "decimals" in right:
        np.testing.assert_array_equal(parse(cells, decimal=other), right["decimals"])
        written = [cell.replace(other, decimal) for cell in cells]
        np.testing.assert_array_equal(parse(written, decimal=decimal), right["decimals"])


def test_numbers_before_a_label_are_read_and_told(caplog):
    """GRIN's classes: `2 \N{EN DASH} Slight`; never missing, as 'write NA' would make them."""
    cells = ["1 \N{EN DASH} None", "2 \N{EN DASH} Slight", "2 \N{EN DASH} Slight", "NA", "9"]
    np.testing.assert_array_equal(parse(cells), [1, 2, 2, np.nan, 9])
    assert "3 cells such as '1 \N{EN DASH} None'" in caplog.messages[0]


@pytest.mark.parametrize(
    "cells", [["1 - a", "1 - b"], ["1 - a", "2 - a"], ["3 - 4"], ["1 - a", "high"], ["2 slight"]]
)
def test_labels_that_contradict_each_other_are_refused(cells):
    with pytest.raises(UserError) as told:
        parse(cells)
    assert "write NA" not in str(told.value)
    if cells[0][0].isdigit() and "high" not in cells:  # what it says to write is read
        assert "write the number alone" in str(told.value)


def test_the_minus_of_typesetters():
    np.testing.assert_array_equal(parse(["\N{MINUS SIGN}0.5", "1"]), [-0.5, 1])
