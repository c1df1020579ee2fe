"""What each fit's predictions are worth: agreement, selection, and intervals with coverage.

Computed from predictions, after the fits: another level or direction refits nothing.
"""

import numpy as np
import pandas as pd

from soyfold.common.errors import UserError
from soyfold.common.files import read_table, write_table
from soyfold.common.logs import log
from soyfold.evaluation.conformal import (
    Calibration,
    conformal_half_width,
    interval_metrics,
    line_half_widths,
)
from soyfold.evaluation.selection import selection_metrics
from soyfold.metrics import all_metrics, pearson, within_groups
from soyfold.training.outputs import read_predictions

KEYS = ["trait", "model", "scheme", "seed"]
MEASURES = [*KEYS, "part", "metric", "value"]
CELL = ["sample", "environment"]
INTERVALS = [*KEYS, "sample", "observed", "predicted", "low", "high"]


def read_cells(paths):
    """The values by environment of a fit's split, by part; None of a split of lines.

    Parameters
    ----------
    paths : sequence of path-like
        None, or the one file that `splits.cells.value_parts` gave.
    """
    text = dict.fromkeys(("sample", "environment", "part"), str)
    tables = [read_table(path, required=("sample", "part", "value"), dtype=text) for path in paths]
    return tables[0] if tables else None


def _column(table, name):
    """A column that only fits have which know it; else NaN."""
    return table[name] if name in table else pd.Series(np.nan, index=table.index)


def calibrate(predictions, cells=None):
    """`Calibration` by values like those tested, told by a fit that has not seen their lines.

    Parameters
    ----------
    predictions : DataFrame
        Of a fit: sample, part, observed, held_out, and held_out_sd where the fit knows it.
    cells : DataFrame, optional
        See `measure_fit`.
    """
    known = predictions[(predictions.part == "val") & predictions.held_out.notna()]
    known = known.assign(sd=_column(known, "held_out_sd"))
    # Of a model that predicts lines in environments they are such values already.
    if cells is not None and not ("environment" in known and known.environment.notna().all()):
        known = known.drop_duplicates("sample").set_index("sample")[["held_out", "sd"]]
        known = cells[cells.part == "val"].join(known, on="sample").dropna(subset="held_out")
        known = known.rename(columns={"value": "observed"})
    return Calibration((known.observed - known.held_out).to_numpy(), known.sd.to_numpy(np.float64))


def calibrate_apart(predictions):
    """`Calibration` by training lines, each told as if no other line of its family were known.

    Parameters
    ----------
    predictions : DataFrame
        Of a fit: observed, and without_family, without_family_sd where the fit knows them.

    Returns
    -------
    Calibration
        Empty of a fit that doesn't know.
    """
    told = _column(predictions, "without_family")
    lines = predictions.assign(told=told)[told.notna()]
    sd = _column(lines, "without_family_sd")
    return Calibration((lines.observed - lines.told).to_numpy(np.float64), sd.to_numpy(np.float64))


def calibrate_elsewhere(test, others):
    """`Calibration` by values that other splits of a scheme of environments test.

    Each is told by a fit of the same model that hasn't seen it, and so is as new to its fit as the
    values tested here: of a line known from other environments, or in an environment of which
    nothing is known. Those that are tested here too are left out, so that the residuals are of
    values that this split trains on.

    Parameters
    ----------
    test : DataFrame
        sample, environment.
    others : sequence of DataFrame
        Test lines of the other splits: sample, environment, observed, predicted, error_sd.

    Returns
    -------
    Calibration
        Empty without others.
    """
    if not others:
        return Calibration(np.zeros(0), np.zeros(0))
    told = pd.concat(others)
    here = pd.MultiIndex.from_frame(told[CELL]).isin(pd.MultiIndex.from_frame(test[CELL]))
    told = told[~here]
    residuals = (told.observed - told.predicted).to_numpy(np.float64)
    return Calibration(residuals, told.error_sd.to_numpy(np.float64))


