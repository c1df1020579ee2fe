"""The search for hyperparameters: what it finds, what a kill costs it, what it refuses."""

import json
import logging
import os
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest
import torch
import yaml
from tiny_study import QUICK, SMALL, block, fit, write_cohort

from soyfold.common.errors import UserError
from soyfold.common.files import read_table
from soyfold.training import loop, tuning

torch.set_num_threads(1)
SPACE = {
    "learning_rate": {"low": 1e-4, "high": 1e-1, "log": True},
    "batch_size": {"choices": [8, 16, 32]},
    "dropout": {"low": 0.0, "high": 0.3},
}


class Killed(BaseException):
    """What Optuna can't handle: the process is gone, and the trial stays as if it ran."""


@pytest.fixture
def inputs(tmp_path):
    files = write_cohort(tmp_path)
    files["split"] = files.pop("splits")[0]
    files.pop("seeds")
    return files


def search(folder, inputs, *, trials=6, space=SPACE, workers=1, seed=0, **parameters):
    """Run a search in a folder: the best, and the table of trials."""
    model = block("csafm", **{**SMALL, **QUICK, "epochs": 3, **parameters})
    tuning.tune(
        model, space=space, trials=trials, workers=workers, seed=seed,
        storage=folder / "search.journal", best=folder / "best.yaml",
        trials_table=folder / "trials.tsv", **inputs,
    )  # fmt: skip
    return yaml.safe_load((folder / "best.yaml").read_text()), read_table(folder / "trials.tsv")


def valley(parameters):
    """A validation loss with its lowest point at a rate of 1e-2, no dropout and batches of 8."""
    distance = np.log10(parameters["learning_rate"]) + 2
    return 0.5 + distance**2 + parameters["dropout"] + parameters["batch_size"] / 100


@pytest.fixture
def calls(monkeypatch):
    """Let `valley` stand for training, told over 4 epochs; the parameters that were tried."""
    tried = []

    def fit(self, parameters, on_epoch):
        tried.append(parameters)
        for epoch, extra in enumerate((3, 2, 1, 0), start=1):
            on_epoch(epoch, valley(parameters) + extra)
        return valley(parameters)

    monkeypatch.setattr(tuning.Worker, "fit", fit)
    return tried


def test_the_best_parameters_give_a_fit_the_loss_that_the_search_saw(tmp_path, inputs):
    best, table = search(tmp_path, inputs, trials=4)
    assert set(best["parameters"]) == set(SPACE)
    fits = {key: value for key, value in inputs.items() if key != "split"}
    model = block("csafm", **{**SMALL, **QUICK, "epochs": 3})
    fit(
        model, seeds=[0], splits=[inputs["split"]], folders=[tmp_path / "fit"],
        tuned=tmp_path / "best.yaml", **fits,
    )  # fmt: skip
    losses = read_table(tmp_path / "fit/history.tsv").val_loss
    assert losses.min() == pytest.approx(best["value"], rel=1e-9)
    assert best["value"] == pytest.approx(table[table.state == "complete"].value.min(), rel=1e-9)


def test_a_search_ends_near_the_lowest_point(tmp_path, inputs, calls):
    best, _ = search(tmp_path, inputs, trials=40, learning_rate=5e-4, dropout=0.1)
    assert best["value"] < 0.75 < best["default_value"]
    assert np.log10(best["parameters"]["learning_rate"]) == pytest.approx(-2, abs=0.5)


@pytest.mark.parametrize("trials", [1, 8])
def test_the_models_own_parameters_come_first_and_bound_the_best(tmp_path, inputs, calls, trials):
    # At the lowest point from the start: no draw can be better.
    best, table = search(tmp_path, inputs, trials=trials, learning_rate=1e-2, batch_size=8)
    assert table.default.tolist() == [True] + [False] * (trials - 1)
    assert best["parameters"] == {"learning_rate": 1e-2, "batch_size": 8, "dropout": 0.0}
    assert best["value"] == best["default_value"] == pytest.approx(0.58)
    assert calls[0] == {**SMALL, **QUICK, "epochs": 3, **best["parameters"]}


def test_own_parameters_outside_the_space_are_told_and_not_tried(tmp_path, inputs, calls, caplog):
    with caplog.at_level(logging.WARNING, logger="soyfold"):
        best, table = search(tmp_path, inputs, trials=3, dropout=0.5)
    assert "own dropout 0.5 lies outside the space" in caplog.text
    assert not table.default.any() and best["default_value"] is None
    assert table.dropout.between(0, 0.3).all()


def test_same_seed_same_bytes_and_another_seed_others(tmp_path, inputs):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        search(tmp_path / name, inputs, trials=3, seed=seed)
    one, two, other = (
        [(tmp_path / name / file).read_bytes() for file in ("trials.tsv", "best.yaml")]
        for name in "abc"
    )
    assert one == two
    assert one != other


