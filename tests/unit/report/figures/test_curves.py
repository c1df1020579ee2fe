"""Figures of the evaluation: what is drawn, what is named, same bytes twice."""

import numpy as np
import pandas as pd
import pytest

from soyfold.report.figures import curves
from soyfold.report.figures.curves import plot_learning_curves, plot_predictions


def history(epochs):
    index = np.arange(1, epochs + 1)
    return pd.DataFrame({"epoch": index, "val_loss": 1 / index, "val_pcc": 1 - 1 / index})


@pytest.fixture
def predictions():
    rng = np.random.default_rng(1)
    observed = rng.normal(size=60)
    table = pd.DataFrame({"observed": observed, "seed": np.repeat([0, 1], 30)})
    return {
        "GBLUP": table.assign(predicted=observed),
        "Mean": table.assign(predicted=3.0),
    }


def test_a_constant_predictor_is_named_so_and_never_given_a_correlation(tmp_path, predictions):
    plot_predictions(predictions, trait="oil", unit="%", paths=[tmp_path / "p.svg"])
    text = (tmp_path / "p.svg").read_text()
    assert "GBLUP: PCC 1.00" in text
    assert "Mean: constant" in text
    assert "observed oil (%)" in text


def test_models_without_epochs_have_no_curve(tmp_path):
    histories = {"GBLUP": [history(0)], "CNN": [history(9), history(4)]}
    plot_learning_curves(histories, trait="oil", paths=[tmp_path / "c.svg"])
    text = (tmp_path / "c.svg").read_text()
    assert "CNN" in text and "GBLUP" not in text


def test_a_study_without_networks_says_so(tmp_path):
    plot_learning_curves({"Mean": [history(0)]}, trait="oil", paths=[tmp_path / "c.svg"])
    assert "no model has epochs" in (tmp_path / "c.svg").read_text()


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_same_data_same_bytes(tmp_path, predictions, suffix):
    for name in ("a", "b"):
        path = tmp_path / f"{name}.{suffix}"
        plot_predictions(predictions, trait="oil", unit=None, paths=[path])
    assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()


@pytest.mark.parametrize(("largest", "scale"), [(1.5, "linear"), (30.0, "log")])
def test_a_model_with_large_early_losses_does_not_flatten_the_others(tmp_path, largest, scale):
    seen = []
    tables = [pd.DataFrame({"epoch": [1, 2], "val_loss": [largest, 0.8], "val_pcc": [0.1, 0.2]})]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(curves, "save_figure", lambda figure, paths: seen.append(figure.axes))
        plot_learning_curves({"CNN": tables}, trait="oil", paths=[])
    assert [axis.get_yscale() for axis in seen[0][:2]] == [scale, "linear"]
