"""Phenotypes of a BrAPI 2 server (/observations) as a table of records."""

import re
from pathlib import Path

import pandas as pd

from soyfold.common.brapi import Server, read_token, refuse
from soyfold.common.errors import UserError
from soyfold.common.files import write_table
from soyfold.common.logs import log
from soyfold.common.values import is_missing

ID, VALUE = "germplasmName", "value"
VARIABLE = ("observationVariableName", "observationVariableDbId")
COLUMNS = (
    ID, "germplasmDbId", "studyDbId", "season", "environment", "observationUnitDbId",
    "observationUnitName", "observationTimeStamp", *VARIABLE, VALUE,
)  # fmt: skip
NEEDED = ("observationVariableDbId", VALUE)


def fetch_observations(url, *, token_env=None, path, **how):
    """Write all observations that a server has for a URL, a row each.

    Blanks in germplasmName become `_`, as in the samples of genotypes; `environment` is studyDbId
    and season.

    Parameters
    ----------
    url : str
        As `brapi.split_url` takes it, mostly with studyDbId.
    token_env : str, optional
        Environment variable of the token.
    path : path-like
        Table of `COLUMNS` as text.
    **how
        As `brapi.Server` takes it.

    Raises
    ------
    UserError
        If the server can't be reached, its answers don't go together, or it has no observation.
    """
    folder = Path(f"{path}.pages")
    with Server(url, token=read_token(token_env), folder=folder, **how) as server:
        table = pd.DataFrame(_read_records(server, url), columns=list(COLUMNS), dtype=object)
        for (name, key), count in table.groupby([*VARIABLE], dropna=False).size().items():
            log.info("%s: %d observations of %s (%s)", url, count, name, key)
        write_table(table, path)


def _read_records(server, url):
    """Cells of each observation."""
    records, known = [], set()
    where = f"{server.base}/observations"
    for rows in server.pages("observations"):
        for row in rows:
            lacking = [key for key in NEEDED if key not in row]
            if lacking or not (row.get(ID) or row.get("germplasmDbId")):
                refuse(f"an observation without {', '.join(lacking) or ID}", where)
            one = row.get("observationDbId")
            if one is not None and one in known:
                refuse(f"observationDbId {one!r} twice", where)
            known.add(one)
            records.append(_record(row))
    if not records:
        raise UserError(
            "no observation", file=url, allowed="at least one",
            mend="see that studyDbId and the other parts of the query are ones the server has",
        )  # fmt: skip
    return records


def _record(row):
    """Cells of an observation as text on one line each; None where there is nothing."""
    season = row.get("season")
    if isinstance(season, dict):
        season = season.get("seasonDbId") or " ".join(
            str(season[key]) for key in ("year", "seasonName", "season") if season.get(key)
        )
    told = {**row, "season": season}
    told[ID] = re.sub(r"\s+", "_", str(row.get(ID) or row["germplasmDbId"]).strip())
    parts = [str(told[key]) for key in ("studyDbId", "season") if told.get(key)]
    told["environment"] = " ".join(parts)
    cells = (told.get(name) for name in COLUMNS)
    return [None if cell in (None, "") else " ".join(str(cell).split()) for cell in cells]


def choose_variable(table, row):
    """Records of the variable that a trait's row names, by name or id.

    Parameters
    ----------
    table : DataFrame
        Columns `VARIABLE` and `VALUE`, as text.
    row : dict
        The trait's row.

    Raises
    ------
    UserError
        If there is none, or several by that name.
    """
    wanted = row["value_column"]
    for name in reversed(VARIABLE):  # an id is one variable's, a name may be several ones'
        chosen = table[table[name] == wanted]
        if len(chosen):
            break
    keys = chosen[VARIABLE[1]].unique()
    if len(keys) == 1:
        return chosen
    there = table[[*VARIABLE]].drop_duplicates()
    shown = ", ".join(
        key if is_missing(pd.Series([name]))[0] else f"{name} ({key})"
        for name, key in there.itertuples(index=False)
    )
    raise UserError(
        f"{'several variables' if len(keys) else 'no variable'} {wanted!r}",
        file=row["file"], at=f"trait {row['trait']}, value_column",
        allowed=f"an observationVariableDbId or observationVariableName: {shown}",
    )  # fmt: skip
