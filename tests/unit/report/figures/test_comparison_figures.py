"""The forest plots: what is drawn, what is said, and that many models and traits fit in."""

import re

import numpy as np
import pytest
from matplotlib import pyplot as plt
from scores_table import make_scores

from soyfold.evaluation.comparisons import compare_models
from soyfold.report.figures import comparisons
from soyfold.report.figures.comparisons import plot_comparisons

GAINS = {"gblup": 0.0, "rkhs": 0.01, "better": 0.1, "worse": -0.1, "far": -2.0}


@pytest.fixture(scope="module")
def table():
    return compare_models(make_scores(GAINS), ["gblup", "rkhs"])


@pytest.fixture
def figures(monkeypatch):
    """Figures as they are saved, kept open."""
    kept = []
    monkeypatch.setattr(comparisons, "save_figure", lambda figure, paths: kept.append(figure))
    yield kept
    plt.close("all")


def panels(figure):
    return {axis.get_title(): axis for axis in figure.axes}


def test_each_trait_and_reference_has_a_panel_sorted_from_the_best(table, figures):
    plot_comparisons(table, scheme="random", metric="PCC", paths=[])
    found = panels(figures[0])
    assert list(found) == [
        "oil: against GBLUP", "oil: against RKHS", "protein: against GBLUP",
        "protein: against RKHS",
    ]  # fmt: skip
    labels = [text.get_text() for text in found["oil: against GBLUP"].get_yticklabels()]
    assert labels == ["BETTER", "RKHS", "GBLUP", "WORSE", "FAR"]


def test_lower_is_better_for_errors(table, figures):
    plot_comparisons(table, scheme="random", metric="MAE", paths=[])
    axis = panels(figures[0])["oil: against GBLUP"]
    labels = [text.get_text() for text in axis.get_yticklabels()]
    assert labels[0] == "BETTER" and labels[-1] == "FAR"
    [dot] = [line for line in axis.lines if line.get_marker() == "o" and line.get_ydata()[0] == 0]
    assert dot.get_xdata()[0] < 0 and dot.get_color() == comparisons.BETTER


def test_a_model_far_off_is_told_in_words_and_squeezes_nobody(table, figures):
    plot_comparisons(table, scheme="random", metric="PCC", paths=[])
    axis = panels(figures[0])["oil: against GBLUP"]
    assert axis.get_xlim()[0] > -0.5
    assert any(re.match(r"-(1\.9|2\.0)", text.get_text()) for text in axis.texts)


@pytest.mark.parametrize(("metric", "side"), [("PCC", 1), ("MAE", 0)])
def test_the_best_model_is_in_the_panel_however_far_ahead(figures, metric, side):
    gains = {"gblup": 0.0, "rkhs": 0.001, "near": 0.002, "nearer": 0.003, "best": 0.4}
    table = compare_models(make_scores(gains), ["gblup"])
    plot_comparisons(table, scheme="random", metric=metric, paths=[])
    axis = panels(figures[0])["oil: against GBLUP"]
    rows = table[(table.trait == "oil") & (table.metric == metric) & (table.model == "best")]
    reached = axis.get_xlim()[side]
    assert abs(rows.difference.iloc[0]) > 0.1
    assert abs(reached) > abs(rows.difference.iloc[0])
    assert not [text for text in axis.texts if re.fullmatch(r"[+-]\d+\.\d+", text.get_text())]


def test_interval_and_wins_are_those_of_the_table(table, figures):
    plot_comparisons(table, scheme="random", metric="PCC", paths=[])
    axis = panels(figures[0])["oil: against GBLUP"]
    row = table[(table.trait == "oil") & (table.metric == "PCC") & (table.reference == "gblup")]
    row = row.set_index("model").loc["better"]
    bars = [line.get_xdata() for line in axis.lines if list(line.get_ydata()) == [0, 0]]
    np.testing.assert_allclose(bars, [[row.low, row.high]])
    assert f"{row.wins}/{row.splits}" in [text.get_text() for text in axis.texts]


def test_many_traits_have_a_mean_and_a_map(figures):
    traits = [f"t{i}" for i in range(12)]
    scores = make_scores(GAINS, traits=traits, seeds=3)
    scores = scores[~((scores.model == "worse") & (scores.trait != "t0"))]
    table = compare_models(scores, ["gblup", "rkhs"])
    plot_comparisons(table, scheme="random", metric="PCC", paths=[])
    found = panels(figures[0])
    assert "mean over traits: against RKHS" in found and "t3: against GBLUP" not in found
    told = [text.get_text() for text in found["mean over traits: against RKHS"].texts]
    assert "3/3 (12/12)" in told
    [axis] = [axis for title, axis in found.items() if title.startswith("each trait")]
    values = axis.images[0].get_array()
    assert values.shape == (4, 12)
    labels = [text.get_text() for text in axis.get_yticklabels()]
    # A model of one trait has no mean over traits: it stands last, and eleven cells are empty.
    assert labels == ["BETTER", "RKHS", "FAR", "WORSE"]
    assert np.isnan(np.ma.filled(values[3], np.nan)).sum() == 11


def test_nothing_to_compare_is_said(table, tmp_path):
    plot_comparisons(table, scheme="kfold", metric="PCC", paths=[tmp_path / "c.svg"])
    assert "no model to compare" in (tmp_path / "c.svg").read_text()


def test_same_data_same_bytes(table, tmp_path):
    for name in ("a.svg", "b.svg"):
        plot_comparisons(table, scheme="random", metric="PCC", paths=[tmp_path / name])
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
