"""The jobs that Snakemake plans for a study, run one by one in this process.

Snakemake itself reads the Snakefile and hands out each job's input, output and params; only its
scheduler, and the seconds that each job's Python takes to start, are left out. A job whose outputs
stand, none older than its inputs, is taken for done: a half-written file would be built upon.
"""

import contextlib
import io
import logging
import os
import runpy
import traceback
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from snakemake.api import SnakemakeApi
from snakemake.exceptions import WorkflowError
from snakemake.parser import parse
from snakemake.script import Snakemake
from snakemake.settings.types import ConfigSettings, DAGSettings, OutputSettings, ResourceSettings
from tiny_road import ROOT


@dataclass
class Answer:
    """How a storey answered.

    Attributes
    ----------
    job : str
        Script that ended with an error, `config` where no job was planned, or "" after success.
    said : str
        What the user reads on the terminal.
    log : str
        The rule's log, or the traceback of an error before the first job.
    """

    job: str = ""
    said: str = ""
    log: str = ""
    outputs: tuple = ()


@contextlib.contextmanager
def _inside(folder):
    """Work in a folder, with Snakemake's own logging kept off the terminal."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
        for name in ("snakemake", "snakemake.logging"):
            logging.getLogger(name).handlers.clear()


_parsed = {}


def _parse_once(path, workflow, linemap, rulecount=0):
    """Snakemake's `parse`, once a process for a file of rules, which no study changes."""
    key = path.get_path_or_uri(secret_free=True), rulecount
    if key not in _parsed:
        lines = {}
        _parsed[key] = parse(path, workflow, lines, rulecount=rulecount), lines
    told, lines = _parsed[key]
    linemap |= lines
    return told


def plan(study, targets=()):
    """Jobs of a study in an order in which they can run.

    Raises
    ------
    WorkflowError
        As the Snakefile raises it for a wrong config.
    """
    with (
        _inside(study.folder),
        contextlib.redirect_stderr(io.StringIO()),
        mock.patch("snakemake.workflow.parse", _parse_once),
        SnakemakeApi(OutputSettings(dryrun=True)) as api,
    ):
        workflow = api.workflow(
            resource_settings=ResourceSettings(cores=1),
            config_settings=ConfigSettings(configfiles=[study.save()]),
            snakefile=ROOT / "Snakefile",
            workdir=study.folder,
        ).dag(DAGSettings(targets=set(targets), forceall=True))
        # As `snakemake --generate-unit-tests` asks for the jobs; the interface has no other way.
        workflow = workflow.workflow_api._workflow
        workflow._prepare_dag(forceall=True, ignore_incomplete=True, lock_warn_only=True)
        workflow._build_dag()
        levels = workflow.dag.toposorted()
        return [job for level in levels for job in sorted(level, key=str) if job.rule.script]


def run_job(job):
    """Run a job's script as Snakemake would; returns its `Answer`."""
    for path in (*job.output, *job.log):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    handed = Snakemake(
        job.input, job.output, job.params, job.wildcards, job.threads, job.resources, job.log, {},
        job.rule.name, None,
    )  # fmt: skip
    script = Path(job.rule.basedir) / str(job.rule.script).format(params=job.params)
    terminal = io.StringIO()
    with contextlib.redirect_stderr(terminal):
        try:
            runpy.run_path(str(script), init_globals={"snakemake": handed})
        except SystemExit:
            return Answer(
                script.stem, terminal.getvalue(), Path(job.log[0]).read_text(), tuple(job.output)
            )
    return Answer(said=terminal.getvalue())


def _stands(job):
    """Whether a job's outputs are there and no input is newer."""
    made = [Path(path) for path in job.output]
    if not all(path.exists() for path in made):
        return False
    taken = [Path(path).stat().st_mtime_ns for path in job.input if Path(path).exists()]
    return max(taken, default=0) <= min(path.stat().st_mtime_ns for path in made)


def run_study(study, targets=(), *, plan_only=False):
    """Plan a study and run what isn't there yet, up to the first error."""
    try:
        jobs = plan(study, targets)
    except WorkflowError as error:
        return Answer("config", str(error), "")
    except Exception as error:
        return Answer("config", f"unexpected {type(error).__name__}", traceback.format_exc())
    with _inside(study.folder):
        for job in () if plan_only else jobs:
            if _stands(job):
                continue
            answer = run_job(job)
            if answer.job:
                return answer
    return Answer()
