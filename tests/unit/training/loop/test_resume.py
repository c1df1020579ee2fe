"""A killed fit goes on where it was, byte by byte; damaged and foreign files are refused."""

import hashlib
import json
import logging
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from cut_fits import cut_short, run
from tiny_study import QUICK, SMALL, block, write_cohort

from soyfold.common.files import read_table
from soyfold.training import fits, loop
from soyfold.training.loop.resume import MAGIC

torch.set_num_threads(1)
SCRIPTS = Path(fits.__file__).parents[2]
SUPPORT = Path(__file__).parents[3] / "support"
SAME = ("predictions.tsv", "estimates.tsv", "history.tsv", "attention.tsv", "checkpoint.npz")


def model(**parameters):
    """A fit in which everything that can be random is."""
    random_parts = {"dropout": 0.2, "snp_dropout": 0.3, "mixup": 1.0, "schedule": "cosine"}
    return block("csafm", attention=True, **{**SMALL, **QUICK, **random_parts, **parameters})


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Inputs and outputs of a fit that nothing disturbed."""
    folder = tmp_path_factory.mktemp("undisturbed")
    inputs = write_cohort(folder)
    run(folder / "out", inputs, model())
    return inputs, folder / "out"


def assert_same(folder, expected):
    for name in SAME:
        assert (folder / name).read_bytes() == (expected / name).read_bytes(), name


def test_a_fit_cut_short_goes_on_and_ends_as_if_nothing_had_been(
    undisturbed, tmp_path, monkeypatch, caplog
):
    inputs, expected = undisturbed
    cut_short(tmp_path, inputs, model(), monkeypatch, epoch=3)
    cut_short(tmp_path, inputs, model(), monkeypatch, epoch=6)
    caplog.clear()
    with caplog.at_level("INFO", logger="soyfold"):
        run(tmp_path, inputs, model())
    # The file is written as epoch 6 starts, so 6 is the one that is walked again.
    assert "resuming at epoch 6 from" in caplog.text
    assert "epoch   5" not in caplog.text and "epoch   6" in caplog.text
    assert_same(tmp_path, expected)
    assert read_table(tmp_path / "cost.tsv").resumed[0] == 2
    assert not (tmp_path / "resume.ckpt").exists()


def test_early_stopping_counts_on_from_the_file(tmp_path, monkeypatch):
    inputs = write_cohort(tmp_path)
    chosen = model(learning_rate=0.05, patience=2, epochs=40)
    run(tmp_path / "whole", inputs, chosen)
    losses = read_table(tmp_path / "whole/history.tsv").val_loss
    best, last = int(losses.argmin()) + 1, len(losses)
    assert last == best + 2 < 40  # or patience would not have stopped it
    cut_short(tmp_path / "cut", inputs, chosen, monkeypatch, epoch=last)
    run(tmp_path / "cut", inputs, chosen)
    assert_same(tmp_path / "cut", tmp_path / "whole")


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def pickled_object(path):
    """A file whose digest is right and whose payload would run code."""
    facts = json.loads(path.read_bytes()[len(MAGIC) :].partition(b"\n")[0])
    torch.save({"epoch": 3, "path": Path("x")}, path.with_name("other"))
    payload = path.with_name("other").read_bytes()
    facts["sha256"] = hashlib.sha256(payload).hexdigest()
    path.write_bytes(MAGIC + json.dumps(facts).encode() + b"\n" + payload)


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (flip, "damaged or cut short"),
        (lambda path: path.write_bytes(path.read_bytes()[:-100]), "damaged or cut short"),
        (lambda path: path.write_bytes(path.read_bytes()[:30]), "its header is damaged"),
        (lambda path: path.write_bytes(b""), "it is no resume file"),
        (lambda path: torch.save({"epoch": 3}, path), "it is no resume file"),
        (pickled_object, "it can't be read"),
    ],
    ids=["bit", "tail", "header", "empty", "other", "pickle"],
)
def test_a_damaged_file_is_refused_and_training_starts_over(
    undisturbed, tmp_path, monkeypatch, caplog, damage, why
):
    inputs, expected = undisturbed
    path = cut_short(tmp_path, inputs, model(), monkeypatch)
    damage(path)
    run(tmp_path, inputs, model())
    [warning] = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert str(path) in warning and why in warning and "training starts over" in warning
    assert "\n" not in warning
    assert_same(tmp_path, expected)
    assert read_table(tmp_path / "cost.tsv").resumed[0] == 0


def test_another_fits_file_is_refused_and_the_difference_named(
    undisturbed, tmp_path, monkeypatch, caplog
):
    inputs, expected = undisturbed
    values = read_table(inputs["phenotypes"])
    values.loc[7, "value"] += 0.25
    values.to_csv(tmp_path / "phenotypes.tsv", sep="\t", index=False)
    other = {**inputs, "phenotypes": tmp_path / "phenotypes.tsv"}
    cut_short(tmp_path, other, model(learning_rate=0.004), monkeypatch)
    run(tmp_path, inputs, model())
    assert "belongs to another fit: different model, trait; training starts over" in caplog.text
    assert_same(tmp_path, expected)


def test_each_part_of_a_fingerprint_tells():
    known = {"seed": 1, "trait": np.array([1.0, 2.0]), "cim": None, "model": {"a": 1, "b": [2]}}
    changes = {
        "seed": 2,
        "trait": np.array([1.0, 2.0 + 1e-15]),
        "cim": np.eye(2),
        "model": {"a": 1},
    }
    before = loop.fingerprint(**known)
    assert before == loop.fingerprint(**{**known, "model": {"b": [2], "a": 1}})
    for name, value in changes.items():
        after = loop.fingerprint(**{**known, name: value})
        assert [key for key in before if after[key] != before[key]] == [name]


class Kill(logging.Handler):
    """Ends this very process by SIGKILL at a random moment of the epochs after a given one."""

    def __init__(self, after):
        super().__init__()
        self.after = after

    def emit(self, record):
        if not record.msg.startswith("epoch"):
            return
        if record.args[0] == self.after:
            moment = random.Random(time.time_ns()).uniform(0, 0.05)
            threading.Timer(moment, os.kill, (os.getpid(), signal.SIGKILL)).start()
        elif record.args[0] > self.after + 4:
            time.sleep(60)  # a quick machine is past its last epoch before the moment comes


def start(folder, inputs, chosen, kill=None):
    """A fit in a process of its own, killed after epoch `kill`; its log goes to fit.log."""
    code = (
        "import logging, sys\n"
        "from pathlib import PosixPath\n"
        f"sys.path[:0] = {[str(SUPPORT), str(Path(__file__).parent)]!r}\n"
        "from test_resume import Kill\n"
        "from tiny_study import fit\n"
        "from soyfold.common.logs import rule_log\n"
        f"if {kill!r}: logging.getLogger('soyfold').addHandler(Kill({kill!r}))\n"
        f"with rule_log({str(folder.parent / 'fit.log')!r}):\n"
        f"    fit({chosen!r}, folders=[{str(folder)!r}], seconds=0, **{inputs!r})\n"
    )
    return subprocess.Popen([sys.executable, "-c", code], cwd=SCRIPTS).wait(timeout=120)


@pytest.mark.slow
def test_a_fit_killed_three_times_ends_byte_by_byte_as_one_that_was_not(tmp_path):
    chosen = model(epochs=40, patience=40)
    inputs = write_cohort(tmp_path)
    (tmp_path / "whole").mkdir()
    (tmp_path / "cut").mkdir()
    assert start(tmp_path / "whole/out", inputs, chosen) == 0
    log, resumed = tmp_path / "cut/fit.log", 0
    for epoch in (8, 16, 24):
        assert start(tmp_path / "cut/out", inputs, chosen, kill=epoch) == -signal.SIGKILL
        resumed += "resuming at epoch" in log.read_text()
        log.unlink()
    assert start(tmp_path / "cut/out", inputs, chosen) == 0
    assert "resuming at epoch" in log.read_text() and resumed == 2
    assert_same(tmp_path / "cut/out", tmp_path / "whole/out")
    assert read_table(tmp_path / "cut/out/cost.tsv").resumed[0] == 3
