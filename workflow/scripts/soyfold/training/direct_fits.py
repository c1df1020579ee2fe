"""One fit of a model without training loop: what it needs, is handed, and predicts.

A module's declaration says what its `fit` takes beside dosages, trait, parameters and seed:

- needs `validation`: `validation=(dosage, y)`, the validation lines, by which the module chooses
  before it refits on all, unless its parameter `refit` says no; its own `held_out` are their
  predictions by the fit that hadn't seen them.
- needs `families`: `families=` (n,) of its lines; `predict(dosage, families=...)` those of the
  predicted.
- needs `cim`: `cim` (G, G) in the order of `traits.chromosomes` and `snp_chromosome` (L,) int,
  places in that order.
- needs `groups`: `groups` (`common.groups.Groups`) of the SNPs, those of its `hypothesis`.
- takes `weights`: `weights=` of its lines' values, with a mean of 1, where they differ; with
  `validation` also `validation_weights=` on the same scale.
- learns `joint` traits: `traits=`, their names, of which each has a column of the values. Where
  `known_traits` are known of lines to be predicted, its model's `predict_known` is handed these.
- has the `unit` environment: `environments=`, their names, of which each has a column of the values
  (`environment_tasks`); its predictions have these columns too.
- takes `conditions`: `conditions=` (environments, q) of these, where the study has a table of them.
- takes `covariates`: `beside=` of its lines (`covariates.base_of`), where the study has some; its
  predictions are without them, unless it is `joint` and handed `beside=` of the predicted.
- takes `gpu`: `gpu=`, that of its entry.
- takes `binary`: `binary=True`, where the trait is and no covariate has moved its values.
- knows `reliability`: its model is asked for the errors of predictions.
- has `kernels`: `kernels=` of its lines (`shared.LineKernels`), where the study shares
  some; with `validation` also `refit_kernels=` of its lines followed by the validation lines.
"""

import time

import numpy as np
import pandas as pd

from soyfold.common.conditions import read_conditions, standardise_conditions
from soyfold.common.errors import UserError
from soyfold.common.logs import log
from soyfold.models.declarations import declaration
from soyfold.models.loading import import_model
from soyfold.models.parameters import resolve
from soyfold.training.checkpoints import save_checkpoint
from soyfold.training.classes import are_shares
from soyfold.training.covariates import base_of
from soyfold.training.outputs import write_fit
from soyfold.training.shared_kernels import kernels_of_lines, weights_for
from soyfold.training.tasks import HISTORY, Fit


def _handed(block, task, cohort, rows):
    """Keyword arguments of a module's `fit` on the lines `rows`."""
    declared, handed = declaration(block["module"]), {}
    needs = declared.needs
    if "validation" in needs:
        judged = task.rows("val")
        handed["validation"] = (task.dosage[judged], task.y[judged])
    if "families" in needs:
        if task.families is None:
            raise UserError(
                "no families",
                at=f"model {block['name']}",
                allowed="the cohort's families.tsv",
                mend="set cohort.families in the config, or drop the model",
            )
        handed["families"] = task.families[rows]
    if "groups" in needs:
        handed["groups"] = cohort.groups
    kernels = kernels_of_lines(block, task, cohort, rows)
    if kernels is not None:
        handed["kernels"] = kernels
        if "validation" in needs:
            both = np.append(rows, task.rows("val"))
            handed["refit_kernels"] = kernels_of_lines(block, task, cohort, both)
    weights = weights_for(block["module"], task, rows)
    if weights is not None:
        handed["weights"] = weights[rows]
        if "validation" in needs:
            handed["validation_weights"] = weights[task.rows("val")]
    if declared.gpu:
        handed["gpu"] = block.get("gpu", 0)
    if declared.joint:
        handed["traits"] = task.traits
    if task.environments:
        handed["environments"] = task.environments
        if declared.conditions and cohort.conditions:
            table = read_conditions(cohort.conditions)
            handed["conditions"] = standardise_conditions(
                table, task.environments, cohort.conditions
            )
    base = _base(block, task, rows)
    if base is not None:
        handed["beside"] = base[rows]
    if declared.binary and cohort.kind == "binary" and _is_binary(task):
        handed["binary"] = True
    if "cim" in needs:
        codes = pd.Index(cohort.chromosomes).get_indexer(cohort.snp_chromosome)
        handed |= {"cim": cohort.cim.to_numpy(dtype=np.float64), "snp_chromosome": codes}
    return handed


