"""Family BayesB: exact posteriors, and what sparse effects and departures are worth together."""

import numpy as np
import pytest

from soyfold.metrics import pearson
from soyfold.models import bayesb, family_bayesb, family_gblup, gibbs, gibbs_departures

OPTIONS = {"iterations": 2500, "burn_in": 200, "chains": 2, "r2": 0.5}


def simulated(n=90, snps=24, families=4, *, causal=3, departure=0.3, seed=0):
    """Dosages, values and families: few SNPs have an effect in all lines, all depart a little."""
    random = np.random.default_rng(seed)
    dosage = random.integers(0, 3, (n, snps)).astype(np.int8)
    names = np.array([f"{k % families:02d}" for k in range(n)])
    common = np.zeros(snps)
    common[random.choice(snps, causal, replace=False)] = 2.0
    own = departure * random.standard_normal((families, snps))
    value = np.einsum("ij,ij->i", dosage - 1.0, common + own[names.astype(int)])
    return dosage, 50 + value + random.standard_normal(n), names


class GivenLaw:
    """Normal effects with all variances given."""

    changing, log_odds = 1.0, None

    def __init__(self, variance, noise):
        self.variance, self.noise = variance, noise

    def update(self, rng, effects, residual_variance):
        pass

    def residual_terms(self, effects):
        return 1e14 * self.noise, 1e14

    def figures(self):
        return {}


@pytest.mark.parametrize("weighted", [False, True])
def test_with_variances_given_it_is_best_linear_unbiased(weighted, monkeypatch):
    dosage, y, names = simulated()
    names[:7] = ""  # lines of no family depart from nothing
    weights = np.random.default_rng(1).uniform(0.3, 1.7, len(y)) if weighted else np.ones(len(y))
    weights /= weights.mean()
    mean, noise, common, departure = np.average(y, weights=weights), 1.5, 0.05, 0.6
    spread = np.average(np.square(y - mean), weights=weights) * len(y) / (len(y) - 1)
    monkeypatch.setattr(gibbs_departures, "DEGREES", 1e14)
    monkeypatch.setattr(gibbs_departures, "SHARE", departure / spread)
    model, departures = gibbs.sample_effects(
        dosage, y, lambda *_: GivenLaw(common, noise), options=OPTIONS, seed=0, model="test",
        weights=weights if weighted else None, families=names,
    )  # fmt: skip
    z = dosage - np.average(dosage, axis=0, weights=weights)
    size = weights @ np.square(z).sum(1) / len(y)
    same = family_gblup.same_family(names)
    genetic = z @ z.T * (common + departure / size * same)
    inverse = np.linalg.inv(genetic + np.diag(noise / weights))
    mu = inverse.sum(0) @ y / inverse.sum()
    dual = inverse @ (y - mu)
    told = np.sqrt(np.var(genetic @ dual))
    assert model.intercept == pytest.approx(mu, abs=0.05 * told)
    np.testing.assert_allclose(model.effects, common * z.T @ dual, atol=0.05 * told)
    for found, name in zip(departures, np.unique(names)[1:], strict=True):
        own = names == name
        wanted = departure / size * z[own].T @ dual[own]
        np.testing.assert_allclose(found, wanted, atol=0.05 * told)


def test_sparse_effects_beside_departures_are_worth_both_alone():
    dosage, y, names = simulated(900, 150, 6, departure=0.12, causal=4)
    old, new = slice(600), slice(600, None)
    short = {"iterations": 500, "burn_in": 200}
    both = family_bayesb.fit(dosage[old], y[old], parameters=short, seed=0, families=names[old])
    sparse = bayesb.fit(dosage[old], y[old], parameters=short, seed=0)
    dense = family_gblup.fit(dosage[old], y[old], parameters={}, seed=0, families=names[old])
    told = [
        pearson(y[new], model.predict(dosage[new], **handed))
        for model, handed in (
            (both, {"families": names[new]}), (sparse, {}), (dense, {"families": names[new]}),
        )
    ]  # fmt: skip
    assert told[0] > max(told[1:]) + 0.01
    figures = both.summary()
    assert 0.05 < figures["family_share"] < 0.8 and figures["rhat_predictions"] < 1.2


def test_a_new_family_has_the_effects_of_all_and_the_state_is_enough():
    dosage, y, names = simulated()
    told = {"parameters": {"iterations": 60, "burn_in": 20}, "seed": 3, "families": names}
    model, again = (family_bayesb.fit(dosage, y, **told) for _ in range(2))
    np.testing.assert_array_equal(model.departures, again.departures)
    expected = model.intercept + (dosage - model.centre) @ model.effects
    found = model.predict(dosage, families=np.full(len(y), "99"))
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    stored = family_bayesb.from_state(model.state())
    np.testing.assert_array_equal(stored.predict(dosage, names), model.predict(dosage, names))


def test_without_families_it_is_bayesb():
    dosage, y, _ = simulated(300)
    told = {"parameters": {"iterations": 1500, "burn_in": 200}, "seed": 0}
    alone = family_bayesb.fit(dosage, y, families=np.full(len(y), ""), **told)
    plain = bayesb.fit(dosage, y, **told)
    assert alone.departures.shape == (0, 24)
    np.testing.assert_allclose(alone.effects, plain.effects, atol=0.02 * np.abs(y).std())
