"""Tables and files that are either whole or absent."""

import contextlib
import os
from pathlib import Path

import pandas as pd

from soyfold.errors import UserError


@contextlib.contextmanager
def staged(path):
    """Give a temporary name beside `path`; rename it to `path` only if the block succeeds.

    The temporary name keeps the suffixes of `path`, since tools read formats off them.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".part{os.getpid()}.{path.name}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_table(table, path):
    """Write a DataFrame as TSV (UTF-8, header, `NA`, 10 significant digits, no index)."""
    with staged(path) as temporary:
        table.to_csv(
            temporary, sep="\t", na_rep="NA", index=False, float_format="%.10g", lineterminator="\n"
        )


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
        table = pd.read_csv(
            path,
            sep="\t",
            na_values=["NA", ""],
            keep_default_na=False,
            encoding="utf-8-sig",
            **options,
        )
    except pd.errors.EmptyDataError:
        raise UserError("an empty file", file=path, allowed="a TSV table with a header") from None
    except UnicodeDecodeError as error:
        raise UserError(
            f"text that is no UTF-8 (byte {error.object[error.start]:#04x})",
            file=path,
            mend="save the table as UTF-8",
        ) from None
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
