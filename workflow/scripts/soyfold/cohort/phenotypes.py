"""Phenotype records from gene-bank downloads, wide tables and plot tables."""

import pandas as pd

from soyfold.cohort import brapi
from soyfold.cohort.fixed_effects import PREFIX, read_terms
from soyfold.common.brapi import FORMAT
from soyfold.common.delimited import read_columns
from soyfold.common.errors import UserError
from soyfold.common.logs import log
from soyfold.common.values import (
    is_missing,
    parse_numbers,
    read_codes,
    read_marks,
    refuse_codes,
    write_codes,
)

ACCESSION_COLUMNS = ("accession_prefix", "accession_number", "accession_suffix")
DESCRIPTOR_COLUMN = "descriptor_name"
WIDE_ID_COLUMNS = ("Plant ID",)
CROSSED = " x "  # between the levels of crossed factors
STANDARDISED = "sd"  # a unit that environments whose own units differ have in common
SEVERAL_READINGS = ("npgs_descriptor", "npgs_wide")  # in a cell, with semicolons


def _join_accession(table):
    """Accession ids `PI 417479 B` from the three columns of a descriptor download."""
    parts = [
        table[name].where(~is_missing(table[name]), "").rename(None) for name in ACCESSION_COLUMNS
    ]
    return (parts[0] + " " + parts[1] + " " + parts[2]).str.strip()


def _refuse_mixed_descriptors(table, path):
    """A descriptor download holds one trait; with two, their values would be averaged."""
    found = sorted(set(table.get(DESCRIPTOR_COLUMN, ())) - {""})
    if len(found) > 1:
        raise UserError(
            f"{len(found)} descriptors ({', '.join(found[:5])})",
            file=path,
            at=f"column {DESCRIPTOR_COLUMN!r}",
            allowed="one descriptor in a file",
            mend="download each descriptor by itself, or split the file",
        )


def terms_of(row):
    """The fixed effects of a trait (`fixed_effects.read_terms`)."""
    return read_terms(row.get("fixed"), file=row["file"], at=f"trait {row['trait']}")


def _read_table(row, most):
    """Table of a trait's columns, and the Series of ids in it."""
    path, value = row["file"], row["value_column"]
    more = ("environment_column", "unit_column")
    wanted = [value, *(row[name] for name in more if row.get(name))]
    wanted += [column for term in terms_of(row) for column in term.columns]
    if row["format"] == FORMAT:
        return _read_observations(row, wanted[1:], most)
    how = {"sheet": row.get("sheet"), "decimal": row.get("decimal") or ".", "most": most}
    if row["format"] == "npgs_descriptor" and not row.get("id_column"):
        names = [*ACCESSION_COLUMNS, *wanted]
        table = read_columns(path, names, optional=[DESCRIPTOR_COLUMN], **how)
        _refuse_mixed_descriptors(table, path)
        return table, _join_accession(table)
    if row.get("id_column"):
        table = read_columns(path, [row["id_column"], *wanted], **how)
        return table, table[row["id_column"]]
    if row["format"] == "plots":
        raise UserError(
            "no id_column", file=path, at=f"trait {row['trait']}",
            allowed="the column of line ids of a plot table", mend="name it in the traits sheet",
        )  # fmt: skip
    table = read_columns(path, wanted, identity=WIDE_ID_COLUMNS, **how)
    return table, table["id"]


def _read_observations(row, beside, most):
    """The same of what was fetched from a server: records of one variable among others."""
    name, value = row.get("id_column") or brapi.ID, row["value_column"]
    whole = read_columns(row["file"], [name, *brapi.VARIABLE, brapi.VALUE, *beside], most=most)
    table = brapi.choose_variable(whole, row).rename(columns={brapi.VALUE: value})
    table.attrs = whole.attrs
    return table, table[name]


def _refuse_other_units(row, table):
    """Raise where the file's units, in its header or a column, differ or aren't the sheet's."""
    column, wanted = row["value_column"], row.get("unit")
    found = {column: table.attrs["units"].get(column)}
    if row.get("unit_column"):
        column = row["unit_column"]
        there = table.loc[~is_missing(table[row["value_column"]]) & ~is_missing(table[column])]
        units = there[column].value_counts()
        if len(units) > 1:
            raise UserError(
                "several units: " + ", ".join(f"{unit} ({n} rows)" for unit, n in units.items()),
                file=row["file"],
                at=f"column {column!r}",
                allowed="one unit for a trait",
                mend="convert the values to one unit, or split the file",
            )
        found[column] = units.index[0] if len(units) else None
    for column, unit in found.items():
        if wanted and unit and _bare(unit) != _bare(wanted):
            raise UserError(
                f"the unit {unit!r}",
                file=row["file"],
                at=f"column {column!r}",
                allowed=f"{wanted!r}, the unit of trait {row['trait']} in the traits sheet",
                mend="correct the unit there, or convert the values",
            )


def _refuse_merged_values(row, table):
    """A line's or an environment's merged cell is that of all its rows; a value's is of one."""
    place = table.attrs["merged"].get(row["value_column"])
    if place:
        raise UserError(
            f"merged cells, {place} first",
            file=row["file"],
            at=f"column {row['value_column']!r}",
            allowed="merged cells of ids and environments",
            mend="unmerge them, and write each value into its own row",
        )


def _bare(unit):
    return "".join(unit.lower().split())


def _read_text(row, most):
    """Cells of a trait's columns as text: id, value, environment (if named), line, `fixed <term>`.

    And whether all rows were read.
    """
    table, ids = _read_table(row, most)
    _refuse_other_units(row, table)
    _refuse_merged_values(row, table)
    environment = row.get("environment_column")
    records = pd.DataFrame(
        {
            "id": ids,
            "text": table[row["value_column"]],
            "environment": table[environment] if environment else None,
            "line": table.index,
        }
    )
    for term in terms_of(row):
        records[PREFIX + term.name] = fixed_cells(table[list(term.columns)], term, row)
    return records.reset_index(drop=True), table.attrs["whole"]


