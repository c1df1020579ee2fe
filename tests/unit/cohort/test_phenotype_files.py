"""Phenotypes as people keep them: workbooks, units, decimal commas, line ends, repeated ids."""

import re
import zipfile

import openpyxl
import pandas as pd
import pytest
from cohort_files import PREFIXES, sample_table, trait_row, write_text

from soyfold.cohort.phenotypes import read_records
from soyfold.cohort.traits import join_trait
from soyfold.common.errors import UserError

DESCRIPTOR = (
    "\ufeffObservations of PROTEIN\n,\n"
    "accession_prefix,accession_number,accession_suffix,observation_value,descriptor_name\n"
    "PI,417479,B,41.5; 42.5,PROTEIN\nPI,54613,,40,PROTEIN\nFC,1547,,NA,PROTEIN\n"
)
WIDE = (
    "Export of a collection\nName,Plant ID,protein (%),oil\n"
    "Lee,PI 54613,41.2; 40.8,20\nHill,PI 7 A,39,21\n"
)
PLOTS = "strain,environment,protein [%]\nA,X,40\nB,X,41\nA,Y,42\nB,Y,NA\n"
ROWS = {
    "npgs_descriptor": {"value": "observation_value"},
    "npgs_wide": {},
    "plots": {"identity": "strain", "environment": "environment"},
}
TEXTS = {"npgs_descriptor": DESCRIPTOR, "npgs_wide": WIDE, "plots": PLOTS}
EXPECTED = {
    "npgs_descriptor": [("PI 417479 B", 41.5), ("PI 417479 B", 42.5), ("PI 54613", 40.0)],
    "npgs_wide": [("PI 54613", 41.2), ("PI 54613", 40.8), ("PI 7 A", 39.0)],
    "plots": [("A", 40.0), ("B", 41.0), ("A", 42.0)],
}


def row_of(kind, file, **changes):
    return {**trait_row(file, kind, **ROWS[kind]), **changes}


def values(row):
    records = read_records(row).dropna(subset="value")
    return list(zip(records["id"], records["value"], strict=True))


def write_workbook(path, text, *, sheets=(), numbers=True):
    """The rows of a CSV as the first sheet; `sheets`: further ones by (title, text)."""
    book = openpyxl.Workbook()
    for k, (title, content) in enumerate((("Sheet", text), *sheets)):
        page = book.active if k == 0 else book.create_sheet(title)
        for line in content.lstrip("\ufeff").splitlines():
            cells = [
                float(cell) if numbers and cell.replace(".", "", 1).isdigit() else cell or None
                for cell in line.split(",")
            ]
            page.append(cells)
    book.save(path)
    return path


@pytest.mark.parametrize("kind", ROWS)
@pytest.mark.parametrize("form", ["csv", "windows", "tsv", "gz", "xlsx", "xlsx of text"])
def test_every_format_in_every_form(tmp_path, kind, form):
    text = TEXTS[kind]
    if form.startswith("xlsx"):
        file = write_workbook(tmp_path / "p.xlsx", text, numbers=form == "xlsx")
    else:
        text = text.replace(",", "\t") if form == "tsv" else text
        text = text.replace("\n", "\r\n") if form == "windows" else text
        file = write_text(tmp_path / ("p.csv.gz" if form == "gz" else "p.csv"), text)
    assert values(row_of(kind, file)) == EXPECTED[kind]
    lines = read_records(row_of(kind, file))["line"]
    assert lines.iloc[0] == {"npgs_descriptor": 4, "npgs_wide": 3, "plots": 2}[kind]


