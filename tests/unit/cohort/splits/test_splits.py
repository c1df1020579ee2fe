"""Splits: parts disjoint and exhaustive, the ratio kept, seeds apart; the user's own splits."""

import numpy as np
import pandas as pd
import pytest
from cohort_files import sample_table
from hypothesis import given
from hypothesis import strategies as st

from soyfold.cohort.splits.drawing import draw_split
from soyfold.cohort.splits.given import given_split
from soyfold.cohort.splits.random import quantile_strata, random_split
from soyfold.common.errors import UserError

SETTINGS = {"scheme": "random", "ratio": [7, 2, 1], "stratify": False, "file": None}
COUNTS = st.integers(10, 400)
SEEDS = st.integers(0, 1000)


def names(n):
    return np.array([f"line{i}" for i in range(n)])


def counts(part):
    return [int((part == word).sum()) for word in ("train", "val", "test")]


@given(COUNTS, st.tuples(*[st.floats(1, 9)] * 3), SEEDS)
def test_every_sample_has_one_part_and_the_ratio_is_kept(n, ratio, seed):
    part = random_split(names(n), ratio=ratio, seed=seed)
    quota = n * np.array(ratio) / sum(ratio)
    assert sum(counts(part)) == n
    assert np.abs(counts(part) - quota).max() <= 1


def test_seven_two_one():
    assert counts(random_split(names(400), ratio=[7, 2, 1], seed=0)) == [280, 80, 40]
    assert counts(random_split(names(5314), ratio=[7, 2, 1], seed=0)) == [3720, 1063, 531]


@given(COUNTS, SEEDS)
def test_drawn_again_it_is_the_same_whatever_the_order(n, seed):
    samples = names(n)
    part = random_split(samples, ratio=[7, 2, 1], seed=seed)
    order = np.random.default_rng(n).permutation(n)
    again = random_split(samples[order], ratio=[7, 2, 1], seed=seed)
    assert (again == part[order]).all()


def test_seeds_differ_and_samples_are_in_test_equally_often():
    draws = np.array([random_split(names(50), ratio=[7, 2, 1], seed=k) for k in range(400)])
    assert len({tuple(draw) for draw in draws}) == 400
    share = (draws == "test").mean(axis=0)  # standard deviation 0.015
    assert share.min() > 0.04
    assert share.max() < 0.17


@given(st.integers(40, 300), st.integers(2, 6), SEEDS)
def test_stratified_parts_have_the_ratio_in_every_stratum(n, bins, seed):
    values = np.random.default_rng(seed).normal(size=n)
    values[:: bins + 3] = np.nan
    strata = quantile_strata(values, bins)
    part = random_split(names(n), ratio=[7, 2, 1], seed=seed, strata=strata)
    assert sum(counts(part)) == n
    for stratum in np.unique(strata):
        inside = strata == stratum
        quota = inside.sum() * np.array([0.7, 0.2, 0.1])
        assert np.abs(counts(part[inside]) - quota).max() < 2


@given(st.integers(1, 100), st.integers(2, 8))
def test_quantile_strata_are_nearly_equal_and_ordered(n, bins):
    values = np.random.default_rng(n).integers(0, 5, n).astype(float)  # ties
    strata = quantile_strata(np.r_[values, np.nan], bins)
    assert strata[-1] == -1
    sizes = np.bincount(strata[:-1], minlength=bins)
    assert len(sizes) == bins
    assert np.ptp(sizes) <= 1
    assert (np.diff(strata[:-1][np.argsort(values, kind="stable")]) >= 0).all()


def test_stratified_draw_uses_the_trait_and_leaves_nobody_out():
    samples = sample_table(names(100), removed=["gone"])
    values = pd.DataFrame({"sample": names(80), "value": np.arange(80.0)})
    settings = {**SETTINGS, "stratify": {"trait": "oil", "bins": 4}}
    parts, losses = draw_split(samples, settings, seed=3, values=values)
    assert parts["sample"].tolist() == names(100).tolist()
    assert losses.empty
    assert counts(parts["part"][80:]) == [14, 4, 2]


def test_too_few_samples_for_three_parts():
    with pytest.raises(UserError, match=r"4 samples for parts of 7:2:1.*at least one sample"):
        random_split(names(4), ratio=[7, 2, 1], seed=0)


def table(**columns):
    lines = range(2, 8)  # as `read_user_table` numbers the rows
    return pd.DataFrame({"strain": names(6), **columns}, index=lines, dtype=object)


WORDS = ["train", "train", "val", "test", None, "train"]


def test_given_parts_and_every_loss():
    samples = sample_table([*names(5), "late"], removed=["line5", "other"])
    parts, losses = given_split(table(seed0=WORDS), samples, seed=0, file="splits.tsv")
    assert parts.to_dict("list") == {"sample": names(4).tolist(), "part": WORDS[:4]}
    assert dict(losses.to_numpy()) == {
        "line4": "no part in seed0",
        "late": "not in the splits file",
        "line5": "removed by genotype QC: sample missing > 0.1",
    }


@pytest.mark.parametrize(
    ("splits", "kept", "seed", "message"),
    [
        (table(seed0=WORDS), names(3), 0, r"line 5: found samples.*: 3 \('line3', 'line4'"),
        (table(seed0=WORDS), names(6), 7, r"no column seed7; .*strain, seed0.*splits\.seeds"),
        (table(seed0=["Train", *WORDS[1:]]), names(6), 0, r"line 2, column seed0: found 'Train'"),
        (table(seed0=["train"] * 6), names(6), 0, r"no sample in val and test after genotype QC"),
        (
            pd.concat([table(seed0=WORDS)] * 2).set_axis(range(2, 14)), names(6), 0,
            r"line 8: found the sample 'line0' twice",
        ),
    ],
    ids=["unknown samples", "seed not there", "another word", "empty part", "sample twice"],
)  # fmt: skip
def test_given_refusals(splits, kept, seed, message):
    with pytest.raises(UserError, match=message) as error:
        given_split(splits, sample_table(kept), seed=seed, file="splits.tsv")
    assert str(error.value).startswith("splits.tsv")
