"""Knock-outs are predictions at the training means, and find what was planted."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from soyfold.common.groups import REST, Groups, write_groups
from soyfold.interpretation.knock_outs import draw_alike, knock_out_groups, measure_changes
from soyfold.models.kernels.groups import group_products
from soyfold.training.hypotheses import ADDITIVE, fit_hypothesis, multiply_groups
from soyfold.training.tasks import Task

SNPS, LINES = 60, 160


def draw_study(folder, *, weights=None):
    """Groups of 6 SNPs each, two SNPs in two of them; a trait that group b alone moves."""
    rng = np.random.default_rng(2)
    members = np.zeros((SNPS, 6), bool)
    for group in range(5):
        members[rng.permutation(SNPS)[:6] if group != 1 else np.arange(10, 16), group] = True
    members[12, 3] = members[20, 0] = True
    members[:, 5] = ~members.any(1)
    table = np.eye(6)
    if weights is not None:
        table[:5, :5] = weights
    groups = Groups([*"abcde", REST], sparse.csr_array(members), table)
    dosage = 2 * rng.integers(0, 2, (LINES, SNPS)).astype(np.int8)
    z = dosage - 1.0
    y = 2 * z[:, 10] + z[:, 14] + 2 * z[:, 11] * z[:, 13] + 0.7 * rng.standard_normal(LINES)
    write_groups(groups, folder / "groups.npz")
    multiply_groups(folder / "products.npz", dosage, folder / "groups.npz", permuted=1)
    part = rng.permutation(np.repeat(["train", "val", "test"], [90, 30, 40]))
    names = np.array([f"L{k}" for k in range(LINES)])
    return groups, dosage, Task(names, part, y, dosage, np.arange(LINES), 0)


@pytest.mark.parametrize("weights", [None, np.eye(5) + 0.3])
def test_without_is_the_prediction_at_the_training_means(tmp_path, weights):
    groups, dosage, task = draw_study(tmp_path, weights=weights)
    fitted = fit_hypothesis(tmp_path / "products.npz", groups, dosage, task)
    train, test = task.rows("train", "val"), task.rows("test")
    snps = np.array([10, 12, 20, 21, 40])
    # The plain way: other dosages of the tested lines, and every kernel anew.
    left = fitted.right.mean(0) - fitted.moves
    z = np.concatenate([fitted.right, left])
    z[len(train) :, snps] = fitted.right[:, snps].mean(0)
    with np.load(tmp_path / "products.npz") as stored:
        before = np.concatenate([fitted.right, left])
        kernels = {ADDITIVE: before @ before.T, "real": group_products(before, groups)}
        order = np.append(train, test)
        for name, kernel in kernels.items():  # as the fit read them
            assert np.allclose(stored[name][np.ix_(order, order)], kernel, atol=1e-4)
    moved = [k[len(train) :, : len(train)] for k in (z @ z.T, group_products(z, groups))]
    now = [k[len(train) :, : len(train)] for k in kernels.values()]
    wanted = fitted.predicted + sum(
        (a - b) @ own for a, b, own in zip(moved, now, fitted.pull, strict=True)
    )
    assert np.allclose(fitted.without(snps), wanted, atol=1e-3)
    assert np.array_equal(fitted.without(np.array([], int)), fitted.predicted)


def test_the_group_that_matters_is_found(tmp_path):
    groups, dosage, task = draw_study(tmp_path)
    np.save(tmp_path / "dosage.npy", dosage)
    tables = {
        "samples": {"sample": task.sample, "row": range(LINES)},
        "variants": {"chromosome": np.repeat(["c1", "c2"], 30), "column": range(SNPS)},
        "phenotypes": {"sample": task.sample, "value": task.y},
        "split": {"sample": task.sample, "part": task.part},
    }
    for name, table in tables.items():
        pd.DataFrame(table).to_csv(tmp_path / f"{name}.tsv", sep="\t", index=False)
    found = knock_out_groups(
        {"pathways": (tmp_path / "groups.npz", tmp_path / "products.npz")}, trait="oil", seed=0,
        draws=4, dosage=tmp_path / "dosage.npy",
        **{name: tmp_path / f"{name}.tsv" for name in tables},
    ).set_index("group")  # fmt: skip
    assert found.index.tolist() == groups.names and found.snps["b"] == 6
    others = found.drop(index=["b", REST])
    assert found.R2_change["b"] < min(-0.4, found.R2_change_random["b"])
    assert found.moved["b"] > others.moved.max() and found.spread_change["b"] < -0.3
    assert (others.R2_change > found.R2_change["b"] / 2).all()
    assert (found.moved_random_low <= found.moved_random).all()


def test_changes_are_their_definitions():
    observed, before = np.array([1.0, 2, 3, 5]), np.array([1.0, 2, 4, 5])
    told = measure_changes(observed, before, before + 2)
    assert np.allclose(told, [2, 0, 2 / before.std(), 0, 0])
    halved = measure_changes(observed, before, before.mean() + (before - before.mean()) / 2)
    assert np.allclose([*halved[:2], halved[3]], [0, -0.5, 0]) and halved[4] < 0
    assert measure_changes(observed, before, before) == [0, 0, 0, 0, 0]


def test_random_snps_are_as_many_on_each_chromosome_and_as_close_together():
    chromosome = np.repeat([0, 1, 2], [10, 4, 20])
    snps, rng = np.array([0, 1, 10, 11, 12, 30]), np.random.default_rng(0)
    drawn = [draw_alike(snps, chromosome, rng) for _ in range(20)]
    for own in drawn:
        assert np.bincount(chromosome[own]).tolist() == [2, 3, 1]
        assert len(set(own)) == len(own)
        assert (own[1] - own[0]) % 10 == 1 and (own[4] - own[3]) % 4 == 1
    assert len({tuple(sorted(own)) for own in drawn}) > 10
