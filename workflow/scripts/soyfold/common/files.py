"""Tables and files that are either whole or absent."""

import collections
import contextlib
import csv
import gzip
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from soyfold.common.errors import UserError
from soyfold.common.textfiles import BAD_GZIP, open_binary, read_lines


def _own_name(path):
    """A temporary name beside `path`, after removing what killed processes left under theirs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    stale = re.compile(rf"\.part\d+\.{re.escape(path.name)}")
    for left in path.parent.glob(".part*"):
        if stale.fullmatch(left.name):
            remove = shutil.rmtree if left.is_dir() else Path.unlink
            with contextlib.suppress(FileNotFoundError):
                remove(left)
    return path.with_name(f".part{os.getpid()}.{path.name}")


@contextlib.contextmanager
def staged(path):
    """Give a temporary name beside `path`; rename it to `path` only if the block succeeds.

    The temporary name keeps the suffixes of `path`, since tools read formats off them. A path is
    written by one process at a time: what another left under its temporary name is removed.
    """
    path = Path(path)
    temporary = _own_name(path)
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def scratch(path):
    """Give an empty folder beside `path`, for the files in between; removed when the block ends.

    As in `staged`, what a killed process left of its own is removed first.
    """
    folder = _own_name(Path(path))
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def reserve(path):
    """Take the room on the disk that a file's size asks for, before its pages are written.

    On a full disk that is an error (`OSError`); writing to a mapped page that has no room would end
    the process. Systems without `posix_fallocate` (macOS) go without.
    """
    if hasattr(os, "posix_fallocate"):
        with Path(path).open("r+b") as stream:
            os.posix_fallocate(stream.fileno(), 0, Path(path).stat().st_size)


@contextlib.contextmanager
def zipped(path, level=6):
    """Open `path` to write gzip, binary, without name or date: same content, same bytes."""
    with (
        Path(path).open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=level, mtime=0) as stream,
    ):
        yield stream


def write_table(table, path, *, digits=10):
    """Write a DataFrame as TSV (UTF-8, header, `NA`, significant `digits`, no index).

    A name that ends with .gz is gzipped; same table, same bytes.
    """
    form = {"sep": "\t", "na_rep": "NA", "index": False, "float_format": f"%.{digits}g"}
    with staged(path) as temporary:
        if temporary.suffix == ".gz":
            with zipped(temporary) as stream:
                table.to_csv(stream, mode="wb", lineterminator="\n", **form)
        else:
            table.to_csv(temporary, lineterminator="\n", **form)


def read_text_table(path, **options):
    """`pandas.read_csv` of a text file as `textfiles.open_binary` has it.

    Raises
    ------
    UserError
        For text that is no UTF-8, with the line and the byte; a gzip file that is cut off.
    """
    try:
        with open_binary(path) as stream:
            return pd.read_csv(stream, **options)
    except UnicodeDecodeError as error:
        failed = error
    except BAD_GZIP as error:
        raise UserError(
            f"a gzip file that is cut off or damaged ({error})",
            file=path,
            mend="copy it again (test it with gzip -t)",
        ) from None
    with open_binary(path) as stream:
        collections.deque(read_lines(stream, file=path), maxlen=0)
    raise failed


def read_sheet_rows(path, *, required=()):
    """Read a table of tabs that a user keeps: sheets, chromosomes.

    Blank rows, and blank cells behind the last column, are left out: spreadsheets leave them.

    Parameters
    ----------
    path : path-like
    required : iterable of str
        Columns that must be there.

    Returns
    -------
    DataFrame of str
        `NA` and blank are missing; the index is the line in the file.

    Raises
    ------
    UserError
        If the file is absent, empty, no UTF-8, lacks a required column, or has a column twice or a
        row that is longer than the header.
    """
    if not Path(path).is_file():
        found = "a directory" if Path(path).is_dir() else "no such file"
        raise UserError(found, file=path, mend="check the path in the config")
    with open_binary(path) as stream:
        reader = csv.reader(read_lines(stream, file=path), delimiter="\t")
        rows = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    rows = [(line, cells) for line, cells in rows if any(cells)]
    if not rows:
        raise UserError("an empty file", file=path, allowed="a TSV table with a header")
    width = max(k for k, name in enumerate(rows[0][1], start=1) if name)
    header = rows[0][1][:width]
    for line, cells in rows[1:]:
        if any(cells[width:]):
            raise UserError(
                f"a row of {len(cells)} cells",
                file=path,
                at=f"line {line}",
                allowed=f"{width} cells by tabs: {', '.join(header)}",
            )
    missing = [name for name in required if name not in header]
    if missing:
        raise UserError(
            f"no column {', '.join(missing)}",
            file=path,
            allowed=f"a tab-separated header with {', '.join(required)}",
            mend=f"the header has: {', '.join(header)}",
        )
    twice = next((name for name in header if header.count(name) > 1), None)
    if twice is not None:
        raise UserError(f"the column {twice!r} twice", file=path, at="header", allowed="once")
    table = pd.DataFrame(
        [(cells + [""] * width)[:width] for _, cells in rows[1:]],
        columns=header,
        index=[line for line, _ in rows[1:]],
        dtype=object,
    )
    return table.mask(table.isin(["", "NA"]))


def read_table(path, *, required=(), **options):
    """Read one of soyfold's TSV tables; `NA` and empty are missing, text columns stay text.

    Parameters
    ----------
    path : path-like
    required : iterable of str
        Columns that must be there.
    **options
        Passed to `pandas.read_csv` (`dtype=...`).

    Raises
    ------
    UserError
        If the file is absent, empty, no UTF-8 or no table, or lacks a required column.
    """
    if not Path(path).is_file():
        found = "a directory" if Path(path).is_dir() else "no such file"
        raise UserError(found, file=path, mend="check the path in the config")
    try:
        table = read_text_table(
            path, sep="\t", na_values=["NA", ""], keep_default_na=False, **options
        )
    except pd.errors.EmptyDataError:
        raise UserError("an empty file", file=path, allowed="a TSV table with a header") from None
    except pd.errors.ParserError as error:
        raise UserError(
            f"no table ({error})", file=path, allowed="a TSV table, each row as long as its header"
        ) from None
    if not isinstance(table.index, pd.RangeIndex):  # pandas takes what is too much for an index
        raise UserError(
            "rows with more cells than the header",
            file=path,
            allowed=f"{len(table.columns)} cells by tabs: {', '.join(map(str, table.columns))}",
        )
    missing = [name for name in required if name not in table.columns]
    if missing:
        raise UserError(
            f"no column {', '.join(missing)}",
            file=path,
            allowed=f"a tab-separated header with {', '.join(required)}",
            mend=f"the header has: {', '.join(map(str, table.columns))}",
        )
    return table


def read_cim(path, chromosomes=None):
    """Read a table of chromosomes by chromosomes, such as a CIM: `chromosome`, then a column each.

    Parameters
    ----------
    path : path-like
    chromosomes : list of str, optional
        The names that rows and columns must have, in genome order; by default each other's.

    Returns
    -------
    DataFrame (G, G) float64

    Raises
    ------
    UserError
        If the names or their order differ.
    """
    table = read_table(path, required=("chromosome",), dtype={"chromosome": str})
    table = table.set_index("chromosome")
    if list(table.index) != list(table.columns):
        raise UserError("rows and columns that differ", file=path, allowed="a G x G table")
    if chromosomes is not None and list(table.index) != list(chromosomes):
        found = f"chromosomes {', '.join(table.index)}"
        raise UserError(found, file=path, allowed=", ".join(chromosomes))
    return table.astype(np.float64)