def test_a_killed_search_ends_as_one_that_was_not(tmp_path, inputs, calls, monkeypatch):
    search(tmp_path / "whole", inputs, trials=14)
    whole = len(calls)
    calls.clear()
    fit = tuning.Worker.fit

    def killed(self, parameters, on_epoch):
        if len(calls) == 11:
            on_epoch(1, 0.0)
            raise Killed
        return fit(self, parameters, on_epoch)

    monkeypatch.setattr(tuning.Worker, "fit", killed)
    with pytest.raises(Killed):
        search(tmp_path / "killed", inputs, trials=14)
    assert not (tmp_path / "killed/best.yaml").exists()
    monkeypatch.setattr(tuning.Worker, "fit", fit)
    search(tmp_path / "killed", inputs, trials=14)
    assert len(calls) == whole == 14
    for file in ("trials.tsv", "best.yaml"):
        assert (tmp_path / "killed" / file).read_bytes() == (tmp_path / "whole" / file).read_bytes()


def test_the_own_parameters_are_tried_again_if_the_kill_hit_them(tmp_path, inputs, calls):
    def killed(self, parameters, on_epoch):
        raise Killed

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr(tuning.Worker, "fit", killed)
        search(tmp_path, inputs)
    _, table = search(tmp_path, inputs, trials=3)
    assert table.default.tolist() == [True, False, False]


def test_more_trials_go_on_from_those_that_are_there(tmp_path, inputs, calls):
    _, few = search(tmp_path, inputs, trials=3)
    _, more = search(tmp_path, inputs, trials=7)
    assert len(calls) == 7
    assert more.head(3).equals(few)
    assert len(more) == 7
    search(tmp_path, inputs, trials=5)  # they are there: nothing is run, nothing forgotten
    assert len(calls) == 7


def test_a_line_that_a_kill_tore_is_cut_off(tmp_path, inputs, calls):
    search(tmp_path, inputs, trials=3)
    with (tmp_path / "search.journal").open("ab") as journal:
        journal.write(b'{"op_code": 6, "wor')
    _, table = search(tmp_path, inputs, trials=5)
    assert len(calls) == len(table) == 5
    assert not (tmp_path / "search.journal.old").exists()


def test_a_journal_of_something_else_is_set_aside(tmp_path, inputs, calls, caplog):
    search(tmp_path, inputs, trials=2)
    narrow = {**SPACE, "dropout": {"low": 0.0, "high": 0.2}}
    with caplog.at_level(logging.WARNING, logger="soyfold"):
        search(tmp_path, inputs, trials=2, space=narrow)
        search(tmp_path, inputs, trials=2, space=narrow, layers=1)
        values = read_table(inputs["phenotypes"])
        values["value"] = values["value"].to_numpy()[::-1]
        values.to_csv(inputs["phenotypes"], sep="\t", index=False)
        search(tmp_path, inputs, trials=2, space=narrow, layers=1)
        (tmp_path / "search.journal").write_text("no journal\n")
        search(tmp_path, inputs, trials=2, space=narrow, layers=1)
    told = [record.getMessage() for record in caplog.records if ".old" in record.getMessage()]
    for line, why in zip(
        told, ("another space:", "another model:", "another data:", "no journal of a search:"),
        strict=True,
    ):  # fmt: skip
        assert why in line
    assert len(calls) == 10
    assert (tmp_path / "search.journal.old").read_text().startswith("no journal\n")


def test_test_lines_touch_nothing(tmp_path, inputs, calls):
    search(tmp_path, inputs, trials=3)
    test = (read_table(inputs["split"]).part == "test").to_numpy()
    dosage, values = np.load(inputs["dosage"]), read_table(inputs["phenotypes"])
    dosage[test] = 2 - dosage[test]
    values.loc[test, "value"] += 1000
    np.save(inputs["dosage"], dosage)
    values.to_csv(inputs["phenotypes"], sep="\t", index=False)
    search(tmp_path, inputs, trials=3)
    assert len(calls) == 3  # the same search: nothing was run again


def test_a_trial_that_diverges_is_one_failed_trial(tmp_path, inputs):
    # A rate of 1e30 without clipping ends in nan; the own rate trains.
    space = {"learning_rate": {"choices": [5e-3, 1e30]}}
    best, table = search(tmp_path, inputs, space=space, clip=0.0, trials=5)
    failed = table.state == "failed"
    assert failed.any() and not failed.all()
    assert table.value.isna().equals(failed)
    assert (failed == (table.learning_rate > 1)).all()
    assert best["parameters"] == {"learning_rate": 5e-3}


def test_a_batch_that_memory_cannot_hold_is_one_failed_trial(tmp_path, inputs, monkeypatch):
    train = loop.train

    def exhausted(*arguments, options, **others):
        if options["batch_size"] == 32:
            raise torch.OutOfMemoryError
        return train(*arguments, options=options, **others)

    monkeypatch.setattr(loop, "train", exhausted)
    space = {"batch_size": {"choices": [16, 32]}}
    _, table = search(tmp_path, inputs, space=space, trials=4)
    assert table.batch_size.nunique() == 2
    assert ((table.batch_size == 32) == (table.state == "failed")).all()


