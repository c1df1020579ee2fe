"""Families of lines: from names, from a table, what is refused; the column of samples.tsv."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soyfold.cohort.families import check_pattern, name_families
from soyfold.common.errors import UserError

PATTERN = r"^DS11-(\d\d)"


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 999)), min_size=1, unique=True))
def test_a_pattern_reads_the_family_off_every_name(numbers):
    names = [f"DS11-{family:02}{line:03}" for family, line in numbers]
    families = name_families([*names, "Parent_IA3023"], pattern=PATTERN)
    assert families[:-1].tolist() == [f"{family:02}" for family, _ in numbers]
    assert pd.isna(families.iloc[-1])


def test_a_group_that_takes_no_part_or_nothing_is_no_family():
    families = name_families(["a1", "a", "c", "a2"], pattern=r"a(\d?)|c")
    assert families.isna().tolist() == [False, True, True, False]


def write(folder, *rows):
    path = folder / "families.tsv"
    path.write_text("".join("\t".join(row) + "\n" for row in (("sample", "family"), *rows)))
    return path


def test_a_table_names_families_and_may_leave_samples_out(tmp_path):
    path = write(tmp_path, ("l1", "01"), ("l2", "NA"), ("gone", "02"), ("l4", "02"))
    families = name_families(["l4", "l3", "l2", "l1"], file=path)
    assert families.where(families.notna(), None).tolist() == ["02", None, None, "01"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("l1", "a"), ("l1", "b")], r"families.tsv, line 3: found the sample 'l1' twice"),
        ([("else", "a")], r"families.tsv: found no family for any of 2 samples.*'l1', 'l2'"),
    ],
)
def test_tables_refused(tmp_path, rows, message):
    with pytest.raises(UserError, match=message):
        name_families(["l1", "l2"], file=write(tmp_path, *rows))


def test_a_pattern_that_fits_no_name_is_refused():
    with pytest.raises(UserError, match=r"families.pattern: found no family for any of 1 samples"):
        name_families(["PI 1"], pattern=PATTERN)


@pytest.mark.parametrize(
    ("pattern", "found"), [("(", "unterminated|missing"), ("DS11", "0 groups"), ("(a)(b)", "2 gr")]
)
def test_patterns_refused_before_the_first_job(pattern, found):
    with pytest.raises(UserError, match=found) as error:
        check_pattern(pattern, file="study.yaml")
    assert "study.yaml, key cohort.families.pattern" in str(error.value)
