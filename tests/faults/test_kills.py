"""PLINK, Beagle, fits and snakemake itself killed twenty times: the tables are those of one run.

A run is killed, started again, and killed again, until it is through: what any of the kills leaves
behind, a half-written file or a lost lock, stays there for the runs after it. Only processes below
the snakemake that the test started are killed.
"""

import contextlib
import os
import random
import shutil
import signal
import time
from pathlib import Path

import psutil
import pytest
from tiny_road import TRAITS, write_study
from workflow_runs import finish, results, start

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
# Victims in the order in which a run meets them: a word of the command line, and how long after
# it has been seen the kill may come, in seconds. "all": snakemake and everything below it.
ROUND = (
    ("plink1.9", 0.005),
    ("snakemake", 4.0),
    ("plink1.9", 0.005),
    ("java", 0.8),
    ("all", 3.0),
    ("java", 0.8),
    ("fit_network", 3.0),
    ("snakemake", 3.0),
    ("fit_network", 3.0),
    ("all", 3.0),
)
WHOLE = ("snakemake", "all")
STOREYS = ("genotypes", "imputation", "cohort", "training", "evaluation")
WORKS_IN = {"plink1.9": "genotypes", "java": "imputation", "fit_network": "training"}
TARGETS = ("evaluation/scores.tsv", "contacts/cim.tsv", "cohort/join_counts.tsv")
TARGETS = tuple(f"results/tiny/{target}" for target in TARGETS)
ATTEMPTS = 20  # of a kill to meet its victim alive
SECONDS = 120  # a run that doesn't meet its victim or its end by then hangs


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The tiny study with a network whose fit takes seconds."""
    return _one_trait(tmp_path_factory.mktemp("kills") / "undisturbed")


def _one_trait(folder):
    study = write_study(folder)
    study.write(TRAITS, study.lines(TRAITS)[:2])
    study.config["training"]["models"] = ["mean", "gblup", "cnn"]
    study.config["training"]["parameters"] = {"cnn": {"epochs": 30, "patience": 30}}
    return study


@pytest.fixture(scope="module")
def undisturbed(study):
    """Results of a run that nobody disturbs."""
    status, output = finish(study, *TARGETS)
    assert status == 0, output[-3000:]
    return results(study.path("results/tiny"))


def _below(process):
    """Ids of the processes of the session that snakemake was started in, but for its own.

    Cheap enough to be asked a thousand times a second: who looks must not slow what it looks at.
    """
    found = []
    for pid in psutil.pids():
        with contextlib.suppress(OSError):
            if os.getsid(pid) == process.pid != pid:
                found.append(pid)
    return found


def _named(process, word):
    """The processes below one whose command line holds a word; one that has ended has none."""
    found = []
    for pid in _below(process):
        with contextlib.suppress(OSError):
            started = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:3]
            if any(word.encode() in part for part in started):
                found.append(pid)
    return found


def _victims(process, word):
    """Ids of the processes to kill now; none if the victim isn't there yet."""
    if word == "snakemake":
        return [process.pid]
    if word == "all":
        return [process.pid, *_below(process)]
    return _named(process, word)[:1]


def _kill(process, word, delay, sign):
    """Wait for the victim, then for the delay, and kill it; whether it was still alive."""
    until = time.monotonic() + SECONDS
    while process.poll() is None and time.monotonic() < until:
        if word in WHOLE or _named(process, word):
            time.sleep(delay)
            if process.poll() is not None:
                return False
            victims = _victims(process, word)
            for victim in victims:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(victim, sign)
            if victims:
                return True
        time.sleep(0.002)
    assert process.poll() is not None, f"no {word} within {SECONDS} s"
    return False


def _rounds(chance):
    """Two rounds of ten kills; each with its signal and its moment."""
    for _ in range(2):
        yield [(word, chance.uniform(0, most), chance.choice(SIGNALS)) for word, most in ROUND]


def _forget(study, word):
    """Remove the results of the storey in which a victim works, and of those that stand on it."""
    first = STOREYS.index(WORKS_IN.get(word, "evaluation"))
    for storey in STOREYS[first:]:
        shutil.rmtree(study.path(f"results/tiny/{storey}"), ignore_errors=True)


def _disturb(study, kills):
    """Start, kill, start again: the kills that met a living process, as (victim, signal)."""
    landed = []
    for word, delay, sign in kills:
        for _ in range(ATTEMPTS):
            process = start(study, *TARGETS)
            met = _kill(process, word, delay, sign)
            status = process.wait(SECONDS)
            if met:
                landed.append((word, sign.name))
                _unlock(study, word, sign)
                break
            assert status == 0, study.path("run.log").read_text()[-3000:]
            _forget(study, word)  # all done before the victim was met: it gets its work again
    return landed


def _unlock(study, word, sign):
    """What README.md says of a killed snakemake; no other kill may leave a lock.

    SIGTERM leaves one only before snakemake's scheduler stands, which no test can time.
    """
    if any(study.path(".snakemake/locks").glob("*")):
        assert word in WHOLE and sign != signal.SIGINT, f"{sign.name} to {word} left a lock"
        status, output = finish(study, "--unlock")
        assert status == 0, output


@pytest.mark.slow
def test_twenty_kills_change_no_result(undisturbed, tmp_path):
    landed = []
    for number, kills in enumerate(_rounds(random.Random(5))):
        disturbed = _one_trait(tmp_path / f"round{number}")
        landed += _disturb(disturbed, kills)
        status, output = finish(disturbed, *TARGETS)
        assert status == 0, output[-3000:]
        found = results(disturbed.path("results/tiny"))
        assert found.keys() == undisturbed.keys()
        assert [name for name in found if found[name] != undisturbed[name]] == []
    assert len(landed) == 20, landed
