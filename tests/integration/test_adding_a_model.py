"""A model is added for real: one file of its own, and one entry of models.yaml."""

import os
import subprocess
import sys

import pandas as pd
import pytest
import yaml

RIDGE = '''"""Ridge regression with a penalty that its user chooses."""

import numpy as np

from soyfold.models.linear import RidgeModel, project
from soyfold.models.linear import from_state as from_state
from soyfold.models.parameters import resolve

DECLARATION = {
    "label": "Own ridge",
    "meaning": "Ridge regression with a given penalty.",
    "kind": "direct",
    "linear": True,
    "parameters": {
        "penalty": {"default": 5.0, "type": "number", "exclusiveMinimum": 0,
                    "description": "Of the squared effects."},
    },
    "citations": [{"what": "ridge", "citation": "Hoerl AE, Kennard RW (1970) Ridge regression"}],
}  # fmt: skip


def fit(dosage, y, *, parameters, seed):
    """Fit the ridge regression."""
    penalty = resolve(parameters, __name__)["penalty"]
    centre = dosage.mean(0, dtype=np.float64)
    kernel = (dosage - centre) @ (dosage - centre).T + penalty * np.eye(len(y))
    effects = project(dosage, centre, np.linalg.solve(kernel, y - y.mean()))
    return RidgeModel(float(y.mean()), centre, effects, {"penalty": penalty})
'''
NETWORK = '''"""An encoder without layers."""

from soyfold.models.encoder import Encoder

DECLARATION = {
    "label": "Own net",
    "meaning": "An encoder of one layer.",
    "extends": "encoder",
    "parameters": {"layers": {"default": 1}, "feed_forward": {"default": 16}},
}


class Network(Encoder):
    """As the encoder."""
'''
ENTRIES = """
  own_ridge: {module: own_ridge, presets: {demo: {penalty: 20}}}
  own_net: {module: own_net, presets: {demo: {tokens: window, window: 4, d_model: 8, epochs: 2}}}
"""
FIT = """
import sys, yaml
from pathlib import Path
from soyfold.study import interpreted_models, registry
from tiny_study import fit, write_cohort

out = Path(sys.argv[1])
study = {"training": {"models_file": "config/models.yaml", "preset": "demo"}}
blocks = registry.load_models(study, "workflow/schemas", ["own_ridge", "own_net"])
assert [interpreted_models.method_of(b) for b in blocks.values()] == ["effects", "gradients"]
inputs = write_cohort(out)
for name, block in blocks.items():
    fit(block, folders=[out / name], **inputs)
"""


@pytest.fixture(scope="module")
def grown(fresh_project):
    """The project with a direct model and a network more."""
    models = fresh_project.folder / "workflow/scripts/soyfold/models"
    (models / "own_ridge.py").write_text(RIDGE)
    (models / "own_net.py").write_text(NETWORK)
    with (fresh_project.folder / "config/models.yaml").open("a") as file:
        file.write(ENTRIES)
    return fresh_project


def study_of(project, **parameters):
    """A study of the new models, as a file."""
    study = yaml.safe_load((project.folder / "config/config.yaml").read_text())
    study["training"] |= {"models": ["mean", "own_ridge", "own_net"], "parameters": parameters}
    study["evaluation"], study["interpretation"] = {"controls": False}, {}
    study["prediction"], study["selection"] = {}, False
    (project.folder / "case.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
    return "case.yaml"


def run_python(project, *arguments):
    paths = [project.folder / "workflow/scripts", project.folder / "tests/support"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], cwd=project.folder, env=environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_the_study_plans_its_fits(grown):
    planned = grown.planned("--configfile", study_of(grown))
    made = " ".join(path for _, path in planned)
    for name in ("own_ridge", "own_net", "mean"):
        assert f"/training/oil/{name}/seed0/predictions.tsv" in made
    assert "/training/oil/own_net/seed0/attention.tsv" in made
    assert "/training/oil/gblup/" not in made


def test_its_misspelt_parameter_is_refused_before_the_first_job(grown):
    done = grown.snakemake("-n", "--configfile", study_of(grown, own_ridge={"penalti": 2}))
    [line] = [line for line in done.stdout.splitlines() if "found " in line]
    assert done.returncode == 1
    assert "own_ridge: found unknown key 'penalti'; allowed: penalty, train_on" in line
    assert line.endswith("to mend: write penalty, if that is meant")


def test_its_fits_stand_on_what_it_declares(grown, tmp_path):
    run_python(grown, "-c", FIT, tmp_path)
    metrics = pd.read_csv(tmp_path / "own_ridge/estimates.tsv", sep="\t").set_index("metric").value
    assert metrics["penalty"] == 20
    for name in ("own_ridge", "own_net"):
        table = pd.read_csv(tmp_path / name / "predictions.tsv", sep="\t")
        assert table.predicted.notna().all() and table.part.nunique() == 3
    test = pd.read_csv(tmp_path / "own_ridge/predictions.tsv", sep="\t").query("part == 'test'")
    assert test.observed.corr(test.predicted) > 0.8


def test_the_lists_of_models_take_it_up(grown):
    run_python(grown, "-m", "soyfold.models.listing")
    readme = (grown.folder / "README.md").read_text()
    assert "| `own_ridge` | Own ridge | Ridge regression with a given penalty. |" in readme
    assert (
        "| `penalty` | `5.0` | a number above 0 | Of the squared effects. |"
        in (grown.folder / "config/README.md").read_text()
    )
