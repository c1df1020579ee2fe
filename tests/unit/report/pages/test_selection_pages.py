"""Lines to advance and crosses to make: what the pages say follows from the tables."""

import io

import numpy as np
import pandas as pd
import pytest

from soyfold.report.pages.cross_chart import cross_chart
from soyfold.report.pages.selection import cross_advice, line_advice, line_sections


@pytest.fixture
def lines():
    """Oil decides: protein's coefficient is too small to move a line."""
    rng = np.random.default_rng(0)
    oil = np.arange(20.0)[::-1]
    table = pd.DataFrame({
        "rank": range(1, 21), "line": [f"L{k}" for k in range(20)], "index": oil,
        "advance": ["yes"] * 4 + ["no"] * 16, "gebv_oil": oil, "gebv_protein": rng.normal(size=20),
        "nearest_advanced": "L0", "instead": None,
    })  # fmt: skip
    return table.assign(instead=table["instead"].mask(table["rank"] == 6, "L0"))


@pytest.fixture
def index():
    return pd.DataFrame({
        "trait": ["oil", "protein"], "unit": "%", "coefficient": [1.0, 0.001], "mean": 0.0,
    })  # fmt: skip


@pytest.fixture
def crosses():
    mean = np.linspace(5, 4, 30)
    sd = np.linspace(0.5, 2.0, 30)
    return pd.DataFrame({
        "parent_1": "P0", "parent_2": [f"P{k}" for k in range(1, 31)], "differing_snps": 0.3,
        **{f"{field}_{of}": values for of in ("index", "oil") for field, values in (
            ("mean", mean), ("sd", sd), ("usefulness", mean + 2 * sd), ("above_check", np.nan))},
    }).sort_values("usefulness_index", ascending=False, ignore_index=True)  # fmt: skip


def test_what_would_change_the_lines(lines, index):
    told = line_advice(lines, index)
    assert told[0].startswith("oil: with a quarter less or more weight 4 and 4 of the 4 best")
    assert told[0].endswith("by oil alone 4.")
    best = set(np.argsort(-lines["gebv_protein"])[:4]) & set(range(4))
    assert told[1].endswith(f"by protein alone {len(best)}.")
    assert "1 better lines are passed over" in told[2]
    assert "index of 16.000, the next one 15.000, the best 19.000" in told[3]


def test_the_page_has_gains_where_they_are_known(lines, index, tmp_path):
    for name, table in (("lines", lines), ("index", index), ("gains", index)):
        table.to_csv(tmp_path / name, sep="\t", index=False)
    files = {name: tmp_path / name for name in ("lines", "index")}
    assert [part.kind for part in line_sections(files)] == ["table", "notes", "table"]
    assert len(line_sections({**files, "gains": tmp_path / "gains"})) == 4


def test_what_would_change_the_crosses(crosses):
    told = cross_advice(crosses)
    # The widest are the most useful, and the narrowest have the best means.
    assert told[0].startswith("0 of the 10 most useful crosses stay with the mean alone")
    assert told[2].startswith("10 of the 10")
    assert told[3].startswith("P0 is a parent of 10 of them")
    unsure = cross_advice(crosses.assign(sd_uncertain_index=2 * crosses["sd_index"]))
    assert unsure[3].startswith("10 of the 10") and "uncertain effects" in unsure[3]
    own = cross_advice(crosses.assign(mid_parent_index=crosses["mean_index"]))
    assert own[3].startswith("10 of the 10") and "own values" in own[3]


def test_few_crosses_are_not_all_the_most_useful(crosses):
    """Of all crosses all would stay, whatever is believed."""
    few = cross_advice(crosses.head(6))
    assert all(" of the 3 most useful" in one for one in few[:3])
    two = crosses.iloc[[0, -1]].reset_index(drop=True)
    assert cross_advice(two) == [
        "The most useful cross is another one with the mean alone (the spread is not believed).",
        "The most useful cross stays with half of the spread.",
        "The most useful cross stays with twice the spread (as if predictions had shrunk it).",
    ]
    assert "no other cross" in cross_advice(crosses.head(1))[0]


def test_the_line_of_equal_usefulness_bounds_all_crosses(crosses):
    chart = cross_chart(crosses, ["oil"], units={"oil": "%"}, share=0.05, few=10)
    text = chart.spec["datasets"][chart.spec["layer"][0]["data"]["name"]]
    line = pd.read_csv(io.StringIO(text))
    for name, ends in line.groupby("of"):
        mean, sd = ends["mean"].astype(float), ends["sd"].astype(float)
        useful = mean + 2 * sd
        assert useful.to_numpy() == pytest.approx(crosses[f"usefulness_{name}"].max())
        assert mean.between(3.999, 5.001).all()
