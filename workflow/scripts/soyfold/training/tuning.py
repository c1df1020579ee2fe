"""Search for a network's hyperparameters: Optuna, on the validation lines of one split.

The search lives in a journal file: a killed one goes on where it was, and a larger budget adds
only the trials that are missing. Test lines are never looked at.
"""

import concurrent.futures
import dataclasses
import hashlib
import json
import multiprocessing
import os
import threading
from pathlib import Path

import numpy as np
import optuna
import torch
import yaml

from soyfold.common.digest import source_digest
from soyfold.common.errors import UserError
from soyfold.common.files import staged, write_table
from soyfold.common.logs import log
from soyfold.models.parameters import training_options
from soyfold.models.search_space import check_space, draw
from soyfold.training import loop
from soyfold.training.cohorts import read_cohort
from soyfold.training.environment_tasks import task_of
from soyfold.training.network_fits import group_numbers, lay_out, places_of, train_network
from soyfold.training.thinning import thin
from soyfold.training.tuning_study import (
    best_of,
    is_default,
    open_study,
    resume,
    tabulate_trials,
    tell,
    trial_row,
    trials_that_are_over,
)


@dataclasses.dataclass(frozen=True)
class Search:
    """What a worker process has to know; see `tune` for the meaning of each."""

    block: dict
    space: dict
    seed: int
    split: Path
    storage: Path
    files: dict
    threads: int


