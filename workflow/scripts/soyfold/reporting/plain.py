"""Tables of other storeys on a page as they are: numbers rounded, long ones cut openly."""

import pandas as pd

from soyfold.files import read_table
from soyfold.reporting.pages import Cell, Column, Table

MOST_ROWS = 1500
MOST_CHOICES = 40  # distinct values of a column that is filtered by a list


def plain_number(value):
    """A number with four digits; whole ones whole."""
    if pd.isna(value):
        return Cell("")
    text = f"{value:,.0f}" if float(value).is_integer() else f"{value:.4g}"
    return Cell(text, float(value))


def plain_table(path, title, *, names=(), note="", columns=None):
    """A TSV as a sortable table.

    Parameters
    ----------
    path : path-like
    title : str
    names : sequence of str, keyword only
        Columns of names, which stay text whatever they look like; those that are there.
    note : str, keyword only
    columns : sequence of str, keyword only
        Those shown; all by default.

    Returns
    -------
    Table
        At most `MOST_ROWS` rows, the first ones; the note says so.
    """
    table = read_table(path, dtype=dict.fromkeys(names, str))
    table = table[list(columns)] if columns else table
    if len(table) > MOST_ROWS:
        note = f"{note} The first {MOST_ROWS:,} of {len(table):,} rows; all are in the TSV.".strip()
    numeric = {
        name: pd.api.types.is_numeric_dtype(table[name]) and table[name].dtype != bool
        for name in table.columns
    }
    shown = table.head(MOST_ROWS)
    rows = [
        [
            plain_number(value) if numeric[name] else "" if pd.isna(value) else str(value)
            for name, value in zip(shown.columns, row, strict=True)
        ]
        for row in shown.itertuples(index=False)
    ]
    filters = tuple(
        name for name in names if name in shown and 1 < shown[name].nunique() <= MOST_CHOICES
    )
    heads = [Column(name.replace("_", " "), number=numeric[name]) for name in table.columns]
    return Table(title, heads, rows, note=note, filters=filters)
