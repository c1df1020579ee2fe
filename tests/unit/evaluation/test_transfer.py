"""What other traits add at each number of lines: paired by split, to itself and to a reference."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from soyfold.evaluation.paired import paired_difference
from soyfold.evaluation.transfer import COLUMNS, compare_transfer
from soyfold.report.figures import transfer
from soyfold.report.pages.results import transfer_table

LABELS = {"multi_trait_gblup": "Multi-trait GBLUP", "net": "Net", "gblup": "GBLUP"}
ARMS = {"multi_trait_gblup": ("alone", "joint"), "net": ("alone", "joint"), "gblup": ("alone",)}


def draw_scores():
    rng = np.random.default_rng(1)
    rows = [
        ("oil", model, arm, lines, seed, metric, rng.random())
        for model, arms in ARMS.items() for arm in arms for lines in (20, 100)
        for seed in (2, 0, 1) for metric in ("R2", "PCC", "MAE")
    ]  # fmt: skip
    columns = ["trait", "model", "arm", "lines", "seed", "metric", "value"]
    return pd.DataFrame(rows, columns=columns)


def test_differences_are_paired_by_split():
    scores = draw_scores().sample(frac=1, random_state=0)
    table = compare_transfer(scores, labels=LABELS, test_share=0.25)
    assert list(table) == COLUMNS and len(table) == 2 * 2 * 5
    told = table.set_index(["metric", "model", "arm", "lines"])

    def own(model, arm):
        chosen = scores[(scores.metric == "R2") & (scores.lines == 20)]
        chosen = chosen[(chosen.model == model) & (chosen.arm == arm)]
        return chosen.sort_values("seed").value.to_numpy()

    row = told.loc["R2", "net", "joint", 20]
    wanted = paired_difference(own("net", "joint"), own("net", "alone"), test_share=0.25)
    assert (row.difference, row.low, row.high, row.p) == pytest.approx(
        (wanted.mean, wanted.low, wanted.high, wanted.p)
    )
    wanted = paired_difference(own("gblup", "alone"), own("multi_trait_gblup", "joint"),
                               test_share=0.25)  # fmt: skip
    row = told.loc["R2", "gblup", "alone", 20]
    assert row.difference_reference == pytest.approx(wanted.mean)
    assert np.isnan(row.difference) and row.splits == 3
    assert np.isnan(told.loc["R2", "multi_trait_gblup", "joint", 20].difference_reference)
    assert told.loc["R2", "net", "joint", 20].value == pytest.approx(own("net", "joint").mean())


def test_figure_and_page_have_every_curve(tmp_path, monkeypatch):
    table = compare_transfer(draw_scores(), labels=LABELS, test_share=0.25)
    kept = []
    monkeypatch.setattr(transfer, "save_figure", lambda figure, paths: kept.append(figure))
    transfer.plot_transfer(table, paths=[])
    axis = kept[0].axes[0]
    assert axis.get_title() == "oil" and len(axis.containers) == 5
    line = axis.containers[3].lines[0]
    own = table[(table.metric == "R2") & (table.model == "net") & (table.arm == "joint")]
    np.testing.assert_allclose(line.get_xydata(), own[["lines", "value"]])
    plt.close("all")
    table.to_csv(tmp_path / "transfer.tsv", sep="\t", index=False, na_rep="NA")
    page = transfer_table(tmp_path / "transfer.tsv")
    assert len(page.rows) == len(table) and all(len(r) == len(page.columns) for r in page.rows)
