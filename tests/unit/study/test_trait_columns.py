"""A row that stands for several columns is what a row for each would be."""

import pytest
import yaml
from cohort_files import write_text
from hypothesis import given
from hypothesis import strategies as st

from soyfold.common.errors import UserError
from soyfold.study.inputs import JOIN_COLUMNS
from soyfold.study.trait_columns import expand_columns, name_fixed, read_traits

TABLE = "trial of 2012\nid,BLUP_oil (%),BLUP_protein (%),yield,note\nL1,20,40,3,x\n"
HEADER = "trait\tfile\tformat\tid_column\tvalue_column\tcolumns\tunit"


@pytest.fixture
def read(tmp_path, root):
    """Reads a sheet of some rows about one table."""
    table = write_text(tmp_path / "table.csv", TABLE)

    def of(*rows):
        lines = [row.replace("TABLE", str(table)) for row in (HEADER, *rows)]
        return read_traits(write_text(tmp_path / "traits.tsv", "\n".join(lines)),
                           root / "workflow/schemas")  # fmt: skip

    return of


def test_a_row_for_several_is_what_a_row_for_each_would_be(read):
    several = read("*\tTABLE\tnpgs_wide\tid\tNA\tBLUP_*\t%")
    alone = read("oil\tTABLE\tnpgs_wide\tid\tBLUP_oil\tNA\t%",
                 "protein\tTABLE\tnpgs_wide\tid\tBLUP_protein\tNA\t%")  # fmt: skip
    assert several == alone


@pytest.mark.parametrize(
    ("trait", "columns", "wanted"),
    [
        ("NA", "BLUP_*", {"BLUP_oil": "BLUP_oil", "BLUP_protein": "BLUP_protein"}),
        ("field_*", "BLUP_*", {"field_oil": "BLUP_oil", "field_protein": "BLUP_protein"}),
        ("NA", "yield, BLUP_oil", {"yield": "yield", "BLUP_oil": "BLUP_oil"}),
        ("*_12", "yield, BLUP_p*", {"yield_12": "yield", "rotein_12": "BLUP_protein"}),
        ("NA", "*i*", {"BLUP_oil": "BLUP_oil", "BLUP_protein": "BLUP_protein", "yield": "yield"}),
    ],
)
def test_names_come_from_the_columns(read, trait, columns, wanted):
    rows = read(f"{trait}\tTABLE\tnpgs_wide\tid\tNA\t{columns}\t%")
    assert {name: row["value_column"] for name, row in rows.items()} == wanted


def test_ids_are_no_trait(read):
    rows = read("NA\tTABLE\tnpgs_wide\tNA\tNA\t*\tNA")
    assert list(rows) == ["BLUP_oil", "BLUP_protein", "yield", "note"]


def test_faults_of_several_rows_are_told_at_once(read):
    with pytest.raises(UserError) as caught:
        read("NA\tTABLE\tnpgs_wide\tid\tNA\tBLUE_*\t%", "NA\tTABLE\tnpgs_wide\tid\tNA\tyeild\t%")
    first, second = str(caught.value).splitlines()
    assert "line 2: found no column that fits 'BLUE_*'" in first
    assert "line 3: found no column 'yeild'" in second and "write yield" in second


@given(st.lists(st.text("abcXYZ_.-", min_size=1), min_size=1, max_size=6, unique=True))
def test_a_star_is_all_columns_in_their_order(tmp_path_factory, names):
    table = write_text(tmp_path_factory.mktemp("t") / "t.csv", f"id,{','.join(names)}\nL1\n")
    row = {"trait": "x*", "file": str(table), "columns": "*", "id_column": "id"}
    found = expand_columns(row, file="s", at="line 2")
    assert [one["value_column"] for one in found] == names


def test_fixed_effects_of_the_study_are_those_of_rows_that_name_none():
    rows = {"a": None, "b": "block", "c": "none"}
    traits = {name: {"fixed": fixed, "codes": None} for name, fixed in rows.items()}
    name_fixed(traits, {"traits": "t.tsv", "fixed": ["year", "number(R8)"]}, file="s.yaml")
    assert [row["fixed"] for row in traits.values()] == ["year, number(R8)", "block", "none"]
    with pytest.raises(UserError, match=r"s.yaml, key cohort.fixed: found 'number\(a:b\)'"):
        name_fixed({}, {"traits": "t.tsv", "fixed": ["number(a:b)"]}, file="s.yaml")
    with pytest.raises(UserError, match=r"t.tsv, trait a: found '' in fixed 'x,'"):
        name_fixed({"a": {"fixed": "x,"}}, {"traits": "t.tsv", "fixed": []}, file="s.yaml")


def test_what_a_row_says_of_values_decides_whether_they_are_made_anew(root):
    schema = yaml.safe_load((root / "workflow/schemas/traits.schema.yaml").read_text())
    others = {"columns", "group", "models", "better", "heritability", "token_env"}
    assert set(schema["properties"]) - others == set(JOIN_COLUMNS)


BESIDE = "trait\tfile\tformat\tid_column\tvalue_column\tenvironment_columns\tunit"


@pytest.fixture
def read_beside(tmp_path, root):
    """Reads a sheet of one trait whose environments stand side by side."""
    table = write_text(tmp_path / "table.csv", TABLE)

    def of(row):
        text = f"{BESIDE}\n{row.replace('TABLE', str(table))}"
        return read_traits(write_text(tmp_path / "traits.tsv", text), root / "workflow/schemas")

    return of


def test_columns_of_environments_are_written_out(read_beside):
    row = read_beside("seed\tTABLE\tnpgs_wide\tid\tNA\tyield, BLUP_*\tsd")["seed"]
    assert row["environment_columns"] == "yield\tBLUP_oil\tBLUP_protein"
    # What asks whether a trait has environments, or for its values, finds them.
    assert row["environment_column"] == "yield, BLUP_*" and row["value_column"] == "yield"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("seed\tTABLE\tnpgs_wide\tid\tyield\tBLUP_*\tsd", "environment_columns with value_column"),
        ("NA\tTABLE\tnpgs_wide\tid\tNA\tBLUP_*\tsd", "without a trait's name"),
        ("seed\tTABLE\tbrapi\tid\tNA\tBLUP_*\tsd", "environment_columns of a server"),
        ("seed\tTABLE\tnpgs_wide\tid\tNA\tyield\tsd", "one column, 'yield'; .*at least two"),
        ("seed\tTABLE\tnpgs_wide\tid\tNA\tBLUE_*\tsd", "no column that fits 'BLUE_\\*'"),
    ],
)
def test_columns_of_environments_are_refused_by_line(read_beside, row, message):
    with pytest.raises(UserError, match=f"line 2: found .*{message}"):
        read_beside(row)
