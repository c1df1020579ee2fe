"""What selection ends with on the terminal: lines, what they promise, where the tables are."""

from pathlib import Path

import pandas as pd

from soyfold.common.decimals import decimals
from soyfold.common.files import read_table


def describe_selection(lines, index):
    """What a selection came to, for the terminal.

    Parameters
    ----------
    lines, index : DataFrame
        As `advancing.advance_study` writes them.

    Returns
    -------
    str
    """
    chosen = int((lines["advance"] == "yes").sum())
    passed = int((lines["instead"].notna() & (lines["advance"] == "no")).sum())
    moves = ", ".join(
        f"{row.trait} {decimals(row.advanced_response, 2, sign=True)}"
        + (f" {row.unit}" if pd.notna(row.unit) else "")
        for row in index.itertuples()
    )
    return (
        f"{chosen} of {len(lines)} lines to advance, {passed} passed over as too like one of them\n"
        f"mean    {moves} (predicted)"
    )


def print_selection(folder):
    """Print what the tables of a finished selection come to; nothing where there are none.

    Parameters
    ----------
    folder : path-like
        selection/, or selection/<file>.
    """
    folder = Path(folder)
    if not (folder / "lines.tsv").is_file():
        return
    text = dict.fromkeys(("line", "nearest_advanced", "instead", "trait", "unit"), str)
    lines, index = (read_table(folder / f"{name}.tsv", dtype=text) for name in ("lines", "index"))
    print(f"\n{describe_selection(lines, index)}")
    for name in ("lines", "crosses"):
        if (folder / f"{name}.tsv").is_file():
            print(f"{name:8}{folder / name}.tsv, {name}.html")
