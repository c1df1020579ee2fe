"""Schemes over lines: folds, whole families, whole clusters; what is never on both sides."""

import numpy as np
import pandas as pd
import pytest
from cohort_files import sample_table
from hypothesis import given, settings
from hypothesis import strategies as st

from soyfold.cohort.splits.cluster import cluster_split
from soyfold.cohort.splits.drawing import draw_split
from soyfold.cohort.splits.kfold import kfold_split
from soyfold.cohort.splits.leave_family_out import leave_family_out
from soyfold.cohort.splits.parts import PARTS
from soyfold.common.errors import UserError

RATIO = [7, 2, 1]
SEEDS = st.integers(0, 30)


def names(n):
    return np.array([f"line{i}" for i in range(n)], dtype=object)


def counts(part):
    return np.array([(part == word).sum() for word in PARTS])


@given(st.integers(12, 150), st.integers(2, 8), st.integers(0, 3))
def test_every_line_is_tested_once_a_repeat(n, folds, repeat):
    parts = np.array(
        [
            kfold_split(names(n), folds=folds, ratio=RATIO, seed=repeat * folds + fold)
            for fold in range(folds)
        ]
    )
    assert ((parts == "test").sum(axis=0) == 1).all()
    sizes = (parts == "test").sum(axis=1)
    assert np.ptp(sizes) <= 1
    assert np.abs((parts == "val").sum(axis=1) - 2 / 9 * (n - sizes)).max() <= 1


def test_repeats_have_other_folds():
    tests = [
        frozenset(np.flatnonzero(kfold_split(names(40), folds=5, ratio=RATIO, seed=s) == "test"))
        for s in range(15)
    ]
    assert len(set(tests)) == 15


@given(st.integers(20, 100), st.integers(2, 5), SEEDS)
def test_folds_of_a_stratified_draw_are_even_in_every_stratum(n, folds, seed):
    strata = np.random.default_rng(seed).integers(0, 3, n)
    part = kfold_split(names(n), folds=folds, ratio=RATIO, seed=seed, strata=strata)
    for stratum in np.unique(strata):
        inside = strata == stratum
        assert abs((part[inside] == "test").sum() - inside.sum() / folds) < 1 + 1e-9


@pytest.mark.parametrize(
    ("n", "folds", "message"),
    [(4, 5, "4 samples for 5 folds"), (3, 3, "2 samples for parts of 7:2|for parts of 7:2")],
)
def test_too_few_lines_for_the_folds(n, folds, message):
    with pytest.raises(UserError, match=message):
        kfold_split(names(n), folds=folds, ratio=RATIO, seed=0)


FAMILIES = st.lists(st.integers(1, 30), min_size=3, max_size=12)


def family_labels(sizes, loose):
    """Labels of families of the given sizes, and missing ones of lines of no family."""
    labels = np.repeat([f"f{number:02}" for number in range(len(sizes))], sizes)
    return np.array([*labels, *[None] * loose], dtype=object)


@given(FAMILIES, st.integers(0, 9), st.integers(1, 20), SEEDS)
def test_families_are_never_parted(sizes, loose, minimum, seed):
    family = family_labels(sizes, loose)
    large = [f"f{k:02}" for k, size in enumerate(sizes) if size >= minimum]
    if seed >= len(large):
        with pytest.raises(UserError, match=f"seed{seed} of {len(large)} families with"):
            leave_family_out(family, minimum=minimum, ratio=RATIO, seed=seed)
        return
    part = leave_family_out(family, minimum=minimum, ratio=RATIO, seed=seed)
    assert (counts(part) > 0).all()
    assert (part[family.astype(str) == "None"] == "train").all()
    assert set(family[part == "test"]) == {large[seed]}
    for label in set(family) - {None}:
        assert len(set(part[family == label])) == 1
    rest = len(family) - (part == "test").sum()
    assert abs((part == "val").sum() - 2 / 9 * rest) <= max(sizes)


def test_two_families_are_too_few_for_three_parts():
    with pytest.raises(UserError, match="found 2 families; allowed: leave_family_out with"):
        leave_family_out(family_labels([20, 20], 0), minimum=5, ratio=RATIO, seed=0)


CLUSTERS = st.lists(st.integers(1, 6), min_size=12, max_size=60)


@given(CLUSTERS, SEEDS)
def test_clusters_are_never_parted_and_the_ratio_is_kept(sizes, seed):
    cluster = np.repeat(np.arange(len(sizes)), sizes)
    part = cluster_split(names(len(cluster)), cluster, ratio=RATIO, seed=seed)
    assert all(len(set(part[cluster == label])) == 1 for label in set(cluster))
    quota = len(cluster) * np.array(RATIO) / 10
    assert np.abs(counts(part) - quota).max() <= 2 * max(sizes) + 1


@given(st.integers(0, 15), SEEDS)
def test_single_lines_make_up_the_ratio(pairs, seed):
    cluster = np.r_[np.repeat(np.arange(pairs), 2), np.arange(pairs, pairs + 60)]
    part = cluster_split(names(len(cluster)), cluster, ratio=RATIO, seed=seed)
    assert np.abs(counts(part) - len(cluster) * np.array(RATIO) / 10).max() <= 1


def test_a_cluster_of_several_is_tested_as_often_as_a_line():
    cluster = np.r_[np.repeat(np.arange(5), 4), np.arange(5, 85)]
    draws = [cluster_split(names(100), cluster, ratio=RATIO, seed=k) for k in range(500)]
    share = (np.array(draws) == "test").mean(axis=0)  # standard deviation 0.013
    assert share.min() > 0.05 and share.max() < 0.16


def test_a_cluster_that_fits_no_small_part_is_trained_on():
    cluster = np.r_[np.zeros(60), np.arange(1, 41)]
    for seed in range(20):
        part = cluster_split(names(100), cluster, ratio=RATIO, seed=seed)
        assert (part[:60] == "train").all()


def test_one_cluster_of_all_leaves_parts_empty():
    with pytest.raises(UserError, match="at least one sample in each part"):
        cluster_split(names(30), np.zeros(30), ratio=RATIO, seed=0)


KFOLD = {"scheme": "kfold", "folds": 4, "ratio": RATIO, "stratify": False}
LEAVE = {"scheme": "leave_family_out", "minimum": 5, "ratio": RATIO}
CLUSTER = {"scheme": "cluster", "identity": 0.9, "ratio": RATIO}


@pytest.mark.parametrize("options", [KFOLD, LEAVE, CLUSTER], ids=lambda s: s["scheme"])
@settings(max_examples=25)
@given(seed=st.integers(0, 3), shuffle=st.integers(0, 10**6))
def test_parts_do_not_depend_on_the_order_of_samples(options, seed, shuffle):
    lines = names(48)
    random = np.random.default_rng(shuffle)
    groups = pd.DataFrame({"sample": lines, "label": [f"g{i % 6}" for i in range(48)]})
    found = []
    for order in (np.arange(48), random.permutation(48)):
        table = groups.iloc[random.permutation(48)]
        tables = {
            "leave_family_out": {"families": table.rename(columns={"label": "family"})},
            "cluster": {"clusters": table.rename(columns={"label": "cluster"})},
        }.get(options["scheme"], {})
        samples = sample_table(lines[order], removed=["gone"])
        parts, losses = draw_split(samples, options, seed=seed, **tables)
        assert losses.empty and parts["sample"].tolist() == list(lines[order])
        found.append(parts.set_index("sample")["part"][lines].tolist())
    assert found[0] == found[1]
    assert set(found[0]) == set(PARTS)