def _like_validation(predictions, test, cells):
    """Whether values are tested as those of validation lines are: of new lines, in environments
    that are trained on."""
    trained = cells.loc[cells.part == "train", "environment"]
    known = predictions.loc[predictions.part != "test", "sample"]
    return not test["sample"].isin(known).any() and test.environment.isin(trained).all()


def _calibration(predictions, test, cells, others, level):
    """`Calibration` by values of the kind that is tested, as far as any are told."""
    if cells is not None and not _like_validation(predictions, test, cells):
        found = calibrate_elsewhere(test, others)
        if np.isfinite(conformal_half_width(found.residuals, level)):
            return found
    return calibrate(predictions, cells)


def _of_new_family(predictions, test, families):
    """Whether test lines are of families of which no other line was fitted to, (n,) of bool."""
    if families is None:
        return np.zeros(len(test), dtype=bool)
    known = predictions.loc[predictions.part != "test", "sample"].map(families).dropna()
    own = test["sample"].map(families)
    return (own.notna() & ~own.isin(known.unique())).to_numpy()


def _counts(predictions, cells):
    """Lines, and what is tested for each that is trained on: lines, or values by environment."""
    lines = predictions.groupby("part")["sample"].nunique().reindex(["train", "test"], fill_value=0)
    values = lines if cells is None else cells.part.value_counts()
    return {
        "train_lines": float(lines["train"]),
        "test_lines": float(lines["test"]),
        "test_share": float(values["test"] / values["train"]),
    }


def _groups(lines, families):
    """What the lines of a part may be grouped by: name, and the group of each (missing: none)."""
    if "environment" in lines:
        yield "environment", lines.environment
    if families is not None:
        yield "family", lines["sample"].map(families)


def measure_agreement(predictions, *, families=None, kind="quantitative"):
    """Agreement of predicted with observed values, part by part.

    Parameters
    ----------
    predictions : DataFrame
        sample, part, observed, predicted (trait units), and environment where values are of one.
    families : Series, optional, keyword only
        Family by sample.
    kind : str, keyword only
        Of the trait (`metrics.BY_KIND`).

    Returns
    -------
    DataFrame
        part, metric, value: `metrics.all_metrics`, and PCC within environments and families where
        any line of the part has one.
    """
    rows = []
    for part, lines in predictions.groupby("part", sort=False):
        observed, predicted = lines.observed.to_numpy(), lines.predicted.to_numpy()
        figures = all_metrics(observed, predicted, kind)
        for name, groups in _groups(lines, families):
            if groups.notna().any():
                named = groups.astype(object).where(groups.notna(), None).to_numpy()
                value = within_groups(observed, predicted, named, pearson)
                figures[f"PCC_within_{name}"] = value
        rows += [(part, name, value) for name, value in figures.items()]
    return pd.DataFrame(rows, columns=["part", "metric", "value"])


def measure_fit(predictions, *, better, level, cells=None, families=None, others=()):
    """Selection metrics, intervals and counts of one fit.

    Parameters
    ----------
    predictions : DataFrame
        sample, part, observed, predicted, held_out (trait units): the latter of validation lines
        by a fit that has not seen them; all missing where there is none.
    better : {'high', 'low'}, keyword only
    level : float, keyword only
        Coverage wanted of the intervals.
    cells : DataFrame, optional, keyword only
        Where single values are tested, not lines: sample, part, value (trait units) of all values
        by environment. Residuals for the intervals are then those of validation lines' values,
        since a line's effect over its environments strays less than each of its values.
    families : Series, optional, keyword only
        Family by sample: test lines of a family without a training line have intervals by training
        lines told without theirs, where the fit knows these.
    others : sequence of DataFrame, keyword only
        See `calibrate_elsewhere`: where tested lines are trained on elsewhere, or environments are
        new, residuals are these, not validation lines', which are neither.

    Returns
    -------
    metrics : dict of str to float
        Those of `selection.selection_metrics` and `conformal.interval_metrics` on the test lines,
        train_lines, test_lines, and test_share, n_test / n_train in one unit: values by environment
        where these are tested, else lines.
    intervals : DataFrame
        sample, observed, predicted, low, high of the test lines; empty without a finite interval.
    """
    test = predictions[predictions.part == "test"]
    half = line_half_widths(
        _column(test, "error_sd").to_numpy(np.float64),
        _of_new_family(predictions, test, families),
        level,
        known=_calibration(predictions, test, cells, others, level),
        apart=calibrate_apart(predictions) if cells is None else None,
    )
    metrics = {
        **selection_metrics(test.observed, test.predicted, better=better),
        **interval_metrics(test.observed, test.predicted, half, level),
        **_counts(predictions, cells),
    }
    columns = ["sample", "observed", "predicted"]
    intervals = test[columns].assign(low=test.predicted - half, high=test.predicted + half)
    return metrics, intervals if np.isfinite(half).all() else intervals.iloc[:0]