def test_the_sheet_of_a_workbook(tmp_path):
    plots = "strain,environment,protein\nC,Z,33\n"
    file = write_workbook(tmp_path / "p.xlsx", "notes,only\n1,2\n", sheets=[("2019", plots)])
    assert values(row_of("plots", file)) == [("C", 33.0)]
    file = write_workbook(tmp_path / "q.xlsx", PLOTS, sheets=[("2019", plots)])
    with pytest.raises(UserError, match=r"q\.xlsx: found 2 sheets with the columns: Sheet, 2019"):
        read_records(row_of("plots", file))
    assert values(row_of("plots", file, sheet="2019")) == [("C", 33.0)]
    with pytest.raises(UserError, match=r"found no sheet '2020'; allowed: 'Sheet', '2019'"):
        read_records(row_of("plots", file, sheet="2020"))
    with pytest.raises(UserError, match=r"sheet '2019' of a table of text"):
        text = write_text(tmp_path / "p.csv", PLOTS)
        read_records(row_of("plots", text, sheet="2019"))


def test_workbooks_that_are_refused(tmp_path):
    file = tmp_path / "p.xlsx"
    file.write_bytes(b"PK\x03\x04 and nothing else")
    with pytest.raises(UserError, match=r"p\.xlsx: found no readable workbook"):
        read_records(row_of("plots", file))
    (tmp_path / "p.xls").write_bytes(b"\xd0\xcf\x11\xe0 old")
    with pytest.raises(UserError, match=r"found an old \.xls workbook"):
        read_records(row_of("plots", tmp_path / "p.xls"))
    (tmp_path / "p.xlsx").write_bytes(b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"))
    with pytest.raises(UserError, match=r"found a workbook with a password.*take the password off"):
        read_records(row_of("plots", tmp_path / "p.xlsx"))
    (tmp_path / "~$p.xlsx").write_bytes(b"\x05owner" + bytes(159))
    with pytest.raises(UserError, match=r"found the lock file of an open workbook"):
        read_records(row_of("plots", tmp_path / "~$p.xlsx"))
    for name, said in {
        "mimetype": r"an OpenDocument file",
        "xl/workbook.bin": r"a binary \.xlsb",
    }.items():
        with zipfile.ZipFile(tmp_path / "o.xlsx", "w") as archive:
            archive.writestr(name, "")
        with pytest.raises(UserError, match=said):
            read_records(row_of("plots", tmp_path / "o.xlsx"))
    book = openpyxl.Workbook()
    for cells in (["strain", "environment", "protein"], ["A", "X", "=40+1"]):
        book.active.append(cells)
    book.save(file)
    with pytest.raises(
        UserError, match=r"line 2, column 'protein': found '=40\+1'.*no stored value: open the work"
    ):
        read_records(row_of("plots", file))
    write_workbook(file, "strain,environment,oil\nA,X,4\n")
    with pytest.raises(UserError, match=r"no column 'protein'.*strain, environment, oil"):
        read_records(row_of("plots", file))


def rewrite(file, changes):
    """A workbook as another program would have saved it: text of its parts replaced."""
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name).decode() for name in archive.namelist()}
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in parts.items():
            for old, new in changes.items():
                text = re.sub(old, new, text)
            archive.writestr(name, text)
    return file


STRICT = {
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main":
        "http://purl.oclc.org/ooxml/spreadsheetml/main",
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships":
        "http://purl.oclc.org/ooxml/officeDocument/relationships",
}  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {'<dimension ref="[^"]*"': '<dimension ref="A1"'},
        {'<dimension ref="[^"]*"': '<dimension ref="A1:C3"'},
        {"<dimension [^>]*>": ""},
        {"<fill><patternFill ?/></fill>": "<fill/>"},
        {r' r="[A-Z]*[0-9]+"': ""},  # rows and cells without their places
        STRICT,
    ],
    ids=["A1", "short", "no size", "an empty fill", "no places", "Strict"],
)
def test_workbooks_of_other_programs(tmp_path, changes):
    """All rows come, whatever a workbook says of its size, styles and places."""
    lines = [f"L{k},{20 + k / 10}" for k in range(40)]
    file = write_workbook(tmp_path / "w.xlsx", "\n".join(["Plant ID,protein", *lines]))
    book = openpyxl.load_workbook(file)
    book.active.cell(3, 2, "#N/A").data_type = "e"
    book.save(file)
    records = read_records(row_of("npgs_wide", rewrite(file, changes)))
    assert records["id"].tolist() == [f"L{k}" for k in range(40)]
    assert records["value"].isna().tolist() == [k == 1 for k in range(40)]


