"""Hypotheses tried in kernels: planted ones are found and their copies aren't."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from soyfold.common.groups import REST, Groups, write_groups
from soyfold.evaluation.hypotheses import HELPS, NOTHING, compare_hypotheses
from soyfold.models.group_kernel import fit_kernels
from soyfold.models.kernels.groups import (
    copies_of,
    group_products,
    permute_groups,
    scatter_groups,
)
from soyfold.training.hypotheses import centred, multiply_groups, try_hypotheses


def draw_groups(snps=120, count=10, genes=30, *, seed=0, weights=None):
    """Groups of genes of 3 SNPs; a third of the genes is in none, some are in two."""
    rng = np.random.default_rng(seed)
    members = np.zeros((snps, count + 1), bool)
    starts = np.linspace(0, snps - 4, genes).astype(int)
    for number, start in enumerate(rng.permutation(starts)):
        if number % 3:
            members[start : start + 3, number % count] = True
            if number % 5 == 0:
                members[start : start + 3, (number + 3) % count] = True
    members[:, -1] = ~members.any(1)
    table = np.eye(count + 1)
    if weights is not None:
        table[:-1, :-1] = weights
    return Groups([*map(str, range(count)), REST], sparse.csr_array(members), table)


def lines(n, snps, *, seed=0):
    return 2 * np.random.default_rng(seed).integers(0, 2, (n, snps)).astype(np.int8)


def ring(count):
    """Weights of groups that go with themselves and, half as much, with the next one."""
    table = np.eye(count)
    here, there = np.arange(count), (np.arange(count) + 1) % count
    table[here, there] = table[there, here] = 0.5
    return table


@pytest.mark.parametrize("weights", [None, ring(10)])
def test_products_are_those_of_all_pairs_of_snps(weights, monkeypatch):
    monkeypatch.setattr("soyfold.models.kernels.groups.FLOATS", 2**12)  # several blocks
    groups = draw_groups(weights=weights)
    z = centred(lines(37, 120))
    # The literal form: a feature for each pair of SNPs, weighted by their groups.
    members = groups.named.members.toarray().astype(float)
    by_pair = members @ groups.named.weights @ members.T
    features = (z[:, :, None] * z[:, None, :]).astype(float)
    wanted = np.einsum("ikl,kl,jkl->ij", features, by_pair, features)
    assert np.allclose(group_products(z, groups), wanted, rtol=1e-4, atol=1e-5)


def test_copies_keep_every_number_of_their_groups():
    groups = draw_groups(weights=ring(10))
    real = groups.members.toarray().astype(int)
    copies = [permute_groups(groups, seed) for seed in range(5)]
    for copy in [*copies, scatter_groups(groups, 1)]:
        members = copy.members.toarray().astype(int)
        assert not np.array_equal(members, real)
        assert np.array_equal(members.T @ members, real.T @ real)  # sizes and overlaps
        assert np.array_equal(np.sort(copy.weights, None), np.sort(groups.weights, None))
        assert np.array_equal(copy.weights, copy.weights.T)
    # A gene stays whole: outside the rest its runs are as long, or it has a neighbour alike.
    for copy in copies:
        grouped = copy.named.members.toarray()
        alike = (grouped[1:] == grouped[:-1]).all(1)
        edges = np.flatnonzero(np.concatenate([[True], ~alike, [True]]))
        sizes = np.diff(edges)[grouped[edges[:-1]].any(1)]
        assert (sizes % 3 == 0).all()
    assert len({copy.members.toarray().tobytes() for copy in copies}) == 5


def test_arms_are_named_and_diagonal_is_left_out_where_it_is_the_hypothesis():
    assert [name for name, _ in copies_of(draw_groups(), 2)] == [
        "real", "permuted1", "permuted2", "random"
    ]  # fmt: skip
    arms = dict(copies_of(draw_groups(weights=ring(10)), 1))
    assert list(arms) == ["real", "permuted1", "random", "diagonal"]
    assert np.array_equal(arms["diagonal"].weights, np.eye(11))


def test_the_predictive_gaussian_is_that_of_the_joint_one():
    rng = np.random.default_rng(3)
    z = centred(lines(60, 80))
    additive = (z @ z.T).astype(float)
    kernels, y = [additive, additive**2], rng.standard_normal(60) + 7
    y += 3 * (z[:, :20] @ rng.standard_normal(20))
    train, test = np.arange(50), np.arange(50, 60)
    fit = fit_kernels([k[:50, :50] for k in kernels], y[train])
    mean, variance = fit.predict(
        [k[np.ix_(test, train)] for k in kernels], [np.diag(k)[test] for k in kernels]
    )
    assert fit.variances[0] > 0
    # Kriging as one linear system: weights that sum to 1 make the mean unbiased.
    whole = sum(s * k for s, k in zip(fit.variances[:-1], kernels, strict=True))
    system = np.ones((51, 51))
    system[:50, :50], system[50, 50] = whole[:50, :50] + fit.variances[-1] * np.eye(50), 0
    sides = np.vstack([whole[:50, 50:], np.ones(10)])
    solved = np.linalg.solve(system, sides)
    assert np.allclose(mean, solved[:50].T @ y[train])
    wanted = np.diag(whole)[test] + fit.variances[-1] - (solved * sides).sum(0)
    assert np.allclose(variance, wanted)


def plant(folder, *, epistasis, seed=0, n=200, genes=40, splits=3):
    """Scores of a trait with epistasis within groups, or anywhere, or (None) with none at all."""
    rng = np.random.default_rng(seed)
    snps = 4 * genes
    groups = draw_groups(snps, 9, genes, seed=seed)
    # Linkage: neighbours of a block of 4 differ in one line of 50.
    dosage = np.repeat(lines(n, genes, seed=seed), 4, axis=1)
    dosage = np.where(rng.random(dosage.shape) < 0.02, 2 - dosage, dosage)
    z = dosage - 1.0
    members = groups.named.members.toarray().astype(int)
    pairs = np.argwhere(np.triu(members @ members.T > 0, 4))
    if epistasis == "anywhere":
        pairs = rng.integers(0, snps, pairs.shape)
    parts = [z @ rng.standard_normal(snps), 0.6 * rng.standard_normal(n)]
    if epistasis:
        effects = rng.standard_normal(len(pairs))
        parts.append(1.2 * (z[:, pairs[:, 0]] * z[:, pairs[:, 1]]) @ effects)
        parts[-1] *= 1.2 / parts[-1].std()
    parts[0] /= parts[0].std()
    samples = [f"L{k}" for k in range(n)]
    np.save(folder / "dosage.npy", dosage.astype(np.int8))
    write_groups(groups, folder / "groups.npz")
    multiply_groups(folder / "products.npz", dosage, folder / "groups.npz", permuted=20)
    tables = {
        "samples": {"sample": samples, "row": range(n)},
        "variants": {"chromosome": ["c"] * snps, "position": range(snps), "column": range(snps)},
        "phenotypes": {"sample": samples, "value": sum(parts)},
    }
    for split in range(splits):
        part = np.repeat(["train", "val", "test"], [int(0.7 * n), int(0.1 * n), n - int(0.8 * n)])
        tables[f"seed{split}"] = {"sample": samples, "part": rng.permutation(part)}
    for name, table in tables.items():
        pd.DataFrame(table).to_csv(folder / f"{name}.tsv", sep="\t", index=False)
    files = {name: folder / f"{name}.tsv" for name in ("samples", "variants", "phenotypes")}
    return try_hypotheses(
        {"pathways": folder / "products.npz"}, trait="growth", seeds=range(splits),
        splits=[folder / f"seed{k}.tsv" for k in range(splits)], dosage=folder / "dosage.npy",
        **files,
    )  # fmt: skip


@pytest.mark.parametrize("epistasis", ["within", "anywhere", None])
def test_planted_epistasis_is_found_by_its_hypothesis_and_not_by_copies(tmp_path, epistasis):
    scores = plant(tmp_path, epistasis=epistasis)
    row = compare_hypotheses(scores, test_share=0.25).set_index("metric").loc["log_likelihood"]
    if epistasis == "within":
        assert row.verdict == HELPS and row["rank"] == 1 and row.permutations == 20
        assert row.low > 0 and row.low_permuted > 0 and row.share > 0.3
        assert abs(row.permuted - row.none) < 0.1 * row.difference
        return
    assert row.verdict == NOTHING
    if epistasis == "anywhere":  # what all pairs have in common finds it, no group does
        assert row.none > max(row.value, row.permuted, row.additive) and row["rank"] > 1
    else:
        assert abs(row.difference) < 0.02