def _is_binary(task):
    """Whether the values fitted to are classes 0 and 1, or shares; says where they aren't."""
    shares = are_shares(task.y[task.rows("train", "val")])
    if not shares:
        log.info("values beyond 0 and 1, by environments or covariates: fitted by squared error")
    return shares


def _base(block, task, rows):
    """What covariates tell of all lines (n, p), of a model that takes them; None if nothing."""
    if task.covariates is None or not declaration(block["module"]).covariates:
        return None
    base = base_of(task.covariates, np.isin(np.arange(len(task.y)), rows), tell=False)
    return base if base.shape[1] else None


def learner(block, task, cohort, rows):
    """What fits a block's module on some lines: handed all that it takes, but for the values.

    Parameters
    ----------
    block : dict
        The model's entry of the registry.
    task : soyfold.training.tasks.Task
    cohort : soyfold.training.cohorts.Cohort
    rows : ndarray of int
        Of the task's lines.

    Returns
    -------
    callable
        Values of these lines (n,) to the fitted model.
    """
    parameters = resolve(block["parameters"], block["module"])
    parameters.pop("train_on", None)
    module, handed = import_model(block["module"]), _handed(block, task, cohort, rows)
    dosage = task.dosage[rows]
    return lambda y: module.fit(dosage, y, parameters=parameters, seed=task.seed, **handed)


def predict_rows(model, block, task, rows, fitted):
    """Predicted values of lines `rows` by a fit on the lines `fitted`, in trait units.

    What covariates add beyond `task.shift` is the least-squares fit to what genetic values leave of
    the fitted lines, as the mixed model equations have it.
    """
    declared = declaration(block["module"])

    def genetic(rows):
        families = {"families": task.families[rows]} if "families" in declared.needs else {}
        return model.predict(task.dosage[rows], **families)

    base = _base(block, task, fitted)
    if base is None:
        return genetic(rows)
    if declared.joint:  # a trait's residuals tell of another's
        return model.predict(task.dosage[rows], beside=base[rows])
    weights = weights_for(block["module"], task, fitted)
    weights = None if weights is None else weights[fitted]
    base = base - np.average(base[fitted], axis=0, weights=weights)
    roots = np.ones(len(fitted)) if weights is None else np.sqrt(weights)
    left = roots * (task.y[fitted] - genetic(fitted))
    effects = np.linalg.lstsq(roots[:, None] * base[fitted], left, rcond=None)[0]
    return genetic(rows) + base[rows] @ effects


def _predict_new(model, block, task, cohort, rows, fitted):
    """Predicted values of lines that the model hasn't learned from, some of whose traits are known.

    A final fit, which tests nothing, is held out as untested lines will be predicted: from their
    genotypes alone.
    """
    predicted = predict_rows(model, block, task, rows, fitted)
    names = block["parameters"].get("known_traits", [])
    known = np.array([trait in names for trait in task.traits], dtype=bool)
    if not known.any() or "test" not in task.parts:
        return predicted
    shared = {} if cohort.products is None else {"rows": task.row[rows]}
    weights, base = weights_for(block["module"], task, fitted), _base(block, task, fitted)
    shared |= {} if weights is None else {"weights": weights[rows]}
    shared |= {} if base is None else {"beside": base[rows]}
    for target in range(len(task.traits)):
        # No value of the trait itself leaves this line.
        others = known & (np.arange(len(known)) != target)
        values = np.where(others, task.y[rows], np.nan)
        if not np.isnan(values).all():
            predicted[:, target] = model.predict_known(task.dosage[rows], values, target, **shared)
    return predicted


def _knows(model, block, task, cohort, rows, fitted):
    """Reliability of some lines, and the sd of their errors: of y's shape, NaN of other lines."""
    declared = declaration(block["module"])
    handed = {"families": task.families[rows]} if "families" in declared.needs else {}
    if cohort.products is not None:
        handed["rows"] = task.row[rows]
    base = _base(block, task, fitted)
    if base is not None:
        handed["beside"] = base[rows]
    found = np.full((2, *task.y.shape), np.nan)
    found[:, rows] = model.errors(task.dosage[rows], **handed)
    return found