def test_a_search_without_a_trial_that_trains_is_an_error(tmp_path, inputs):
    space = {"learning_rate": {"low": 1e29, "high": 1e30}}
    with pytest.raises(UserError, match=r"no trial of 3 .* the first: .*training loss") as caught:
        search(tmp_path, inputs, space=space, clip=0.0, trials=3)
    assert "tuning of model csafm" in str(caught.value) and "\n" not in str(caught.value)
    assert not (tmp_path / "best.yaml").exists() and not (tmp_path / "trials.tsv").exists()


def test_a_defect_is_no_failed_trial(tmp_path, inputs, monkeypatch):
    def broken(self, parameters, on_epoch):
        raise ZeroDivisionError

    monkeypatch.setattr(tuning.Worker, "fit", broken)
    with pytest.raises(ZeroDivisionError):
        search(tmp_path, inputs)


def test_poor_trials_are_pruned_by_the_median(tmp_path, inputs, calls):
    _, table = search(tmp_path, inputs, trials=30, epochs=4, learning_rate=1e-3)
    pruned = table[table.state == "pruned"]
    assert len(pruned) > 3
    assert pruned.index.min() >= 5  # the median of fewer trials says little
    assert (pruned.epochs_run < 4).all() and (pruned.epochs_run > 1).all()
    for row in pruned.itertuples():
        before = table[: row.Index]
        complete = before[before.state == "complete"].value
        assert row.value - (4 - row.epochs_run) > complete.median()  # as `valley` tells epochs


@pytest.mark.slow
def test_the_script_shares_a_search_among_workers(tmp_path, inputs, root):
    # Through Snakemake, since the worker processes import the script that it runs.
    model = {**block("csafm", **{**SMALL, **QUICK, "epochs": 2}), "tuning": SPACE}
    files = {key: str(path) for key, path in inputs.items()}
    files |= {"cim": [files["cim"]], "groups": [], "classes": [], "covariates": []}
    (tmp_path / "Snakefile").write_text(
        "rule tune_model:\n"
        f"    input: **{files!r}\n"
        "    output: best='out/best.yaml', trials='out/trials.tsv'\n"
        "    log: 'tune.log'\n"
        "    threads: 2\n"
        f"    params: block={model!r}, trials=5, seed=0, weights='off', kind='quantitative'\n"
        f"    script: {str(root / 'workflow/scripts/tune_model.py')!r}\n"
    )
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--quiet", "all"]
    subprocess.run(command, cwd=tmp_path, check=True)
    best = yaml.safe_load((tmp_path / "out/best.yaml").read_text())
    table = read_table(tmp_path / "out/trials.tsv")
    assert table.trial.tolist() == [1, 2, 3, 4, 5]
    assert table.default.sum() == 1 and best["value"] <= best["default_value"]
    assert table.learning_rate.nunique() == 5  # no two workers drew from one seed
    journal = (tmp_path / "out/search.journal").read_text().splitlines()
    workers = {json.loads(line)["worker_id"] for line in journal}
    assert len(workers) == 3  # two that fit, and the one that opened and told it
    assert "best of 5" in (tmp_path / "tune.log").read_text()


@pytest.mark.slow
def test_workers_end_with_the_process_that_started_them(tmp_path, inputs, root):
    code = f"""
from pathlib import PosixPath
from soyfold.training.tuning import tune
if __name__ == "__main__":
    folder = PosixPath({str(tmp_path)!r})
    tune({block("csafm", **{**SMALL, **QUICK, "epochs": 3})!r}, space={SPACE!r}, trials=1000,
         workers=2, seed=0, storage=folder / "search.journal", best=folder / "best.yaml",
         trials_table=folder / "trials.tsv", **{inputs!r})
"""
    (tmp_path / "main.py").write_text(code)
    started = subprocess.Popen(
        [sys.executable, "main.py"], cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root / "workflow/scripts")},
    )  # fmt: skip
    journal = tmp_path / "search.journal"
    while not (journal.is_file() and journal.read_text().count('"values":[') >= 3):
        assert started.poll() is None
        time.sleep(0.2)
    workers = psutil.Process(started.pid).children(recursive=True)
    started.kill()
    started.wait()
    assert len(workers) >= 2
    assert not psutil.wait_procs(workers, timeout=60)[1]
    before = tuning.open_study(journal, spared_epochs=0).trials
    over = sum(trial.state.is_finished() for trial in before)
    _, table = search(tmp_path, inputs, trials=over + 2)
    assert len(table) == over + 2
    assert table.default.sum() == 1


def test_the_log_says_that_the_range_was_too_narrow(tmp_path, inputs, calls, caplog):
    low = {**SPACE, "learning_rate": {"low": 1e-6, "high": 1e-4, "log": True}}
    with caplog.at_level(logging.WARNING, logger="soyfold"):
        best, _ = search(tmp_path, inputs, trials=3, space=low, learning_rate=1e-4)
    assert best["at_edge"]["learning_rate"] == "high"
    assert "learning_rate, 0.0001, lies at the high end of its range" in caplog.text
