"""The demo through config/profiles/slurm on a real Slurm; `make test-slurm` runs it.

Its name keeps it out of the other tests: it takes root's rights, Debian's Slurm and minutes.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from cluster import ACCOUNT, NODE, Cluster, missing_programs, run, wait_for

STUDY = os.environ.get("SLURM_STUDY", "demo")  # or small
CONFIG = {"demo": "config/config.yaml", "small": "small/study.yaml"}[STUDY]
SECONDS = int(os.environ.get("SLURM_SECONDS", "1800"))  # bound on the whole run
IGNORED = shutil.ignore_patterns(
    ".git", ".venv", ".snakemake", "results", "__pycache__", ".*_cache", ".hypothesis"
)
KILLED = "rule_decompose_kernel"  # one job of this rule is cancelled while it runs
ON_GPU = {"cnn", "measure_cost"}  # what asks for a GPU once the CNN's block says gpu: 1


def edit(path, *changes):
    """Replace pairs of texts in a file; each must be there once."""
    text = path.read_text()
    for old, new in changes:
        assert text.count(old) == 1, (path.name, old, text.count(old))
        text = text.replace(old, new)
    path.write_text(text)


def fill_in(project):
    """Do what the profile asks of a user, and give the demo's CNN a GPU."""
    edit(
        project / "config/profiles/slurm/config.yaml",
        ("# slurm_account: my_lab", f"slurm_account: {ACCOUNT}"),
        ("# slurm-partition-config:", "slurm-partition-config:"),
        ("# impute_chromosomes: imputation", "impute_chromosomes: imputation"),
        ("# fit_attention_network_seeds: fits", "fit_attention_network_seeds: fits"),
        ("before-status-checks: 60", "before-status-checks: 5"),
    )
    edit(
        project / "config/models.yaml",
        ("{<<: *cnn_cpu, seeds_per_job: all,", "{<<: *cnn_cpu, gpu: 1, seeds_per_job: all,"),
    )


@pytest.fixture(scope="module")
def finished(root, write_small_study):
    """A study's run: the project's folder, snakemake's output, sacct's rows, the job killed."""
    if missing := missing_programs():
        pytest.fail(f"no {', '.join(missing)}: `make test-slurm` as root installs Slurm")
    # A kill of the test stops the cluster too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    home = Path(tempfile.mkdtemp(prefix="soyfold-slurm-", dir="/tmp"))  # short: it holds sockets
    project = home / "soyfold"
    shutil.copytree(root, project, ignore=IGNORED)
    fill_in(project)
    if STUDY == "small":
        write_small_study(project)
    (home / "cluster").mkdir()
    with Cluster(home / "cluster") as cluster:
        started = time.monotonic()
        status, output, killed = run_study(project)
        seconds = time.monotonic() - started
        jobs = cluster.jobs()
    keep_log(output, jobs, seconds, home)
    assert status == 0, output[-8000:]
    yield project, output, jobs, killed
    shutil.rmtree(home)


def run_study(project):
    """Run a study through the profile, one job cancelled: exit status, output, that job's id."""
    command = [sys.executable, "-m", "snakemake", "--profile", "config/profiles/slurm",
               "--configfile", CONFIG]  # fmt: skip
    with (project.parent / "output.txt").open("w+") as screen:
        process = subprocess.Popen(command, cwd=project, stdin=subprocess.DEVNULL,
                                   stdout=screen, stderr=subprocess.STDOUT,
                                   env=os.environ | {"SOYFOLD_RESULTS": "results"})  # fmt: skip
        try:
            end = time.monotonic() + SECONDS
            killed = cancel_one(process)
            status = process.wait(timeout=max(1, end - time.monotonic()))
        except BaseException:
            process.kill()  # after a SIGTERM it would wait for its jobs
            process.wait()
            raise
        screen.seek(0)
        return status, screen.read(), killed


