"""Family GBLUP: closed forms, and what families change (its REML: test_variance_components)."""

import numpy as np
import pytest

from soyfold.common.errors import UserError
from soyfold.models import family_gblup, gblup
from soyfold.models.kernels.several import estimate


def simulated(n=160, snps=60, families=4, *, departure=1.0, seed=0):
    """Lines of a few families whose SNP effects differ by `departure`."""
    random = np.random.default_rng(seed)
    dosage = 2 * random.integers(0, 2, (n, snps)).astype(np.int8)
    names = np.array([f"{k % families:02d}" for k in range(n)])
    common = random.standard_normal(snps)
    own = departure * random.standard_normal((families, snps))
    value = np.einsum("ij,ij->i", dosage - 1.0, common + own[names.astype(int)])
    return dosage, 50 + value + 2 * random.standard_normal(n), names


@pytest.fixture(scope="module")
def kernels():
    dosage, y, names = simulated()
    z = dosage - dosage.mean(0)
    additive = z @ z.T
    additive /= np.trace(additive) / len(additive)
    return [additive, additive * family_gblup.same_family(names)], y


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


def test_a_trait_that_is_all_noise_is_predicted_as_its_mean_and_says_so(kernels):
    dosage, _, names = simulated()
    y = 50 + np.linalg.eigh(kernels[0][0])[1][:, 1:6].sum(1)  # where relatives differ most
    model = family_gblup.fit(dosage, y, parameters={}, seed=0, families=names)
    figures = model.summary()
    assert figures["heritability"] == 0 and figures["at_bound"] and figures["converged"]
    assert np.isnan(figures["family_share"])
    np.testing.assert_allclose(model.predict(dosage, families=names), y.mean(), rtol=1e-12)


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
