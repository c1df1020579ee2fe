"""Top loci, their neighbourhoods, and chance: against direct counts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soyfold.interpretation.loci import (
    chance,
    drawn_finds,
    found_points,
    line_up,
    near,
    reach_around,
    rotated_finds,
    rotated_hits,
    top_loci,
)


def genome(seed, n=60):
    """Places of n SNPs on three chromosomes, some top loci, and a generator."""
    random = np.random.default_rng(seed)
    codes = np.sort(random.integers(0, 3, n))
    position = random.integers(1, 1000, n)
    order = np.lexsort((position, codes))
    loci = random.random(n) < 0.15
    return codes[order], position[order], loci, random


@given(st.integers(0, 200), st.integers(0, 400))
def test_near_is_what_a_direct_search_finds(seed, reach):
    codes, position, loci, _ = genome(seed)
    close = (codes[:, None] == codes) & (np.abs(position[:, None] - position) <= reach)
    assert np.array_equal(near(line_up(codes, position), loci, reach), (close & loci).any(1))


@given(st.integers(0, 200))
def test_rotations_count_what_rolled_arrays_count(seed):
    codes, position, loci, random = genome(seed)
    targets = random.random(len(loci)) < 0.3
    direct = [(np.roll(loci, k) & targets).sum() for k in range(len(loci))]
    assert np.array_equal(rotated_hits(loci, targets), direct)
    points = line_up(codes, position)[random.integers(0, len(loci), 7)] + 11
    first, past = reach_around(line_up(codes, position), points, 50)
    direct = [found_points(np.roll(loci, k), first, past).sum() for k in range(len(loci))]
    assert np.array_equal(rotated_finds(loci, first, past), direct)


def test_top_loci_are_the_highest_and_never_of_no_importance():
    importance = np.array([0.0, 3.0, 1.0, np.nan, 2.0, 0.0])
    assert top_loci(importance, 0.34).tolist() == [False, True, False, False, True, False]
    assert top_loci(importance, 0.9).sum() == 3
    assert top_loci(np.zeros(5), 0.5).sum() == 0


def test_uniform_draws_find_a_point_as_often_as_the_hypergeometric_law_says():
    loci = np.zeros(100, dtype=bool)
    loci[:5] = True
    # One point with ten SNPs near it, one with none.
    drawn = drawn_finds(
        loci, np.array([20, 40]), np.array([30, 40]), draws=4000, rng=np.random.default_rng(1)
    )
    missed = np.prod([(90 - k) / (100 - k) for k in range(5)])
    assert len(drawn) == 4000
    assert drawn.mean() == pytest.approx(1 - missed, abs=4 * np.sqrt(0.25 / 4000))


def test_chance_counts_the_observed_itself():
    mean, low, high, p = chance(3, np.array([0, 1, 2, 3]))
    assert (mean, p) == (1.5, 2 / 5)
    assert low < high
