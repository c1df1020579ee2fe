"""Topologies of planted epistasis: what each is made to differ in, and in nothing else."""

import numpy as np
import pytest

from soyfold.common.errors import UserError
from soyfold.contacts.cim import expected_between
from soyfold.simulation.topologies import topology_pairs

SIZES = np.array([10, 12, 14, 20, 40, 60, 80, 100, 30, 25])


@pytest.fixture(scope="module")
def sums():
    """Contacts by size, but that the four smallest chromosomes meet most."""
    contacts = np.outer(SIZES, SIZES).astype(float)
    contacts *= np.exp(np.random.default_rng(1).normal(0, 0.1, contacts.shape))
    contacts[:4, :4] *= 2
    return (contacts + contacts.T) / 2


def ratio(sums, pairs):
    return (sums / expected_between(sums))[pairs[:, 0], pairs[:, 1]]


def chosen(name, sums, count=3, seed=0):
    pairs = topology_pairs(name, sums, SIZES, count, np.random.default_rng(seed))
    assert (pairs[:, 0] < pairs[:, 1]).all()
    assert len(np.unique(pairs, axis=0)) == len(pairs)
    return pairs


def test_contact_takes_the_pairs_that_meet_most(sums):
    pairs = chosen("contact", sums)
    first, second = np.triu_indices(len(SIZES), 1)
    everyone = np.sort(ratio(sums, np.stack([first, second], 1)))
    assert np.allclose(np.sort(ratio(sums, pairs)), everyone[-3:])
    assert pairs.max() < 4


def test_matched_pairs_have_the_sizes_of_those_and_meet_less_than_expected(sums):
    contact, matched = chosen("contact", sums), chosen("matched", sums)
    assert (ratio(sums, matched) < 1).all() and (ratio(sums, contact) > 1).all()
    area = [np.log(SIZES[pairs]).sum(1) for pairs in (contact, matched)]
    usual = np.abs(np.log(SIZES).mean() * 2 - area[0]).mean()
    assert np.abs(area[0] - area[1]).mean() < usual / 2


@pytest.mark.parametrize("seed", range(5))
def test_random_pairs_share_no_chromosome(sums, seed):
    pairs = chosen("random", sums, count=5, seed=seed)
    assert np.array_equal(np.sort(pairs.ravel()), np.arange(10))


def test_large_is_the_largest_pair(sums):
    assert chosen("large", sums).tolist() == [[6, 7]]


def test_too_many_pairs_and_unknown_names_are_refused(sums):
    rng = np.random.default_rng(0)
    with pytest.raises(UserError, match="--pairs: found 6 pairs; allowed: 1 to 5 of topology rand"):
        topology_pairs("random", sums, SIZES, 6, rng)
    with pytest.raises(UserError, match="found topology 'ring'; allowed: contact, matched"):
        topology_pairs("ring", sums, SIZES, 2, rng)
