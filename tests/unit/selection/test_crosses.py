"""What is told of crosses and of lines that selection would choose."""

import logging

import numpy as np
import pandas as pd
import pytest
from tiny_study import CODES, planted_lines

from soyfold.common.errors import UserError
from soyfold.selection.advancing import advance_lines, describe_index, index_values
from soyfold.selection.candidates import Candidates, find_lines
from soyfold.selection.crosses import cross_parents
from soyfold.selection.gains import PHENOTYPE, PREDICTED, measure_gains, read_splits, split_gains
from soyfold.selection.intensity import intensity
from soyfold.selection.summary import print_selection

BETTER = {"oil": "high", "height": "low", "index": "high"}
UNITS = {"oil": "%", "height": None}


@pytest.fixture
def parents():
    rng = np.random.default_rng(4)
    dosage = 2 * rng.integers(0, 2, (6, 23)).astype(np.int8)
    effects = rng.normal(size=(2, 23))
    effects = np.vstack([effects, 2 * effects[0] - effects[1]])
    names = [f"PI{k}" for k in range(6)]
    values = pd.DataFrame(dosage @ effects.T, index=names, columns=list(BETTER))
    return values, dosage, effects


def crossed(values, dosage, effects, **more):
    morgans = np.linspace(0, 1, 23)
    options = {"kind": "ril", "share": 0.1, "better": BETTER, **more}
    return cross_parents(
        values, dosage, effects, chromosome=CODES.astype(str), morgans=morgans, **options
    )


def test_crosses_by_usefulness(parents):
    values, dosage, _ = parents
    table = crossed(*parents, checks=values.iloc[[2, 3]])
    assert len(table) == 15 and table["rank"].tolist() == list(range(1, 16))
    assert table["usefulness_index"].is_monotonic_decreasing
    first = table.iloc[0]
    one, other = values.loc[first.parent_1], values.loc[first.parent_2]
    assert first.mean_oil == pytest.approx((one.oil + other.oil) / 2)
    assert first.usefulness_oil == pytest.approx(first.mean_oil + intensity(0.1) * first.sd_oil)
    # What is to be low is useful where it gets low, and beats a check from below.
    assert (table.usefulness_height < table.mean_height).all()
    low = values["height"].iloc[[2, 3]].min()
    shares = table.above_check_height
    assert ((shares > 0.5) == (table.mean_height < low)).all()
    rows = [list(values.index).index(name) for name in (first.parent_1, first.parent_2)]
    assert first.differing_snps == pytest.approx((dosage[rows[0]] != dosage[rows[1]]).mean())
    alone = crossed(*parents, own=values.assign(oil=[1.0, 2, 4, 8, 16, np.nan]))
    assert alone["above_check_oil"].isna().all()
    assert alone["mid_parent_index"].equals(alone["mean_index"])
    known = alone[~alone["parent_2"].eq("PI5")]
    assert set(known["mid_parent_oil"] * 2) == {3, 5, 9, 17, 6, 10, 18, 12, 20, 24}
    assert alone.loc[alone["parent_2"].eq("PI5"), "mid_parent_oil"].isna().all()


def test_share_above_the_check_is_that_of_bred_lines(parents):
    values, dosage, effects = parents
    far = np.arange(23) * 50.0  # loci that know nothing of each other
    table = cross_parents(
        values.iloc[:2], dosage[:2], effects, chromosome=np.repeat("1", 23), morgans=far,
        kind="dh", share=0.1, better=BETTER, checks=values.iloc[[2]],
    )  # fmt: skip
    rng = np.random.default_rng(0)
    lines = np.where(rng.random((40_000, 23)) < 0.5, dosage[0], dosage[1]) @ effects.T
    above = (lines[:, 0] > values["oil"].iloc[2]).mean()
    assert table.above_check_oil[0] == pytest.approx(above, abs=0.03)
    best = np.sort(lines[:, 0])[-4000:].mean()
    assert table.usefulness_oil[0] == pytest.approx(best, abs=0.1 * table.sd_oil[0])


def test_lines_to_advance():
    dosage, oil = planted_lines(60)
    dosage[1] = dosage[0]
    oil[:2] = oil.max() + np.array([2, 1])
    values = pd.DataFrame({"oil": oil, "height": np.random.default_rng(0).normal(size=60)})
    candidates = Candidates(np.array([f"L{k}" for k in range(60)]), dosage, values)
    index = {"weights": {"oil": 1.0}}
    better = {"oil": "high", "height": "low"}
    described = describe_index(values, index=index, better=better, units=UNITS, share=0.1)
    assert described["expected_response"][0] == pytest.approx(intensity(0.1) * oil.std(ddof=1))
    table = advance_lines(
        candidates, index_values(values, described), dosage.mean(0) / 2, share=0.1,
        max_identity=0.98, max_kinship=None, told=pd.DataFrame({"line": ["L0"], "r": [0.5]}),
    )  # fmt: skip
    chosen = table[table.advance == "yes"]
    assert len(chosen) == 6 and table["index"].is_monotonic_decreasing
    assert table["line"][:2].tolist() == ["L0", "L1"] and table["advance"][1] == "no"
    assert table["instead"][1] == "L0" and table["nearest_advanced"][1] == "L0"
    assert table["gebv_oil"][0] == oil[0] and table["r"].notna().sum() == 1
    assert table["index"].mean() == pytest.approx(0, abs=1e-9)
    # No chosen line is its own relative.
    assert (chosen["line"] != chosen["nearest_advanced"]).all()


