"""Elastic net: the conditions of its optimum, ridge regression as limit, the path's best step."""

import numpy as np
import pytest
from planted_traits import additive_trait, draw_lines, parted

from soyfold.models import elastic_net

WIDE, LONG = (150, 260), (300, 40)  # more SNPs than training lines, and fewer


@pytest.fixture(autouse=True)
def strict(monkeypatch):
    """Solutions to the last digits, which the tests ask for and predictions don't."""
    monkeypatch.setattr(elastic_net, "TOLERANCE", 1e-10)
    monkeypatch.setattr(elastic_net, "ITERATIONS", 100_000)


def make_parts(shape, **options):
    dosage = draw_lines(*shape)
    y, causal = additive_trait(dosage, **options)
    return parted(dosage, y), causal


def fit(parts, **parameters):
    train, val, _ = parts
    return elastic_net.fit(*train, parameters=parameters, seed=0, validation=val)


@pytest.mark.parametrize("shape", [WIDE, LONG])
@pytest.mark.parametrize("ratio", [0.3, 1.0])
@pytest.mark.parametrize("refit", [True, False])
def test_effects_meet_the_conditions_of_the_optimum(shape, ratio, refit):
    parts, _ = make_parts(shape)
    model = fit(parts, l1_ratios=[ratio], refit=refit)
    (dosage, y), (judged, observed), _ = parts
    if refit:
        dosage, y = np.vstack([dosage, judged]), np.concatenate([y, observed])
    Z, penalty, b = dosage - dosage.mean(0), model.summary()["penalty"], model.effects / y.std()
    slope = Z.T @ ((y - y.mean()) / y.std() - Z @ b) / len(y) - penalty * (1 - ratio) * b
    chosen = b != 0
    assert 0 < chosen.sum() < len(b) and model.summary()["converged"]
    np.testing.assert_allclose(slope[chosen], penalty * ratio * np.sign(b[chosen]), atol=1e-4)
    assert np.abs(slope[~chosen]).max() <= penalty * ratio + 1e-4


def test_without_a_lasso_it_is_ridge_regression():
    parts, _ = make_parts(LONG)
    model = fit(parts, l1_ratios=[1e-7], refit=False)
    (dosage, y), _, _ = parts
    Z, penalty = dosage - dosage.mean(0), model.summary()["penalty"]
    ridge = np.linalg.solve(Z.T @ Z + len(y) * penalty * np.eye(Z.shape[1]), Z.T @ (y - y.mean()))
    np.testing.assert_allclose(model.effects, ridge, atol=2e-6)


@pytest.mark.parametrize("shape", [WIDE, LONG])
def test_lines_and_their_products_give_the_same_fit(shape, monkeypatch):
    monkeypatch.setattr(elastic_net, "TOLERANCE", 1e-6)  # float32 knows no more
    parts, _ = make_parts(shape)
    by_gram = fit(parts)
    monkeypatch.setattr(elastic_net, "GRAM_SNPS", 0)
    by_lines = fit(parts)
    assert by_lines.summary()["penalty"] == pytest.approx(by_gram.summary()["penalty"], rel=1e-5)
    np.testing.assert_allclose(by_lines.effects, by_gram.effects, atol=2e-3)


def test_the_step_of_least_validation_error_is_taken(monkeypatch):
    monkeypatch.setattr(elastic_net, "PATIENCE", 100)
    parts, _ = make_parts(WIDE)
    (dosage, y), (judged, observed), _ = parts
    errors = {}
    for ratio in (0.2, 1.0):
        descent = elastic_net.Descent(dosage, y)
        largest = descent.largest_penalty(ratio)
        for penalty in largest * np.geomspace(1, elastic_net.SPAN, 12):
            predicted = descent.model(descent.solve(penalty, ratio)[0]).predict(judged)
            errors[ratio, penalty] = np.square(predicted - observed).mean()
    best = min(errors, key=errors.get)
    found = fit(parts, l1_ratios=[0.2, 1.0], steps=12).summary()
    assert (found["l1_ratio"], found["penalty"]) == (best[0], pytest.approx(best[1]))


def test_largest_penalty_is_where_effects_begin():
    (dosage, y), _, _ = make_parts(LONG)[0]
    descent = elastic_net.Descent(dosage, y)
    largest = descent.largest_penalty(0.5)
    assert not descent.solve(largest * 1.0001, 0.5)[0].any()
    assert np.count_nonzero(descent.solve(largest * 0.99, 0.5)[0]) == 1


def test_planted_snps_are_found_and_little_else():
    parts, causal = make_parts((500, 200), heritability=0.9, causal=5)
    effects = fit(parts, l1_ratios=[1.0]).effects
    largest = np.argsort(-np.abs(effects))[:5]
    assert set(largest) == set(causal)
    assert np.abs(np.delete(effects, causal)).max() < 0.2 * np.abs(effects[causal]).min()
