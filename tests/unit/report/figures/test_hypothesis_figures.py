"""Figures of hypotheses and knock-outs: marks stand where the tables say."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from soyfold.evaluation.hypotheses import compare_hypotheses
from soyfold.interpretation.knock_outs import CHANGES, COLUMNS
from soyfold.report.figures import hypotheses, knock_outs
from soyfold.report.pages.results import hypothesis_table

ARMS = {"real": 1.0, **{f"permuted{k}": 0.01 * k for k in range(1, 21)}, "random": -0.2}


@pytest.fixture
def figures(monkeypatch):
    """Figures as they are saved, kept open."""
    kept = []
    for module in (hypotheses, knock_outs):
        monkeypatch.setattr(module, "save_figure", lambda figure, paths: kept.append(figure))
    yield kept
    plt.close("all")


def scores():
    rng = np.random.default_rng(0)
    rows = []
    for trait in ("oil", "protein", "yield"):
        for name, arms in (("none", {"none": 0.0, "additive": -0.5}), ("a", ARMS), ("b", ARMS)):
            for arm, mean in arms.items():
                noise = 0.05 * rng.standard_normal(4)
                rows += [(trait, name, arm, k, "log_likelihood", mean + noise[k]) for k in range(4)]
    told = pd.DataFrame(rows, columns=["trait", "hypothesis", "arm", "seed", "metric", "value"])
    return told.assign(model="group_gblup")


def test_hypotheses_stand_where_the_table_says(figures):
    told = scores()
    table = compare_hypotheses(told, test_share=0.1)
    hypotheses.plot_hypotheses(table, told, paths=[])
    axes = [axis for axis in figures[0].axes if axis.get_title()]
    assert [axis.get_title() for axis in axes] == ["oil", "protein", "yield"]
    row = table[(table.trait == "oil") & (table.hypothesis == "b")].iloc[0]
    marks = {line.get_marker(): line for line in axes[0].lines if 1 in line.get_ydata()}
    assert marks["D"].get_xdata()[0] == pytest.approx(row.difference)
    assert len(marks["o"].get_xdata()) == 20
    assert np.mean(marks["o"].get_xdata()) == pytest.approx(row.permuted - row.none)
    labels = [label.get_text() for label in axes[0].get_yticklabels()]
    assert labels == ["a\n1st of 21, helps", "b\n1st of 21, helps"]


def test_the_page_has_a_row_for_each_hypothesis(tmp_path):
    table = compare_hypotheses(scores(), test_share=0.1)
    table.to_csv(tmp_path / "hypotheses.tsv", sep="\t", index=False, na_rep="NA")
    page = hypothesis_table(tmp_path / "hypotheses.tsv")
    assert len(page.rows) == len(table) and all(len(r) == len(page.columns) for r in page.rows)


def test_knock_outs_show_the_largest_losses_beside_random_snps(figures):
    count = 40
    rows = pd.DataFrame(0.0, index=range(count), columns=COLUMNS)
    rows = rows.assign(trait="oil", hypothesis="a", model="b", snps=5)
    rows["group"] = [f"g{k}" for k in range(count)]
    rows["R2_change"] = -np.arange(count) / 100
    rows.loc[count - 1, ["R2_change_random", "R2_change_random_low"]] = -0.5  # no more than chance
    knock_outs.plot_knock_outs(rows, paths=[])
    labels = [label.get_text() for label in figures[0].axes[0].get_yticklabels()]
    assert labels == [f"g{k} (5)" for k in range(count - 2, count - 2 - knock_outs.SHOWN, -1)]
    assert set(CHANGES) < set(COLUMNS)
