"""What selection would have gained on lines that the models had not seen."""

import numpy as np
import pandas as pd

from soyfold.common.files import read_table
from soyfold.common.logs import log
from soyfold.selection.index import SIGNS, covariance, index_coefficients

PREDICTED, PHENOTYPE = "index of predictions", "index of phenotypes"
FITTED = ("sample", "part", "observed", "predicted")
FEWEST = 10  # test lines of a split
COLUMNS = ["chosen_by", "trait", "unit", "lines", "chosen", "expected", "gain", "gain_sd", "splits"]


def best_rows(values, share):
    """Rows of the best `share` of some values, one at least: (n,) -> (k,) int."""
    count = max(1, round(share * len(values)))
    return np.argsort(-values, kind="stable")[:count]


def split_gains(observed, predicted, *, index, better, share, heritability):
    """Gains of each way to choose, on the test lines of one split.

    Parameters
    ----------
    observed, predicted : DataFrame (n, T)
        Test lines that have a value of every trait.
    index : dict or None
        As for `index.index_coefficients`.
    better : dict of str to {'high', 'low'}
    share : float
    heritability : dict of str to float or None
        Of the observed values.

    Returns
    -------
    DataFrame
        chosen_by, trait, chosen, expected, gain: the change of the mean observed value; expected,
        what the predictions said of it. Phenotypes choose by the very values that the gain is taken
        of: their expected gain is (P - E) P^-1 times that, E the error variances by heritability.
    """
    traits = list(observed)
    y, p = observed.to_numpy(), predicted.to_numpy()
    signs = [SIGNS[better[trait]] for trait in traits]
    of_predictions, of_values = (
        index_coefficients(index, traits, better, covariance(values)) for values in (p, y)
    )
    ways = {PREDICTED: p @ of_predictions, PHENOTYPE: y @ of_values}
    ways |= {
        f"{trait} alone": sign * p[:, k]
        for k, (trait, sign) in enumerate(zip(traits, signs, strict=True))
    }
    rows = []
    for name, value in ways.items():
        chosen = best_rows(value, share)
        gain, expected = y[chosen].mean(0) - y.mean(0), p[chosen].mean(0) - p.mean(0)
        if name == PHENOTYPE:
            expected = _regressed(gain, covariance(y), [heritability[t] for t in traits])
        rows += [
            (name, trait, len(y), len(chosen), one, other)
            for trait, one, other in zip(traits, expected, gain, strict=True)
        ]
    return pd.DataFrame(rows, columns=["chosen_by", "trait", "lines", "chosen", "expected", "gain"])


def _regressed(differential, phenotypic, heritability):
    """Response to a selection differential, errors of different traits being independent."""
    known = np.array([np.nan if h is None else h for h in heritability], dtype=float)
    errors = np.diag((1 - known) * np.diag(phenotypic))
    return (phenotypic - errors) @ np.linalg.solve(phenotypic, differential)


def measure_gains(splits, *, units, **options):
    """Mean gains over splits.

    Parameters
    ----------
    splits : iterable of (DataFrame, DataFrame)
        Observed and predicted values of test lines, as for `split_gains`.
    units : dict of str to str or None, keyword only
    **options
        Of `split_gains`.

    Returns
    -------
    DataFrame
        `COLUMNS`; gain_sd is between splits. Without a split no row.
    """
    tables = [split_gains(*split, **options) for split in splits]
    if not tables:
        return pd.DataFrame(columns=COLUMNS)
    keys = ["chosen_by", "trait"]
    groups = pd.concat(tables).groupby(keys, sort=False)
    table = groups[["lines", "chosen", "expected", "gain"]].mean().reset_index()
    table["gain_sd"] = groups["gain"].std().to_numpy()
    table["unit"] = table["trait"].map(units)
    return table.assign(splits=len(tables))[COLUMNS]


def read_splits(fits, paths):
    """Test lines of each split that have a value and a prediction of every trait.

    A split on which fewer than `FEWEST` have them is left out, with a warning.

    Parameters
    ----------
    fits : sequence of (str, int)
        Trait and seed of each.
    paths : sequence of path-like
        predictions.tsv of each.

    Yields
    ------
    (DataFrame, DataFrame)
        Observed and predicted values, a column a trait.
    """
    by_seed = {}
    for (trait, seed), path in zip(fits, paths, strict=True):
        # Linear models learn one trait each: the folder names it.
        table = read_table(path, required=FITTED, dtype={"sample": str}).dropna(subset="observed")
        test = table[table["part"] == "test"].groupby("sample")[["observed", "predicted"]].mean()
        by_seed.setdefault(seed, {})[trait] = test
    for seed, tables in by_seed.items():
        both = pd.concat(tables, axis=1, join="inner").swaplevel(axis=1)
        if len(both) < FEWEST:
            log.warning(
                "WARNING split %s: %d test lines with values of %s, fewer than %d: what selection"
                " gains isn't measured on it", seed, len(both), ", ".join(tables), FEWEST,
            )  # fmt: skip
            continue
        yield both["observed"], both["predicted"]
