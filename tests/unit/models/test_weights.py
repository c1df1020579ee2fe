"""Values that weigh differently: closed forms, whole weights as copies of lines, equal ones."""

import numpy as np
import pytest

from soyfold.models import blup, boosted_trees, gblup, random_forest, rr_blup

SHAPES = [(50, 120), (120, 50)]


def draw(shape, *, seed=0):
    rng = np.random.default_rng(seed)
    dosage = rng.binomial(2, rng.uniform(0.1, 0.9, shape[1]), (shape[0] + 20, shape[1]))
    n, weights = shape[0], rng.uniform(0.2, 3, shape[0])
    weights /= weights.mean()
    y = 40 + dosage[:n] @ rng.normal(size=shape[1]) + 4 * rng.normal(size=n) / np.sqrt(weights)
    return dosage.astype(np.int8), y, weights


@pytest.mark.parametrize("module", [gblup, rr_blup])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("ridge", [None, 25.0])
def test_weighted_gblup_is_the_mixed_model_with_noise_over_weights(module, shape, ridge):
    dosage, y, weights = draw(shape)
    n = len(y)
    model = module.fit(dosage[:n], y, parameters={"ridge_lambda": ridge}, seed=0, weights=weights)
    effect, noise = model.variances
    centre = dosage[:n].mean(0)
    z = dosage - centre
    design = np.column_stack([np.ones(n), z[:n]])
    penalty = np.diag(np.append(0, np.full(shape[1], noise / effect)))
    inverse = np.linalg.inv(design.T @ (weights[:, None] * design) + penalty)
    rows = np.column_stack([np.ones(len(z)), z])
    expected = rows @ inverse @ design.T @ (weights * y)
    np.testing.assert_allclose(model.predict(dosage), expected, rtol=1e-7)
    sd = np.sqrt(noise * np.einsum("ij,jk,ik->i", rows, inverse, rows))
    np.testing.assert_allclose(model.errors(dosage)[1], sd, rtol=1e-7)
    found = blup.from_state(model.state())
    np.testing.assert_array_equal(found.errors(dosage), model.errors(dosage))


@pytest.mark.parametrize("shape", SHAPES)
def test_weighted_reml_is_the_top_of_the_literal_likelihood(shape):
    dosage, y, weights = draw(shape)
    n = len(y)
    found = [m.fit(dosage[:n], y, parameters={}, seed=0, weights=weights) for m in (gblup, rr_blup)]
    z = dosage[:n] - dosage[:n].mean(0)

    def height(ridge):
        inverse = np.linalg.inv(z @ z.T + ridge * np.diag(1 / weights))
        sums = inverse.sum(0)
        projected = inverse - np.outer(sums, sums) / sums.sum()
        logs = -np.linalg.slogdet(inverse)[1] + np.log(sums.sum())
        return -0.5 * (logs + (n - 1) * np.log(y @ projected @ y))

    ridge = found[0].summary()["lambda"]
    assert found[1].summary()["lambda"] == pytest.approx(ridge, rel=1e-6)
    assert max(height(x) for x in ridge * np.geomspace(0.01, 100, 81)) <= height(ridge) + 1e-9
    np.testing.assert_allclose(found[0].effects, found[1].effects, atol=1e-6)


@pytest.mark.parametrize("module", [gblup, rr_blup])
@pytest.mark.parametrize("shape", SHAPES)
def test_lines_without_their_family_are_told_as_a_weighted_fit_without_it(module, shape):
    dosage, y, weights = draw(shape)
    n = len(y)
    names = np.array([f"{k % 3}" for k in range(n)])
    told = {"parameters": {"ridge_lambda": 20.0}, "seed": 0}
    model = module.fit(dosage[:n], y, **told, weights=weights)
    errors, sd = model.without(names, y - model.predict(dosage[:n]))
    out = names == "1"
    blind = module.fit(dosage[:n][~out], y[~out], **told, weights=weights[~out])
    np.testing.assert_allclose(y[out] - errors[out], blind.predict(dosage[:n][out]), rtol=1e-7)
    scale = np.sqrt(model.variances[1] / blind.variances[1])
    np.testing.assert_allclose(sd[out], scale * blind.errors(dosage[:n][out])[1], rtol=1e-6)


def test_weighting_by_precision_predicts_better_where_records_differ():
    gains = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        dosage = rng.binomial(2, 0.5, (400, 60)).astype(np.int8)
        true = dosage @ rng.normal(size=60)
        records = rng.choice([1, 20], 200)
        y = true[:200] + rng.normal(size=200) * 12 / np.sqrt(records)
        told = {"parameters": {}, "seed": 0}
        plain = gblup.fit(dosage[:200], y, **told)
        weighed = gblup.fit(dosage[:200], y, **told, weights=records / records.mean())
        gains.append(
            np.corrcoef(weighed.predict(dosage[200:]), true[200:])[0, 1]
            - np.corrcoef(plain.predict(dosage[200:]), true[200:])[0, 1]
        )
    assert np.mean(gains) > 0.03 and np.mean(np.array(gains) > 0) > 0.8


def test_trees_follow_the_lines_that_weigh():
    """Two groups of lines contradict each other: the heavy ones are believed."""
    rng = np.random.default_rng(1)
    dosage = (2 * rng.integers(0, 2, (200, 5))).astype(np.int8)
    sign, weights = np.repeat([1.0, -1.0], 100), np.repeat([1.9, 0.1], 100)
    y = sign * (dosage[:, 0] - 1.0)
    forest = random_forest.fit(
        dosage, y, parameters={"trees": 30, "max_features": 1.0}, seed=0, weights=weights
    )
    boosted = boosted_trees.fit(
        dosage[::2], y[::2], parameters={"leaves": [4], "rounds": 50}, seed=0,
        validation=(dosage[1::2], y[1::2]), weights=weights[::2], validation_weights=weights[1::2],
    )  # fmt: skip
    for model in (forest, boosted):
        low, high = (model.predict(dosage[dosage[:, 0] == count]).mean() for count in (0, 2))
        assert high > low + 0.5, "with equal weights they don't differ"
