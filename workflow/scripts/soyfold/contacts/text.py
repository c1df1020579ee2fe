"""Streaming big text tables in chunks, with the line of a bad value in the message."""

import bisect
import contextlib
import csv
import io
import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from soyfold.common.errors import UserError
from soyfold.common.logs import log
from soyfold.common.textfiles import BAD_GZIP, decode, open_binary

# What pandas raises for text that isn't what it should be.
BAD_TEXT = (ValueError, UnicodeDecodeError, pd.errors.ParserError, OverflowError)
BLOCK = 1 << 20  # bytes
NEWLINE = ord("\n")
# With what a line begins that may hold no data: a comment, or nothing but blanks.
_ASIDE = np.isin(np.arange(256), list(b"#\n\r\t "))
LARGEST = 2**53  # up to here float64 holds every whole number


@dataclass(frozen=True)
class Head:
    """How a text table begins.

    Attributes
    ----------
    comments : list of (int, str)
        Lines with # before the first row, and their numbers from 1.
    names : list of str or None
        Cells of a first line without any number: it names the columns.
    line : bytes or None
        That line, which stands again wherever files were joined.
    cells : list of str
        Cells of the first row of data.
    separator : str
        A tab, or `\\s+` where the first row has none.
    """

    comments: list
    names: list | None
    line: bytes | None
    cells: list
    separator: str


class _Rows(io.RawIOBase):
    """A text without comments, blank lines and the line of names, and what was left out.

    Parameters
    ----------
    stream : BufferedReader
    head : Head
    comment : callable, optional
        Is given the number and the bytes of each line with # behind the first row.
    """

    def __init__(self, stream, head, comment=None):
        self._stream, self._names, self._comment = stream, head.line, comment
        self._left, self._rows, self._lines = memoryview(b""), 0, 0
        self.left_out = []  # rows before each line that was left out

    def readable(self):
        return True

    def readinto(self, buffer):
        while not self._left:
            block = self._stream.read(BLOCK)
            if not block:
                return 0
            block += self._stream.readline()
            codes = np.frombuffer(block, dtype=np.uint8)
            ends = np.flatnonzero(codes == NEWLINE)
            first = codes[np.concatenate([[0], ends[ends < len(codes) - 1] + 1])]
            if _ASIDE[first].any() or (self._names and self._names in block):
                block = b"".join(self._data(block))
            else:
                self._rows += len(ends)
                self._lines += len(ends)
            self._left = memoryview(block)
        part = self._left[: len(buffer)]
        buffer[: len(part)] = part
        self._left = self._left[len(part) :]
        return len(part)

    def _data(self, block):
        for line in block.splitlines(keepends=True):
            self._lines += 1
            if line.startswith(b"#"):
                if self._rows and self._comment:
                    self._comment(self._lines, line)
            elif line.strip() and line != self._names:
                self._rows += 1
                yield line
                continue
            self.left_out.append(self._rows)

    def line_of(self, row):
        """Number from 1 of the line that holds a row, counted from 0, that was read."""
        return row + 1 + bisect.bisect_right(self.left_out, row)


def _split(line, separator):
    return line.rstrip("\r\n").split("\t") if separator == "\t" else line.split()


def _is_number(cell):
    with contextlib.suppress(ValueError):
        return bool(cell) and float(cell) == float(cell)
    return False


def _is_whole(cell):
    return _is_number(cell) and bool(_whole(np.float64(cell)))


def _whole(values):
    return (values == np.rint(values)) & (np.abs(values) < LARGEST)


@contextlib.contextmanager
def _opened(path):
    """`open_binary`, with a damaged gzip or an absent file as `UserError`."""
    if not Path(path).is_file():
        raise UserError("no such file", file=path, mend="check the path in hic.tsv")
    try:
        with open_binary(path) as stream:
            yield stream
    except BAD_GZIP as error:
        raise UserError(
            f"a truncated or damaged gzip file ({error})", file=path, mend="fetch or write it again"
        ) from None


