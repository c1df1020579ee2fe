"""The variance that uncertain effects add, against effects drawn from what is known of them."""

import numpy as np
import pytest

from soyfold.selection.progeny import progeny_sd
from soyfold.selection.uncertainty import EffectCovariance, added_variance

VARIANCES = 0.02, 0.7


@pytest.fixture(scope="module")
def lines():
    return np.random.default_rng(0).integers(0, 3, (40, 30)).astype(np.int8)


@pytest.mark.parametrize("n", [40, 20])
@pytest.mark.parametrize("weighted", [False, True])
def test_from_either_side_it_is_the_mixed_models(lines, n, weighted):
    lines = lines[:n]
    weights = np.linspace(0.5, 2, n) if weighted else None
    each = np.ones(n) if weights is None else weights
    centre = np.average(lines, axis=0, weights=weights)
    z = lines - centre
    effect, noise = VARIANCES
    expected = np.linalg.inv((z.T * each) @ z / noise + np.eye(30) / effect)
    snps = np.array([2, 7, 8, 29])
    told = EffectCovariance(lines, centre, VARIANCES, weights).of(snps)
    assert told == pytest.approx(expected[np.ix_(snps, snps)])


@pytest.mark.parametrize("kind", ["dh", "ril"])
def test_posterior_mean_of_the_variance(lines, kind):
    rng = np.random.default_rng(1)
    chromosome, morgans = np.repeat(["1", "2"], 15), rng.uniform(0, 1, 30)
    parents = 2 * rng.integers(0, 2, (3, 30)).astype(np.int8)
    covariance = EffectCovariance(lines, lines.mean(0), VARIANCES)
    mean = 0.1 * rng.normal(size=30)
    drawn = rng.multivariate_normal(mean, covariance.of(np.arange(30)), size=20_000)
    by_draws = np.square(progeny_sd(parents, drawn, chromosome, morgans, kind=kind)).mean(0)
    added = added_variance(parents, covariance, chromosome, morgans, kind=kind)
    plain = np.square(progeny_sd(parents, mean, chromosome, morgans, kind=kind))[0]
    assert plain + added == pytest.approx(by_draws, rel=0.04)
    assert (np.diag(added) == 0).all()
