"""Tab-separated tables that users write, in spreadsheet programs too: sheets, maps, splits."""

import contextlib
import csv

import pandas as pd

from soyfold.common.errors import UserError
from soyfold.common.textfiles import BAD_GZIP, open_binary, read_lines


@contextlib.contextmanager
def told(path):
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


def read_user_table(path, *, required=()):
    """Read a whole tab-separated table that users write: sheets, id maps, families, splits.

    Blank rows and blank cells beyond the header, as spreadsheet programs leave them, are passed
    over.

    Parameters
    ----------
    path : path-like
        As `textfiles.open_binary` reads it.
    required : iterable of str, keyword only
        Columns that must be there.

    Returns
    -------
    DataFrame
        Stripped text, None where blank or NA; the index is the number of the line in the file.

    Raises
    ------
    UserError
        For an absent or empty file, another encoding, a missing or repeated column, or a row with
        more cells than the header.
    """
    with told(path), open_binary(path) as stream:
        reader = csv.reader(read_lines(stream, file=path), delimiter="\t")
        rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    rows = [(line, row) for line, row in rows if any(row)]
    if not rows:
        raise UserError("an empty file", file=path, allowed="a TSV table with a header")
    (_, header), *rows = rows
    while not header[-1]:
        header.pop()
    _refuse_header(header, required, path)
    width = len(header)
    for line, row in rows:
        if any(row[width:]):
            raise UserError(
                "a row with more cells than the header", file=path, at=f"line {line}",
                allowed=f"{width} cells by tabs: {', '.join(header)}",
            )  # fmt: skip
    cells = [(row + [""] * width)[:width] for _, row in rows]
    table = pd.DataFrame(cells, columns=header, index=[line for line, _ in rows], dtype=object)
    return table.mask(table.isin(["", "NA"]), None)


def _refuse_header(header, required, path):
    missing = [name for name in required if name not in header]
    if missing:
        raise UserError(
            f"no column {', '.join(missing)}",
            file=path,
            allowed=f"a tab-separated header with {', '.join(required)}",
            mend=f"the header has: {', '.join(header)}",
        )
    twice = [name for k, name in enumerate(header) if name in header[:k]]
    if twice:
        raise UserError(f"the column {twice[0]!r} twice", file=path, at="header", allowed="once")
