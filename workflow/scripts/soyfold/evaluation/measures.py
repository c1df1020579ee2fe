"""What each fit's predictions are worth to a breeder: selection, and intervals with coverage.

Computed from predictions, after the fits: another level or direction refits nothing.
"""

import math

import pandas as pd

from soyfold.common.errors import UserError
from soyfold.common.files import read_table, write_table
from soyfold.evaluation.conformal import conformal_half_width, interval_metrics
from soyfold.evaluation.selection import selection_metrics

KEYS = ["trait", "model", "scheme", "seed"]
INTERVALS = [*KEYS, "sample", "observed", "predicted", "low", "high"]


def of_trait(table, trait):
    """Rows of one trait: those that name it, or none; all of a fit that has one trait."""
    if "trait" not in table.columns:
        return table
    return table[table["trait"].isna() | (table["trait"] == trait)]


def read_predictions(path, trait):
    """One trait's rows of a fit's predictions that have a value.

    Raises
    ------
    UserError
        If the file is absent or lacks a column.
    """
    wanted = ("sample", "part", "observed", "predicted", "held_out")
    table = read_table(path, required=wanted, dtype={"sample": str, "trait": str})
    return of_trait(table, trait).dropna(subset="observed")


def measure_fit(predictions, *, better, level):
    """Selection metrics, intervals and counts of one fit.

    Parameters
    ----------
    predictions : DataFrame
        sample, part, observed, predicted, held_out (trait units): the latter of validation lines
        by a fit that has not seen them; all missing where there is none.
    better : {'high', 'low'}, keyword only
    level : float, keyword only
        Coverage wanted of the intervals.

    Returns
    -------
    metrics : dict of str to float
        Those of `selection.selection_metrics` and `conformal.interval_metrics` on the test lines,
        and train_lines, test_lines.
    intervals : DataFrame
        sample, observed, predicted, low, high of the test lines; empty without a finite interval.
    """
    test = predictions[predictions.part == "test"]
    known = predictions[(predictions.part == "val") & predictions.held_out.notna()]
    half = conformal_half_width(known.observed - known.held_out, level)
    metrics = {
        **selection_metrics(test.observed, test.predicted, better=better),
        **interval_metrics(test.observed, test.predicted, half, level),
        "train_lines": float((predictions.part == "train").sum()),
        "test_lines": float(len(test)),
    }
    columns = ["sample", "observed", "predicted"]
    intervals = test[columns].assign(low=test.predicted - half, high=test.predicted + half)
    return metrics, intervals if math.isfinite(half) else intervals.iloc[:0]


def measure_trait(fits, trait, *, better="high", level=0.9):
    """Measure all fits of one trait.

    Parameters
    ----------
    fits : iterable of dict
        model, scheme, seed and `file`, the fit's predictions.tsv.
    trait : str
    better : {'high', 'low'}, keyword only
    level : float, keyword only

    Returns
    -------
    measures : DataFrame
        trait, model, scheme, seed, metric, value.
    intervals : DataFrame
        trait, model, scheme, seed, sample, observed, predicted, low, high: the test lines.

    Raises
    ------
    UserError
        For a file that is absent, lacks a column, or has no row of the trait.
    """
    rows, tables = [], []
    for fit in fits:
        predictions = read_predictions(fit["file"], trait)
        if predictions.empty:
            raise UserError(f"no row of trait {trait!r}", file=fit["file"], allowed="its lines")
        facts = {"trait": trait, **{name: fit[name] for name in KEYS[1:]}}
        metrics, intervals = measure_fit(predictions, better=better, level=level)
        rows.extend({**facts, "metric": name, "value": value} for name, value in metrics.items())
        tables.append(intervals.assign(**facts))
    measures = pd.DataFrame(rows, columns=[*KEYS, "metric", "value"])
    return measures, pd.concat(tables, ignore_index=True)[INTERVALS]


def write_intervals(table, path):
    """Write intervals as gzipped TSV of 6 digits: a row for each test line of each fit is many."""
    write_table(table, path, digits=6)
