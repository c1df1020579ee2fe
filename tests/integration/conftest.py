"""A copy of the project that tests may run, edit and break."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

IGNORED = shutil.ignore_patterns(
    ".git", ".venv", ".snakemake", "results", "__pycache__", ".*_cache", ".hypothesis"
)


@dataclass
class Project:
    """A checkout under test."""

    folder: Path

    def snakemake(self, *arguments, timeout=900, **variables):
        """Run snakemake in the checkout, with environment variables; returns the process."""
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **variables}
        environment.pop("SOYFOLD_RESULTS", None)
        return subprocess.run(
            [sys.executable, "-m", "snakemake", "--cores", "2", *map(str, arguments)],
            cwd=self.folder, env=environment, text=True, timeout=timeout, check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

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


def copy_project(root, target):
    """Copy the sources, as a clone would have them."""
    shutil.copytree(root, target, ignore=IGNORED)
    (target / "results").mkdir()
    return Project(target)


@pytest.fixture(scope="session")
def finished_demo(root, tmp_path_factory):
    """The demo, run once from raw files to tables."""
    project = copy_project(root, tmp_path_factory.mktemp("demo") / "soyfold")
    done = project.snakemake()
    assert done.returncode == 0, done.stdout[-6000:]
    project.output = done.stdout
    return project


@pytest.fixture
def demo(finished_demo):
    """The finished demo; edits to its sources are taken back after the test."""
    kept = {
        path: path.read_bytes()
        for folder in ("config", "workflow")
        for path in (finished_demo.folder / folder).rglob("*")
        if path.is_file()
    }
    yield finished_demo
    for path, content in kept.items():
        if path.read_bytes() != content:
            path.write_bytes(content)


@pytest.fixture(scope="session")
def fresh_project(root, tmp_path_factory):
    """A checkout without results, for tests of bad input."""
    return copy_project(root, tmp_path_factory.mktemp("fresh") / "soyfold")
