"""Phenotypes as people keep them: workbooks, units, decimal commas, line ends, repeated ids."""

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
    book = openpyxl.Workbook()
    for cells in (["strain", "environment", "protein"], ["A", "X", "=40+1"]):
        book.active.append(cells)
    book.save(file)
    with pytest.raises(
        UserError, match=r"sheet 'Sheet', line 2, column 3: found a formula without"
    ):
        read_records(row_of("plots", file))
    write_workbook(file, "strain,environment,oil\nA,X,4\n")
    with pytest.raises(UserError, match=r"no column 'protein'.*strain, environment, oil"):
        read_records(row_of("plots", file))


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
    said = "the column decimal of the traits sheet" if delimiter != ";" else "no column"
    with pytest.raises(UserError, match=said):
        read_records(row_of("plots", file))


def test_decimal_points_among_commas_are_refused_and_workbook_numbers_are_not(tmp_path):
    file = write_text(tmp_path / "p.csv", "strain;environment;protein\nA;X;1.234\n")
    with pytest.raises(UserError, match=r"found '1\.234'.*write 1,234, or '\.' in the column dec"):
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
