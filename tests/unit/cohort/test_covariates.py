"""A table of lines' covariates joined with the samples: nothing lost without a word."""

import pandas as pd
import pytest
from cohort_files import PREFIXES, sample_table, write_text

from soyfold.cohort.covariates import join_covariates, read_covariates
from soyfold.common.errors import UserError

TABLE = "who,sex,age,batch\n PI 0012,F,3,1\nL2,M,NA,1\nL3,,5.5,2\nelse,M,1,2\ngone,F,1,2\n"


def join(path, columns=("sex", "number(age)")):
    return join_covariates(
        path, columns, sample_table(["PI12", "L2", "L3", "L4"], removed=["gone"]),
        prefixes=PREFIXES, id_map=pd.Series(dtype=object),
    )  # fmt: skip


def test_each_line_has_a_row_and_what_is_not_known_is_counted(tmp_path, caplog):
    table, counts = join(write_text(tmp_path / "lines.csv", TABLE))
    assert table.columns.tolist() == ["sample", "sex", "number(age)"]
    assert table["sample"].tolist() == ["PI12", "L2", "L3", "L4"]
    assert table["sex"].fillna("-").tolist() == ["F", "M", "-", "-"]
    assert table["number(age)"].fillna(-1).tolist() == [3, -1, 5.5, -1]
    assert counts.fillna("-").to_numpy().tolist() == [
        ["-", "not in the genotypes", 1],
        ["sex", "known", 2], ["sex", "no value", 1], ["sex", "no row", 1],
        ["number(age)", "known", 2], ["number(age)", "no value", 1], ["number(age)", "no row", 1],
    ]  # fmt: skip
    assert "2 of 4 lines have no sex: they count as the mean" in caplog.text


def test_a_column_sample_has_the_ids_wherever_it_stands(tmp_path):
    path = write_text(tmp_path / "t.tsv", "sex\tsample\nF\tL2\nM\tL3\n")
    assert join(path, ["sex"])[0]["sex"].fillna("-").tolist() == ["-", "F", "M", "-"]


def test_rows_of_one_line_are_one_where_they_agree(tmp_path):
    path = write_text(tmp_path / "t.csv", TABLE + "PI12,F,3,9\n")
    assert len(join(path)[0]) == 4
    path = write_text(tmp_path / "u.csv", TABLE + "PI12,M,3,9\n")
    with pytest.raises(UserError, match=r"line 7: found rows that differ for 'PI12'"):
        join(path)


@pytest.mark.parametrize(
    ("text", "columns", "said"),
    [
        (TABLE, ["seks"], "no column 'seks'"),
        (TABLE, ["number(sex)"], "line 2, column 'sex': found 'F'"),
        (TABLE, ["sex", "sex,"], "in fixed"),
        ("who,sex\nX,F\n", ["sex"], r"no row for any of 4 lines; allowed: ids such as 'PI12'"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path, text, columns, said):
    with pytest.raises(UserError, match=said):
        join(write_text(tmp_path / "lines.csv", text), columns)


def test_crossed_factors(tmp_path):
    table = read_covariates(write_text(tmp_path / "lines.csv", TABLE), ["sex:batch"])
    assert table["sex:batch"].fillna("-").tolist() == ["F x 1", "M x 1", "-", "M x 2", "F x 2"]
