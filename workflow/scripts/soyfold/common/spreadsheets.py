"""Excel workbooks (.xlsx) as rows of text, as a table of text would have them.

python-calamine reads the cells themselves, whatever the file says of its size and styles. What it
doesn't tell (errors, formulas that were never computed, per cents) is read off the cells' XML.
"""

import datetime
import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from soyfold.common.errors import UserError

ZIP = b"PK\x03\x04"  # with which an .xlsx begins
OLD = b"\xd0\xcf\x11\xe0"  # with which an .xls begins, and an .xlsx with a password
# A row's begin, or a cell: its attributes, and what is inside.
_CELL = re.compile(rb"<(?:\w+:)?(?:row\b([^>]*)>|c\b([^>]*?)(?:/>|>(.*?)</(?:\w+:)?c>))", re.DOTALL)
_ODD = re.compile(rb"<(?:\w+:)?f\b|\bt=\"e\"")
_LITERAL = re.compile(r'"[^"]*"|\\.')  # in a number format: text that scales nothing
_PERCENT = (9, 10)  # built-in number formats
RESAVE = "open it in Excel or LibreOffice, and save it as .xlsx or CSV"


@dataclass
class Sheet:
    """A sheet: its rows as (number from 1, cells as text), and where cells are merged downwards.

    `merged` has (first row, column, range) of each, rows from 1, columns from 0; every row has
    the text of its range's first cell.
    """

    rows: list
    hidden: bool = False
    merged: list = field(default_factory=list)


def _text(value, decimal, percent=False):
    """A cell as text; whole numbers without a decimal point, so that ids stay ids."""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float) and percent:
        return f"{100 * value:.15g}%".replace(".", decimal)
    if isinstance(value, float):
        text = str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
        return text.replace(".", decimal)
    if isinstance(value, datetime.datetime | datetime.date):
        return value.isoformat()
    return str(value)


def _tags(xml, name):
    """Elements of a document by their local name: Strict files have other namespaces."""
    return [tag for tag in ElementTree.fromstring(xml).iter() if tag.tag.split("}")[-1] == name]


def _percent_styles(archive):
    """Numbers of the cell styles that show a share as per cents."""
    if "xl/styles.xml" not in archive.namelist():
        return set()
    xml = archive.read("xl/styles.xml")
    codes = {int(tag.get("numFmtId")): tag.get("formatCode", "") for tag in _tags(xml, "numFmt")}
    scaled = {number for number, code in codes.items() if "%" in _LITERAL.sub("", code)}
    percent = {*_PERCENT, *scaled}
    (cells,) = _tags(xml, "cellXfs") or [()]
    return {place for place, style in enumerate(cells) if int(style.get("numFmtId", 0)) in percent}


def _sheet_files(archive):
    """File of each sheet in the archive, by the sheet's name."""
    links = _tags(archive.read("xl/_rels/workbook.xml.rels"), "Relationship")
    targets = {link.get("Id"): link.get("Target") for link in links}
    files = {}
    for sheet in _tags(archive.read("xl/workbook.xml"), "sheet"):
        (link,) = (value for key, value in sheet.attrib.items() if key.endswith("}id"))
        target = targets[link]
        files[sheet.get("name")] = target[1:] if target.startswith("/") else f"xl/{target}"
    return files


def _odd_cells(xml, percent):
    """Text of cells with errors or without a value by place, and the places of per cents."""
    texts, percents = {}, set()
    if not percent and not _ODD.search(xml):
        return texts, percents
    row = column = 0
    for found in _CELL.finditer(xml):
        told = dict(re.findall(rb"\b([rst])=\"([^\"]*)\"", found[1] or found[2] or b""))
        if found[1] is not None:
            row, column = int(told.get(b"r", row + 1)), -1
            continue
        letters = told.get(b"r", b"").rstrip(b"0123456789")
        column = _column(letters) if letters else column + 1
        inside, kind = found[3] or b"", told.get(b"t")
        value = re.search(rb"<(?:\w+:)?v>([^<]+)<", inside)
        formula = re.search(rb"<(?:\w+:)?f\b[^>]*>([^<]*)", inside)
        if kind == b"e" and value:
            texts[row, column] = value[1].decode()
        elif formula and not value and kind != b"str":
            texts[row, column] = f"={formula[1].decode()}"
        if int(told.get(b"s", 0)) in percent:
            percents.add((row, column))
    return texts, percents


