"""Fixed effects beside the mean of a mixed model, against literal generalised least squares."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from soyfold.models import gblup, rkhs, rr_blup


def draw(n, snps, seed=0):
    """Training and new dosages, X of a group of 40 % and a number, y in which both matter."""
    rng = np.random.default_rng(seed)
    dosage = rng.binomial(2, rng.uniform(0.1, 0.9, snps), (n + 9, snps)).astype(np.int8)
    group = rng.random(n) < 0.2 + 0.2 * dosage[:n, 0]  # X and the SNPs know of each other
    number = rng.normal(size=n) + 0.5 * dosage[:n, 1]
    raw = np.column_stack([group, number])
    y = 40 + 0.8 * dosage[:n] @ rng.normal(size=snps) / np.sqrt(snps) + raw @ [5.0, 2.0]
    base = np.linalg.qr(raw - raw.mean(0))[0]
    return dosage[:n], dosage[n:], y + rng.normal(size=n), raw, base


def literal(kernel, between, y, raw, ridge):
    """REML log-likelihood, and GLS's prediction of new lines at the fixed effects' means."""
    fixed = np.column_stack([np.ones(len(y)), raw])
    inverse = np.linalg.inv(kernel + ridge * np.eye(len(y)))
    inside = fixed.T @ inverse @ fixed
    effects = np.linalg.solve(inside, fixed.T @ inverse @ y)
    left, freedom = y - fixed @ effects, len(y) - fixed.shape[1]
    squares = left @ inverse @ left
    # log|X'X| is that of an orthonormal X beside n for the mean.
    logs = np.linalg.slogdet(inside)[1] - np.linalg.slogdet(fixed.T @ fixed)[1]
    logs -= np.linalg.slogdet(inverse)[1]
    height = -0.5 * (freedom * (np.log(2 * np.pi * squares / freedom) + 1) + logs)
    mean = effects[0] + raw.mean(0) @ effects[1:]
    return height, mean + between @ inverse @ left, squares / freedom * ridge


def kernels(module, dosage, new, model):
    """Kernel among training lines and of new ones with them; both as the model centres them."""
    if module is rkhs:

        def gaussian(one):
            apart = np.square(one[:, None].astype(float) - dosage[None].astype(float)).sum(2)
            return np.exp(-apart / model.width)

        kernel, between = gaussian(dosage), gaussian(new)
        means = kernel.mean(0)
        return (
            kernel - means - means[:, None] + means.mean(),
            between - means - between.mean(1)[:, None] + means.mean(),
        )
    centre = dosage.mean(0)
    return (dosage - centre) @ (dosage - centre).T, (new - centre) @ (dosage - centre).T


@pytest.mark.parametrize(
    ("module", "shape", "parameters"),
    [
        (gblup, (60, 90), {}),
        (gblup, (60, 90), {"ridge_lambda": 30.0}),
        (rr_blup, (60, 90), {}),
        (rr_blup, (90, 40), {}),
        (rr_blup, (90, 40), {"ridge_lambda": 30.0}),
        (rkhs, (60, 30), {"bandwidths": [2]}),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)).rpartition(".")[2],
)  # fmt: skip
def test_they_are_those_of_generalised_least_squares(module, shape, parameters):
    dosage, new, y, raw, base = draw(*shape)
    model = module.fit(dosage, y, parameters=parameters, seed=0, beside=base)
    told = model.summary()
    kernel, between = kernels(module, dosage, new, model)
    height, expected, noise = literal(kernel, between, y, raw, told["lambda"])
    found = model.predict(new)
    if module is rkhs:  # a new line's kernel isn't centred by its own mean: a constant apart
        found, expected = found - found.mean(), expected - expected.mean()
        between = between + between.mean(1)[:, None]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert told["log_likelihood"] == pytest.approx(height, abs=1e-7)
    assert told["variance_residual"] == pytest.approx(noise, rel=1e-7)
    if not parameters.get("ridge_lambda"):
        assert not told["at_bound"]
        likeliest = minimize_scalar(
            lambda x: -literal(kernel, between, y, raw, np.exp(x))[0],
            bounds=np.log(told["lambda"]) + np.array([-2, 2]), method="bounded",
            options={"xatol": 1e-9},
        )  # fmt: skip
        assert np.log(told["lambda"]) == pytest.approx(likeliest.x, abs=1e-4)


@pytest.mark.parametrize("module", [gblup, rr_blup])
@pytest.mark.parametrize("ridge", [None, 30.0])
def test_with_weights_they_are_those_of_noise_over_weights(module, ridge):
    dosage, new, y, raw, base = draw(80, 40, seed=4)
    weights = np.random.default_rng(1).uniform(0.3, 3, 80)
    weights /= weights.mean()
    model = module.fit(
        dosage, y, parameters={"ridge_lambda": ridge}, seed=0, weights=weights, beside=base
    )
    ridge = model.summary()["lambda"]
    centre = np.average(dosage, axis=0, weights=weights)
    away = raw - np.average(raw, axis=0, weights=weights)
    fixed = np.column_stack([np.ones(80), away])
    z = dosage - centre
    inverse = np.linalg.inv(z @ z.T + ridge * np.diag(1 / weights))
    effects = np.linalg.solve(fixed.T @ inverse @ fixed, fixed.T @ inverse @ y)
    expected = effects[0] + (new - centre) @ z.T @ inverse @ (y - fixed @ effects)
    np.testing.assert_allclose(model.predict(new), expected, atol=1e-6)


@pytest.mark.parametrize("weighted", [False, True])
def test_rkhs_with_the_linear_kernel_is_gblup(weighted):
    dosage, new, y, _, base = draw(70, 90, seed=2)
    weights = np.random.default_rng(3).uniform(0.3, 3, 70) if weighted else None
    told = {"seed": 0, "weights": weights, "beside": base}
    one = gblup.fit(dosage, y, parameters={}, **told)
    other = rkhs.fit(dosage, y, parameters={"kernel": "linear"}, **told)
    np.testing.assert_allclose(other.predict(new), one.predict(new), rtol=1e-6)
