"""Phenotype readers: NPGS downloads, wide tables and plots in all the forms that they come in."""

import gzip

import numpy as np
import pandas as pd
import pytest
from cohort_files import trait_row, write_text
from hypothesis import given
from hypothesis import strategies as st

from soyfold.cohort.phenotypes import read_records
from soyfold.common.delimited import read_columns
from soyfold.common.errors import UserError
from soyfold.common.values import parse_numbers, read_codes

DESCRIPTOR = (
    "\ufeffObservations of the descriptor PROTEIN, 2001\n,\n"
    "accession_prefix,accession_number,accession_suffix,observation_value,descriptor_name\n"
    "PI,417479,B,41.5,PROTEIN\nPI,54613,,40,PROTEIN\nFC,1547,,.,PROTEIN\nPI,407999,-1,39,PROTEIN\n"
)
WIDE = 'Name,Plant ID,protein\n"Lee, late",PI 54613,41.2; 40.8;\nHill,PI 417479 A,NA\n'
PLOTS = "strain,environment,protein\nA,X,40\nB,X,\n,Y,38\nA,Y,41\n"


MARKS = ["", "NA", "NaN", "nan", ".", "N/A", " na ", "-", "--", "*", "missing", "NULL", "#N/A"]


def pairs(records):
    return list(zip(records["id"], records["value"].round(6), strict=True))


def descriptor_row(path):
    return trait_row(path, "npgs_descriptor", value="observation_value")


def plots_row(path, **changes):
    return {**trait_row(path, "plots", identity="strain", environment="environment"), **changes}