def test_merged_cells_are_those_of_all_their_rows(tmp_path):
    """A line merged over its plots and an environment over its block; a value's is refused."""
    book = openpyxl.Workbook()
    book.active.append(["strain", "environment", "protein"])
    for k in range(6):
        book.active.append(["AB"[k // 3] if k % 3 == 0 else None, None, 40 + k])
    for cell, text in (("B2", "X"), ("B4", "Y")):
        book.active[cell] = text
    for place in ("A2:A4", "A5:A7", "B2:B3", "B4:B7"):
        book.active.merge_cells(place)
    book.save(tmp_path / "m.xlsx")
    records = read_records(row_of("plots", tmp_path / "m.xlsx"))
    assert records["id"].tolist() == [*"AAABBB"] and records["environment"].tolist() == [*"XXYYYY"]
    assert records["value"].tolist() == [40, 41, 42, 43, 44, 45]
    book.active.merge_cells("C3:C4")
    book.save(tmp_path / "m.xlsx")
    with pytest.raises(UserError, match=r"column 'protein': found merged cells, C3:C4 first"):
        read_records(row_of("plots", tmp_path / "m.xlsx"))


def test_a_merged_header_is_none_of_the_values(tmp_path):
    book = openpyxl.Workbook()
    for cells in (["Plant ID", "protein", None], [None, "2019", "2020"], ["A", 40, 41]):
        book.active.append(cells)
    book.active.merge_cells("A1:A2")
    book.active.merge_cells("B1:C1")
    book.save(tmp_path / "m.xlsx")
    row = row_of("npgs_wide", tmp_path / "m.xlsx", value_column="2020")
    assert values(row) == [("A", 41.0)]


@pytest.mark.parametrize("form", ["0.0%", '0.0"%"', r"0.0\%"])
def test_per_cents_of_a_workbook_are_what_it_shows(tmp_path, form):
    """21.3 % is stored as 0.213 under a format that scales; a sign in quotes scales nothing."""
    stored = [0.213, 0.25] if form == "0.0%" else [21.3, 25]
    book = openpyxl.Workbook()
    book.active.append(["Plant ID", "protein"])
    for name, value in zip("AB", stored, strict=True):
        book.active.append([name, value])
        book.active.cell(book.active.max_row, 2).number_format = form
    book.save(tmp_path / "w.xlsx")
    for unit in (None, "%"):
        row = row_of("npgs_wide", tmp_path / "w.xlsx", unit=unit)
        assert values(row) == [("A", 21.3), ("B", 25.0)]
    if form == "0.0%":
        with pytest.raises(UserError, match=r"found '21\.3%' \(1\), '25%' \(1\).*all in one unit"):
            read_records(row_of("npgs_wide", tmp_path / "w.xlsx", unit="g/kg"))
        book.active.append(["C", 30])
        book.save(tmp_path / "w.xlsx")
        with pytest.raises(UserError, match=r"found '21\.3%'.*all in one unit"):
            read_records(row_of("npgs_wide", tmp_path / "w.xlsx", unit="%"))


def test_a_hidden_sheet_is_read_where_it_is_named(tmp_path):
    file = write_workbook(
        tmp_path / "p.xlsx", "x,y\n1,2\n", sheets=[("old", PLOTS), ("new", PLOTS)]
    )
    book = openpyxl.load_workbook(file)
    book["old"].sheet_state = "hidden"
    book.save(file)
    assert values(row_of("plots", file)) == EXPECTED["plots"]
    del book["new"]
    book.save(file)
    with pytest.raises(UserError, match=r"in a hidden sheet alone: old.*column sheet of the trai"):
        read_records(row_of("plots", file))
    assert values(row_of("plots", file, sheet="old")) == EXPECTED["plots"]


def test_ids_that_are_numbers_stay_as_they_are(tmp_path):
    file = write_workbook(tmp_path / "p.xlsx", "strain,environment,protein\n54613,X,40.25\n")
    assert values(row_of("plots", file)) == [("54613", 40.25)]


@pytest.mark.parametrize("delimiter", [";", "\t", ","])
def test_decimal_commas_where_the_sheet_says_so(tmp_path, delimiter):
    cell = '"41,3"' if delimiter == "," else "41,3"
    text = f"strain,environment,protein\nA,X,{cell}\nB,X,40\nC,X,NA\n"
    head, *body = text.splitlines()
    lines = [line.split(",", 2) for line in (head, *body)]
    file = write_text(tmp_path / "p.csv", "\n".join(delimiter.join(line) for line in lines) + "\n")
    assert values(row_of("plots", file, decimal=",")) == [("A", 41.3), ("B", 40.0)]
    with pytest.raises(UserError, match=r"write 41\.3.* in the column decimal of the traits sheet"):
        read_records(row_of("plots", file))


def test_decimal_points_among_commas_are_refused_and_workbook_numbers_are_not(tmp_path):
    file = write_text(tmp_path / "p.csv", "strain;environment;protein\nA;X;1.234\n")
    with pytest.raises(UserError, match=r"'1\.234'.*write 1234.*1,234, or '\.' in the column d"):
        read_records(row_of("plots", file, decimal=","))
    file = write_workbook(tmp_path / "p.xlsx", "strain,environment,protein\nA,X,41.3\n")
    assert values(row_of("plots", file, decimal=",")) == [("A", 41.3)]


def test_a_unit_in_the_header_must_be_the_sheets(tmp_path):
    file = write_text(tmp_path / "p.csv", PLOTS)
    assert values(row_of("plots", file, unit=" %")) == EXPECTED["plots"]
    with pytest.raises(UserError, match=r"column 'protein': found the unit '%'; allowed: 'g/kg'"):
        read_records(row_of("plots", file, unit="g/kg"))


def test_a_column_of_units_must_agree(tmp_path):
    text = "strain,environment,protein,unit\nA,X,40,%\nB,X,NA,g/kg\nC,X,41,%\n"
    file = write_text(tmp_path / "p.csv", text)
    row = row_of("plots", file, unit_column="unit", unit="%")
    assert values(row) == [("A", 40.0), ("C", 41.0)]
    with pytest.raises(UserError, match=r"column 'unit': found the unit '%'; allowed: 'mg/g'"):
        read_records({**row, "unit": "mg/g"})
    file = write_text(tmp_path / "q.csv", text.replace("NA", "400"))
    with pytest.raises(UserError, match=r"column 'unit': found several units: % \(2 rows\), g/kg"):
        read_records({**row, "file": file, "unit": None})


def test_a_column_with_and_without_its_unit_prefers_the_exact_name(tmp_path):
    text = "strain,environment,protein (%),protein\nA,X,1,2\n"
    assert values(row_of("plots", write_text(tmp_path / "p.csv", text))) == [("A", 2.0)]
    text = "strain,environment,protein (%),protein (g)\nA,X,1,2\n"
    with pytest.raises(UserError, match="the column 'protein' twice"):
        read_records(row_of("plots", write_text(tmp_path / "p.csv", text)))


def test_repeated_ids_are_averaged_and_counted(tmp_path):
    """Readings in a cell, rows of one id and spellings of one accession are records of one line."""
    text = "Plant ID,protein\nPI 54613,40; 41\nPI054613,42\npi_54613,\nPI 7 A,39\nPI 7 B,38\n"
    row = trait_row(write_text(tmp_path / "w.csv", text))
    samples = sample_table(["PI054613", "PI000007A", "PI000007B"])
    joined, report = join_trait(
        row, samples, prefixes=PREFIXES, id_map=pd.Series(dtype=object), minimum_lines=3
    )
    assert joined.set_index("sample")["value"].to_dict() == {
        "PI054613": 41.0, "PI000007A": 39.0, "PI000007B": 38.0,
    }  # fmt: skip
    assert joined["records"].tolist() == [3, 1, 1]
    assert (report["status"] == "matched").sum() == 5
