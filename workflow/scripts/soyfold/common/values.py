"""Cells as numbers: marks and codes for a missing value, decimal marks, per cents, labels."""

import re
from collections import Counter

import numpy as np
import pandas as pd

from soyfold.common.errors import UserError
from soyfold.common.logs import log

# Cells that say in every program that there is no value.
MISSING = frozenset(
    {"", "na", "nan", ".", "n/a", "#n/a", "#na", "null", "missing", "-", "--", "*"}
)  # fmt: skip
NO_MARKS = "none"  # in the column `missing` of the traits sheet: every number is a value
_DIGITS = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_NUMBER = rf"[+-]?{_DIGITS}"
# GRIN shows a class as its number and its label: `2 - Slight`. 3 - 4 is none.
_LABELLED = rf"({_NUMBER})\s*[-:=\u2013\u2014]\s*([^\W\d].*)"
_THOUSANDS = r"[+-]?[0-9]{1,3}(?:[,.' \u00a0\u2009\u202f][0-9]{3})+"
# Numbers that programs and people write for a missing value: -9, 99, -999, ...
CODES = frozenset(sign * float("9" * n) for n in range(1, 7) for sign in (1, -1)) | {-1.0}
FEWEST_BESIDE = 5  # different values, without which nothing says that a code is none of them
APART_SHARE = 0.1  # of the values, at most, may stand apart from all others
SHOWN = 5  # cells that a message shows


def is_missing(text):
    """Which cells of a text Series say that there is no value (NA, NULL, #N/A, '.', '-', blank)."""
    return text.str.lower().isin(MISSING)


def read_marks(missing, decimal="."):
    """Marks of a missing value that a trait declares.

    Parameters
    ----------
    missing : str or None
        Cell `missing` of the traits sheet: `-9, n.d.`; `none` declares that there are none.
    decimal : str

    Returns
    -------
    texts : set of str
        In lower case.
    numbers : set of float
    """
    marks = [mark.strip().lower() for mark in (missing or "").split(",")]
    texts = {mark for mark in marks if mark}
    bare = {mark.replace(decimal, ".") for mark in texts}
    return texts, {float(mark) for mark in bare if re.fullmatch(_NUMBER, mark)}


def read_codes(codes, **where):
    """Numbers that a trait's texts stand for.

    Parameters
    ----------
    codes : str or None
        Cell `codes` of the traits sheet: `resistant=0, susceptible=1`.
    **where
        `file` and `at`, for messages.

    Returns
    -------
    dict of str to float

    Raises
    ------
    UserError
        For what is no text = number, or a text that stands for two numbers.
    """
    found = {}
    for part in (codes or "").split(",") if codes else ():
        text, sign, number = (piece.strip() for piece in part.rpartition("="))
        if not text or not sign or not re.fullmatch(_NUMBER, number) or text in found:
            raise UserError(
                f"{part.strip()!r} in codes {codes!r}", **where,
                allowed="text=number by commas, each text once: resistant=0, susceptible=1",
            )  # fmt: skip
        found[text] = float(number)
    return found


def write_codes(text, codes, decimal="."):
    """Cells with the numbers that they stand for in place of texts.

    Parameters
    ----------
    text : Series of str, length n
        Stripped cells.
    codes : dict of str to float
        By text, whatever its case is; where two differ in case alone (`P=1, p=0`), as it stands.
    decimal : str
        `.` or `,`.

    Returns
    -------
    Series of str, length n
        Cells that are no code's text stay.
    """
    numbers = {name: f"{code:g}".replace(".", decimal) for name, code in codes.items()}
    times = Counter(name.casefold() for name in codes)
    anyhow = {name.casefold(): n for name, n in numbers.items() if times[name.casefold()] == 1}
    found = text.map(numbers).fillna(text.str.casefold().map(anyhow))
    return found.fillna(text)


def parse_numbers(text, lines, *, file, column, decimal=".", missing=None, unit=None):
    """Turn cells into numbers.

    Parameters
    ----------
    text : Series of str, length n
        Stripped cells.
    lines : Series of int, length n
        Their lines in the file, for the message.
    file, column : str
        Where they come from.
    decimal : str
        `.` or `,`.
    missing : str, optional
        Further marks of a missing value (`read_marks`).
    unit : str, optional
        Of the values: in `%`, or without a unit, a column whose cells all bear a per cent sign is
        read.

    Returns
    -------
    Series of float64, length n
        NaN where the cell says that there's no value. Numbers before a label (`2 - Slight`) are
        read where each label has one number and each number one label; the log warns of them.

    Raises
    ------
    UserError
        For cells that are no finite numbers: the first with its line, the different ones with
        their counts.
    """
    text = text.str.replace("\u2212", "-")  # the minus sign of typesetters
    texts, numbers = read_marks(missing, decimal)
    absent = is_missing(text) | text.str.lower().isin(texts)
    pattern = _NUMBER.replace(r"\.", re.escape(decimal))
    numeric = text.str.fullmatch(pattern).astype(bool)
    bare = text
    if not (numeric | absent).all():
        bare = _without_percent(text, absent, unit)
        bare = _without_labels(bare, absent, decimal, f"{file}, column {column!r}")
        numeric = bare.str.fullmatch(pattern).astype(bool)
    values = bare.where(numeric, np.nan).str.replace(decimal, ".", regex=False).astype(np.float64)
    bad = ~absent & ~(numeric & np.isfinite(values))
    if bad.any():
        raise UserError(
            _tell_cells(text[bad]),
            file=file,
            at=f"line {lines[bad].iloc[0]}, column {column!r}",
            allowed="finite numbers; for missing NA, NaN, N/A, #N/A, NULL, missing, '.', '-', '*',"
            " blank",
            mend=_mend(text[bad], text[numeric], decimal),
        )
    return values.mask(values.isin(numbers))


