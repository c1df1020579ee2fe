"""RR-BLUP against GBLUP, and principal components against numpy's."""

import numpy as np
import pytest

from soyfold.common.errors import UserError
from soyfold.models import gblup, principal_components, rr_blup

SHAPES = [(60, 150), (150, 60), (80, 80), (81, 80)]


def make_case(shape, seed=0):
    rng = np.random.default_rng(seed)
    n, markers = shape
    frequency = rng.uniform(0.1, 0.9, markers)
    dosage = rng.binomial(2, frequency, (n + 30, markers)).astype(np.int8)
    y = 35 + (dosage - dosage.mean(0)) @ rng.normal(size=markers)
    y += y.std() * rng.normal(size=len(y))
    return dosage[:n], y[:n], dosage[n:], y[n:]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("ridge", [0.5, 40.0])
def test_rr_blup_is_gblup_at_equal_lambda(shape, ridge):
    dosage, y, new, _ = make_case(shape)
    by_line, by_marker = (
        module.fit(dosage, y, parameters={"ridge_lambda": ridge}, seed=0)
        for module in (gblup, rr_blup)
    )
    np.testing.assert_allclose(by_marker.predict(new), by_line.predict(new), atol=1e-8)
    np.testing.assert_allclose(by_marker.effects, by_line.effects, atol=1e-8)
    assert by_marker.summary() == pytest.approx(by_line.summary(), rel=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(3))
def test_rr_blup_finds_gblups_lambda(shape, seed):
    dosage, y, new, _ = make_case(shape, seed)
    by_line, by_marker = (
        module.fit(dosage, y, parameters={}, seed=0) for module in (gblup, rr_blup)
    )
    assert by_marker.summary() == pytest.approx(by_line.summary(), rel=1e-4)
    np.testing.assert_allclose(by_marker.predict(new), by_line.predict(new), atol=1e-5 * y.std())


def test_rr_blup_has_the_effects_of_the_mixed_model_equations():
    dosage, y, _, _ = make_case((150, 60))
    Z = dosage - dosage.mean(0)
    model = rr_blup.fit(dosage, y, parameters={}, seed=0)
    left = Z.T @ Z + model.summary()["lambda"] * np.eye(60)
    np.testing.assert_allclose(left @ model.effects, Z.T @ (y - y.mean()), atol=1e-8)


def fit_components(case, **parameters):
    dosage, y, judged, observed = case
    return principal_components.fit(
        dosage, y, parameters=parameters, seed=0, validation=(judged, observed)
    )


def literal_path(dosage, y, new, most):
    """Predictions of least squares on the first 0, 1, ... components, by numpy's SVD."""
    Z = dosage - dosage.mean(0)
    _, _, axes = np.linalg.svd(Z, full_matrices=False)
    scores, new_scores = Z @ axes.T, (new - dosage.mean(0)) @ axes.T
    for k in range(most + 1):
        design, new_design = (
            np.column_stack([np.ones(len(s)), s[:, :k]]) for s in (scores, new_scores)
        )
        yield new_design @ np.linalg.lstsq(design, y, rcond=None)[0]


@pytest.mark.parametrize("shape", SHAPES[:2])
def test_components_are_chosen_and_refitted_as_by_hand(shape):
    case = dosage, y, judged, observed = make_case(shape, seed=2)
    model = fit_components(case, components=25)
    paths = list(literal_path(dosage, y, judged, 25))
    k = int(np.argmin([np.square(observed - path).mean() for path in paths]))
    assert model.summary() == {"components": k}
    assert k > 0
    np.testing.assert_allclose(model.held_out, paths[k], atol=1e-8)
    both = np.vstack([dosage, judged]), np.concatenate([y, observed])
    expected = list(literal_path(*both, dosage, k))[-1]
    np.testing.assert_allclose(model.predict(dosage), expected, atol=1e-8)
    alone = fit_components(case, components=25, refit=False)
    np.testing.assert_allclose(alone.predict(judged), paths[k], atol=1e-8)


def test_components_know_families_and_nothing_within_them():
    rng = np.random.default_rng(0)
    family = np.repeat([0, 1, 2], 80)
    frequency = rng.uniform(0.02, 0.98, (3, 300))
    dosage = rng.binomial(2, frequency[family]).astype(np.int8)
    between = np.array([0.0, 4.0, 9.0])[family] + 0.1 * rng.normal(size=len(family))
    part = rng.permutation(len(family))
    train, judged, new = np.split(part, [150, 195])
    case = dosage[train], between[train], dosage[judged], between[judged]
    model = fit_components(case, components=20)
    assert np.corrcoef(model.predict(dosage[new]), between[new])[0, 1] > 0.98
    assert model.summary()["components"] <= 10


def test_a_trait_that_no_component_predicts_gets_its_mean():
    rng = np.random.default_rng(3)
    dosage, _, judged, _ = make_case((60, 150))
    y, observed = rng.normal(size=60), np.zeros(30)
    y -= y.mean()  # so that the mean alone is exact on the validation lines
    model = fit_components((dosage, y, judged, observed), components=5)
    assert model.summary() == {"components": 0}
    np.testing.assert_allclose(model.predict(dosage), 0, atol=1e-12)


@pytest.mark.parametrize("parameters", [{"components": 0}, {"components": 2.5}, {"count": 3}])
def test_bad_components_are_one_line(parameters):
    with pytest.raises(UserError, match=r"components: |unknown parameter"):
        fit_components(make_case((60, 150)), **parameters)
