"""One blend on one trait: from its members' predictions to a fit's outputs. No torch."""

import time

import numpy as np
import pandas as pd

from soyfold.common.errors import UserError
from soyfold.common.logs import log
from soyfold.models.loading import import_model
from soyfold.models.parameters import resolve
from soyfold.training.checkpoints import save_checkpoint
from soyfold.training.outputs import read_predictions, write_fit
from soyfold.training.tasks import HISTORY, Fit, Task

KEYS = ["sample", "environment", "part", "observed"]
# Of what members know of their errors: a value, which is blended as predictions are, and sds, whose
# mean is taken: as if members erred together, as far as members of a blend do.
CERTAINTY = ["error_sd", "held_out_sd", "without_family", "without_family_sd"]


def read_members(files, trait):
    """The members' predictions of one split, side by side.

    Parameters
    ----------
    files : dict of str to path-like
        predictions.tsv by member.
    trait : str

    Returns
    -------
    lines : DataFrame
        sample, environment where values are parted by it, part, observed.
    predicted, held_out : ndarray (n, K) float64
    certainty : dict of str to ndarray (n, K)
        Of `CERTAINTY`; NaN of a member that doesn't know it.

    Raises
    ------
    UserError
        If a file lacks the trait, or the members were fitted on other lines or values.
    """
    first, lines, found = None, None, []
    for path in files.values():
        table = read_predictions(path, trait).reset_index(drop=True)
        if table.empty:
            raise UserError(f"no line of trait {trait!r}", file=path, mend="fit it anew")
        keys = table[[name for name in KEYS if name in table]]
        if lines is None:
            first, lines = path, keys
        elif not lines.equals(keys):
            raise UserError(
                "other lines, parts or values",
                file=path,
                allowed=f"those of {first}",
                mend="fit both anew on the same split",
            )
        found.append(table.reindex(columns=["predicted", "held_out", *CERTAINTY]))
    columns = {
        name: np.column_stack([table[name].to_numpy(np.float64) for table in found])
        for name in found[0]
    }
    return lines, columns.pop("predicted"), columns.pop("held_out"), columns


def _blended(columns, weights):
    """What a blend knows of its errors: of what all members know that weigh anything."""
    heavy = weights > 0
    blended = {name: values[:, heavy] @ weights[heavy] for name, values in columns.items()}
    return {name: values for name, values in blended.items() if not np.isnan(values).all()}


def _refuse_seen(held_out, files):
    """Weights need what fits that hadn't seen the validation lines told of them."""
    for number, (name, path) in enumerate(files.items()):
        if np.isnan(held_out[:, number]).any():
            raise UserError(
                f"validation lines of {name} without held-out predictions",
                file=path,
                allowed="a fit that hasn't seen them",
                mend=f"held_out: true in the block of {name}, or weights: equal in the blend's",
            )


def _task(lines):
    """The lines of a blend: no genotypes."""
    environment = lines.environment.fillna("").to_numpy(str) if "environment" in lines else None
    return Task(
        sample=lines["sample"].to_numpy(dtype=str),
        part=lines.part.to_numpy(dtype=str),
        y=lines.observed.to_numpy(dtype=np.float64),
        dosage=np.empty((len(lines), 0), np.int8),
        row=np.full(len(lines), -1),
        seed=0,
        families=None,
        environment=environment,
    )


def blend(block, trait, files):
    """Weigh a blend's members on one split.

    Parameters
    ----------
    block : dict
        The blend's entry of the registry.
    trait : str
    files : dict of str to path-like
        predictions.tsv by member.

    Returns
    -------
    soyfold.training.tasks.Task, soyfold.training.tasks.Fit

    Raises
    ------
    UserError
        As `read_members`; or if weights are to be fitted and a member has no held-out predictions.
    """
    started = time.perf_counter()
    lines, predicted, held_out, certainty = read_members(files, trait)
    task = _task(lines)
    val = task.rows("val")
    module, parameters = import_model(block["module"]), block["parameters"]
    if resolve(parameters, block["module"])["weights"] == "validation":
        _refuse_seen(held_out[val], files)
    model = module.fit(held_out[val], task.y[val], parameters=parameters)
    weights = dict(zip(files, model.weights.tolist(), strict=True))
    log.info("weights by %d validation lines: %s", model.lines, weights)

    def save(path):
        facts = {"module": block["module"], "kind": "blend", "parameters": parameters}
        save_checkpoint(path, model.state(), members=list(files), **facts)

    return task, Fit(
        predicted=model.predict(predicted),
        held_out=model.predict(held_out),
        history=pd.DataFrame(columns=HISTORY),
        extra=[(None, f"weight_{name}", weight) for name, weight in weights.items()],
        cost={"device": "cpu", "train_seconds": time.perf_counter() - started, "epochs": None},
        save=save,
        certainty=_blended(certainty, model.weights),
    )


def fit_blend(block, *, trait, folders, predictions):
    """Blend on several splits, and write each one's folder as any fit's.

    Parameters
    ----------
    block : dict
        The blend's entry of the registry.
    trait : str
    folders : sequence of path-like
        One a split.
    predictions : sequence of sequence of path-like
        For each split the predictions.tsv of the members, in their order.

    Raises
    ------
    UserError
        As `blend`.
    """
    for folder, paths in zip(folders, predictions, strict=True):
        started = time.perf_counter()
        files = dict(zip(block["members"], paths, strict=True))
        write_fit(folder, *blend(block, trait, files), started=started)
