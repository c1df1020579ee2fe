"""Figures of the evaluation: what is drawn, what is named, same bytes twice."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from PIL import Image

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


def test_a_bold_mean_ends_with_the_first_seed(monkeypatch):
    seen = []
    monkeypatch.setattr(curves, "save_figure", lambda figure, paths: seen.append(figure.axes))
    plot_learning_curves({"CNN": [history(9), history(4)]}, trait="oil", paths=[])
    bold = [line for line in seen[0][0].lines if line.get_label() == "CNN"]
    assert [len(line.get_xdata()) for line in bold] == [4]


@pytest.mark.parametrize("used", range(1, 9))
def test_each_column_of_panels_has_ticks_beneath_its_last_one(used):
    figure, axes = plt.subplots(2, 4, sharex=True, squeeze=False)
    curves.hide_unused(axes, used)
    figure.canvas.draw()
    for column in axes.T:
        seen = [axis for axis in column if axis.axison]
        ticks = [any(t.get_visible() for t in axis.get_xticklabels()) for axis in seen]
        assert not seen or ticks[-1], "values cannot be read"
    plt.close(figure)


def test_the_palette_of_a_png_changes_no_colour_that_one_sees(tmp_path):
    few, all_ = tmp_path / "few.png", tmp_path / "all.png"
    with plt.rc_context(curves.STYLE):
        figure, axis = plt.subplots()
        image = axis.imshow(np.random.default_rng(0).normal(size=(20, 20)), cmap="RdBu_r")
        figure.colorbar(image)
        figure.savefig(all_, bbox_inches="tight")
        curves.save_figure(figure, [few])
    seen, wanted = (np.asarray(Image.open(p).convert("RGB")).astype(int) for p in (few, all_))
    assert np.abs(seen - wanted).max() <= 8
    assert few.stat().st_size < 0.6 * all_.stat().st_size


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
