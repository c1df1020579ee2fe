"""Covariates of lines, such as sex or batch: the user's table joined with the samples."""

import pandas as pd

from soyfold.cohort.fixed_effects import read_terms
from soyfold.cohort.joins import identify
from soyfold.cohort.phenotypes import fixed_cells
from soyfold.common.delimited import read_columns
from soyfold.common.errors import UserError
from soyfold.common.logs import log

KEY = "key cohort.covariates.columns"
COUNTED = ["column", "status", "lines"]


def read_covariates(path, columns):
    """Read the user's table.

    Parameters
    ----------
    path : path-like
        CSV, TSV or a workbook; its column `sample`, or its first, has the lines.
    columns : sequence of str
        Terms as of `fixed_effects.read_terms`: `sex`, `number(age)`.

    Returns
    -------
    DataFrame
        id, and each term by its name: text, or float64; missing where the cell is.

    Raises
    ------
    UserError
        For an unreadable table, a missing column, or text where a number is wanted.
    """
    terms = read_terms(", ".join(columns), file=path, at=KEY)
    names = [column for term in terms for column in term.columns]
    table = read_columns(path, names, identity=("sample",))
    cells = {
        term.name: fixed_cells(table[list(term.columns)], term, {"file": path}) for term in terms
    }
    return pd.DataFrame({"id": table["id"], **cells})


def _refuse_two_rows(rows, path):
    """Raise where rows of one line say different things; rows that say the same are one."""
    rows = rows.drop_duplicates([name for name in rows.columns if name != "id"])
    twice = rows["sample"].duplicated(keep=False)
    if twice.any():
        first = rows[twice].iloc[0]["sample"]
        own = rows[rows["sample"] == first]
        raise UserError(
            f"rows that differ for {first!r} ({', '.join(own['id'])})", file=path,
            at=f"line {own.index[1]}", allowed="one row for a line",
        )  # fmt: skip
    return rows.set_index("sample").drop(columns="id")


def join_covariates(path, columns, samples, *, prefixes, id_map):
    """Covariates of the lines that passed QC.

    Parameters
    ----------
    path, columns
        As for `read_covariates`; a study without covariates has no columns.
    samples : DataFrame
        sample, kept, reason (`samples.read_samples`).
    prefixes, id_map
        As for `traits.join_trait`.

    Returns
    -------
    table : DataFrame
        sample, then a column for each term, called as it is written (`sex`, `number(age)`);
        missing where nothing is known.
    counts : DataFrame
        column, status (known, no value, no row), lines; a row without a column counts ids that are
        not in the genotypes.

    Raises
    ------
    UserError
        As `read_covariates`; for rows of one line that differ; where no line has a row, and in a
        study without covariates.
    """
    if not columns:
        raise UserError(
            "no covariates", at="key cohort.covariates", allowed="a file, and columns of it"
        )
    given = read_covariates(path, columns)
    terms = [name for name in given.columns if name != "id"]
    identities = identify(given["id"].unique(), samples, prefixes=prefixes, id_map=id_map)
    sample = given["id"].map(identities.set_index("phenotype_id")["sample"])
    rows = _refuse_two_rows(given.assign(sample=sample).dropna(subset="sample"), path)
    kept = samples.loc[samples["kept"], "sample"]
    if not kept.isin(rows.index).any():
        raise UserError(
            f"no row for any of {len(kept)} lines", file=path,
            allowed=f"ids such as {kept.iloc[0]!r}",
            mend="name the column of ids 'sample', or give an id map (cohort.id_map)",
        )  # fmt: skip
    table = rows.reindex(kept)
    there = kept.isin(rows.index).to_numpy()
    counts = [(None, "not in the genotypes", int(sample.isna().sum()))]
    for name in terms:
        known = table[name].notna().to_numpy()
        lines = known.sum(), (there & ~known).sum(), (~there).sum()
        told = dict(zip(("known", "no value", "no row"), map(int, lines), strict=True))
        counts += [(name, status, number) for status, number in told.items()]
        log.info("%s: %s", name, told)
        if not known.all():
            log.warning(
                "WARNING %s: %d of %d lines have no %s: they count as the mean of the others",
                path, (~known).sum(), len(known), name,
            )  # fmt: skip
    return table.reset_index(), pd.DataFrame(counts, columns=COUNTED)
