"""Random forest and boosted trees against the libraries that grow them."""

import lightgbm
import numpy as np
import pytest
from planted_traits import additive_trait, draw_lines, interaction_trait, parted
from sklearn.ensemble import RandomForestRegressor

from soyfold.metrics import pearson
from soyfold.models import boosted_trees, random_forest


@pytest.fixture(scope="module")
def parts():
    dosage = draw_lines()
    return parted(dosage, additive_trait(dosage)[0])


@pytest.mark.parametrize("leaf", [1, 7])
def test_forest_predicts_as_scikit_learns(leaf, parts):
    (dosage, y), _, (new, _) = parts
    options = {"max_features": 0.2, "min_samples_leaf": leaf}
    model = random_forest.fit(dosage, y, parameters={"trees": 15, **options}, seed=3)
    theirs = RandomForestRegressor(15, random_state=3, **options).fit(dosage, y)
    np.testing.assert_allclose(model.predict(new), theirs.predict(new), rtol=1e-12)


def test_forest_predicts_lines_alone_as_together(parts, monkeypatch):
    (dosage, y), _, (new, _) = parts
    model = random_forest.fit(dosage, y, parameters={"trees": 15}, seed=0)
    wanted = model.predict(new)
    monkeypatch.setattr(random_forest, "WALKERS", 1)
    np.testing.assert_array_equal(model.predict(new), wanted)
    assert model.predict(new[:0]).shape == (0,)
    assert y.min() <= wanted.min() and wanted.max() <= y.max()  # trees don't extrapolate


def boosted(parts, *, seed=0, **parameters):
    train, val, _ = parts
    own = {"min_samples_leaf": 5, "patience": 20, **parameters}
    return boosted_trees.fit(*train, parameters=own, seed=seed, validation=val)


def test_growth_stops_where_validation_error_is_least(parts):
    model = boosted(parts, leaves=[4], learning_rate=0.2, rounds=400, refit=False)
    judged, observed = parts[1]
    trees, rounds = lightgbm.Booster(model_str=model.text), model.summary()["trees"]
    assert 1 < rounds < 400 and trees.num_trees() == rounds

    def error(count):
        told = model.mean + model.sd * trees.predict(judged, num_iteration=count)
        return np.square(told - observed).mean()

    assert all(error(count) >= error(rounds) - 1e-12 for count in range(1, rounds))


def test_refit_grows_as_many_trees_on_more_lines(parts):
    blind, model = boosted(parts, refit=False), boosted(parts)
    assert model.summary() == blind.summary()
    counts = [lightgbm.Booster(model_str=m.text).num_trees() for m in (blind, model)]
    assert counts[0] == counts[1] == model.summary()["trees"]
    everyone = np.concatenate([parts[0][1], parts[1][1]])
    assert model.mean == pytest.approx(everyone.mean())


def test_leaves_of_least_validation_error_are_taken(parts):
    errors = {}
    for leaves in (2, 12):
        alone = boosted(parts, leaves=[leaves])
        errors[leaves] = np.square(alone.held_out - parts[1][1]).mean()
    assert boosted(parts, leaves=[2, 12]).summary()["leaves"] == min(errors, key=errors.get)


def test_trees_of_two_leaves_see_no_interaction_and_larger_ones_do():
    dosage = draw_lines(600, 14)
    parts = parted(dosage, interaction_trait(dosage))
    new, y = parts[2]
    # With all SNPs a tree, so that both of the two can be in one.
    stumps, trees = (boosted(parts, leaves=[k], snp_share=1.0).predict(new) for k in (2, 15))
    assert pearson(y, trees) > 0.8
    assert not pearson(y, stumps) > 0.4


def test_two_classes_are_learnt_by_cross_entropy_and_told_as_probabilities():
    """Of one SNP that raises the odds: each genotype's prediction is its share of 1."""
    random = np.random.default_rng(2)
    dosage = random.integers(0, 3, (3000, 4), dtype=np.int8)
    y = (random.random(3000) < np.array([0.05, 0.5, 0.98])[dosage[:, 0]]).astype(float)
    told = {"parameters": {"snp_share": 1.0, "l2": 0.0, "refit": False}, "seed": 0}
    lines, validation = (dosage[:2500], y[:2500]), (dosage[2500:], y[2500:])
    model = boosted_trees.fit(*lines, **told, validation=validation, binary=True)
    predicted = model.predict(dosage[:2500])
    assert predicted.min() > 0 and predicted.max() < 1
    for genotype in range(3):
        own = lines[0][:, 0] == genotype
        assert predicted[own].mean() == pytest.approx(lines[1][own].mean(), abs=0.02)
    squared = boosted_trees.fit(*lines, **told, validation=validation)
    assert not np.allclose(squared.predict(dosage), model.predict(dosage), atol=1e-3)
    again = boosted_trees.from_state(model.state())
    np.testing.assert_array_equal(again.predict(dosage), model.predict(dosage))
    theirs = lightgbm.Booster(model_str=model.text)
    raw = theirs.predict(dosage, raw_score=True)
    np.testing.assert_allclose(model.predict(dosage), 1 / (1 + np.exp(-raw)), rtol=1e-12)
