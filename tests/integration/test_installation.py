"""`pip install .`: a saved model predicts in a notebook, away from the checkout."""

import subprocess
import sys

import numpy as np
import pytest
from projects import copy_project
from saved_study import Saver

NOTEBOOK = """
import sys
import numpy as np
import soyfold
from soyfold.prediction import load_model
assert not soyfold.__file__.startswith(sys.argv[1]), soyfold.__file__
values, sd = load_model(sys.argv[2]).predict(np.load(sys.argv[3]))
np.save(sys.argv[4], values)
print(soyfold.__version__)
"""


@pytest.fixture(scope="module")
def installed(root, tmp_path_factory):
    """A folder into which pip has installed the package, without what it depends on."""
    folder = tmp_path_factory.mktemp("installed")
    project = copy_project(root, folder / "soyfold").folder
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
         "--no-deps", "--target", folder / "site", project],
        check=True, timeout=300,
    )  # fmt: skip
    return folder / "site"


@pytest.mark.parametrize("name", ["gblup", "csafm"])
def test_a_saved_model_predicts_from_the_installed_package(installed, root, tmp_path, name):
    saver = Saver(tmp_path, root)
    expected, _, path = saver.fit(name)
    done = subprocess.run(
        [sys.executable, "-c", NOTEBOOK, root, path, saver.inputs["dosage"], tmp_path / "told.npy"],
        check=True, cwd=tmp_path,
        env={"PYTHONPATH": str(installed), "PATH": "", "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True,
    )  # fmt: skip
    np.testing.assert_allclose(np.load(tmp_path / "told.npy"), expected, rtol=1e-5)
    citation = (root / "CITATION.cff").read_text(encoding="utf-8")
    assert f"version: {done.stdout.strip()}\n" in citation