@pytest.mark.parametrize("name", ["protein.csv", "protein.csv.gz", "protein"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_descriptor_download(tmp_path, name, end):
    path = write_text(tmp_path / name, DESCRIPTOR.replace("\n", end))
    records = read_records(descriptor_row(path))
    assert records["id"].tolist() == ["PI 417479 B", "PI 54613", "FC 1547", "PI 407999 -1"]
    np.testing.assert_array_equal(records["value"], [41.5, 40, np.nan, 39])
    assert records["line"].tolist() == [4, 5, 6, 7]
    assert records["environment"].isna().all()


def test_a_download_of_two_descriptors_is_refused(tmp_path):
    path = write_text(tmp_path / "d.csv", DESCRIPTOR + "PI,1,,19,OIL\n")
    with pytest.raises(UserError, match=r"column 'descriptor_name': found 2 descriptors \(OIL, P"):
        read_records(descriptor_row(path))


@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_wide_table_with_several_readings_in_a_cell(tmp_path, delimiter):
    text = WIDE.replace("Lee, late", "Lee late").replace(",", delimiter)
    records = read_records(trait_row(write_text(tmp_path / "w.txt", text)))
    assert records["id"].tolist() == ["PI 54613"] * 3 + ["PI 417479 A"]
    np.testing.assert_array_equal(records["value"], [41.2, 40.8, np.nan, np.nan])
    assert records["line"].tolist() == [2, 2, 2, 3]


def test_wide_table_with_a_quoted_comma(tmp_path):
    records = read_records(trait_row(write_text(tmp_path / "w.csv", WIDE)))
    assert pairs(records)[:2] == [("PI 54613", 41.2), ("PI 54613", 40.8)]


@pytest.mark.parametrize("header", ["", "acid"])
def test_wide_table_whose_first_column_has_the_ids(tmp_path, header):
    path = write_text(tmp_path / "w.tsv", f"{header}\toil\tprotein\nA01_01\t1\t2\n\n")
    assert pairs(read_records(trait_row(path))) == [("A01_01", 2.0)]


def test_plots_with_environments_and_a_nameless_record(tmp_path):
    records = read_records(plots_row(write_text(tmp_path / "p.csv.gz", PLOTS)))
    assert records["id"].tolist() == ["A", "B", None, "A"]
    np.testing.assert_array_equal(records["value"], [40, np.nan, 38, 41])
    assert records["environment"].tolist() == ["X", "X", "Y", "Y"]


@pytest.mark.parametrize("text", MARKS)
def test_marks_of_a_missing_value(tmp_path, text):
    path = write_text(tmp_path / "w.csv", f"id,protein\nx,{text}\ny,1e1\n")
    np.testing.assert_array_equal(read_records(trait_row(path))["value"], [np.nan, 10])


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_numbers_survive_text(values):
    lines = pd.Series(range(len(values)))
    parsed = parse_numbers(pd.Series([repr(v) for v in values]), lines, file="f", column="c")
    np.testing.assert_array_equal(parsed, values)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("high", r"line 3, column 'protein': found 'high' \(1\), 'bad too' \(1\).*finite number"),
        ('"41,3"', r"line 3, column 'protein': found '41,3'.*write 41\.3, with a decimal point"),
        ("inf", r"line 3.*found 'inf'"),
        ("1e999", r"line 3.*found '1e999'"),
        ("41.2%", r"line 3.*found '41\.2%'"),
        ("0x1A", r"line 3.*found '0x1A'"),
        ("1_000", r"line 3.*found '1_000'"),
        ("41 ; high", r"line 3.*found 'high'"),
    ],
)
def test_text_in_the_number_column(tmp_path, cell, message):
    path = write_text(tmp_path / "w.csv", f"id,protein\nx,40\ny,{cell}\nz,bad too\n")
    with pytest.raises(UserError, match=message) as error:
        read_records(trait_row(path))
    assert str(error.value).startswith(path)
    assert "no numbers: 2)" in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,oil\nx,1\n", r"no column 'protein'; allowed: one of the header's columns: id, oil"),
        ("id;oil\nx;41,3\n", r"no column 'protein'; allowed: one of the header's columns: id, oil"),
        ("id,protein,protein\nx,1,2\n", r"the column 'protein' twice"),
        (
            "id,protein\nx,1\ny\n",
            r"line 3: found a row of 1 cells, without 'protein' \(such rows: 1\)",
        ),
        ("a\tprotein\n1\tx\t4\n", r"line 2: found a row of 3 cells.*col\.names=NA"),
        ("", "an empty file"),
        ("\n\n", "an empty file"),
    ],
    ids=["column", "semicolons", "twice", "short row", "row names of R", "empty", "blank"],
)
def test_tables_that_are_refused(tmp_path, text, message):
    path = write_text(tmp_path / "w.csv", text)
    with pytest.raises(UserError, match=message) as error:
        read_records(trait_row(path))
    assert str(error.value).startswith(path)


def test_no_id_column(tmp_path):
    path = write_text(tmp_path / "p.csv", PLOTS)
    with pytest.raises(UserError, match=r"no column 'line'.*strain, environment, protein"):
        read_records(plots_row(path, id_column="line"))
    with pytest.raises(UserError, match=r"trait protein: found no id_column"):
        read_records(plots_row(path, id_column=None))


def test_a_value_without_an_environment(tmp_path):
    path = write_text(tmp_path / "p.csv", PLOTS + "C,,41\nD,,\n")
    with pytest.raises(
        UserError, match=r"line 6, column 'environment': found values without an environment: 1"
    ):
        read_records(plots_row(path))


