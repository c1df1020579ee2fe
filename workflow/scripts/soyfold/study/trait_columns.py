"""Rows of the traits sheet that stand for several columns of a table, as a row for each."""

import re
from fnmatch import fnmatchcase
from pathlib import Path

from soyfold.cohort.fixed_effects import read_terms
from soyfold.cohort.phenotypes import WIDE_ID_COLUMNS
from soyfold.common.brapi import FORMAT
from soyfold.common.delimited import find_columns
from soyfold.common.errors import UserError
from soyfold.common.schema import nearest
from soyfold.common.values import read_codes
from soyfold.study.settings import expand_path, read_sheet

_SIGNS = re.compile(r"[^A-Za-z0-9_.-]+")
BESIDE = ("id_column", "environment_column", "unit_column")


def read_traits(path, schemas):
    """Read the traits sheet: a row for each trait, where it has `columns` for each of those.

    Parameters
    ----------
    path, schemas : path-like

    Returns
    -------
    dict of str to dict
        Rows by trait. A row that came from `columns` is what it would be if it stood alone.

    Raises
    ------
    UserError
        As `settings.read_sheet`; for a pattern that no column fits, a column that isn't there or
        is named twice, or a name for several traits.
    """
    schema = Path(schemas) / "traits.schema.yaml"
    return read_sheet(path, schema, key="trait", expand=expand_columns)


def name_fixed(traits, cohort, *, file):
    """Give traits whose row names no fixed effects those of the study.

    Parameters
    ----------
    traits : dict of str to dict
        Rows by trait; changed.
    cohort : dict
        That section of the study: `traits`, the sheet, and `fixed`.
    file : str, keyword only
        The study file, for messages.

    Raises
    ------
    UserError
        As `fixed_effects.read_terms`.
    """
    shared = ", ".join(cohort["fixed"])
    read_terms(shared, file=file, at="key cohort.fixed")
    for trait, row in traits.items():
        where = {"file": cohort["traits"], "at": f"trait {trait}"}
        read_terms(row["fixed"], **where)
        read_codes(row["codes"], **where)
        row["fixed"] = row["fixed"] or shared or None


def expand_columns(row, **where):
    """A row as it stands, or one for each column that its `columns` names.

    Parameters
    ----------
    row : dict
        As it was read, unchecked.
    **where
        `file` and `at` of the row, for messages.
    """
    if row.get("environment_columns"):
        return [_of_environments(row, where)]
    parts = _parts(row.get("columns"))
    if not parts:
        return [row]
    if row.get("value_column"):
        raise UserError("columns beside value_column", allowed="one of them, NA for the other",
                        **where)  # fmt: skip
    if row.get("format") == FORMAT:
        raise UserError("columns of a server", allowed="value_column: a row for each variable",
                        **where)  # fmt: skip
    name = row.get("trait")
    if name and "*" not in name:
        raise UserError(
            f"trait {name!r} for the columns {row['columns']!r}", **where,
            allowed="NA, which names each trait by its column; or a name with a *, in whose place"
            " stands what the pattern's * fits, or the column's name",
        )  # fmt: skip
    return [
        row | {"columns": None, "value_column": column, "trait": _named(name, column, part)}
        for column, part in _chosen(parts, row, where).items()
    ]


def _parts(names):
    """Names and patterns of columns, which stand between commas."""
    return [part.strip() for part in (names or "").split(",") if part.strip()]


def _of_environments(row, where):
    """A trait whose columns are its environments, with these written out, by tabs."""
    beside = [key for key in ("value_column", "columns", "environment_column") if row.get(key)]
    if beside or row.get("format") == FORMAT or not row.get("trait"):
        found = f"environment_columns with {beside[0]}" if beside else (
            "environment_columns without a trait's name" if not row.get("trait")
            else "environment_columns of a server"
        )  # fmt: skip
        raise UserError(found, allowed="a trait's name, and NA for value_column, columns and"
                        " environment_column; format npgs_wide or plots", **where)  # fmt: skip
    pattern = row["environment_columns"]
    names = list(_chosen(_parts(pattern), row, where, key="environment_columns"))
    if len(names) < 2:
        raise UserError(f"one column, {names[0]!r}", allowed="at least two environments", **where)
    return row | {
        "environment_columns": "\t".join(names),
        "value_column": names[0],
        "environment_column": pattern,
    }


def _chosen(parts, row, where, *, key="columns"):
    """The part that chose it by column, in the order of the sheet."""
    own = [row[key] for key in BESIDE if row.get(key)]

    def fitting(cells):
        ids = own if row.get("id_column") else [*own, *WIDE_ID_COLUMNS, *cells[:1]]
        values = [cell for cell in dict.fromkeys(cells) if cell and cell not in ids]
        return {part: [cell for cell in values if fnmatchcase(cell, part)] for part in parts}

    def fits(cells):
        return all(name in cells for name in own) * sum(map(len, fitting(cells).values()))

    there = find_columns(expand_path(row["file"]), fits, sheet=row.get("sheet"))
    chosen = {}
    for part, columns in fitting(there).items():
        if not columns:
            kind = "no column that fits" if "*" in part or "?" in part else "no column"
            raise UserError(
                f"{kind} {part!r} in {row['file']}", **where,
                allowed=", ".join(cell for cell in there if cell), mend=nearest(part, there),
            )  # fmt: skip
        for column in columns:
            if column in chosen or parts.count(part) > 1:
                raise UserError(f"the column {column!r} twice in {key} {row[key]!r}",
                                allowed="each once", **where)  # fmt: skip
            chosen[column] = part
    return chosen


def _named(name, column, part):
    """The trait's name: signs that no folder has become `_`."""
    if name and part.count("*") == 1:
        front, _, back = part.partition("*")
        column = column[len(front) : len(column) - len(back)]
    return _SIGNS.sub("_", (name or "*").replace("*", column)).strip("_")