def _without_percent(text, absent, unit):
    """Cells without their per cent sign, where all that hold a value have it and it is the unit."""
    signed = text.str.fullmatch(r".*[0-9.]\s*%").astype(bool)
    if signed.any() and (signed | absent).all() and unit in (None, "%"):
        return text.str.removesuffix("%").str.rstrip()
    return text


def _without_labels(text, absent, decimal, where):
    """Cells whose label is left out, where number and label go together one to one."""
    parts = text[~absent].str.extract(_LABELLED.replace(r"\.", re.escape(decimal)))
    parts = parts.dropna().set_axis(["number", "label"], axis=1)
    pairs = parts.drop_duplicates()
    if parts.empty or pairs["number"].duplicated().any() or pairs["label"].duplicated().any():
        return text
    log.warning(
        "WARNING %s: %d cells such as %r are read as the number before their label",
        where, len(parts), text[parts.index[0]],
    )  # fmt: skip
    return pd.concat([text.drop(parts.index), parts["number"]]).reindex(text.index)


def _tell_cells(cells):
    """The different cells with their counts, the first of them in front."""
    counts = cells.value_counts().reindex(cells.unique())
    told = ", ".join(f"{cell!r} ({n})" for cell, n in counts.head(SHOWN).items())
    more = f" and {len(counts) - SHOWN} others" if len(counts) > SHOWN else ""
    return f"{told}{more} (cells of the column that are no numbers: {len(cells)})"


def _mend(cells, numbers, decimal):
    """How to mend cells that are no numbers, so that whoever does it gets right values.

    Three digits behind a mark are thousands (1,234) or decimals: only other cells can tell.
    """
    first, other = cells.iloc[0], {".": ",", ",": "."}[decimal]
    if first.startswith("="):
        return "the formula has no stored value: open the workbook in Excel or LibreOffice, save it"
    grouped = cells.str.fullmatch(_THOUSANDS).astype(bool)
    marked = cells.str.fullmatch(rf"[+-]?[0-9]*{re.escape(other)}[0-9]+").astype(bool)
    declare = f"or {other!r} in the column decimal of the traits sheet"
    if marked.iloc[0] and not grouped[marked].all():
        one = cells[marked & ~grouped].iloc[0]
        point = {".": "point", ",": "comma"}[decimal]
        return f"write {one.replace(other, decimal)}, with a decimal {point}, {declare}"
    if grouped.iloc[0]:
        plain = re.sub("[^0-9+-]", "", first)
        if not marked.iloc[0] or numbers.str.contains(decimal, regex=False).any():
            return f"write {plain}, without marks between thousands"
        return (
            f"write {plain} if the mark stands between thousands; if it is a decimal mark,"
            f" {first.replace(other, decimal)}, {declare}"
        )
    if re.match(_NUMBER, first):
        return (
            "write the number alone, all in one unit; name texts that mean no value in the column"
            " missing of the traits sheet"
        )
    return (
        "give classes numbers, correct the cells; name those that mean no value in the column"
        " missing of the traits sheet"
    )


def refuse_codes(values, *, file, column, missing=None):
    """Raise for numbers that look like codes of a missing value; warn of others that stand apart.

    A code (-9, 99, -999, -1, ...) lies farther from all other values than these from each other;
    two cells of it, half as far; and below 0, where no other value is.

    Parameters
    ----------
    values : Series of float
        With NaN where missing.
    file, column : str
        Where they come from.
    missing : str, optional
        Cell `missing` of the traits sheet; `none` in it switches this off.
    """
    values = values.dropna()
    others = values[~values.isin(CODES)]
    if NO_MARKS in read_marks(missing)[0] or others.nunique() < FEWEST_BESIDE:
        return
    low, high = others.min(), others.max()
    counts = values[values.isin(CODES)].value_counts().sort_index()
    gaps = {code: max(low - code, code - high) for code in counts.index}
    found = {
        code: n
        for code, n in counts.items()
        if gaps[code] * min(n, 2) > high - low or (code <= -9 and low >= 0)
    }
    if found:
        told = ", ".join(f"{code:g} in {n} cells" for code, n in found.items())
        marks = ", ".join(f"{code:g}" for code in found)
        raise UserError(
            f"{told}, where all others lie between {low:g} and {high:g}",
            file=file,
            at=f"column {column!r}",
            allowed="values; codes of a missing value where the column missing of the traits sheet"
            " has them",
            mend=f"write {marks} in that column, or {NO_MARKS} if they are values",
        )
    _warn_apart(values, f"{file}, column {column!r}")


def _warn_apart(values, where):
    """Warn of a few values that are farther from all others than these from each other."""
    value, count = np.unique(values, return_counts=True)
    if len(value) <= FEWEST_BESIDE:
        return
    below = np.cumsum(count)[:-1]
    few = np.minimum(below, len(values) - below)
    rest = np.where(few == below, value[-1] - value[1:], value[:-1] - value[0])
    distinct = np.where(few == below, len(value) - 1 - np.arange(len(few)), np.arange(len(few)) + 1)
    apart = (np.diff(value) > rest) & (few <= APART_SHARE * len(values))
    apart &= distinct >= FEWEST_BESIDE
    if apart.any():
        k = int(np.argmax(apart))
        lower = few[k] == below[k]
        odd, most = (value[: k + 1], value[k + 1 :]) if lower else (value[k + 1 :], value[: k + 1])
        log.warning(
            "WARNING %s: %d values (%s) stand apart from all others (%g to %g): wrong cells, or a"
            " code that belongs in the column missing of the traits sheet",
            where, few[k], ", ".join(f"{v:g}" for v in odd[:SHOWN]), most[0], most[-1],
        )  # fmt: skip
