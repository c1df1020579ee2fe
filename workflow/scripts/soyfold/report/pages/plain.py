"""Tables of other storeys on a page as they are: numbers rounded, long ones cut openly."""

import numpy as np
import pandas as pd

from soyfold.common.decimals import decimals
from soyfold.common.files import read_table
from soyfold.report.pages.pages import Cell, Column, Table

MOST_ROWS = 1500
MOST_CHOICES = 40  # distinct values of a column that is filtered by a list


def _decimals(values):
    """Decimals that leave the largest number of a column four digits; 0 where all are whole."""
    known = values[np.isfinite(values)]
    if not len(known) or (known == np.round(known)).all():
        return 0
    return int(np.clip(3 - np.floor(np.log10(np.abs(known).max())), 1, 4))


def plain_number(value, digits):
    """A number with a column's decimals, so that points stand below each other.

    One too small for them has four digits (2.5e-07).
    """
    if pd.isna(value):
        return Cell("")
    vanishes = value != 0 and abs(value) < 0.5 * 10.0**-digits
    return Cell(f"{value:.4g}" if vanishes else decimals(value, digits, commas=True), float(value))


def plain_table(source, title, *, names=(), choices=None, note="", columns=None):
    """A TSV as a sortable table.

    Parameters
    ----------
    source : path-like, or DataFrame
        The file, or what was read of it.
    title : str
    names : sequence of str, keyword only
        Columns of names, which stay text whatever they look like; those that are there.
    choices : sequence of str, keyword only
        Those of them with a list of their values to choose from; all by default.
    note : str, keyword only
    columns : sequence of str, keyword only
        Those shown; all by default.

    Returns
    -------
    Table
        At most `MOST_ROWS` rows, the first ones; the note says so.
    """
    table = source
    if not isinstance(source, pd.DataFrame):
        table = read_table(source, dtype=dict.fromkeys(names, str))
    table = table[list(columns)] if columns else table
    if len(table) > MOST_ROWS:
        note = f"{note} The first {MOST_ROWS:,} of {len(table):,} rows; all are in the TSV.".strip()
    numeric = {
        name: pd.api.types.is_numeric_dtype(table[name]) and table[name].dtype != bool
        for name in table.columns
    }
    shown = table.head(MOST_ROWS)
    digits = {name: _decimals(shown[name].to_numpy(np.float64)) for name in shown if numeric[name]}
    rows = [
        [
            plain_number(value, digits[name])
            if numeric[name]
            else ("" if pd.isna(value) else str(value))
            for name, value in zip(shown.columns, row, strict=True)
        ]
        for row in shown.itertuples(index=False)
    ]
    filters = tuple(
        name
        for name in (names if choices is None else choices)
        if name in shown and 1 < shown[name].nunique() <= MOST_CHOICES
    )
    heads = [Column(name.replace("_", " "), number=numeric[name]) for name in table.columns]
    return Table(title, heads, rows, note=note, filters=filters)