def _refuse_third_values(records, row):
    """Raise where a binary trait has other values than 0 and 1."""
    odd = records[records["value"].notna() & ~records["value"].isin([0, 1])]
    if len(odd):
        counts = odd["value"].value_counts().head(5)
        raise UserError(
            ", ".join(f"{value:g} ({n} cells)" for value, n in counts.items()),
            file=row["file"], at=f"line {odd['line'].iloc[0]}, column {row['value_column']!r}",
            allowed=f"0 and 1 of trait {row['trait']}, which is binary",
            mend="write which is 0 and which 1 in the column codes of the traits sheet"
            " (susceptible=0, resistant=1), or kind: ordinal",
        )  # fmt: skip


def fixed_cells(cells, term, row):
    """A fixed effect's values: a factor's levels as text, None where missing; or numbers.

    `cells` are its columns, by the line in the file; `row` has file and, each may be absent,
    decimal and missing.
    """
    if term.number:
        column = term.columns[0]
        where = {"file": row["file"], "column": column, "missing": row.get("missing")}
        lines = pd.Series(cells.index, index=cells.index)
        return parse_numbers(cells[column], lines, decimal=row.get("decimal") or ".", **where)
    marks, _ = read_marks(row.get("missing"), row.get("decimal") or ".")
    absent = cells.apply(lambda text: is_missing(text) | text.str.lower().isin(marks)).any(axis=1)
    return cells.agg(CROSSED.join, axis=1).where(~absent, None)


def read_records(row, *, most=None):
    """Read all phenotype records of a trait.

    Parameters
    ----------
    row : dict
        The trait's row of the traits sheet: trait, file, format, value_column and, each may be
        None, id_column, environment_column, unit, unit_column, sheet, decimal, missing, fixed,
        codes, kind. Formats:
        `brapi` (a table that `brapi.fetch_observations` wrote, value_column the variable),
        `npgs_descriptor` (GRIN-Global download: title lines, accession_prefix, accession_number,
        accession_suffix), `npgs_wide` (a line per row, a trait per column; the id column is
        `Plant ID` or the first if none is named), `plots` (a plot per row). In the first two a
        cell may hold several readings with `;`. With environment_columns, by tabs, the values
        stand in these columns, each of which is an environment; of the unit `sd` each is
        standardised by itself.
    most : int, optional
        Read no more than so many rows of the table.

    Returns
    -------
    DataFrame
        One row per record: id (None where blank), value (float64, trait units, NaN if missing),
        environment (text, None where the trait has no environment_column), line (int, in the
        file), and `fixed <term>` for each fixed effect (a factor's level as text, or float64;
        missing where the cell is).

    Raises
    ------
    UserError
        For an unreadable table, a missing column, text, merged cells or codes of a missing value
        in the value column, units that differ or aren't the sheet's, or a value without an
        environment.
    """
    if row.get("environment_columns"):
        return _read_environments(row, most)
    records, whole = _read_text(row, most)
    if row["format"] in SEVERAL_READINGS:
        records["text"] = records["text"].str.split(";")
        records = records.explode("text", ignore_index=True)
        records["text"] = records["text"].str.strip()
    where = {"file": row["file"], "column": row["value_column"], "missing": row.get("missing")}
    decimal = row.get("decimal") or "."
    if row.get("codes"):
        codes = read_codes(row["codes"], file=row["file"], at=f"trait {row['trait']}")
        records["text"] = write_codes(records["text"], codes, decimal)
    records["value"] = parse_numbers(
        records["text"], records["line"], decimal=decimal, unit=row.get("unit"), **where
    )
    if whole:  # what stands apart shows among all values alone
        refuse_codes(records["value"], **where)
    absent = records.loc[records["value"].isna() & (records["text"] != ""), "text"]
    if len(absent):
        counts = ", ".join(f"{text!r} ({n})" for text, n in absent.value_counts().items())
        log.info("%s: taken as missing: %s", row["trait"], counts)
    if row.get("kind") == "binary":
        _refuse_third_values(records, row)
    if row.get("environment_column"):
        placeless = records["value"].notna() & is_missing(records["environment"])
        if placeless.any():
            raise UserError(
                f"values without an environment: {int(placeless.sum())}",
                file=row["file"],
                at=f"line {records.loc[placeless, 'line'].iloc[0]},"
                f" column {row['environment_column']!r}",
                allowed="an environment for every value",
                mend="fill in the environments, or leave environment_column NA for plain means",
            )
    records["id"] = records["id"].where(~is_missing(records["id"]), None)
    fixed = [name for name in records.columns if name.startswith(PREFIX)]
    return records[["id", "value", "environment", "line", *fixed]]


def _read_environments(row, most):
    """Records of a trait whose columns are its environments."""
    tables = []
    for name in row["environment_columns"].split("\t"):
        one = {"value_column": name, "environment_columns": None, "environment_column": None}
        if row.get("unit") == STANDARDISED:
            one["unit"] = None
        table = read_records(row | one, most=most).assign(environment=name)
        if row.get("unit") == STANDARDISED:
            spread = table["value"].std(ddof=0)
            if not spread > 0:
                raise UserError("values that don't differ", file=row["file"],
                                at=f"trait {row['trait']}, column {name!r}",
                                allowed="some spread", mend="leave the column out")  # fmt: skip
            table["value"] = (table["value"] - table["value"].mean()) / spread
        tables.append(table)
    return pd.concat(tables, ignore_index=True)
