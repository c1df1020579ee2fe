"""Mean and variance of a cross's inbred progeny, against lines bred one meiosis at a time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soyfold.common import blocks
from soyfold.selection.progeny import linkage, progeny_sd

LINES = 10_000


def gametes(first, second, morgans, chromosome, rng):
    """One gamete of each of n plants whose haplotypes are (n, L): Haldane's crossovers."""
    distance = np.diff(morgans, prepend=morgans[0])
    crossing = (1 - np.exp(-2 * np.abs(distance))) / 2
    crossing[np.r_[True, chromosome[1:] != chromosome[:-1]]] = 0.5
    switched = np.cumsum(rng.random(first.shape) < crossing, axis=1) % 2 == 1
    return np.where(switched, first, second)


def breed(parents, morgans, chromosome, kind, rng):
    """Dosages of inbred lines from the F1 of two inbred parents."""
    one, two = (np.tile(line // 2, (LINES, 1)) for line in parents)
    if kind == "dh":
        return 2 * gametes(one, two, morgans, chromosome, rng)
    for _ in range(9):
        one, two = (gametes(one, two, morgans, chromosome, rng) for _ in range(2))
    return one + two


@pytest.fixture(scope="module")
def cross():
    rng = np.random.default_rng(3)
    chromosome = np.repeat(["1", "2", "3"], 25)
    morgans = np.concatenate([np.sort(rng.uniform(0, 1.3, 25)) for _ in range(3)])
    parents = 2 * rng.integers(0, 2, (2, 75)).astype(np.int8)
    drawn = rng.normal(size=75)
    coupled = np.abs(drawn) * np.sign(parents[0] - parents[1].astype(float))
    return parents, np.stack([drawn, coupled]), chromosome, morgans


@pytest.mark.parametrize("kind", ["dh", "ril"])
def test_closed_form_is_what_ten_thousand_lines_show(cross, kind):
    parents, effects, chromosome, morgans = cross
    lines = breed(parents, morgans, chromosome, kind, np.random.default_rng(1))
    values = lines @ effects.T
    told = progeny_sd(parents, effects, chromosome, morgans, kind=kind)[:, 0, 1]
    error = told / np.sqrt(2 * LINES)
    assert (np.abs(values.std(0, ddof=1) - told) < 3.5 * error).all()
    mean = parents.mean(0) @ effects.T
    assert (np.abs(values.mean(0) - mean) < 3.5 * told / np.sqrt(LINES)).all()
    # The other kind, and loci that know nothing of each other, are far outside of that error.
    other = progeny_sd(parents, effects, chromosome, morgans, kind={"dh": "ril", "ril": "dh"}[kind])
    alone = np.sqrt(np.square(effects * (parents[0] - parents[1]) / 2).sum(1))
    assert (np.abs(values.std(0) - other[:, 0, 1]) > 5 * error).any()
    assert (np.abs(values.std(0) - alone) > 5 * error).any()


def test_linkage_at_its_ends():
    far, near = np.array([0.0]), np.array([0.0, 1e-9, 50.0])
    for kind in ("dh", "ril"):
        assert linkage(far, near, kind=kind)[0] == pytest.approx([1, 1, 0], abs=1e-8)
    # c = 0.1: 1 - 2c = 0.8, and Haldane and Waddington's R = 2c / (1 + 2c), 1 - 2R = 0.8 / 1.2.
    at = np.array([-np.log(0.8) / 2])
    assert linkage(far, at, kind="dh")[0, 0] == pytest.approx(0.8)
    assert linkage(far, at, kind="ril")[0, 0] == pytest.approx(0.8 / 1.2)


@given(st.integers(0, 2**31), st.sampled_from(["dh", "ril"]))
def test_all_pairs_at_once_are_each_cross_by_itself(seed, kind):
    rng = np.random.default_rng(seed)
    snps = rng.integers(2, 40)
    chromosome = np.sort(rng.integers(0, 3, snps)).astype(str)
    morgans = rng.uniform(0, 1, snps)
    parents = rng.integers(0, 3, (4, snps)).astype(np.int8)
    effects = rng.normal(size=(2, snps))
    together = progeny_sd(parents, effects, chromosome, morgans, kind=kind)
    near = linkage(morgans, morgans, kind=kind) * (chromosome[:, None] == chromosome)
    for i in range(4):
        for j in range(4):
            b = effects * (parents[i] - parents[j]) / 2.0
            plain = np.sqrt(np.maximum(np.einsum("ki,ij,kj->k", b, near, b), 0))
            assert together[:, i, j] == pytest.approx(plain, abs=1e-5)


def test_invariants(cross, monkeypatch):
    parents, effects, chromosome, morgans = cross
    told = progeny_sd(parents, effects, chromosome, morgans, kind="ril")
    assert np.array_equal(told, told.swapaxes(1, 2))
    assert (np.einsum("kpp->kp", told) == 0).all()
    # Which allele is counted, and where a chromosome begins, are matters of the file.
    flipped = progeny_sd(2 - parents, -effects, chromosome, morgans + 7, kind="ril")
    assert flipped == pytest.approx(told)
    order = np.random.default_rng(0).permutation(len(morgans))
    mixed = progeny_sd(
        parents[:, order], effects[:, order], chromosome[order], morgans[order], kind="ril"
    )
    assert mixed == pytest.approx(told)
    twins = progeny_sd(parents[[0, 0, 1]], effects, chromosome, morgans, kind="dh")
    assert (twins[:, 0, 1] == 0).all() and (twins[:, 0, 2] > 0).all()
    monkeypatch.setattr(blocks, "BLOCK", 7)
    assert progeny_sd(parents, effects, chromosome, morgans, kind="ril") == pytest.approx(told)