def _held_out(block, task, cohort, model, fitted, parts):
    """What a fit that hasn't seen them predicts of the validation lines (n,); NaN elsewhere.

    And the sd of its errors, None of a model that doesn't know it. `model` is the fit on the lines
    `fitted`, which are those of `parts`.
    """
    rows, values, knows = task.rows("val"), np.full(task.y.shape, np.nan), False
    declared = declaration(block["module"])
    if "validation" in declared.needs:
        values[rows] = model.held_out
    elif "val" not in parts:
        values[rows], knows = _predict_new(model, block, task, cohort, rows, fitted), True
    elif block.get("held_out", True) and "train" in parts:
        fitted = task.rows("train")
        model = learner(block, task, cohort, fitted)(task.y[fitted])
        values[rows], knows = _predict_new(model, block, task, cohort, rows, fitted), True
    knows = knows and declared.reliability
    return values, _knows(model, block, task, cohort, rows, fitted)[1] if knows else None


def _without_family(model, task, rows, predicted):
    """What the fit tells of training lines `rows` of which no other line of the family is known.

    Where it will matter: for lines to come (no test part), or test lines of a family of their own.

    Returns
    -------
    dict of str to ndarray of y's shape
        without_family, without_family_sd; empty where it doesn't matter.
    """
    if task.families is None:
        return {}
    tested, own = task.families[task.rows("test")], task.families[rows]
    alone = ~np.isin(tested, own) & (tested != "")
    if "test" in task.parts and not alone.any():
        return {}
    errors, sd = model.without(own, task.y[rows] - predicted[rows])
    columns = np.full((2, *task.y.shape), np.nan)
    columns[:, rows] = task.y[rows] - errors, sd
    return dict(zip(("without_family", "without_family_sd"), columns, strict=True))


def _certainty(model, block, task, cohort, rows, predicted):
    """What a model knows of its errors, by name: see `tasks.Fit`."""
    if not declaration(block["module"]).reliability:
        return {}
    asked = task.rows("test") if "test" in task.parts else np.arange(len(task.y))
    reliability, sd = _knows(model, block, task, cohort, asked, rows)
    return {"reliability": reliability, "error_sd": sd} | _without_family(
        model, task, rows, predicted
    )


def fit_direct(block, task, cohort):
    """Fit a model without training loop on the parts that its `train_on` names.

    A model that chooses by validation has no `train_on`, and is fitted on the training lines.

    Parameters
    ----------
    block : dict
        The model's entry of the registry.
    task : soyfold.training.tasks.Task
    cohort : soyfold.training.cohorts.Cohort

    Returns
    -------
    soyfold.training.tasks.Fit
        With `held_out` where the fit that predicts has seen the validation lines too: a second
        fit on the training lines alone, unless the block says `held_out: false`.

    Raises
    ------
    UserError
        For a need that the study can't meet, and for what the module refuses.
    """
    parts = resolve(block["parameters"], block["module"]).get("train_on", ["train"])
    rows = task.rows(*parts)
    learn = learner(block, task, cohort, rows)
    started = time.perf_counter()
    model = learn(task.y[rows])
    seconds = time.perf_counter() - started
    log.info("fitted on %d lines of %s: %s", len(rows), " + ".join(parts), model.summary())

    def save(path):
        facts = {"module": block["module"], "kind": "direct", "parameters": block["parameters"]}
        if task.environments:
            facts["environments"] = list(task.environments)
        # Only final fits are asked about new lines: others needn't keep their training lines.
        lean = declaration(block["module"]).reliability and "test" in task.parts
        save_checkpoint(path, (model.without_lines() if lean else model).state(), **facts)

    predicted, new = (
        predict_rows(model, block, task, slice(None), rows),
        np.ones(len(task.y), dtype=bool),
    )
    new[rows] = False
    if block["parameters"].get("known_traits") and new.any():
        predicted[new] = _predict_new(model, block, task, cohort, np.flatnonzero(new), rows)
    certainty = _certainty(model, block, task, cohort, rows, predicted)
    held_out, sd = _held_out(block, task, cohort, model, rows, parts)
    return Fit(
        predicted=predicted,
        held_out=held_out,
        history=pd.DataFrame(columns=HISTORY),
        extra=[(None, name, float(value)) for name, value in model.summary().items()],
        cost={"device": "cpu", "train_seconds": seconds, "epochs": None},
        save=save,
        certainty=certainty if sd is None else {**certainty, "held_out_sd": sd},
    )


def fit_and_write(block, task, cohort, folder):
    """Fit a direct model, and write its outputs into `folder`."""
    started = time.perf_counter()
    write_fit(folder, task, fit_direct(block, task, cohort), started=started)
