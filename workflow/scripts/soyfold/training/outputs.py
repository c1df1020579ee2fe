"""What a fit writes into its folder, and how it is read again."""

import resource
import time
from pathlib import Path

import numpy as np
import pandas as pd

from soyfold.common.files import read_table, write_table


def predictions_table(task, fit):
    """trait (if several), sample, environment (if any), part, observed, predicted, held_out.

    And what the model knows of its errors: see `tasks.Fit`.
    """
    certainty = dict(fit.certainty)
    if "without_family" in certainty:
        certainty["without_family"] = task.restored(certainty["without_family"])
    values = [task.restored(column) for column in (task.y, fit.predicted, fit.held_out)]
    tables = [
        pd.DataFrame(
            {
                "trait": trait,
                "sample": task.sample[known],
                **_environments(task, known, trait),
                "part": task.part[known],
                "observed": observed,
                "predicted": predicted,
                "held_out": held_out,
                **dict(zip(certainty, knows, strict=True)),
            }
        )
        for trait, known, (observed, predicted, held_out, *knows) in task.by_trait(
            *values, *certainty.values()
        )
    ]
    return _without_lone_trait(pd.concat(tables, ignore_index=True), task)


def _environments(task, known, name):
    """Column environment of a task that has them; missing for lines' own values."""
    if task.environments:
        return {"environment": name}
    if task.environment is None:
        return {}
    return {"environment": np.where(task.environment[known] == "", None, task.environment[known])}


def estimates_table(fit):
    """part (missing for the whole fit), metric, value: what the model says of itself."""
    return pd.DataFrame(fit.extra, columns=["part", "metric", "value"])


def _without_lone_trait(table, task):
    """The folder names a lone trait; tables of several need the column."""
    return table if task.traits else table.drop(columns="trait")


def write_fit(folder, task, fit, *, started):
    """Write a fit's outputs into `folder`; what changes from run to run goes to cost.tsv alone.

    Nothing that follows from the predictions is among them: `evaluation.measures` computes it.
    """
    folder = Path(folder)
    write_table(predictions_table(task, fit), folder / "predictions.tsv")
    write_table(fit.history, folder / "history.tsv")
    write_table(estimates_table(fit), folder / "estimates.tsv")
    fit.save(folder / "checkpoint.npz")
    if fit.attention is not None:
        write_table(fit.attention.reset_index(names="chromosome"), folder / "attention.tsv")
    cost = {
        **fit.cost,
        "seconds": time.perf_counter() - started,
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "train_lines": len(task.rows("train")),
        "snps": task.dosage.shape[1] or None,
    }
    write_table(pd.DataFrame([cost]), folder / "cost.tsv")


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
    text = dict.fromkeys(("sample", "trait", "environment"), str)
    table = read_table(path, required=wanted, dtype=text)
    return of_trait(table, trait).dropna(subset="observed")


def read_test_predictions(fits):
    """Test rows by label from fits: dicts with trait, label, seed and `predictions`, a path."""
    tables = {}
    for fit in fits:
        table = of_trait(read_table(fit["predictions"], dtype={"sample": str}), fit["trait"])
        table = table[(table.part == "test") & table.observed.notna()].assign(seed=fit["seed"])
        tables.setdefault(fit["label"], []).append(table)
    return {label: pd.concat(parts) for label, parts in tables.items()}
