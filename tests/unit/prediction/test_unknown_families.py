"""Models that can't tell how they err without a line's family widen by one that can."""

import logging

import numpy as np
import pandas as pd
import pytest

from soyfold.evaluation.conformal import Calibration, conformal_half_width
from soyfold.prediction import predicting
from soyfold.prediction.predicting import NewLines, predict_lines
from soyfold.prediction.saved_models import SavedModel
from soyfold.prediction.unknown_families import find_guides
from soyfold.training.checkpoints import save_checkpoint

RANDOM = np.random.default_rng(0)
KNOWN, APART = RANDOM.normal(size=60), 2 * RANDOM.normal(size=80)
EMPTY = np.zeros(0)


class Zero:
    """Predicts 0, and knows nothing of its errors."""

    def predict(self, dosage, families):
        return np.zeros((len(dosage), 1)), np.full((len(dosage), 1), np.nan)

    def errors(self, dosage, families):
        return np.full((2, len(dosage), 1), np.nan)


def saved(path, label, apart):
    """A file with a model's calibrations, and the model."""
    facts = {"traits": ["oil"], "units": ["%"], "label": label, "name": label, "families": None,
             "model": {"facts": {}}}  # fmt: skip
    save_checkpoint(path, {"residuals/0": KNOWN, "apart/0": apart}, **facts)
    known, other = (Calibration(each, np.full(len(each), np.nan)) for each in (KNOWN, apart))
    variants = pd.DataFrame({"variant": ["a", "b"]})
    return SavedModel(facts, variants, {"oil": known}, {"oil": other}, {}, Zero())


@pytest.fixture
def told(tmp_path, monkeypatch):
    """Half widths of a line with sisters and one of a new family, by what models there are."""
    paths = {"net": tmp_path / "net.npz", "GBLUP": tmp_path / "gblup.npz"}
    models = {paths["net"]: saved(paths["net"], "net", EMPTY)}
    models[paths["GBLUP"]] = saved(paths["GBLUP"], "GBLUP", APART)
    monkeypatch.setattr(predicting, "load_model", models.__getitem__)
    monkeypatch.setattr(predicting, "refuse_other_variants", lambda *_, **__: None)
    lines = NewLines(np.array(["x", "y"]), np.zeros((2, 2), np.int8), None, np.ones(2))
    near = pd.DataFrame(
        {"kinship_max": 1.0, "kinship_mean10": 1.0, "nearest_line": "z", "in_training": False,
         "family_lines": pd.array([3, 0], dtype="Int64")}
    )  # fmt: skip

    def predict(*names):
        chosen = [paths[name] for name in names]
        table = predict_lines(chosen, lines, None, {"oil": near}, level=0.9)
        return {name: rows.upper.to_numpy() for name, rows in table.groupby("model")}

    return predict


def test_a_network_widens_as_the_model_that_knows_does_whichever_comes_first(told, caplog):
    sisters, apart = conformal_half_width(KNOWN, 0.9), conformal_half_width(APART, 0.9)
    with caplog.at_level(logging.INFO, logger="soyfold"):
        found = told("net", "GBLUP")
    np.testing.assert_allclose(found["GBLUP"], [sisters, apart])
    np.testing.assert_allclose(found["net"], [sisters, apart])  # their own widths are the same
    assert "are wider by" in caplog.text and "as those of GBLUP" in caplog.text


def test_alone_it_says_that_they_are_too_narrow(told, caplog):
    with caplog.at_level(logging.WARNING, logger="soyfold"):
        found = told("net")
    assert np.ptp(found["net"]) == 0 and "too narrow" in caplog.text


def test_guides_are_never_narrower_and_need_enough_lines(tmp_path):
    saved(tmp_path / "few.npz", "few", APART[:5])
    saved(tmp_path / "same.npz", "same", KNOWN / 3)
    assert find_guides([tmp_path / "few.npz"], 0.9) == {}
    guides = find_guides([tmp_path / "few.npz", tmp_path / "same.npz"], 0.9)
    assert guides["oil"].label == "same" and guides["oil"].ratio == 1
