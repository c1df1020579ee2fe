"""Fixtures that all tests share."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


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
