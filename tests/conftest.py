"""Fixtures that all tests share."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Tests of a file share a process, for what they set up once; so do all that need the demo.

    First, since pytest-xdist reads the marks in the same hook.
    """
    for item in items:
        shared = "demo" if "finished_demo" in item.fixturenames else str(item.path)
        item.add_marker(pytest.mark.xdist_group(shared))


@pytest.fixture(scope="session")
def root():
    """The project's root."""
    return ROOT


@pytest.fixture(scope="session")
def real_data():
    """Folder of the real data; the test is skipped aloud where it is absent."""
    folder = Path(os.environ.get("SOYFOLD_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "README.md").is_file():
        pytest.skip(f"no real data at {folder} (set SOYFOLD_DATA)")
    return folder


# Few models on few lines: every storey from raw files to figures in about 30 jobs of seconds.
SMALL_STUDY = {
    "study": "small",
    "splits": {"seeds": 1},
    "training": {"preset": "demo", "models": ["mean", "gblup", "cnn"]},
    "evaluation": {"controls": False},
}


@pytest.fixture(scope="session")
def write_small_study():
    """Function that simulates a study of 3 chromosomes in `<project>/small`; returns its config."""

    def write(project):
        table = (project / "resources/chromosomes/soybean_wm82.a2.tsv").read_text()
        folder = project / "small"
        folder.mkdir()
        (folder / "chromosomes.tsv").write_text("\n".join(table.splitlines()[:4]) + "\n")
        subprocess.run(
            [sys.executable, "workflow/scripts/simulate_study.py", "--out", "small", "--lines",
             "120", "--snps", "300", "--pairs", "20000", "--seed", "3", "--chromosomes",
             "small/chromosomes.tsv"],
            cwd=project, check=True, timeout=300, capture_output=True,
        )  # fmt: skip
        study = yaml.safe_load((folder / "study.yaml").read_text()) | SMALL_STUDY
        (folder / "study.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
        return "small/study.yaml"

    return write