def test_files_that_cannot_be_read(tmp_path):
    whole = gzip.compress(WIDE.encode() * 50)
    (tmp_path / "cut.csv.gz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "latin.csv").write_bytes("Name,protein\nMüller,4\n".encode("latin-1"))
    for name, message in {
        "cut.csv.gz": "broken gzip file",
        "latin.csv": r"line 2: found text that is no UTF-8 \(byte 0xfc; .*'Müller' as Windows-1252",
        "absent.csv": "no such file",
    }.items():
        with pytest.raises(UserError, match=message) as error:
            read_records(trait_row(tmp_path / name))
        assert str(error.value).startswith(str(tmp_path / name))


def test_unicode_text_of_excel_is_read(tmp_path):
    wide = read_records(trait_row(write_text(tmp_path / "p.csv", WIDE)))
    (tmp_path / "q.csv").write_bytes(WIDE.encode("utf-16"))
    pd.testing.assert_frame_equal(read_records(trait_row(tmp_path / "q.csv")), wide)


def test_lines_are_counted_through_quoted_line_breaks(tmp_path):
    text = 'title\nid,note,protein\na,"two\nlines",1\nb,x,2\n'
    table = read_columns(write_text(tmp_path / "w.csv", text), ["protein"], identity=())
    assert table.index.tolist() == [4, 5]
    assert table["id"].tolist() == ["a", "b"]


@pytest.mark.parametrize("name", ["line", "value", "text", "environment", "id"])
def test_an_id_column_may_have_any_name(tmp_path, name):
    path = write_text(tmp_path / "p.csv", f"{name},env,oil\nA,1,2.5\nB,1,3.5\n")
    row = {"trait": "oil", "file": path, "format": "plots", "id_column": name,
           "value_column": "oil", "environment_column": "env"}  # fmt: skip
    records = read_records(row)
    assert records["id"].tolist() == ["A", "B"]
    assert records["value"].tolist() == [2.5, 3.5]
    assert records["line"].tolist() == [2, 3]


CODED = "line,protein\na,S\nb,R\nc,s - R\nd,1\ne,NA\n"


def test_codes_are_the_numbers_of_texts(tmp_path):
    row = trait_row(write_text(tmp_path / "w.csv", CODED)) | {"codes": "S=1, R=0, s - R=0.5"}
    np.testing.assert_array_equal(read_records(row)["value"], [1, 0, 0.5, 1, np.nan])
    text = CODED.replace(",", ";").replace("d;1", "d;1,5")
    row = row | {"file": write_text(tmp_path / "d.csv", text), "decimal": ","}
    np.testing.assert_array_equal(read_records(row)["value"], [1, 0, 0.5, 1.5, np.nan])


def test_a_code_is_its_text_in_any_case_but_one_that_tells(tmp_path):
    table = "line,protein\na,Purple\nb,WHITE\nc,white\n"
    row = trait_row(write_text(tmp_path / "w.csv", table)) | {"codes": "purple=1, White=0"}
    assert read_records(row)["value"].tolist() == [1, 0, 0]
    alleles = trait_row(write_text(tmp_path / "a.csv", "line,protein\na,P\nb,p\n"))
    assert read_records(alleles | {"codes": "P=1, p=0"})["value"].tolist() == [1, 0]
    mixed = trait_row(write_text(tmp_path / "m.csv", "line,protein\na,PP\nb,Pp\n"))
    with pytest.raises(UserError, match=r"line 3, .*found 'Pp'"):  # which of the two isn't told
        read_records(mixed | {"codes": "PP=1, pp=0"})


def test_a_text_without_a_code_is_refused(tmp_path):
    row = trait_row(write_text(tmp_path / "w.csv", CODED)) | {"codes": "S=1, R=0"}
    with pytest.raises(UserError, match=r"line 4, column 'protein': found 's - R' \(1\)"):
        read_records(row)


def test_a_binary_trait_is_0_or_1(tmp_path):
    row = trait_row(write_text(tmp_path / "w.csv", CODED)) | {"kind": "binary"}
    assert len(read_records(row | {"codes": "S=1, R=0, s - R=0"})) == 5
    with pytest.raises(UserError, match=r"line 4, .*: found 2 \(1 cells\); allowed: 0 and 1"):
        read_records(row | {"codes": "S=1, R=0, s - R=2"})


@pytest.mark.parametrize("codes", ["S", "S=1, S=2", "=1", "S=high", "S=1,"])
def test_codes_that_are_none_are_refused(codes):
    with pytest.raises(UserError, match=r"t.tsv: found '.*' in codes .*allowed: text=number"):
        read_codes(codes, file="t.tsv")
