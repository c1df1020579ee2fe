"""Covariates of environments, such as rain or temperature: the user's table of numbers."""

import numpy as np
import pandas as pd

from soyfold.common.errors import UserError
from soyfold.common.files import read_sheet_rows
from soyfold.common.logs import log
from soyfold.common.values import parse_numbers


def read_conditions(path):
    """Read the user's table.

    Parameters
    ----------
    path : path-like
        TSV: environment, and a column of numbers for each covariate.

    Returns
    -------
    DataFrame (environments, q) float64
        By environment.

    Raises
    ------
    UserError
        For an unreadable table, no covariate, a cell that is no number, an environment twice or
        without a name.
    """
    table = read_sheet_rows(path, required=("environment",))
    names = [name for name in table.columns if name != "environment"]
    if not names:
        raise UserError("no covariate", file=path, allowed="columns of numbers beside environment",
                        mend="add some, or no cohort.environment_covariates")  # fmt: skip
    lines = pd.Series(table.index, index=table.index)
    twice = table["environment"].duplicated() | table["environment"].isna()
    if twice.any():
        at = lines[twice].iloc[0]
        found = table.loc[at, "environment"]
        found = f"environment {found!r} twice" if isinstance(found, str) else "no environment"
        raise UserError(found, file=path, at=f"line {at}", allowed="a row for each environment",
                        mend="keep one row of each")  # fmt: skip
    for name in names:
        text = table[name].fillna("NA")
        table[name] = parse_numbers(text, lines, file=str(path), column=name)
        if table[name].isna().any():
            at = lines[table[name].isna()].iloc[0]
            raise UserError("no value", file=path, at=f"line {at}, column {name!r}",
                            allowed="a number for each environment", mend="fill it in, or drop"
                            " the column")  # fmt: skip
    return table.set_index("environment")[names].astype(np.float64)


def standardise_conditions(table, environments, file):
    """Covariates of some environments, each with a mean of 0 and a variance of 1 over these.

    Parameters
    ----------
    table : DataFrame
        As of `read_conditions`.
    environments : sequence of str
    file : path-like
        For messages.

    Returns
    -------
    ndarray (environments, q)
        Without the columns that don't vary, which the log names.

    Raises
    ------
    UserError
        For an environment without a row, or where no covariate varies.
    """
    missing = [name for name in environments if name not in table.index]
    if missing:
        raise UserError(
            f"no row for {len(missing)} of {len(environments)} environments: {', '.join(missing)}",
            file=file,
            allowed="a row for each environment that has values",
            mend="add them, or correct the names",
        )
    own = table.loc[list(environments)]
    spread = own.std(ddof=0)
    constant = list(own.columns[spread <= 1e-9 * own.abs().max()])
    kept = own.drop(columns=constant)
    log.info("%d covariates of %d environments; %d rows of others, %d covariates that don't vary"
             " left out: %s", kept.shape[1], len(own), len(table) - len(own), len(constant),
             ", ".join(constant) or "none")  # fmt: skip
    if kept.empty:
        raise UserError("no covariate that varies", file=file, allowed="at least one",
                        mend="other columns, or no cohort.environment_covariates")  # fmt: skip
    return ((kept - kept.mean()) / kept.std(ddof=0)).to_numpy()
