"""Germplasm accession ids: one key for every way of writing the same accession.

Gene banks, chips and spreadsheets write `PI 54613`, `PI054613`, `pi_54613`. The key is the triple
(prefix, integer, suffix); a suffix is part of the accession (`PI 417479 A` and `PI 417479 B` are
two lines) and is never dropped.
"""

import re

import pandas as pd

_SPACES = r"[\s_]*"  # PLINK turns the spaces of VCF sample names into underscores


def _pattern(prefixes):
    alternatives = "|".join(map(re.escape, sorted(prefixes, key=len, reverse=True)))
    return (
        rf"^{_SPACES}(?P<prefix>{alternatives}){_SPACES}0*(?P<number>[0-9]+)"
        rf"{_SPACES}(?P<suffix>(?:-{_SPACES})?[A-Za-z0-9].*?)?{_SPACES}$"
    )


def split_accessions(ids, prefixes):
    """Split accession ids into prefix, number and suffix.

    Parameters
    ----------
    ids : sequence of str, length n
        Ids as written. Blanks and underscores between the parts, zeros before the number and
        the case of letters mean nothing; so does the dash before a suffix (`PI407999-1`,
        `PI 407999 1`).
    prefixes : sequence of str
        Only ids that start with one of these are accessions.

    Returns
    -------
    DataFrame (n rows)
        prefix, number (decimal text without leading zeros), suffix ("" where there is none);
        all three missing where the id is no accession.
    """
    ids = pd.Series(ids, dtype=object).reset_index(drop=True)
    if not prefixes:
        return pd.DataFrame(index=ids.index, columns=["prefix", "number", "suffix"], dtype=object)
    parts = ids.str.extract(_pattern(prefixes), flags=re.IGNORECASE)
    parts["prefix"] = parts["prefix"].str.upper()
    suffix = (
        parts["suffix"].str.upper().str.replace(r"[\s_]+", "", regex=True).str.removeprefix("-")
    )
    parts["suffix"] = suffix.where(parts["prefix"].isna() | suffix.notna(), "")
    return parts


def accession_keys(ids, prefixes):
    """Canonical key of each id.

    Parameters
    ----------
    ids : sequence of str, length n
    prefixes : sequence of str
        Prefixes of accessions; all other ids are their own key, stripped of outer blanks.

    Returns
    -------
    Series of str, length n
        `PI 54613`, `PI 417479 B`, `DS11-02002`. A key is its own key.
    """
    ids = pd.Series(ids, dtype=object).reset_index(drop=True)
    parts = split_accessions(ids, prefixes)
    text = (parts["prefix"] + " " + parts["number"] + " " + parts["suffix"]).str.strip()
    return text.where(parts["prefix"].notna(), ids.str.strip()).astype(object)
