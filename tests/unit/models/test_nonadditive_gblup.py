"""GBLUP with a second kernel: closed forms, and what it finds where it is planted."""

from itertools import combinations

import numpy as np
import pytest

from soyfold.common.blocks import line_products
from soyfold.common.errors import UserError
from soyfold.metrics import pearson
from soyfold.models import gblup, nonadditive_gblup
from soyfold.models.kernels.shared import SharedKernels

KERNELS = ["additive_by_additive", "dominance", "pairwise"]


def draw(n=90, snps=40, *, seed=0):
    rng = np.random.default_rng(seed)
    frequency = rng.uniform(0.2, 0.8, snps)
    return rng.binomial(2, frequency, (n, snps)).astype(np.int8)


def fit(dosage, y, kernel, **more):
    return nonadditive_gblup.fit(dosage, y, parameters={"kernel": kernel}, seed=0, **more)


def literal_kernels(dosage, n, kernel, loci):
    """Of all lines, by the frequencies of the first n, with a mean diagonal of 1 among these."""
    centre = dosage[:n].mean(0)
    additive = (dosage - centre) @ (dosage - centre).T
    additive /= np.diag(additive)[:n].mean()
    if kernel == "dominance":
        p = centre / 2
        H = np.choose(dosage, [-2 * p**2, 2 * p * (1 - p), -2 * (1 - p) ** 2])
        second = H @ H.T
    elif kernel == "pairwise":
        first, other = np.array(list(combinations(loci, 2))).T
        products = (dosage - centre)[:, first] * (dosage - centre)[:, other]
        second = products @ products.T
    else:
        second = additive * additive
    return additive, second / np.diag(second)[:n].mean()


@pytest.mark.parametrize("kernel", KERNELS)
def test_predictions_and_errors_are_those_of_generalised_least_squares(kernel):
    dosage, n = draw(), 70
    rng = np.random.default_rng(1)
    y = 30 + dosage[:n] @ rng.normal(size=40) + (dosage[:n] == 1) @ rng.normal(size=40)
    y += 3 * rng.normal(size=n)
    model = fit(dosage[:n], y, kernel)
    additive, second = literal_kernels(dosage, n, kernel, model.loci)
    G = model.variances[0] * additive + model.variances[1] * second
    inverse = np.linalg.inv(G[:n, :n] + model.variances[2] * np.eye(n))
    sums = inverse.sum(0)
    mean = sums @ y / sums.sum()
    np.testing.assert_allclose(
        model.predict(dosage), mean + G[:, :n] @ inverse @ (y - mean), rtol=1e-8
    )
    caught = inverse - np.outer(sums, sums) / sums.sum()
    told = np.einsum("ij,jk,ik->i", G[:, :n], caught, G[:, :n])
    reliability, sd = model.errors(dosage)
    np.testing.assert_allclose(reliability, told / np.diag(G), rtol=1e-6)
    rest = 1 - G[:, :n] @ sums
    variance = np.diag(G) - np.einsum("ij,jk,ik->i", G[:, :n], inverse, G[:, :n])
    np.testing.assert_allclose(sd, np.sqrt(variance + rest**2 / sums.sum()), rtol=1e-6)
    shared = SharedKernels(line_products(dosage, dosage)).of(np.arange(n))
    sharing = fit(dosage[:n], y, kernel, kernels=shared)
    np.testing.assert_allclose(sharing.predict(dosage), model.predict(dosage), rtol=1e-6)
    np.testing.assert_allclose(sharing.errors(dosage, np.arange(90)), (reliability, sd), rtol=1e-5)
    again = nonadditive_gblup.from_state(model.state())
    np.testing.assert_array_equal(again.predict(dosage), model.predict(dosage))
    np.testing.assert_array_equal(again.errors(dosage), model.errors(dosage))


@pytest.mark.parametrize("kernel", KERNELS)
def test_what_is_planted_is_found_and_predicted_and_what_is_not_is_left_out(kernel):
    dosage, n, rng = draw(500, 12, seed=3), 400, np.random.default_rng(4)
    z = dosage - dosage.mean(0)
    if kernel == "dominance":
        second = (dosage == 1) @ rng.normal(size=12)
    else:
        first, other = np.triu_indices(12, 1)
        second = (z[:, first] * z[:, other]) @ rng.normal(size=len(first))
    additive = z @ rng.normal(size=12)
    true = additive / additive.std() + 1.5 * second / second.std()
    y = true + 0.5 * rng.normal(size=500)
    model = fit(dosage[:n], y[:n], kernel)
    assert model.summary()["nonadditive_share"] > 0.4 and model.summary()["converged"]
    plain = gblup.fit(dosage[:n], y[:n], parameters={}, seed=0)
    told = [pearson(true[n:], m.predict(dosage[n:])) for m in (model, plain)]
    assert told[0] > told[1] + 0.1
    none = fit(dosage[:n], (additive / additive.std() + 0.5 * rng.normal(size=500))[:n], kernel)
    assert none.summary()["nonadditive_share"] < 0.1


def test_inbred_lines_show_no_dominance_and_variances_of_some_lines_serve_all():
    dosage = 2 * (draw(300, 30) > 0).astype(np.int8)
    y = dosage @ np.random.default_rng(5).normal(size=30)
    y = y + np.random.default_rng(6).normal(size=300)
    whole = fit(dosage, y, "dominance")
    assert np.isfinite(whole.predict(dosage)).all()
    some = nonadditive_gblup.fit(dosage, y, parameters={"reml_lines": 150}, seed=0)
    assert some.summary()["reml_lines"] == 150
    assert pearson(some.predict(dosage), whole.predict(dosage)) > 0.98


def test_products_are_of_loci_that_training_lines_chose_and_counted():
    dosage = draw(200, 60)
    dosage[:, 31] = dosage[:, 30]
    rng = np.random.default_rng(7)
    y = 3 * dosage[:, 5] + 2 * dosage[:, 30] + rng.normal(size=200)
    model = nonadditive_gblup.fit(dosage, y, parameters={"kernel": "pairwise", "loci": 4}, seed=0)
    assert len(model.loci) == 4 and set(model.loci) & {30, 31} and 5 in model.loci
    assert not {30, 31} <= set(model.loci)
    assert model.summary()["loci"] == 4 and model.summary()["copies_left_out"] == 1


def test_an_unknown_kernel_is_refused():
    with pytest.raises(UserError, match="kernel"):
        fit(draw(), np.arange(90.0), "cubic")
