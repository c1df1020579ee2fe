"""Published QTL: read, and named as the study names its traits and chromosomes."""

import re

import numpy as np
import pandas as pd

from soyfold.common.delimited import read_columns
from soyfold.common.errors import UserError
from soyfold.common.values import parse_numbers


def plain_name(name):
    """A trait's name without what its spellings differ in: case, signs, an x before a digit."""
    letters = re.sub(r"[^a-z0-9]", "", name.lower())
    return re.sub(r"^x(?=\d)", "", letters)


def match_traits(published, traits, given, *, file):
    """Which trait of the study each published name means.

    Parameters
    ----------
    published : sequence of str
    traits : sequence of str
        Of the study.
    given : dict of str to str
        Published name to trait, as the study says.
    file : path-like, keyword only
        The published table, for messages.

    Returns
    -------
    DataFrame
        published, trait (None where there is none), how: named (by the study), same, respelt, none.

    Raises
    ------
    UserError
        If the study names a published trait that the table doesn't have.
    """
    published = list(dict.fromkeys(published))
    for name in given:
        if name not in published:
            raise UserError(
                f"published trait {name!r}, which the table doesn't have",
                file=file, at="key interpretation.qtl.traits", allowed=", ".join(published),
            )  # fmt: skip
    plain = {plain_name(trait): trait for trait in traits}
    rows = []
    for name in published:
        if name in given:
            rows.append((name, given[name], "named"))
        elif name in traits:
            rows.append((name, name, "same"))
        else:
            trait = plain.get(plain_name(name))
            rows.append((name, trait, "respelt" if trait else "none"))
    return pd.DataFrame(rows, columns=["published", "trait", "how"])


def read_qtl(settings, chromosomes, traits):
    """Published QTL of the study's traits.

    Parameters
    ----------
    settings : dict
        `interpretation.qtl` of the study: file, trait_column, chromosome_column, position_column,
        traits.
    chromosomes : soyfold.common.chromosomes.Chromosomes
    traits : sequence of str

    Returns
    -------
    qtl : DataFrame
        trait (None where no trait of the study is meant), chromosome (canonical), position (bp).
    names : DataFrame
        published, trait, how, qtl (rows of that name): what `match_traits` says, counted.

    Raises
    ------
    UserError
        For a table without the columns or rows, or a chromosome or position that isn't one.
    """
    file = settings["file"]
    columns = [settings[f"{name}_column"] for name in ("trait", "chromosome", "position")]
    table = read_columns(file, columns).set_axis(["published", "chromosome", "position"], axis=1)
    if table.empty:
        raise UserError("no rows", file=file, allowed="a row for each QTL")
    lines = pd.Series(table.index, index=table.index)
    position = parse_numbers(table["position"], lines, file=file, column=columns[2])
    for line, name, place in zip(lines, table["chromosome"], position, strict=True):
        if name not in chromosomes.aliases:
            raise UserError(
                f"chromosome {name!r}, which no alias knows",
                file=file, at=f"line {line}",
                allowed=f"the names and aliases in {chromosomes.file}",
            )  # fmt: skip
        if place % 1 != 0:
            raise UserError(
                "no position" if np.isnan(place) else f"position {place:g}",
                file=file, at=f"line {line}, column {columns[2]!r}",
                allowed="base pairs, an integer",
            )  # fmt: skip
        chromosomes.refuse_beyond_end(
            chromosomes.aliases[name], int(place), file=file, at=f"line {line}"
        )
    names = match_traits(table["published"], traits, settings["traits"], file=file)
    names["qtl"] = names["published"].map(table["published"].value_counts())
    qtl = pd.DataFrame(
        {
            "trait": table["published"].map(names.set_index("published")["trait"]),
            "chromosome": table["chromosome"].map(chromosomes.aliases),
            "position": position.astype(np.int64),
        }
    )
    return qtl.reset_index(drop=True), names
