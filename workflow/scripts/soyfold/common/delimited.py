"""Users' tables: CSV, TSV (gzipped or not) or XLSX, with title lines, BOM and any line ends."""

import contextlib
import csv
import itertools
import re

import numpy as np
import pandas as pd

from soyfold.common.errors import UserError
from soyfold.common.spreadsheets import Sheet, is_workbook, read_sheets
from soyfold.common.textfiles import BAD_GZIP, open_binary, read_lines

TITLE_LINES = 20  # a header is looked for this far down
DELIMITERS = ("\t", ";", ",")
_UNIT = re.compile(r"(?P<name>.*\S)\s*[(\[](?P<unit>[^()\[\]]+)[)\]]")


def _text_rows(handle, wanted):
    """Yield (line, cells) of a table of text; the delimiter is that of the first line `wanted`."""
    delimiter = None
    for number, line in enumerate(handle, start=1):
        readings = {
            own: next(csv.reader([line], delimiter=own), []) for own in DELIMITERS if own in line
        }
        own = next((own for own, cells in readings.items() if wanted(cells)), None)
        yield number, readings.get(own) or next(iter(readings.values()), [line])
        if own or wanted([line]):
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
    """Line and cells of the first row that has all `names`; `rows` then stands behind it."""
    best, score = None, -1
    for number, cells in rows:
        if any(cell.strip() for cell in cells):
            header = [cell.strip() for cell in cells]
            found = sum(bool(_places(header, name)) for name in names)
            if found == len(names):
                return number, header
            if found > score:
                best, score = header, found
        if number >= TITLE_LINES:
            break
    if best is None:
        raise UserError("an empty file", file=path, allowed="a CSV or TSV table with a header")
    absent = ", ".join(repr(name) for name in names if not _places(best, name))
    columns = ", ".join(cell or "(blank)" for cell in best)
    raise UserError(
        f"no column {absent}",
        file=path,
        allowed=f"one of the header's columns: {columns}",
        mend="name the columns of this file in the traits sheet",
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


def _refuse_wide(row, header, path, line):
    mend = "quote cells that hold the delimiter, and check that the file is whole"
    if len(row) == len(header) + 1:
        mend += "; R's write.table needs col.names=NA"
    raise UserError(
        f"a row of {len(row)} cells", file=path, at=f"line {line}",
        allowed=f"{len(header)}, as in the header", mend=mend,
    )  # fmt: skip


def _refuse_short(short, header, chosen, path):
    """Raise for rows that end before a column that is wanted; blank cells behind may be left out.

    `short` has (line, cells) of each.
    """
    line, cells = short[0]
    absent = next(name for name, k in chosen.items() if k >= cells)
    raise UserError(
        f"a row of {cells} cells, without {absent!r} (such rows: {len(short)})", file=path,
        at=f"line {line}",
        allowed=f"{len(header)}, as in the header, or fewer where nothing but blank cells of other"
        " columns is left out",
        mend="see that the file is whole; write NA where a value is missing",
    )  # fmt: skip


def _read_rows(source, names, optional, identity, path, merged=(), most=None):
    """Columns of `source`, an iterator of (line, cells), as a table of text."""
    top, header = _find_header(source, names, path)
    chosen = _column_indices(header, names, optional, identity, path)
    indices = list(chosen.values())
    lines, rows, short = [], [], []
    for line, row in source:
        if len(lines) == most:
            break
        if not any(cell.strip() for cell in row):
            continue
        if any(cell.strip() for cell in row[len(header) :]):
            _refuse_wide(row, header, path, line)
        if len(row) <= max(indices):
            short.append((line, len(row)))
            continue
        lines.append(line)
        rows.append([row[index] for index in indices])
    if short:
        _refuse_short(short, header, chosen, path)
    table = pd.DataFrame(rows, columns=list(chosen), dtype=object)
    table = table.apply(lambda column: column.str.strip()) if rows else table
    table = table.set_axis(pd.Index(lines, dtype=np.int64, name="line"), axis=0)
    table.attrs["units"] = _units(header, chosen)
    table.attrs["whole"] = len(lines) != most
    below = {column: place for line, column, place in reversed(merged) if line > top}
    table.attrs["merged"] = {name: below[k] for name, k in chosen.items() if k in below}
    return table


def _choose_sheet(sheets, names, sheet, path):
    """The workbook's sheet of that name, or the one that the user sees with the columns."""
    if sheet is not None:
        return sheets[sheet]
    fitting = [
        name
        for name, page in sheets.items()
        if any(_has_all(cells, names) for _, cells in page.rows[:TITLE_LINES])
    ]
    seen = [name for name in fitting if not sheets[name].hidden]
    if len(seen) == 1:
        return sheets[seen[0]]
    if not fitting:
        return next((page for page in sheets.values() if not page.hidden and page.rows), Sheet([]))
    told = f"{len(seen)} sheets with the columns: {', '.join(seen)}"
    raise UserError(
        told if seen else f"the columns in a hidden sheet alone: {', '.join(fitting)}",
        file=path,
        allowed="one",
        mend="name the sheet in the column sheet of the traits sheet",
    )


def read_columns(path, names, *, optional=(), identity=None, sheet=None, decimal=".", most=None):
    """Read columns of a user's table as text.

    Parameters
    ----------
    path : path-like
        CSV or TSV (tabs, semicolons or commas, as the header shows), as `textfiles.open_binary`
        reads it; or an Excel workbook (.xlsx). Lines above the header are skipped.
    names : sequence of str
        Columns that must be there; `protein` is also found as `protein (%)` or `protein [%]`.
    optional : sequence of str
        Columns that are read where they are there.
    identity : sequence of str, optional
        Names that the id column may have; else it is the first column. It is called `id` in the
        result.
    sheet : str, optional
        Sheet of a workbook; else the only visible one that has the columns.
    decimal : str
        What a workbook's numbers get between them and their decimals.
    most : int, optional
        Read no more than so many rows.

    Returns
    -------
    DataFrame
        The columns as stripped text; the index is the number of the line in the file, since any
        column name, "line" too, may be the user's own. `attrs["units"]` has the units that stand
        in the header, by column; `attrs["merged"]` a column's first merged range, whose text each
        of its rows has; `attrs["whole"]` whether all rows were read.

    Raises
    ------
    UserError
        For an absent, truncated or empty file, another encoding, a missing or repeated column,
        several sheets with the columns or a hidden one, a row with more cells than the header, or
        one that ends before a column that is wanted.
    """
    names = list(dict.fromkeys(names))
    with _told(path):
        if is_workbook(path):
            sheets = read_sheets(path, sheet=sheet, decimal=decimal)
            page = _choose_sheet(sheets, names, sheet, path)
            rows = iter(page.rows)
            return _read_rows(rows, names, optional, identity, path, page.merged, most)
        if sheet is not None:
            raise UserError(f"sheet {sheet!r} of a table of text", file=path, allowed="NA")
        with open_binary(path) as stream:
            lines = read_lines(stream, file=path)
            rows = _text_rows(lines, lambda cells: _has_all(cells, names))
            return _read_rows(rows, names, optional, identity, path, most=most)


def find_columns(path, fits, *, sheet=None):
    """The header of a user's table that is to be known by what its columns are called.

    Parameters
    ----------
    path, sheet
        As for `read_columns`; of a workbook without `sheet` the visible sheets are looked through.
    fits : callable
        How well a row's cells serve as header, 0 for not at all.

    Returns
    -------
    list of str
        Names of the best of the first rows, units behind them left out (`protein (%)` is protein);
        where none fits, the first row of several cells.
    """

    def bare(cells):
        return [(_UNIT.fullmatch(cell.strip()) or {"name": cell.strip()})["name"] for cell in cells]

    with _told(path):
        if is_workbook(path):
            pages = read_sheets(path, sheet=sheet).values()
            tops = [page.rows[:TITLE_LINES] for page in pages if sheet or not page.hidden]
            rows = [bare(cells) for top in tops for _, cells in top]
        else:
            with open_binary(path) as stream:
                lines = itertools.islice(read_lines(stream, file=path), TITLE_LINES)
                readings = [
                    next(csv.reader([line], delimiter=own), [])
                    for line in lines
                    for own in DELIMITERS
                ]
            rows = [bare(cells) for cells in readings]
    best = max(rows, key=fits, default=[])
    if not rows or fits(best):
        return best
    return next((row for row in rows if len(row) > 1), rows[0])


@contextlib.contextmanager
def _told(path):
    """What may go wrong with a table's file, in one line."""
    try:
        yield
    except FileNotFoundError:
        raise UserError("no such file", file=path, mend="check the path in the sheet") from None
    except IsADirectoryError:
        raise UserError("a directory", file=path, mend="check the path in the config") from None
    except BAD_GZIP as error:
        raise UserError(
            f"a broken gzip file ({error})", file=path, mend="fetch or compress it once more"
        ) from None
    except csv.Error as error:
        raise UserError(f"no readable table ({error})", file=path, allowed="CSV or TSV") from None
