"""No model, in no scheme, learns anything from what it is tested on."""

from pathlib import Path
from unittest import mock

import leak_study
import numpy as np
import pandas as pd
import pytest
import yaml
from leak_study import LINES, SCHEMES, TRAITS, draw, family_dosage, fit_model, noise, write_study

from soyfold.cohort.splits.cells import value_parts
from soyfold.common.files import read_table, write_table
from soyfold.metrics import pearson
from soyfold.models.declarations import declaration
from soyfold.study.schemes import OF_ENVIRONMENTS, OPTIONS
from soyfold.training.checkpoints import read_checkpoint
from soyfold.training.outputs import read_predictions

ROOT = Path(__file__).resolve().parents[3]
MODELS = list(yaml.safe_load((ROOT / "config/models.yaml").read_text())["models"])
# A mean correlation of values that nothing explains has a standard error of 1 / sqrt(degrees of
# freedom); beyond four of them lies one in 16,000.
ERRORS = 4.0


def write_split(folder, scheme):
    path, rows = folder / scheme / "seed0.tsv", draw(scheme, 0)
    write_table(rows, path)
    if scheme in OF_ENVIRONMENTS:
        cells = value_parts(leak_study.tables()["cells"], rows)
        write_table(cells, path.parent / "cells" / path.name)
    return path


def of_lines(name):
    """Whether an entry predicts lines, which every scheme parts."""
    return leak_study.blocks(ROOT)[name]["unit"] == "line"


@pytest.fixture(scope="module")
def models():
    return leak_study.blocks(ROOT)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Phenotypes that no genotype explains, with a split of each scheme."""
    folder = tmp_path_factory.mktemp("leaks")
    write_study(folder, family_dosage(), noise(LINES, len(TRAITS)))
    for scheme in SCHEMES:
        write_split(folder, scheme)
    return folder


def correlation(folder):
    """Test PCC, and how many standard errors of values without any signal it is from 0."""
    table = read_predictions(folder / "predictions.tsv", TRAITS[0])
    test = table[table.part == "test"]
    found = pearson(test.observed, test.predicted)
    return found, abs(found) * (len(test) - 2) ** 0.5


def test_every_scheme_is_here():
    assert set(SCHEMES) == set(OPTIONS)
    for scheme, settings in SCHEMES.items():
        assert set(settings) == set(OPTIONS[scheme])


@pytest.mark.parametrize(
    ("scheme", "name"),
    [(s, name) for s in SCHEMES for name in MODELS if s in OF_ENVIRONMENTS or of_lines(name)],
)
def test_phenotypes_without_signal_are_not_predicted(models, study, scheme, name):
    found, errors = correlation(fit_model(models, name, study, study / scheme / "seed0.tsv"))
    assert np.isnan(found) or errors < ERRORS  # a constant predicts nothing


def with_test_lines(models, folder, split):
    """GBLUP that is fitted on the test lines too: what the tests here must see."""
    parts = ["train", "val", "test"]
    leaky = {"leaky": models["gblup"] | {"name": "leaky", "parameters": {"train_on": parts}}}
    # What it declares would refuse that.
    with mock.patch.dict(declaration("gblup").parameters["train_on"]["items"], enum=parts):
        return fit_model(leaky, "leaky", folder, split)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_leak_would_be_seen_in_correlations(models, study, scheme):
    found, errors = correlation(with_test_lines(models, study, study / scheme / "seed0.tsv"))
    assert found > 0 and errors > 1.2 * ERRORS


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Two studies of one split, with a signal, that differ in their test lines alone."""
    folders = [tmp_path_factory.mktemp(name) for name in ("before", "after")]
    split = write_split(folders[0], "random")
    write_split(folders[1], "random")
    test = (read_table(split).part == "test").to_numpy()
    dosage = family_dosage()
    effects = np.random.default_rng(4).standard_normal((leak_study.SNPS, len(TRAITS)))
    values = noise(LINES, len(TRAITS)) + dosage @ effects
    write_study(folders[0], dosage, values)
    dosage[test] = family_dosage(seed=9)[test]
    values[test] = 1000 + 3 * values[test] + noise(int(test.sum()), len(TRAITS), seed=9)
    write_study(folders[1], dosage, values)
    return folders


def difference(folders):
    """What differs between two fits beyond what they say of the test lines; None if nothing."""
    checkpoints = [read_checkpoint(folder / "checkpoint.npz") for folder in folders]
    if checkpoints[0][1] != checkpoints[1][1]:
        return "the checkpoint's facts"
    arrays, again = (
        {name: (array.shape, array.tobytes()) for name, array in checkpoint[0].items()}
        for checkpoint in checkpoints
    )
    if arrays != again:
        return f"arrays: {[name for name in arrays if arrays[name] != again.get(name)]}"
    for file in ("history.tsv", "predictions.tsv"):
        tables = [pd.read_csv(folder / file, sep="\t", dtype=str) for folder in folders]
        if "part" in tables[0]:
            tables = [table[table.part != "test"] for table in tables]
        if not tables[0].equals(tables[1]):
            return file
    return None


@pytest.mark.parametrize("name", filter(of_lines, MODELS))
def test_test_lines_change_no_fitted_parameter(models, planted, name):
    folders = [fit_model(models, name, f, f / "random/seed0.tsv") for f in planted]
    assert difference(folders) is None
    predicted = read_table(folders[0] / "predictions.tsv").predicted
    assert predicted.nunique() > 1 or name == "mean", "nothing was learnt that could differ"


def test_a_leak_would_be_seen_in_parameters(models, planted):
    folders = [with_test_lines(models, f, f / "random/seed0.tsv") for f in planted]
    assert "arrays" in difference(folders)


@pytest.mark.parametrize("scheme", sorted(OF_ENVIRONMENTS))
def test_tested_values_of_environments_change_no_training_value(scheme):
    cells = leak_study.tables()["cells"]
    rows = draw(scheme, 0)
    tested = rows[rows.part == "test"].set_index(["sample", "environment"]).index
    here = pd.MultiIndex.from_frame(cells[["sample", "environment"]]).isin(tested)
    assert 0 < here.sum() < len(cells)
    again = draw(scheme, 0, cells=cells.assign(value=cells.value * (1 + here)))
    known = [table[table.part != "test"].reset_index(drop=True) for table in (rows, again)]
    pd.testing.assert_frame_equal(*known, check_exact=True)
    assert not np.allclose(rows.value[rows.part == "test"], again.value[again.part == "test"])
