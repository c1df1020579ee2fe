"""Numbers as text for tables and terminal: so many decimals, and one sign for zero."""

import pandas as pd


def decimals(value, digits=3, *, sign=False, commas=False):
    """A number with so many decimals, no sign where they are all 0; NA where it is missing."""
    if value is None or pd.isna(value):
        return "NA"
    value = round(float(value), digits) + 0.0
    return f"{value:{'+' * bool(sign and value)}{',' * commas}.{digits}f}"


def difference_text(difference, low, high, digits=3):
    """`+0.030 [-0.059, +0.118]`: a difference, and its interval where it has one."""
    text = decimals(difference, digits, sign=True)
    if pd.isna(difference) or pd.isna(low):
        return text
    return f"{text} [{decimals(low, digits, sign=True)}, {decimals(high, digits, sign=True)}]"