def test_gains_are_those_of_the_lines_that_are_chosen(tmp_path):
    rng = np.random.default_rng(7)
    true = rng.normal(size=(4000, 2)) @ np.array([[1, 0.4], [0, 1]])
    observed = pd.DataFrame(true + rng.normal(size=true.shape), columns=["oil", "height"])
    predicted = pd.DataFrame(true, columns=observed.columns)
    share, h2 = 0.1, (true.var(0) / observed.to_numpy().var(0)).tolist()
    options = {
        "index": {"weights": {"oil": 1.0, "height": 1.0}}, "share": share,
        "better": {"oil": "high", "height": "high"},
        "heritability": dict(zip(observed, h2, strict=True)),
    }  # fmt: skip
    table = split_gains(observed, predicted, **options).set_index(["chosen_by", "trait"])
    told = table.loc[PREDICTED]
    assert told["gain"].tolist() == pytest.approx(told["expected"].tolist(), abs=0.15)
    # Phenotypes flatter themselves; regressed, they are what the true values gained.
    by_values = np.argsort(-observed.sum(axis=1).to_numpy())[:400]
    really = true[by_values].mean(0) - true.mean(0)
    own = table.loc[PHENOTYPE]
    assert own["expected"].tolist() == pytest.approx(really.tolist(), abs=0.12)
    assert (own["gain"] > own["expected"] + 0.2).all()
    assert table.loc[("oil alone", "oil"), "gain"] > told.loc["oil", "gain"]
    means = measure_gains([(observed, predicted)] * 2, units=UNITS, **options)
    assert means["splits"].eq(2).all() and means["gain_sd"].eq(0).all()
    assert means["gain"].tolist() == pytest.approx(table["gain"].tolist())


def test_splits_keep_lines_of_all_traits(tmp_path, caplog):
    columns = ["sample", "part", "observed", "predicted", "held_out"]
    paths, fits = [], []
    for trait, missing in (("oil", 3), ("height", 5)):
        rows = [(f"L{k}", "test" if k < 25 else "train", k, k + 0.5, None) for k in range(30)]
        path = tmp_path / f"{trait}.tsv"
        table = pd.DataFrame(rows, columns=columns).drop(index=missing)
        table.to_csv(path, sep="\t", index=False)
        paths.append(path)
        fits.append((trait, 0))
    ((observed, predicted),) = read_splits(fits, paths)
    assert list(observed) == ["oil", "height"] and len(observed) == 23
    assert (predicted - observed == 0.5).all(axis=None)
    short = pd.read_csv(paths[1], sep="\t").head(4)
    short.to_csv(paths[1], sep="\t", index=False)
    with caplog.at_level(logging.WARNING, logger="soyfold"):
        left = list(read_splits(fits, paths))
    assert left == [] and "split 0: 3 test lines with values of oil, height" in caplog.text
    assert measure_gains(left, units=UNITS).empty


def test_a_parent_that_is_no_candidate_is_named():
    with pytest.raises(UserError, match=r"selection\.checks: found 'PI9'; allowed: samples"):
        find_lines(["PI1", "PI9"], np.array(["PI1", "PI2"]), key="key selection.checks")


def test_what_the_terminal_says(tmp_path, capsys):
    print_selection(tmp_path)
    assert capsys.readouterr().out == ""
    pd.DataFrame({
        "line": ["a", "b", "c"], "advance": ["yes", "no", "no"], "nearest_advanced": "a",
        "instead": [None, "a", None],
    }).to_csv(tmp_path / "lines.tsv", sep="\t", index=False)  # fmt: skip
    pd.DataFrame({
        "trait": ["oil", "R8"], "unit": ["%", None], "advanced_response": [0.5, -1.25],
    }).to_csv(tmp_path / "index.tsv", sep="\t", index=False)  # fmt: skip
    print_selection(tmp_path)
    told = capsys.readouterr().out
    assert "1 of 3 lines to advance, 1 passed over" in told
    assert "mean    oil +0.50 %, R8 -1.25 (predicted)" in told
    assert f"{tmp_path}/lines.tsv" in told and "crosses" not in told
