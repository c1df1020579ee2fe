"""Families of lines: read off their names, or from the user's table."""

import re

import pandas as pd

from soyfold.common.errors import UserError
from soyfold.common.files import read_sheet_rows


def check_pattern(pattern, *, file):
    """Refuse a pattern that reads no family.

    Parameters
    ----------
    pattern : str
        Regular expression.
    file : str
        The study file, for messages.

    Raises
    ------
    UserError
        If it is no regular expression, or has other than one group.
    """
    allowed = "a regular expression with one group, such as '^DS11-(\\d\\d)'"
    where = {"file": file, "at": "key cohort.families.pattern"}
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise UserError(f"{pattern!r} ({error})", allowed=allowed, **where) from None
    if groups != 1:
        raise UserError(f"{groups} groups in {pattern!r}", allowed=allowed, **where)


def read_families(path):
    """Family by sample, from the user's table."""
    table = read_sheet_rows(path, required=("sample", "family"))
    named = table.dropna(subset="sample")
    repeated = named["sample"].duplicated()
    if repeated.any():
        raise UserError(
            f"the sample {named['sample'][repeated].iloc[0]!r} twice",
            file=path,
            at=f"line {named.index[repeated][0]}",
            allowed="each sample once",
        )
    return named.set_index("sample")["family"]


def find_families(samples, *, pattern=None, file=None):
    """Family of each sample, where it has one.

    Parameters
    ----------
    samples : sequence of str, length n
    pattern : str, optional, keyword only
        Regular expression whose one group, searched for in a sample's name, is its family.
    file : path-like, optional, keyword only
        TSV with the columns sample, family; samples that it lacks, such as parents and checks, and
        those with NA are in no family.

    Returns
    -------
    Series (n,) of str
        Missing for a sample of no family.

    Raises
    ------
    UserError
        If the table names a sample twice.
    """
    samples = pd.Series(samples, dtype=object)
    if pattern is None:
        return samples.map(read_families(file))
    family = samples.str.extract(pattern, expand=False)
    return family.mask(family == "")


def name_families(samples, *, pattern=None, file=None):
    """`find_families` of samples that can't all be of none.

    Raises
    ------
    UserError
        If the study says nothing of families, no sample has one, or the table names one twice.
    """
    if pattern is None and file is None:
        raise UserError(
            "no families", at="key cohort.families", allowed="a pattern, or a file of families"
        )
    samples = pd.Series(samples, dtype=object)
    family = find_families(samples, pattern=pattern, file=file)
    where = {"file": file} if pattern is None else {"at": "key cohort.families.pattern"}
    if not family.notna().any():
        examples = ", ".join(map(repr, samples.head(3)))
        raise UserError(
            f"no family for any of {len(samples)} samples",
            allowed=f"families of sample names such as {examples}",
            **where,
        )
    return family
