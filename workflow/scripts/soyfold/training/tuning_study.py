"""A search's study in its journal file: opened, gone on with after a kill, told as a table."""

import os

import numpy as np
import optuna
import pandas as pd
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from soyfold.common.errors import UserError
from soyfold.common.logs import log
from soyfold.models.search_space import edge_of, lies_in, own_values

STUDY = "tuning"
# Trials that end before a poor one may be pruned.
BEFORE_PRUNING = 5


def open_study(journal, *, spared_epochs):
    """Open the study in a journal; make it if it isn't there.

    Parameters
    ----------
    journal : Path
        Absolute: its lock is a link to it, and a relative one would lead nowhere.
    spared_epochs : int
        Epochs by which no trial is judged.

    Returns
    -------
    optuna.Study
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.create_study(
        study_name=STUDY,
        storage=JournalStorage(JournalFileBackend(str(journal))),
        direction="minimize",
        # Optuna judges from the step n_warmup_steps on.
        pruner=optuna.pruners.MedianPruner(BEFORE_PRUNING, n_warmup_steps=spared_epochs + 1),
        load_if_exists=True,
    )


def is_default(trial):
    """Whether a trial has the model's own parameters."""
    return trial.user_attrs.get("default", False)


def is_over(trial):
    """Whether a trial came to a result; one that a kill left behind didn't."""
    return trial.state in (TrialState.COMPLETE, TrialState.PRUNED)


def _drop_torn_line(journal):
    """Cut off a last line that a kill left unfinished, or the next one would be glued to it."""
    if journal.is_file():
        whole = journal.read_bytes().rpartition(b"\n")
        if whole[2]:
            os.truncate(journal, len(whole[0] + whole[1]))


def _set_aside(journal, why):
    """Rename a journal of something else, so that the search starts anew."""
    old = journal.with_name(f"{journal.name}.old")
    journal.replace(old)
    log.warning("%s %s: it is now %s, and the search starts anew", journal, why, old.name)


def _other_kinds(study, wanted):
    """Kinds of a fingerprint in which a study differs; a new study takes it over."""
    found = study.user_attrs.get("fingerprint")
    if found is None and not study.trials:
        study.set_user_attr("fingerprint", wanted)
        return []
    return [name for name in wanted if (found or {}).get(name) != wanted[name]]


def _give_up_half_done(study):
    """End what a kill left running; it counts for nothing."""
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)


def _queue_default(study, space, parameters):
    """Queue the model's own parameters, unless they were tried or don't lie in the space."""
    own = own_values(space, parameters)
    outside = [name for name, rule in space.items() if not lies_in(own[name], rule)]
    if outside:
        facts = ", ".join(f"{name} {own[name]}" for name in outside)
        log.warning("the model's own %s lies outside the space: it is not tried", facts)
    elif not any(is_default(t) for t in study.trials if is_over(t) or not t.state.is_finished()):
        study.enqueue_trial(own, user_attrs={"default": True})


def resume(journal, *, fingerprint, space, parameters, spared_epochs):
    """Open the study of a search where it was; a journal of another search is set aside.

    Parameters
    ----------
    journal : Path
        Absolute.
    fingerprint : dict of str to str
        Digests of what the trials' values depend on, by kind.
    space : dict of str to dict
    parameters : dict
        The model's own; queued as the first trial where they lie in the space.
    spared_epochs : int
        See `open_study`.

    Returns
    -------
    optuna.Study
    """
    journal.parent.mkdir(parents=True, exist_ok=True)
    _drop_torn_line(journal)
    try:
        study = open_study(journal, spared_epochs=spared_epochs)
        other = _other_kinds(study, fingerprint)
        why = f"holds a search of another {', '.join(other)}" if other else None
    except (ValueError, KeyError, TypeError):  # as Optuna's reading of a broken journal ends
        why = "is no journal of a search"
    if why:
        _set_aside(journal, why)
        study = open_study(journal, spared_epochs=spared_epochs)
        _other_kinds(study, fingerprint)
    _give_up_half_done(study)
    _queue_default(study, space, parameters)
    return study


def trial_row(trial, space):
    """A trial as a row of the table; the value of a pruned one is the lowest it had come to."""
    failed = "error" in trial.user_attrs
    reached = [value for value in trial.intermediate_values.values() if np.isfinite(value)]
    return {
        "state": "failed" if failed else trial.state.name.lower(),
        "value": np.nan if failed or not reached else min(reached),
        "default": is_default(trial),
        "epochs_run": len(trial.intermediate_values),
        **{name: trial.params[name] for name in space},
    }


def trials_that_are_over(study):
    """Trials that came to a result, in order."""
    return [trial for trial in study.get_trials(deepcopy=False) if is_over(trial)]


def tabulate_trials(study, space):
    """Table of the trials that are over: trial (from 1), then the columns of `trial_row`."""
    rows = [trial_row(trial, space) for trial in trials_that_are_over(study)]
    table = pd.DataFrame(rows)
    table.insert(0, "trial", range(1, len(table) + 1))
    return table


def best_of(study, space, *, model):
    """The best trial's parameters, and how they compare.

    Parameters
    ----------
    study : optuna.Study
    space : dict of str to dict
    model : str

    Returns
    -------
    dict
        model, trials, value, default_value (or None), at_edge, parameters.

    Raises
    ------
    UserError
        If no trial came to an end.
    """
    table = tabulate_trials(study, space)
    complete = table[table.state == "complete"]
    if complete.empty:
        attributes = [trial.user_attrs for trial in trials_that_are_over(study)]
        first = next((a["error"] for a in attributes if "error" in a), "pruned")
        raise UserError(
            f"no trial of {len(table)} that trained to its end; the first: {first}",
            at=f"tuning of model {model}",
            mend="a lower learning_rate, or smaller batches, in the model's space",
        )
    row = complete.loc[complete.value.idxmin()].to_dict()
    parameters = {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in ((name, row[name]) for name in space)
    }
    edges = {name: edge_of(value, space[name]) for name, value in parameters.items()}
    default = complete[complete.default].value
    return {
        "model": model,
        "trials": len(table),
        "value": float(row["value"]),
        "default_value": None if default.empty else float(default.iloc[0]),
        "at_edge": {name: edge for name, edge in edges.items() if edge},
        "parameters": parameters,
    }


def tell(best):
    """Say in the log what was found, and whether the space was too narrow."""
    default = best["default_value"]
    beside = "" if default is None else f" (with the model's own parameters {default:.4f})"
    log.info("best of %d: validation loss %.4f%s", best["trials"], best["value"], beside)
    for name, edge in best["at_edge"].items():
        log.warning(
            "the best %s, %.4g, lies at the %s end of its range: a wider one may hold a better",
            name, best["parameters"][name], edge,
        )  # fmt: skip
