"""Tasks whose unit is a line in an environment, for models that predict both together.

A model says so in its declaration, `"unit": "environment"`; an entry of models.yaml may say
`unit: environment` of any network. Such a model is fitted on schemes of environments alone (cv1,
cv2, leave_environment_out), and to lines that are to be predicted by a final fit. Its task has

- a row for each line of a part: a line that is trained on in some environments and tested in others
  (cv2) has two, one of part train and one of part test; among the rows of train and val each line
  stands once;
- `environments`, the names of its columns, sorted; y (rows, environments) has a value where the
  line has one of that part in that environment, and NaN elsewhere. What environments add is taken
  off, as the training values tell it; in a final fit it is not, and a column lies around its
  environment's mean;
- a column without a training value for an environment of which nothing is known.

A network then has as many outputs as `environments` (`layout.outputs`), in their order, and a loss
over the cells that are known, as of traits learnt together; a cell of mixed lines (`mixup`) is
known only where both are, which few are in sparse trials. Columns are standardised each by itself.
What it tells of an unknown environment is replaced by its mean over the known ones
(`fill_unknown`).

A direct model's `fit(dosage, y, parameters=, seed=, environments=)` takes such values (n,
environments) of distinct lines, and its model's `predict(dosage)` gives as many columns, that of an
unknown environment by what the model knows without it.

predictions.tsv has a row for each known cell: sample, environment, part, observed, predicted,
held_out; its test rows are those of the scheme's other models.
"""

import numpy as np
import pandas as pd

from soyfold.common.errors import UserError
from soyfold.common.files import read_table
from soyfold.common.logs import log
from soyfold.training.covariates import base_of, shift_of
from soyfold.training.tasks import FEWEST, PARTS, Task, draw_task


def task_of(block, cohort, split, seed):
    """The task of a model on a split: of lines, or of lines in environments.

    Parameters
    ----------
    block : dict
        The model's entry of the registry.
    cohort : soyfold.training.cohorts.Cohort
    split : path-like
        sample, part; of a model of environments sample, environment, part, value.
    seed : int

    Raises
    ------
    UserError
        As `draw_task` and `draw_cells`.
    """
    of_environments = block.get("unit", "line") == "environment"
    return (draw_cells if of_environments else draw_task)(cohort, split, seed)


def draw_cells(cohort, split, seed):
    """One seed's lines with their values in each environment.

    Parameters
    ----------
    cohort : soyfold.training.cohorts.Cohort
    split : path-like
        sample, environment, part, value (trait units), a row for each line and environment.
    seed : int

    Returns
    -------
    soyfold.training.tasks.Task

    Raises
    ------
    UserError
        If a part has too few lines, or a line has two values in an environment.
    """
    text = dict.fromkeys(("sample", "environment", "part"), str)
    cells = read_table(split, required=(*text, "value"), dtype=text)
    known = cells["sample"].isin(cohort.lines["sample"]) & cells["part"].isin(PARTS)
    cells = _without_unknown(cells[known])
    keys = ["part", "sample", "environment"]
    if cells.duplicated(keys).any():
        twice = cells.loc[cells.duplicated(keys), keys].iloc[0].tolist()
        raise UserError(f"two values of {twice}", file=split, allowed="one each",
                        mend="delete cohort/splits in the results, and run again")  # fmt: skip
    wide = cells.pivot(index=["part", "sample"], columns="environment", values="value")
    place = pd.Series(np.arange(len(cohort.lines)), index=cohort.lines["sample"])
    part, sample = (
        wide.index.get_level_values(name).to_numpy(dtype=str) for name in wide.index.names
    )
    places = place[sample].to_numpy()
    order = np.lexsort((places, [PARTS.index(name) for name in part]))
    part, sample, places = part[order], sample[order], places[order]
    lines, y = cohort.lines.iloc[places], wide.to_numpy(dtype=np.float64)[order]
    _refuse_few(part, split, tested=(cells["part"] == "test").any())
    beside, shift = _beside(cohort, places, y, part == "train")
    return Task(
        sample=sample,
        part=part,
        y=y if shift is None else y - shift,
        dosage=np.ascontiguousarray(cohort.dosage[lines["row"].to_numpy()]),
        row=lines["row"].to_numpy(),
        seed=seed,
        families=lines["family"].fillna("").to_numpy(dtype=str) if "family" in lines else None,
        covariates=beside,
        shift=shift,
        environments=tuple(wide.columns),
    )


def known_environments(task):
    """Which environments of a task have a training value, (environments,) of bool."""
    return ~np.isnan(task.y[task.rows("train")]).all(0)


def fill_unknown(task, predicted):
    """Predictions of y's shape, those of unknown environments the mean of the known ones'.

    What a task without environments predicts is handed on.
    """
    if not task.environments:
        return predicted
    known = known_environments(task)
    mean = predicted[:, known].mean(1, keepdims=True)
    return np.where(known, predicted, mean)


def _without_unknown(cells):
    """Cells but for those of validation in environments that no training value tells of."""
    told = cells.loc[cells["part"] == "train", "environment"].unique()
    lost = (cells["part"] == "val") & ~cells["environment"].isin(told)
    if lost.any():
        log.warning("WARNING %d values of validation lines left out: in environments that no"
                    " training line has a value in", lost.sum())  # fmt: skip
    return cells[~lost]


def _refuse_few(part, split, *, tested):
    # Splits that are to judge models are refused without test values where they are drawn.
    for name in PARTS if tested else PARTS[:2]:
        if (count := int((part == name).sum())) < FEWEST[name]:
            raise UserError(
                f"{count} lines with a value in part {name}",
                file=split,
                allowed=f"at least {FEWEST[name]}",
                mend="more phenotyped lines, or another splits.ratio",
            )


def _beside(cohort, places, y, train):
    """Covariates of the rows, and what they add to all values of a line; None without."""
    if cohort.covariates is None:
        return None, None
    beside = cohort.covariates.iloc[places].reset_index(drop=True)
    known = ~np.isnan(y)
    counts = (known & train[:, None]).sum(0)
    means = np.where(known & train[:, None], y, 0.0).sum(0) / np.maximum(counts, 1)
    mean = np.where(known, y - means, 0.0).sum(1) / known.sum(1)
    shift = shift_of(base_of(beside, train), mean, train)
    return beside, np.repeat(shift[:, None], y.shape[1], axis=1)