def read_head(path, *, layout):
    """Comments, names and first row of a table; see `Head`.

    Raises
    ------
    UserError
        For an absent, damaged or empty file, or one of comments alone.
    """
    comments, names, named, number = [], None, None, 0
    with _opened(path) as stream:
        for number, raw in enumerate(stream, start=1):
            line = decode(raw, file=path, line=number)
            separator = "\t" if "\t" in line.strip() else r"\s+"
            if line.startswith("#"):
                comments.append((number, line.rstrip("\r\n")))
            elif line.strip():
                cells = [cell.strip().strip('"') for cell in _split(line, separator)]
                if names is None and not any(map(_is_number, cells)):
                    names, named = cells, raw
                    log.info("%s: line %d names the columns: %s", path, number, ", ".join(cells))
                    continue
                if separator != "\t":
                    log.info("%s: columns parted by blanks", path)
                return Head(comments, names, named, cells, separator)
    raise UserError("no rows" if number else "an empty file", file=path, allowed=layout)


def _refuse_bad_row(path, head, done, columns, layout):
    """Raise for the first row from `done` on that pandas couldn't read, with its line."""
    with _opened(path) as stream:
        rows = _Rows(stream, head)
        for row, raw in enumerate(itertools.islice(io.BufferedReader(rows, BLOCK), done, None)):
            line = rows.line_of(done + row)
            cells = _split(decode(raw, file=path, line=line), head.separator)
            if len(cells) <= max(place for place, _ in columns.values()):
                raise UserError(
                    f"a line of {len(cells)} {'cells' if len(cells) > 1 else 'cell'}",
                    file=path, at=f"line {line}", allowed=layout,
                    mend=None if raw.endswith(b"\n") else "the line may be cut off at the file's"
                    " end: fetch or write the file again",
                )  # fmt: skip
            for name, (place, kind) in columns.items():
                good = {"int64": _is_whole, "float64": _is_number}.get(kind, lambda _: True)
                if not good(cells[place].strip()):
                    allowed = "a whole number" if kind == "int64" else "a number"
                    raise UserError(
                        f"{name} {cells[place]!r}", file=path, at=f"line {line}",
                        allowed=f"{allowed}; {layout}",
                    )  # fmt: skip


def read_chunks(path, columns, *, rows, layout, head, comment=None):
    """Stream columns of a text table.

    Parameters
    ----------
    path : path-like
        Text, gzipped or not; tabs or blanks between the columns.
    columns : dict of str to (int, str)
        Place in the file (0-based) and dtype of each column by its name; int64 must hold whole
        numbers (1e+05 is one of R's), float64 numbers, category text.
    rows : int, keyword only
        Rows of a chunk.
    layout : str, keyword only
        The columns that are allowed, for messages.
    head : Head, keyword only
        Of `read_head`. Comments and blank lines are left out wherever they stand.
    comment : callable, optional, keyword only
        Is given the number and the bytes of each line with # behind the first row.

    Yields
    ------
    chunk : DataFrame
    line_of : callable
        Line of a row of this chunk, counted from 0.

    Raises
    ------
    UserError
        For an absent, truncated or malformed file, with the line where there is one.
    """
    # pandas takes the columns in the file's order, whatever that of `usecols`.
    names = sorted(columns, key=lambda name: columns[name][0])
    whole = {name: dtype for name, (_, dtype) in columns.items() if dtype == "int64"}
    options = {
        "sep": head.separator,
        "header": None,
        "names": names,
        "usecols": [columns[name][0] for name in names],
        "dtype": {name: dtype for name, (_, dtype) in columns.items()}
        | dict.fromkeys(whole, "float64"),
        "na_filter": False,
        "engine": "c",
        "quoting": csv.QUOTE_NONE,
        "chunksize": rows,
    }
    done = 0
    with _opened(path) as stream:
        data = _Rows(stream, head, comment)
        try:
            with pd.read_csv(io.BufferedReader(data, BLOCK), **options) as reader:
                for chunk in reader:
                    if not _whole(chunk[list(whole)].to_numpy()).all():
                        raise ValueError("no whole number")
                    yield chunk.astype(whole), lambda row, start=done: data.line_of(start + row)
                    done += len(chunk)
            if data.left_out and data.left_out[-1]:
                inside = sum(rows_before > 0 for rows_before in data.left_out)
                log.info("%s: %d lines without data among the rows left out", path, inside)
        except BAD_GZIP:
            raise
        except BAD_TEXT as error:
            _refuse_bad_row(path, head, done, columns, layout)
            raise UserError(
                f"text that can't be read ({error})", file=path, allowed=layout
            ) from None


def names_of(contigs):
    """Names of a categorical column without the quotes that R writes."""
    return np.array([str(name).strip().strip('"') for name in contigs.categories], dtype=object)
