"""Users' tables: CSV, TSV (gzipped or not) or XLSX, with title lines, BOM and any line ends."""

import csv
import re
from pathlib import Path

import numpy as np
import pandas as pd

from soyfold.common.errors import UserError
from soyfold.common.spreadsheets import OLD, ZIP, read_sheets
from soyfold.common.textfiles import BAD_GZIP, open_binary, read_lines

MISSING = frozenset({"", "na", "nan", ".", "n/a"})
TITLE_LINES = 20  # a header is looked for this far down
_UNIT = re.compile(r"(?P<name>.*\S)\s*[(\[](?P<unit>[^()\[\]]+)[)\]]")
_NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"


def is_missing(text):
    """Which cells of a text Series say that there is no value (NA, NaN, N/A, '.', blank)."""
    return text.str.lower().isin(MISSING)


def _delimiter(line, decimal):
    if "\t" in line:
        return "\t"
    return ";" if decimal == "," and ";" in line else ","


def _text_rows(handle, wanted, decimal):
    """Yield (line, cells) of a table of text; the delimiter is that of the first line `wanted`."""
    delimiter = None
    for number, line in enumerate(handle, start=1):
        own = _delimiter(line, decimal)
        cells = next(csv.reader([line], delimiter=own), [])
        yield number, cells
        if wanted(cells):
            delimiter = own
            break
    reader = csv.reader(handle, delimiter=delimiter or ",")
    for row in reader:
        yield number + reader.line_num, row


def _places(header, name):
    """Columns called `name`, with or without a unit behind it: protein, protein (%)."""
    exact = [k for k, cell in enumerate(header) if cell == name]
    if exact:
        return exact
    bare = [_UNIT.fullmatch(cell) for cell in header]
    return [k for k, match in enumerate(bare) if match and match["name"] == name]


def _has_all(cells, names):
    header = [cell.strip() for cell in cells]
    return all(_places(header, name) for name in names)


def _find_header(rows, names, path):
    """Header cells of the first row that has all `names`; `rows` then stands behind it."""
    best, score = None, -1
    for number, cells in rows:
        if any(cell.strip() for cell in cells):
            header = [cell.strip() for cell in cells]
            found = sum(bool(_places(header, name)) for name in names)
            if found == len(names):
                return header
            if found > score:
                best, score = header, found
        if number >= TITLE_LINES:
            break
    if best is None:
        raise UserError("an empty file", file=path, allowed="a CSV or TSV table with a header")
    absent = ", ".join(repr(name) for name in names if not _places(best, name))
    columns = ", ".join(cell or "(blank)" for cell in best)
    semicolons = len(best) == 1 and ";" in best[0]
    raise UserError(
        f"no column {absent}",
        file=path,
        allowed=f"one of the header's columns: {columns}",
        mend="save the table with commas or tabs between the columns, and decimal points;"
        " or write ',' in the column decimal of the traits sheet"
        if semicolons
        else "name the columns of this file in the traits sheet",
    )


def _column_indices(header, names, optional, identity, path):
    names = [*names, *(name for name in optional if _places(header, name))]
    for name in names:
        if len(_places(header, name)) > 1:
            raise UserError(f"the column {name!r} twice", file=path, at="header", allowed="once")
    chosen = {name: _places(header, name)[0] for name in names}
    if identity is not None:
        chosen["id"] = next((header.index(name) for name in identity if name in header), 0)
    return chosen


def _units(header, chosen):
    """Unit that stands behind a column's name in the header, by name, where there is one."""
    matches = {name: _UNIT.fullmatch(header[k]) for name, k in chosen.items() if name != "id"}
    return {
        name: match["unit"].strip()
        for name, match in matches.items()
        if match and match["name"] == name
    }


def _refuse_width(row, header, path, line):
    mend = "quote cells that hold the delimiter, and check that the file is whole"
    if len(row) == len(header) + 1:
        mend += "; R's write.table needs col.names=NA"
    raise UserError(
        f"a row of {len(row)} cells", file=path, at=f"line {line}",
        allowed=f"{len(header)}, as in the header", mend=mend,
    )  # fmt: skip


def _read_rows(source, names, optional, identity, path):
    """Columns of `source`, an iterator of (line, cells), as a table of text."""
    header = _find_header(source, names, path)
    chosen = _column_indices(header, names, optional, identity, path)
    indices = list(chosen.values())
    lines, rows = [], []
    for line, row in source:
        if len(row) != len(header):
            if not any(cell.strip() for cell in row):
                continue
            if any(cell.strip() for cell in row[len(header) :]) or len(row) < len(header):
                _refuse_width(row, header, path, line)
        lines.append(line)
        rows.append([row[index] for index in indices])
    table = pd.DataFrame(rows, columns=list(chosen), dtype=object)
    table = table.apply(lambda column: column.str.strip()) if rows else table
    table = table.set_axis(pd.Index(lines, dtype=np.int64, name="line"), axis=0)
    table.attrs["units"] = _units(header, chosen)
    return table


