"""Fixtures that all tests share."""

import os
import subprocess
import sys
from pathlib import Path

import hypothesis
import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent

# A time limit per example fails on a busy machine, and says nothing of what a test asks.
hypothesis.settings.register_profile("soyfold", deadline=None)
hypothesis.settings.load_profile("soyfold")


# Files whose tests need the finished demo (tests/integration/conftest.py).
ON_THE_DEMO = ("test_demo.py", "test_interpretation.py", "test_report.py", "test_scheme_rules.py")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Tests of a file share a process, for what they set up once; those on the demo all do.

    (`--dist loadgroup` of pytest-xdist 3.8 groups nothing under pytest 9.2.)
    """
    from xdist.scheduler import LoadFileScheduling

    # As collected, with tests/unit last: a long file at the end would keep one process alone.
    config.option.loadscopereorder = False

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid):
            file = super()._split_scope(nodeid)
            return "demo" if Path(file).name in ON_THE_DEMO else file

    return Scheduling(config, log)


def pytest_make_parametrize_id(val, argname):
    """Bytes have no part in a test's name: gzip writes the time into them, and processes differ."""
    return f"{argname}_bytes" if isinstance(val, bytes) else None


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