def _tested_by_split(fits, trait):
    """Test lines of fits on schemes of environments: (model, scheme) to seed to DataFrame."""
    found = {}
    for fit in fits:
        if fit.get("cells") and fit["role"] != "control":
            table = read_predictions(fit["file"], trait)
            test = table[table.part == "test"]
            test = test.assign(error_sd=_column(test, "error_sd"))
            own = found.setdefault((fit["model"], fit["scheme"]), {})
            own[fit["seed"]] = test[[*CELL, "observed", "predicted", "error_sd"]]
    return found


def measure_trait(
    fits, trait, *, better="high", level=0.9, families=None, kind="quantitative"
):  # fmt: skip
    """Measure all fits of one trait.

    Parameters
    ----------
    fits : iterable of dict
        model, scheme, seed, role, `file`, the fit's predictions.tsv, and optionally `cells`, as
        `read_cells` takes it. Of a control (another CIM) the agreement alone is measured.
    trait : str
    better : {'high', 'low'}, keyword only
    level : float, keyword only
    families : Series, optional, keyword only
        Family by sample.
    kind : str, keyword only
        Of the trait (`metrics.BY_KIND`).

    Returns
    -------
    measures : DataFrame
        trait, model, scheme, seed, part, metric, value.
    intervals : DataFrame
        trait, model, scheme, seed, sample, observed, predicted, low, high: the test lines.

    Raises
    ------
    UserError
        For a file that is absent, lacks a column, or has no row of the trait.
    """
    measured, tables, fits = [], [], list(fits)
    tested = _tested_by_split(fits, trait)
    for fit in fits:
        predictions = read_predictions(fit["file"], trait)
        if predictions.empty:
            raise UserError(f"no row of trait {trait!r}", file=fit["file"], allowed="its lines")
        facts = {"trait": trait, **{name: fit[name] for name in KEYS[1:]}}
        agreement = measure_agreement(predictions, families=families, kind=kind)
        measured.append(agreement.assign(**facts))
        told = agreement[agreement.part == "test"].set_index("metric").value
        log.info(
            "%s, %s, seed %s: PCC %.4g, MAE %.4g", *list(facts.values())[1:], told.PCC, told.MAE
        )
        if fit["role"] == "control":
            continue
        cells = read_cells(fit.get("cells", ()))
        splits = tested.get((fit["model"], fit["scheme"]), {})
        others = [table for seed, table in splits.items() if seed != fit["seed"]]
        metrics, intervals = measure_fit(
            predictions, better=better, level=level, cells=cells, families=families, others=others
        )
        if kind == "binary":
            fitted = predictions[predictions.part != "test"]
            metrics["prevalence"] = float((fitted.observed > 0.5).mean())
        worth = pd.DataFrame(metrics.items(), columns=["metric", "value"])
        measured.append(worth.assign(part="test", **facts))
        tables.append(intervals.assign(**facts))
    measures, intervals = (pd.concat(frames, ignore_index=True) for frames in (measured, tables))
    return measures[MEASURES], intervals[INTERVALS]


def write_intervals(table, path):
    """Write intervals as gzipped TSV of 6 digits: a row for each test line of each fit is many."""
    write_table(table, path, digits=6)
