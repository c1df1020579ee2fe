"""Users' tables: CSV or TSV, gzipped or not, with title lines, BOM and any line ends."""

import contextlib
import csv
import gzip
import io
import re
import zlib
from pathlib import Path

import numpy as np
import pandas as pd

from soyfold.errors import UserError

MISSING = frozenset({"", "na", "nan", ".", "n/a"})
TITLE_LINES = 20  # a header is looked for this far down
_NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"


def is_missing(text):
    """Which cells of a text Series say that there is no value (NA, NaN, N/A, '.', blank)."""
    return text.str.lower().isin(MISSING)


@contextlib.contextmanager
def _open_text(path):
    """Text of a file whose first bytes say whether it is gzipped."""
    with Path(path).open("rb") as stream:
        gzipped = stream.read(2) == b"\x1f\x8b"
        stream.seek(0)
        with contextlib.ExitStack() as stack:
            raw = stack.enter_context(gzip.open(stream)) if gzipped else stream
            yield stack.enter_context(io.TextIOWrapper(raw, encoding="utf-8-sig", newline=""))


def _cells(line):
    delimiter = "\t" if "\t" in line else ","
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))], delimiter


def _find_header(handle, names, path):
    """Header cells, delimiter and line number of the first line that has all `names`."""
    best, score = None, -1
    for number, line in enumerate(handle, start=1):
        if line.strip():
            header, delimiter = _cells(line)
            found = sum(name in header for name in names)
            if found == len(names):
                return header, delimiter, number
            if found > score:
                best, score = header, found
        if number == TITLE_LINES:
            break
    if best is None:
        raise UserError("an empty file", file=path, allowed="a CSV or TSV table with a header")
    absent = ", ".join(repr(name) for name in names if name not in best)
    columns = ", ".join(cell or "(blank)" for cell in best)
    semicolons = len(best) == 1 and ";" in best[0]
    raise UserError(
        f"no column {absent}",
        file=path,
        allowed=f"one of the header's columns: {columns}",
        mend="save the table with commas or tabs between the columns, and decimal points"
        if semicolons
        else "name the columns of this file in the traits sheet",
    )


def _column_indices(header, names, optional, identity, path):
    names = [*names, *(name for name in optional if name in header)]
    for name in names:
        if header.count(name) > 1:
            raise UserError(f"the column {name!r} twice", file=path, at="header", allowed="once")
    chosen = {name: header.index(name) for name in names}
    if identity is not None:
        chosen["id"] = next((header.index(name) for name in identity if name in header), 0)
    return chosen


def _refuse_width(row, header, path, line):
    mend = "quote cells that hold the delimiter, and check that the file is whole"
    if len(row) == len(header) + 1:
        mend += "; R's write.table needs col.names=NA"
    raise UserError(
        f"a row of {len(row)} cells", file=path, at=f"line {line}",
        allowed=f"{len(header)}, as in the header", mend=mend,
    )  # fmt: skip


def _read_rows(handle, names, optional, identity, path):
    header, delimiter, first = _find_header(handle, names, path)
    chosen = _column_indices(header, names, optional, identity, path)
    indices = list(chosen.values())
    lines, rows = [], []
    reader = csv.reader(handle, delimiter=delimiter)
    for row in reader:
        if len(row) != len(header):
            if not any(cell.strip() for cell in row):
                continue
            if any(cell.strip() for cell in row[len(header) :]) or len(row) < len(header):
                _refuse_width(row, header, path, first + reader.line_num)
        lines.append(first + reader.line_num)
        rows.append([row[index] for index in indices])
    table = pd.DataFrame(rows, columns=list(chosen), dtype=object)
    table = table.apply(lambda column: column.str.strip()) if rows else table
    return table.set_axis(pd.Index(lines, dtype=np.int64, name="line"), axis=0)


def read_columns(path, names, *, optional=(), identity=None):
    """Read columns of a user's table as text.

    Parameters
    ----------
    path : path-like
        CSV or TSV (tabs in the header decide), UTF-8 with or without BOM, gzipped or not. Lines
        above the header are skipped.
    names : sequence of str
        Columns that must be there.
    optional : sequence of str
        Columns that are read where they are there.
    identity : sequence of str, optional
        Names that the id column may have; else it is the first column. It is called `id` in the
        result.

    Returns
    -------
    DataFrame
        The columns as stripped text; the index is the number of the line in the file, since any
        column name, "line" too, may be the user's own.

    Raises
    ------
    UserError
        For an absent, truncated or empty file, another encoding, a missing or repeated column, or
        a row whose number of cells isn't the header's.
    """
    try:
        with _open_text(path) as handle:
            return _read_rows(handle, list(dict.fromkeys(names)), optional, identity, path)
    except FileNotFoundError:
        raise UserError("no such file", file=path, mend="check the path in the sheet") from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UserError(
            f"a broken gzip file ({error})", file=path, mend="fetch or compress it once more"
        ) from None
    except UnicodeDecodeError as error:
        raise UserError(
            f"text that is no UTF-8 (byte {error.object[error.start]:#04x})", file=path,
            mend="save the table as UTF-8",
        ) from None  # fmt: skip
    except csv.Error as error:
        raise UserError(f"no readable table ({error})", file=path, allowed="CSV or TSV") from None


def parse_numbers(text, lines, *, file, column):
    """Turn cells into numbers.

    Parameters
    ----------
    text : Series of str, length n
        Stripped cells.
    lines : Series of int, length n
        Their lines in the file, for the message.
    file, column : str
        Where they come from.

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
    numeric = text.str.fullmatch(_NUMBER).astype(bool)
    values = text.where(numeric, np.nan).astype(np.float64)
    bad = ~missing & ~(numeric & np.isfinite(values))
    if bad.any():
        position = int(np.argmax(bad.to_numpy()))
        cell = text.iloc[position]
        comma = re.fullmatch(r"[+-]?[0-9]+,[0-9]+", cell)
        raise UserError(
            f"{cell!r} (cells of the column that are no numbers: {int(bad.sum())})",
            file=file,
            at=f"line {lines.iloc[position]}, column {column!r}",
            allowed="a finite number, or NA, NaN, N/A, '.' or blank for missing",
            mend=f"write {cell.replace(',', '.')}, with a decimal point"
            if comma
            else "correct the cell, or write NA",
        )
    return values
