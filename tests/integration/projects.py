"""A copy of the project that tests may run, edit and break."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

# Compiled modules come along, and tell by size and time whether they are of their source.
IGNORED = shutil.ignore_patterns(
    ".git", ".venv", ".snakemake", "results", ".*_cache", ".hypothesis"
)


@dataclass
class Project:
    """A checkout under test."""

    folder: Path

    # The limit tells a hang: the demo's five minutes have become fifteen on a busy machine.
    def snakemake(self, *arguments, timeout=2400, **variables):
        """Run snakemake in the checkout, with environment variables; returns the process."""
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **variables}
        environment.pop("SOYFOLD_RESULTS", None)
        return subprocess.run(
            [sys.executable, "-m", "snakemake", "--cores", "2", *map(str, arguments)],
            cwd=self.folder, env=environment, text=True, timeout=timeout, check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def take_results(self, root, study):
        """Copy a study's results, and what Snakemake noted of them, from another checkout."""
        shutil.copytree(root / "results" / study, self.folder / "results" / study)
        for notes in ("metadata", "incomplete"):
            if (root / ".snakemake" / notes).is_dir():
                shutil.copytree(root / ".snakemake" / notes, self.folder / ".snakemake" / notes)

    def planned(self, *arguments):
        """Files that a run would make: list of (rule, path)."""
        done = self.snakemake("--summary", *arguments)
        assert done.returncode == 0, done.stdout
        rows = [line.split("\t") for line in done.stdout.splitlines() if line.count("\t") >= 5]
        header, *rows = rows
        assert header[0] == "output_file" and header[-1] == "plan"
        return [(row[2], row[0]) for row in rows if row[-1] == "update pending"]

    def edit(self, file, old, new):
        """Replace text in one file of the checkout; the text must be there."""
        path = self.folder / file
        text = path.read_text()
        assert old in text, f"{file} doesn't hold {old!r}"
        path.write_text(text.replace(old, new, 1))

    def share_seeds(self, model):
        """Let all splits of a scheme share a job of a model that has one for each of them.

        For a test of results, to which the number of jobs means nothing: each starts Python.
        """
        known = f"{model}: {{module: {model}"
        self.edit("config/models.yaml", known, f"{known}, seeds_per_job: all")


def copy_project(root, target):
    """Copy the sources, as a clone would have them."""
    shutil.copytree(root, target, ignore=IGNORED)
    (target / "results").mkdir()
    return Project(target)
