"""Copies of the project that integration tests share."""

import pytest
from projects import copy_project


@pytest.fixture(scope="session")
def finished_demo(root, tmp_path_factory):
    """The demo, run once from raw files to tables.

    What `make demo` has left in the checkout is taken over, and only what has changed since runs.
    """
    project = copy_project(root, tmp_path_factory.mktemp("demo") / "soyfold")
    if (root / "results/demo").is_dir() and (root / ".snakemake/metadata").is_dir():
        project.take_results(root, "demo")
        # One job is left in any case, so that the run ends as a run does.
        (project.folder / "results/demo/report/figures/cim.png").unlink(missing_ok=True)
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


@pytest.fixture(scope="module")
def fresh_project(root, tmp_path_factory):
    """A checkout without results; each file of tests has its own, since some look for results."""
    return copy_project(root, tmp_path_factory.mktemp("fresh") / "soyfold")
