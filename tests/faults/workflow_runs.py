"""Real snakemake processes on a tiny study, and what of their results must be the same."""

import os
import subprocess
import sys
from pathlib import Path

from tiny_road import ROOT

# Not compared between two runs of one study:
DIFFERING = (
    "/logs/", "/benchmarks/",  # times and process numbers
    "/cost.tsv", "/table3_cost.tsv",  # seconds and memory
    ".cool",  # HDF5 holds the date of its making; the sums of its contacts are compared
)  # fmt: skip


def command(study, *arguments):
    """The command line of snakemake on a study."""
    return [
        sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"),
        "--directory", str(study.folder), "--configfile", str(study.save()), "--cores", "2",
        *arguments,
    ]  # fmt: skip


def environment(**variables):
    """That of a user's shell, with one thread a process."""
    kept = {name: value for name, value in os.environ.items() if name != "SOYFOLD_RESULTS"}
    return {**kept, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1", **variables}


def start(study, *arguments, **variables):
    """Start snakemake in a session of its own; its output goes to run.log of the study."""
    with study.path("run.log").open("wb") as output:
        return subprocess.Popen(
            command(study, *arguments), cwd=study.folder, env=environment(**variables),
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip


def finish(study, *arguments, timeout=600, **variables):
    """Run snakemake to its end: exit status and output."""
    status = start(study, *arguments, **variables).wait(timeout)
    return status, study.path("run.log").read_text(errors="replace")


def results(folder):
    """Content of each result of a study that must not differ from run to run, by name."""
    folder = Path(folder)
    found = {f"/{path.relative_to(folder)}": path for path in folder.rglob("*") if path.is_file()}
    return {
        name: path.read_bytes()
        for name, path in sorted(found.items())
        if not any(part in name or name.endswith(part) for part in DIFFERING)
    }