class Worker:
    """One process's share of a search: the lines in memory, and the study that all share.

    Parameters
    ----------
    search : Search
    """

    def __init__(self, search):
        torch.set_num_threads(search.threads)
        self.search = search
        cohort = read_cohort(**search.files)
        self.task = task_of(search.block, cohort, search.split, search.seed)
        self.cohort = dataclasses.replace(cohort, environments=self.task.environments)
        self.study = None

    @property
    def spared_epochs(self):
        """Epochs by which no trial is judged: a low rate learns late."""
        options = training_options(self.search.block["parameters"])
        return max(options["warmup_epochs"], options["epochs"] // 4)

    def fit(self, parameters, on_epoch):
        """Lowest validation loss of a fit with these parameters."""
        block = {**self.search.block, "parameters": parameters}
        size = training_options(parameters)["batch_size"]
        task, cohort = thin(block, self.task, self.cohort)
        tokens = lay_out(block, cohort).n_tokens
        with loop.memory_errors(n=tokens, batch_size=size, model=block["name"]):
            *_, trained = train_network(block, task, cohort, task.seed, on_epoch=on_epoch)
        return float(np.nanmin([row["val_loss"] for row in trained.history]))

    def objective(self, trial):
        """Fit with a trial's parameters; poor ones are pruned, but never the model's own."""
        own = self.search.block["parameters"]
        parameters = {**own, **draw(trial, self.search.space, own)}

        def on_epoch(epoch, loss):
            trial.report(loss, epoch)
            if trial.should_prune() and not is_default(trial):
                raise optuna.TrialPruned

        try:
            return self.fit(parameters, on_epoch)
        except UserError as error:
            # Pruned, not failed: the sampler ignores failed trials and would come back here.
            trial.set_user_attr("error", " ".join(str(error).split()))
            raise optuna.TrialPruned from None

    def run(self, place):
        """Run the trial of a place (from 0) in the search; returns its line for the log.

        Each place has a sampler of its own seed, so a search that was killed draws what it would
        have drawn.
        """
        source = np.random.SeedSequence(self.search.seed, spawn_key=(place,))
        seed = source.generate_state(1)[0]
        self.study.sampler = optuna.samplers.TPESampler(seed=int(seed))
        done = []
        self.study.optimize(
            self.objective, n_trials=1, callbacks=[lambda _, trial: done.append(trial)]
        )
        row = trial_row(done[0], self.search.space)
        drawn = {name: row[name] for name in self.search.space}
        return f"trial {place + 1}: {row['state']}, validation loss {row['value']:.4f}, {drawn}"


_process = {}


def _start(search):
    """Set up a worker process, which ends with the process that started it."""

    def follow():
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
    worker = _process["worker"] = Worker(search)
    worker.study = open_study(search.storage, spared_epochs=worker.spared_epochs)


def _run(place):
    return _process["worker"].run(place)


def _run_all(worker, places, workers):
    """Run the trials of these places: here, or shared among processes."""
    if workers == 1 or len(places) < 2:
        for place in places:
            log.info(worker.run(place))
        return
    # Not forked: torch's threads and a GPU's context don't survive a fork.
    with concurrent.futures.ProcessPoolExecutor(
        min(workers, len(places)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start,
        initargs=(worker.search,),
    ) as pool:
        futures = [pool.submit(_run, place) for place in places]
        try:
            for future in concurrent.futures.as_completed(futures):
                log.info(future.result())
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def fingerprint(worker):
    """Digests of what a search's values depend on, by kind; test lines are not among it."""
    search, task, cohort = worker.search, worker.task, worker.cohort
    block = {key: search.block[key] for key in ("module", "parameters")}
    cim = [] if cohort.cim is None else [list(cohort.cim), cohort.cim.to_numpy().tolist()]
    rows = task.rows("train", "val")
    data = hashlib.sha256(task.dosage[rows])
    more = [] if cohort.groups is None else [group_numbers(cohort.groups).tolist()]
    place = places_of(search.block, cohort)
    more += [part.tolist() for part in (place, cohort.classes) if part is not None]
    more += [] if task.noise is None else [task.noise[rows].tolist()]
    more += [] if cohort.kind == "quantitative" else [cohort.kind]
    for part in (
        task.y[rows].tolist(), task.part[rows].tolist(), list(cohort.snp_chromosome), cim, *more
    ):  # fmt: skip
        data.update(json.dumps(part).encode())
    facts = {"model": block, "space": search.space, "seed": search.seed}
    digests = {
        name: hashlib.sha256(json.dumps(fact, sort_keys=True).encode()).hexdigest()[:12]
        for name, fact in facts.items()
    }
    code = source_digest(
        "soyfold.training.network_fits", f"soyfold.models.{search.block['module']}"
    )
    return {**digests, "data": data.hexdigest()[:12], "code": code}


def tune(
    block, *, space, trials, workers, seed, split, storage, dosage, samples, variants, phenotypes,
    cim=None, groups=None, classes=None, covariates=None, weights="off", kind="quantitative",
    best, trials_table, threads=1,
):  # fmt: skip
    """Search a network's hyperparameters for the lowest validation loss of a split.

    TPE sampler, median pruner [1]_ [2]_. With one worker the same seed finds the same parameters,
    killed in between or not; with several the order of results is left to chance.

    Parameters
    ----------
    block : dict
        The model's entry of the registry.
    space : dict of str to dict
        By parameter: {low, high, log} or {choices}; see `soyfold.models.search_space`.
    trials : int
        In all: those that the journal holds already count.
    workers : int
        Processes that share the search.
    seed : int
        Of the sampler and of every trial's fit.
    split : path-like
        Of one seed: sample, part. Test lines are left alone.
    storage : path-like
        Optuna's journal, kept between runs; one of another search is renamed and a new one begun.
    dosage, samples, variants, phenotypes : path-like
        Files of the cohort storey.
    cim : path-like, optional
        The CIM that the model takes.
    groups, classes, covariates : path-like, optional
        Groups of SNPs, for a model whose tokens they are; classes, for one that reads them.
    weights : {'off', 'records', 'variance'}
        What the trait's values weigh by.
    kind : {'quantitative', 'ordinal', 'binary'}
        Of the trait.
    best : path-like
        YAML to write: model, trials, value, default_value (of the model's own parameters, or
        null), at_edge (parameters at an end of their range), parameters.
    trials_table : path-like
        TSV to write: trial, state (complete, pruned, failed), value, default, epochs_run, and each
        parameter.
    threads : int
        CPU threads of each worker.

    Raises
    ------
    UserError
        For a space that can't be searched, input that doesn't fit together, or a search without
        a trial that trained to its end.

    References
    ----------
    .. [1] Akiba et al. 2019, Optuna, KDD, doi:10.1145/3292500.3330701.
    .. [2] Bergstra et al. 2011, Algorithms for hyper-parameter optimization, NeurIPS 24.
    """
    space = check_space(space, block["parameters"], model=block["name"])
    files = {"dosage": dosage, "samples": samples, "variants": variants, "phenotypes": phenotypes}
    files |= {"cim": cim, "groups": groups, "classes": classes, "covariates": covariates}
    files |= {"weights": weights, "kind": kind}
    journal = Path(storage).resolve()
    worker = Worker(Search(block, space, seed, split, journal, files, threads))
    worker.study = resume(
        journal,
        fingerprint=fingerprint(worker),
        space=space,
        parameters=block["parameters"],
        spared_epochs=worker.spared_epochs,
    )
    before = len(trials_that_are_over(worker.study))
    log.info("%d of %d trials are in %s, %d workers", before, trials, journal.name, workers)
    _run_all(worker, range(before, trials), workers)
    found = best_of(worker.study, space, model=block["name"])
    tell(found)
    write_table(tabulate_trials(worker.study, space), trials_table)
    with staged(best) as temporary:
        temporary.write_text(yaml.safe_dump(found, sort_keys=False), encoding="utf-8")
