"""comparisons.tsv: pairs, signs, families of tests, and the traits together."""

import numpy as np
import pandas as pd
import pytest
from scores_table import make_scores

from soyfold.evaluation.comparisons import ALL, COLUMNS, compare_models
from soyfold.evaluation.paired import holm, paired_difference

METRICS = ("PCC", "MAE", "selection_overlap")


GAINS = {"gblup": 0.0, "rkhs": 0.01, "better": 0.1, "worse": -0.1}


@pytest.fixture(scope="module")
def scores():
    return make_scores(GAINS)


@pytest.fixture(scope="module")
def table(scores):
    return compare_models(scores, ["gblup", "rkhs"])


def test_a_share_that_a_fit_has_measured_goes_before_counts_of_lines(scores):
    rows = scores[scores.metric == "test_lines"].assign(metric="test_share", value=0.25)
    table = compare_models(pd.concat([scores, rows]), ["gblup"])
    assert set(table.test_share) == {0.25}
    assert set(compare_models(scores, ["gblup"]).test_share) == {10 / 70}


def pick(table, **where):
    keep = np.logical_and.reduce([table[name] == value for name, value in where.items()])
    return table[keep]


def test_every_model_meets_every_other_reference_once(table):
    assert list(table) == COLUMNS
    keys = ["trait", "scheme", "metric", "model", "reference"]
    assert not table.duplicated(keys).any()
    pairs = set(zip(table.model, table.reference, strict=True))
    assert pairs == {(m, r) for m in GAINS for r in ("gblup", "rkhs") if m != r}
    assert set(table.metric) == set(METRICS)


def test_a_row_is_the_paired_difference_of_its_splits(scores, table):
    wide = pick(scores, trait="oil", metric="PCC").pivot(
        index="seed", columns="model", values="value"
    )
    [row] = pick(table, trait="oil", metric="PCC", model="better", reference="gblup").itertuples()
    expected = paired_difference(wide.better, wide.gblup, test_share=1 / 7)
    assert (row.difference, row.low, row.high, row.p, row.splits) == pytest.approx(
        (expected.mean, expected.low, expected.high, expected.p, 6)
    )
    assert row.model_mean - row.reference_mean == pytest.approx(row.difference)
    assert row.test_share == pytest.approx(1 / 7) and row.reference_label == "GBLUP"


def test_wins_go_by_what_is_better(table):
    wins = pick(table, trait="oil", reference="gblup").set_index(["model", "metric"]).wins
    assert {wins["better", metric] for metric in METRICS} == {6}
    assert {wins["worse", metric] for metric in METRICS} == {0}
    difference = pick(table, trait="oil", reference="gblup", model="better", metric="MAE")
    assert (difference.difference < 0).all(), "a difference keeps its metric's own sign"


def test_holm_counts_the_models_of_one_reference(table):
    rows = pick(table, trait="oil", reference="gblup", metric="PCC")
    assert len(rows) == 3
    assert rows.p_holm.to_numpy() == pytest.approx(holm(rows.p))
    assert (rows.p_holm >= rows.p).all() and (rows.p_holm > rows.p).any()


def test_traits_together_are_means_of_each_split(scores, table):
    both = pick(scores, metric="PCC").pivot_table(index="seed", columns="model", values="value")
    [row] = pick(table, trait=ALL, metric="PCC", model="worse", reference="gblup").itertuples()
    expected = paired_difference(both.worse, both.gblup, test_share=1 / 7)
    assert (row.difference, row.low, row.p) == pytest.approx(
        (expected.mean, expected.low, expected.p)
    )
    assert (row.traits, row.better_traits) == (2, 0)
    better = pick(table, trait=ALL, metric="selection_overlap", model="better", reference="gblup")
    assert better.better_traits.tolist() == [2]
    assert "MAE" not in set(table[table.trait == ALL].metric), "two units have no mean"


def test_a_trait_without_the_model_is_no_part_of_the_mean(scores):
    fewer = scores[~((scores.model == "better") & (scores.trait == "oil"))]
    table = compare_models(fewer, ["gblup"])
    assert pick(table, trait=ALL, model="better").empty
    assert set(pick(table, trait=ALL, metric="PCC").traits) == {2}
    assert "oil" not in set(pick(table, model="better").trait)


def test_undefined_values_stay_undefined(scores):
    constant = scores.copy()
    here = (constant.model == "worse") & (constant.metric == "PCC") & (constant.trait == "oil")
    constant.loc[here & (constant.seed == 2), "value"] = np.nan
    row = pick(compare_models(constant, ["gblup"]), trait="oil", model="worse", metric="PCC")
    assert np.isnan(row.difference).all() and np.isnan(row.p_holm).all() and len(row) == 1
    constant.loc[here, "value"] = np.nan
    found = compare_models(constant, ["gblup"])
    assert pick(found, trait="oil", model="worse", metric="PCC").empty
    assert len(pick(found, trait="oil", model="worse", metric="MAE")) == 1


def test_schemes_are_compared_apart_and_controls_not_at_all(scores):
    kfold = make_scores({"gblup": 0.0, "better": 0.1}, scheme="kfold", seeds=5)
    control = make_scores({"better.zero": 0.0}, role={"better.zero": "control"})
    variant = make_scores({"better_gau": 0.1}, role={"better_gau": "variant"})
    table = compare_models(pd.concat([scores, kfold, control, variant]), ["gblup", "rkhs"])
    assert set(pick(table, scheme="kfold").reference) == {"gblup"}
    assert set(pick(table, scheme="kfold").splits) == {5}
    assert "better.zero" not in set(table.model) and "better_gau" in set(table.model)


def test_without_references_there_is_an_empty_table(scores):
    assert list(compare_models(scores, [])) == COLUMNS
    assert compare_models(scores, ["absent"]).empty


def test_a_model_of_fewer_splits_is_compared_on_those_that_both_have(scores, table):
    few = scores[(scores.model != "better") | (scores.seed < 3)]
    rows = pick(compare_models(few, ["gblup"]), model="better", metric="PCC")
    expected = compare_models(scores[scores.seed < 3], ["gblup"])
    expected = pick(expected, model="better", metric="PCC")
    assert set(rows.splits) == {3} and ALL in set(rows.trait)
    same = [name for name in COLUMNS if name not in ("p_holm", "test_share")]
    pd.testing.assert_frame_equal(
        rows[same].reset_index(drop=True), expected[same].reset_index(drop=True)
    )
    others = pick(compare_models(few, ["gblup"]), model="worse")
    assert set(others.splits) == {6}