def _sheet_rows(path, names, sheet, decimal):
    """Rows of the workbook's one sheet that has the columns; blank rows are left out."""
    sheets = read_sheets(path, sheet=sheet, decimal=decimal)
    fitting = [
        name
        for name, rows in sheets.items()
        if any(_has_all(cells, names) for _, cells in rows[:TITLE_LINES])
    ]
    if len(fitting) > 1:
        raise UserError(
            f"{len(fitting)} sheets with the columns: {', '.join(fitting)}",
            file=path,
            allowed="one",
            mend="name the sheet in the column sheet of the traits sheet",
        )
    rows = sheets[fitting[0] if fitting else next(iter(sheets))]
    width = max((len(cells) for _, cells in rows), default=0)
    last = next((k for k in range(width, 0, -1) if any(c[k - 1 : k] != [""] for _, c in rows)), 0)
    return ((number, cells[:last]) for number, cells in rows if any(cells))


def read_columns(path, names, *, optional=(), identity=None, sheet=None, decimal="."):
    """Read columns of a user's table as text.

    Parameters
    ----------
    path : path-like
        CSV or TSV (tabs in the header decide), as `textfiles.open_binary` reads it; or an Excel
        workbook (.xlsx). Lines above the header are skipped.
    names : sequence of str
        Columns that must be there; `protein` is also found as `protein (%)` or `protein [%]`.
    optional : sequence of str
        Columns that are read where they are there.
    identity : sequence of str, optional
        Names that the id column may have; else it is the first column. It is called `id` in the
        result.
    sheet : str, optional
        Sheet of a workbook; else the only one that has the columns.
    decimal : str
        `,` allows semicolons between the columns.

    Returns
    -------
    DataFrame
        The columns as stripped text; the index is the number of the line in the file, since any
        column name, "line" too, may be the user's own. `attrs["units"]` has the units that stand
        in the header, by column.

    Raises
    ------
    UserError
        For an absent, truncated or empty file, another encoding, a missing or repeated column,
        several sheets with the columns, or a row whose number of cells isn't the header's.
    """
    names = list(dict.fromkeys(names))
    try:
        with Path(path).open("rb") as stream:
            head = stream.read(4)
        if head == OLD:
            raise UserError("an old .xls workbook", file=path, mend="save it as .xlsx or CSV")
        if head == ZIP:
            rows = _sheet_rows(path, names, sheet, decimal)
            return _read_rows(rows, names, optional, identity, path)
        if sheet is not None:
            raise UserError(f"sheet {sheet!r} of a table of text", file=path, allowed="NA")
        with open_binary(path) as stream:
            lines = read_lines(stream, file=path)
            rows = _text_rows(lines, lambda cells: _has_all(cells, names), decimal)
            return _read_rows(rows, names, optional, identity, path)
    except FileNotFoundError:
        raise UserError("no such file", file=path, mend="check the path in the sheet") from None
    except BAD_GZIP as error:
        raise UserError(
            f"a broken gzip file ({error})", file=path, mend="fetch or compress it once more"
        ) from None
    except csv.Error as error:
        raise UserError(f"no readable table ({error})", file=path, allowed="CSV or TSV") from None


def parse_numbers(text, lines, *, file, column, decimal="."):
    """Turn cells into numbers.

    Parameters
    ----------
    text : Series of str, length n
        Stripped cells.
    lines : Series of int, length n
        Their lines in the file, for the message.
    file, column : str
        Where they come from.
    decimal : str
        `.` or `,`.

    Returns
    -------
    Series of float64, length n
        NaN where the cell says that there's no value.

    Raises
    ------
    UserError
        For the first cell that is no finite number, with its line and text.
    """
    missing = is_missing(text)
    numeric = text.str.fullmatch(_NUMBER.replace(r"\.", re.escape(decimal))).astype(bool)
    values = text.where(numeric, np.nan).str.replace(decimal, ".", regex=False).astype(np.float64)
    bad = ~missing & ~(numeric & np.isfinite(values))
    if bad.any():
        position = int(np.argmax(bad.to_numpy()))
        cell = text.iloc[position]
        other = {".": ",", ",": "."}[decimal]
        mark = re.fullmatch(rf"[+-]?[0-9]+{re.escape(other)}[0-9]+", cell)
        raise UserError(
            f"{cell!r} (cells of the column that are no numbers: {int(bad.sum())})",
            file=file,
            at=f"line {lines.iloc[position]}, column {column!r}",
            allowed="a finite number, or NA, NaN, N/A, '.' or blank for missing",
            mend=_other_mark(cell, other, decimal) if mark else "correct the cell, or write NA",
        )
    return values


def _other_mark(cell, other, decimal):
    """How to mend a number whose decimals stand behind the other mark."""
    if decimal == ".":
        return (
            f"write {cell.replace(other, decimal)}, with a decimal point,"
            " or ',' in the column decimal of the traits sheet"
        )
    return f"write {cell.replace(other, decimal)}, or '.' in the column decimal of the traits sheet"