def _column(letters):
    """Number of a column from its letters, from 0."""
    number = 0
    for letter in letters:
        number = 26 * number + letter - ord("A") + 1
    return number - 1


def _range(first, last):
    """`A2:A4` of the places (row, column), from 0."""
    names = []
    for row, column in (first, last):
        letters, column = "", column + 1
        while column:
            column, rest = divmod(column - 1, 26)
            letters = chr(ord("A") + rest) + letters
        names.append(f"{letters}{row + 1}")
    return ":".join(names)


def _read_sheet(sheet, xml, percent, decimal, hidden):
    """One sheet, with the first cell of a merged range in all its rows."""
    texts, percents = _odd_cells(xml, percent)
    rows = []
    for number, cells in enumerate(sheet.to_python(skip_empty_area=False), start=1):
        row = [
            texts.get((number, k)) or _text(cell, decimal, (number, k) in percents)
            for k, cell in enumerate(cells)
        ]
        rows.append((number, row))
    merged = []
    for first, last in sheet.merged_cell_ranges or ():
        (top, column), bottom = first, min(last[0], len(rows) - 1)
        if bottom > top and column < len(rows[top][1]):
            merged.append((top + 1, column, _range(first, last)))
            for k in range(top + 1, bottom + 1):
                rows[k][1][column] = rows[top][1][column]
    return Sheet(rows, hidden, merged)


def _refuse_other_files(path):
    """Raise for what begins like a workbook and can't be read as one, with what it is."""
    if Path(path).name.startswith(("~$", ".~lock.")):
        raise UserError(
            "the lock file of an open workbook", file=path, mend="name the workbook itself"
        )
    content = Path(path).read_bytes()
    if content.startswith(OLD):
        if "EncryptedPackage".encode("utf-16-le") in content:
            raise UserError(
                "a workbook with a password", file=path, allowed="one without",
                mend="open it, take the password off (Info, Protect Workbook), and save it",
            )  # fmt: skip
        raise UserError("an old .xls workbook", file=path, mend="save it as .xlsx or CSV")
    names = zipfile.ZipFile(path).namelist()
    kinds = {"mimetype": "an OpenDocument file (.ods)", "xl/workbook.bin": "a binary .xlsb"}
    for name, kind in kinds.items():
        if name in names:
            raise UserError(kind, file=path, allowed="Excel's .xlsx, CSV or TSV", mend=RESAVE)


def is_workbook(path):
    """Whether a file is a workbook, or claims to be one: told by its begin, not by its name."""
    with Path(path).open("rb") as stream:
        head = stream.read(4)
    return head in (OLD, ZIP) or Path(path).name.startswith(("~$", ".~lock."))


def read_sheets(path, *, sheet=None, decimal="."):
    """Read a workbook's sheets.

    Parameters
    ----------
    path : path-like
    sheet : str, optional
        This sheet alone.
    decimal : str
        What to write between a number and its decimals.

    Returns
    -------
    dict of str to Sheet
        Cells are "" where blank; per cents have their sign (`21.3%`), errors their name (`#N/A`),
        formulas without a stored value their text (`=A1+1`), dates the form 2012-05-31.

    Raises
    ------
    UserError
        For a file that is no .xlsx or has a password, or an unknown sheet.
    """
    try:
        _refuse_other_files(path)
        import python_calamine  # which tables of text needn't wait for

        with zipfile.ZipFile(path) as archive, Path(path).open("rb") as stream:
            book = python_calamine.CalamineWorkbook.from_filelike(stream)
            pages = {
                page.name: page.visible != python_calamine.SheetVisibleEnum.Visible
                for page in book.sheets_metadata
                if page.typ == python_calamine.SheetTypeEnum.WorkSheet
            }
            if sheet is not None and sheet not in pages:
                allowed = ", ".join(map(repr, pages))
                raise UserError(f"no sheet {sheet!r}", file=path, allowed=allowed)
            files, percent = _sheet_files(archive), _percent_styles(archive)
            return {
                name: _read_sheet(
                    book.get_sheet_by_name(name), archive.read(files[name]), percent, decimal,
                    pages[name],
                )
                for name in ([sheet] if sheet is not None else pages)
            }  # fmt: skip
    except (UserError, ModuleNotFoundError):
        raise
    except Exception as error:  # many kinds: each program damages workbooks in its own way
        raise UserError(
            f"no readable workbook ({type(error).__name__}: {error})",
            file=path,
            allowed="Excel's .xlsx, or CSV or TSV",
            mend=RESAVE,
        ) from None