def cancel_one(process):
    """Cancel the first running job of the rule KILLED; returns its id, None if there is none."""

    def find():
        if process.poll() is not None:
            return "none"
        lines = run("squeue", "-h", "-o", "%i %T %k", check=False).splitlines()
        running = [line.split()[0] for line in lines if KILLED in line and " RUNNING " in line]
        return next(iter(running), None)

    job = wait_for(find, seconds=SECONDS, what=f"a job {KILLED}")
    if job == "none":
        return None
    run("scancel", job)
    return job


def keep_log(output, jobs, seconds, home):
    """Write the end of the log to $SLURM_LOG, without names of this machine."""
    if not os.environ.get("SLURM_LOG"):
        return
    names = ["JobID", "State", "Partition", "ReqMem", "ReqTRES", "ElapsedRaw", "Comment"]
    lines = [
        output[-4000:].partition("\n")[2],
        f"study {STUDY}, {seconds:.0f} s; sacct:",
        "\t".join(names),
    ]
    lines += ["\t".join(job[name] for name in names) for job in jobs]
    text = "\n".join(lines).replace(str(home / "soyfold"), ".").replace(str(home), "TEMPORARY")
    path = Path(os.environ["SLURM_LOG"])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.replace(run("hostname").strip(), NODE) + "\n")


def test_it_ends_with_the_tables(finished):
    project, output, *_ = finished
    for table in ("table1_oil", "table2_protein", "table3_cost", "comparisons"):
        assert (project / f"results/{STUDY}/evaluation/tables/{table}.tsv").is_file()
    assert re.search(rf"^tables   results/{STUDY}/evaluation/tables/", output, re.M)


def test_the_cancelled_job_is_submitted_again_with_more_memory(finished):
    _, _, jobs, killed = finished
    by_id = {job["JobID"]: job for job in jobs}
    assert by_id[killed]["State"].startswith("CANCELLED")
    again = [
        job for job in jobs if job["Comment"] == by_id[killed]["Comment"] and job["JobID"] != killed
    ]
    assert [job["State"] for job in again] == ["COMPLETED"]
    assert (by_id[killed]["ReqMem"], again[0]["ReqMem"]) == ("6000M", "12000M")


def test_every_other_job_ends_at_once(finished):
    _, _, jobs, killed = finished
    assert {job["State"] for job in jobs if job["JobID"] != killed} == {"COMPLETED"}


def test_jobs_ask_for_what_their_rules_say(finished):
    _, _, jobs, _ = finished
    asked = {job["Comment"].partition("_wildcards_")[0]: job for job in jobs}
    for rule, memory, cpus, minutes in (
        ("import_genotypes", "4000M", "2", "02:00:00"),
        ("write_dosage", "4000M", "1", "01:00:00"),
        ("merge_chromosomes", "2000M", "1", "01:00:00"),
    ):
        job = asked[f"rule_{rule}"]
        assert (job["ReqMem"], job["ReqCPUS"], job["Timelimit"]) == (memory, cpus, minutes)
    assert {job["Account"] for job in jobs} == {ACCOUNT}


def test_jobs_of_seconds_share_submissions(finished):
    _, _, jobs, _ = finished
    for group in ("contacts", "cohort", "evaluation", "figures", "pages"):
        submitted = [job for job in jobs if job["Comment"].startswith(f"rule_{group}_")]
        assert len(submitted) == 1, (group, submitted)
        assert submitted[0]["ReqCPUS"] == "1", submitted


def test_exactly_the_gpu_rules_ask_for_a_gpu(finished):
    _, _, jobs, _ = finished
    with_gpu = {job["Comment"] for job in jobs if "gres/gpu=1" in job["ReqTRES"]}
    names = {name for name in ON_GPU if any(name in comment for comment in with_gpu)}
    assert names == ON_GPU
    assert len(with_gpu) == 3, with_gpu  # the CNN of two traits, and the costs of all networks
    for job in jobs:
        assert job["Partition"] == ("gpu" if job["Comment"] in with_gpu else "cpu"), job
        assert ("gres/gpu=1" in job["AllocTRES"]) == (job["Comment"] in with_gpu), job


def test_a_second_run_finds_nothing_to_do(finished):
    project, *_ = finished
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "-n", "--configfile", CONFIG]
    text = run(*command, cwd=project, timeout=300)
    assert "Nothing to be done" in text
