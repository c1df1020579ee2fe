"""Streaming big text tables in chunks, with the line of a bad value in the message."""

import gzip
import zlib
from pathlib import Path

import pandas as pd

from soyfold.common.errors import UserError

# What pandas and gzip raise for text that isn't what it should be.
BAD_TEXT = (ValueError, UnicodeDecodeError, pd.errors.ParserError, OverflowError)
BAD_GZIP = (EOFError, zlib.error, gzip.BadGzipFile)


def _first_bad_line(path, columns, numbers, options):
    """Line number and text of the first cell of `numbers` that isn't a whole number, or None."""
    options = {key: value for key, value in options.items() if key != "dtype"}
    line = options.get("skiprows", 0)
    for chunk in pd.read_csv(path, names=columns, dtype=str, chunksize=500_000, **options):
        for name in numbers:
            bad = ~chunk[name].fillna("").str.fullmatch(r"-?\d{1,18}")  # what int64 holds
            if bad.any():
                first = int(bad.to_numpy().argmax())
                return line + first + 1, name, chunk[name].iloc[first]
        line += len(chunk)
    return None


def read_chunks(path, columns, *, dtypes, positions, rows, layout, header=0):
    """Stream columns of a tab-separated file without a line of column names.

    Parameters
    ----------
    path : path-like
        Plain or .gz text.
    columns : list of str
        Names for the columns read.
    dtypes : dict
        dtype by name; int64 columns must hold whole numbers.
    positions : list of int
        Where the columns stand in the file, 0-based, in any order.
    rows : int
        Rows of a chunk.
    layout : str
        The columns that are allowed, for messages.
    header : int
        Lines to skip at the file's beginning.

    Yields
    ------
    DataFrame
        Its index is the 0-based line of the file.

    Raises
    ------
    UserError
        For an absent, empty, truncated or malformed file, with the line where there is one.
    """
    if not Path(path).is_file():
        raise UserError("no such file", file=path, mend="check the path in hic.tsv")
    # pandas takes the columns in the file's order, whatever that of `usecols`.
    columns = [columns[k] for k in sorted(range(len(positions)), key=positions.__getitem__)]
    options = {
        "sep": "\t",
        "header": None,
        "usecols": positions,
        "na_filter": False,
        "engine": "c",
        "skiprows": header,
    }
    try:
        with pd.read_csv(path, names=columns, dtype=dtypes, chunksize=rows, **options) as reader:
            for chunk in reader:
                if chunk.empty:
                    raise UserError("an empty file", file=path, allowed=layout)
                chunk.index += header
                yield chunk
    except BAD_GZIP as error:
        raise UserError(
            f"a truncated or damaged gzip file ({error})", file=path, mend="fetch or write it again"
        ) from None
    except BAD_TEXT as error:
        numbers = [name for name, dtype in dtypes.items() if dtype == "int64"]
        try:
            bad = _first_bad_line(path, columns, numbers, options)
        except (*BAD_TEXT, *BAD_GZIP):
            bad = None
        if bad is None:
            raise UserError(
                f"text that can't be read ({error})", file=path, allowed=layout
            ) from None
        line, name, cell = bad
        raise UserError(
            f"{name} {cell!r}", file=path, at=f"line {line}", allowed=f"a whole number; {layout}"
        ) from None
