"""Family GBLUP: closed forms, REML against an independent maximiser, what families change."""

import numpy as np
import pytest
from scipy.optimize import minimize

from soyfold.errors import UserError
from soyfold.models import family_gblup, gblup
from soyfold.models.variance_components import estimate, evaluate


def simulated(n=160, snps=60, families=4, *, departure=1.0, seed=0):
    """Lines of a few families whose SNP effects differ by `departure`."""
    random = np.random.default_rng(seed)
    dosage = 2 * random.integers(0, 2, (n, snps)).astype(np.int8)
    names = np.array([f"{k % families:02d}" for k in range(n)])
    common = random.standard_normal(snps)
    own = departure * random.standard_normal((families, snps))
    value = np.einsum("ij,ij->i", dosage - 1.0, common + own[names.astype(int)])
    return dosage, 50 + value + 2 * random.standard_normal(n), names


def literal_log_likelihood(kernels, y, variances):
    """REML written out: -1/2 (log|V| + log|1'V^-1 1| + y'Py)."""
    V = sum(s * K for s, K in zip(variances, kernels, strict=False)) + variances[-1] * np.eye(
        len(y)
    )
    inverse, one = np.linalg.inv(V), np.ones((len(y), 1))
    total = one.T @ inverse @ one
    P = inverse - inverse @ one @ np.linalg.inv(total) @ one.T @ inverse
    return -0.5 * (np.linalg.slogdet(V)[1] + np.log(total.item()) + y @ P @ y)


@pytest.fixture(scope="module")
def kernels():
    dosage, y, names = simulated()
    z = dosage - dosage.mean(0)
    additive = z @ z.T
    additive /= np.trace(additive) / len(additive)
    return [additive, additive * family_gblup.same_family(names)], y


def test_the_likelihood_is_the_literal_one_and_the_gradient_its_slope(kernels):
    matrices, y = kernels
    at = np.array([20.0, 30.0, 5.0])
    point = evaluate(matrices, y, at)
    assert point.log_likelihood == pytest.approx(literal_log_likelihood(matrices, y, at))
    for k, step in enumerate(1e-4 * np.eye(3)):
        slope = (
            literal_log_likelihood(matrices, y, at + step)
            - literal_log_likelihood(matrices, y, at - step)
        ) / 2e-4
        assert point.gradient[k] == pytest.approx(slope, rel=1e-5)


def test_average_information_ends_where_another_maximiser_does(kernels):
    matrices, y = kernels
    variances, point, converged = estimate(matrices, y)
    found = minimize(
        lambda logs: -literal_log_likelihood(matrices, y, np.exp(logs)),
        np.log(variances) + 0.3,
        method="Nelder-Mead",
        options={"xatol": 1e-6, "fatol": 1e-10, "maxiter": 2000},
    )
    assert converged
    np.testing.assert_allclose(variances, np.exp(found.x), rtol=1e-3)
    assert point.log_likelihood == pytest.approx(-found.fun, abs=1e-6)


def test_predictions_are_best_linear_unbiased(kernels):
    dosage, y, names = simulated()
    model = family_gblup.fit(dosage, y, parameters={}, seed=0, families=names)
    matrices, _ = kernels
    variances, _, _ = estimate(matrices, y)
    genetic = variances[0] * matrices[0] + variances[1] * matrices[1]
    inverse = np.linalg.inv(genetic + variances[2] * np.eye(len(y)))
    mean = inverse.sum(0) @ y / inverse.sum()
    expected = mean + genetic @ inverse @ (y - mean)
    np.testing.assert_allclose(model.predict(dosage, families=names), expected, rtol=1e-8)


def test_without_departures_it_is_gblup():
    dosage, y, names = simulated(departure=0.0, n=240)
    model = family_gblup.fit(dosage, y, parameters={}, seed=0, families=names)
    alone = family_gblup.fit(dosage, y, parameters={}, seed=0, families=np.full(len(y), ""))
    plain = gblup.fit(dosage, y, parameters={}, seed=0)
    assert model.summary()["family_share"] < 0.1
    np.testing.assert_allclose(
        alone.predict(dosage, families=names), plain.predict(dosage), rtol=1e-4
    )


def test_with_departures_it_beats_gblup_on_new_lines_of_the_families():
    dosage, y, names = simulated(n=600, departure=1.0)
    train, test = np.arange(500), np.arange(500, 600)
    ours = family_gblup.fit(
        dosage[train], y[train], parameters={}, seed=0, families=names[train]
    ).predict(dosage[test], families=names[test])
    plain = gblup.fit(dosage[train], y[train], parameters={}, seed=0).predict(dosage[test])
    assert np.corrcoef(ours, y[test])[0, 1] > np.corrcoef(plain, y[test])[0, 1] + 0.05


def test_a_new_family_is_predicted_by_the_effects_of_all():
    dosage, y, names = simulated()
    model = family_gblup.fit(dosage, y, parameters={}, seed=0, families=names)
    expected = model.intercept + (dosage - model.centre) @ model.effects
    for unknown in ("", "99"):
        found = model.predict(dosage, families=np.full(len(y), unknown))
        np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_variances_of_a_part_of_the_lines_still_give_effects_from_all():
    dosage, y, names = simulated(n=300)
    whole = family_gblup.fit(dosage, y, parameters={}, seed=0, families=names)
    part = family_gblup.fit(dosage, y, parameters={"reml_lines": 150}, seed=0, families=names)
    assert part.summary()["reml_lines"] == 150
    found = [model.predict(dosage, families=names) for model in (whole, part)]
    assert np.corrcoef(*found)[0, 1] > 0.98


def test_too_few_reml_lines_are_refused():
    dosage, y, names = simulated()
    with pytest.raises(UserError, match="reml_lines"):
        family_gblup.fit(dosage, y, parameters={"reml_lines": 3}, seed=0, families=names)
