"""RKHS against kernel ridge regression by the textbook, scikit-learn's and GBLUP."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist, pdist
from sklearn.kernel_ridge import KernelRidge

from soyfold.common import blocks
from soyfold.common.errors import UserError
from soyfold.metrics import pearson
from soyfold.models import gblup, rkhs
from soyfold.models.declarations import declaration

LINES, NEW = 90, 20


def make_case(seed=0, markers=70, epistasis=0.0):
    """Dosages and a trait of small additive effects and products of pairs of SNPs."""
    rng = np.random.default_rng(seed)
    dosage = rng.binomial(2, 0.4, (LINES + NEW, markers)).astype(np.int8)
    z = dosage - dosage.mean(0)
    left, right = rng.permutation(markers)[: markers // 2 * 2].reshape(2, -1)
    genetic = z @ rng.normal(size=markers)
    products = (z[:, left] * z[:, right]) @ rng.normal(size=len(left))
    y = genetic / genetic.std() + epistasis * products / products.std()
    y = 30 + 3 * (y + 0.5 * rng.normal(size=len(y)))
    return dosage[:LINES], y[:LINES], dosage[LINES:]


def fit(dosage, y, **parameters):
    return rkhs.fit(dosage, y, parameters=parameters, seed=0)


def literal_kernel(left, right, width):
    return np.exp(-cdist(left, right, "sqeuclidean") / width)


@pytest.mark.parametrize("bandwidth", [0.25, 1])
def test_predictions_are_those_of_generalised_least_squares(bandwidth):
    dosage, y, new = make_case()
    model = fit(dosage, y, bandwidths=[bandwidth])
    width = bandwidth * np.median(pdist(dosage, "sqeuclidean"))
    assert model.width == pytest.approx(width, rel=0.02)
    kernel, ridge = literal_kernel(dosage, dosage, model.width), model.summary()["lambda"]
    inverse = np.linalg.inv(kernel + ridge * np.eye(LINES))
    mu = (inverse @ y).sum() / inverse.sum()
    expected = mu + literal_kernel(new, dosage, model.width) @ inverse @ (y - mu)
    np.testing.assert_allclose(model.predict(new), expected, atol=1e-8)


def test_predictions_are_those_of_scikit_learn_on_the_centred_kernel():
    dosage, y, new = make_case()
    model = fit(dosage, y, bandwidths=[0.5])
    kernel = literal_kernel(dosage, dosage, model.width)
    means = kernel.mean(0)
    centred = kernel - means - means[:, None] + means.mean()
    judge = KernelRidge(alpha=model.summary()["lambda"], kernel="precomputed")
    judge.fit(centred, y - y.mean())
    across = literal_kernel(new, dosage, model.width)
    across = across - means - across.mean(1)[:, None] + means.mean()
    np.testing.assert_allclose(model.predict(new), y.mean() + judge.predict(across), atol=1e-8)


def test_the_linear_kernel_is_gblup():
    dosage, y, new = make_case()
    linear, wanted = (
        fit(dosage, y, kernel="linear"),
        gblup.fit(dosage, y, parameters={}, seed=0),
    )
    np.testing.assert_allclose(linear.predict(new), wanted.predict(new), atol=1e-8)
    assert linear.summary() == pytest.approx(wanted.summary(), rel=1e-12)


def literal_log_likelihood(kernel, y, ridge):
    """REML from V and P, the variance profiled out, with the constant of models.gblup."""
    n = len(y)
    V = kernel + ridge * np.eye(n)
    X = np.ones((n, 1))
    V_inverse = np.linalg.inv(V)
    XVX = X.T @ V_inverse @ X
    P = V_inverse - V_inverse @ X @ np.linalg.inv(XVX) @ X.T @ V_inverse
    variance = y @ P @ y / (n - 1)
    logs = np.linalg.slogdet(V)[1] + np.linalg.slogdet(XVX)[1] - np.log(n)
    return -0.5 * (logs + (n - 1) * (np.log(2 * np.pi * variance) + 1))


def test_bandwidth_and_noise_are_the_likeliest_of_a_literal_grid():
    dosage, y, _ = make_case(epistasis=1.0)
    found = fit(dosage, y).summary()
    tops = {}
    for bandwidth in declaration("rkhs").defaults["bandwidths"]:
        kernel = literal_kernel(dosage, dosage, fit(dosage, y, bandwidths=[bandwidth]).width)
        grid = [literal_log_likelihood(kernel, y, r) for r in np.geomspace(1e-4, 1e3, 141)]
        tops[bandwidth] = max(grid)
    assert found["bandwidth"] == max(tops, key=tops.get)
    top = max(tops.values())
    assert top - 1e-9 <= found["log_likelihood"] <= top + 0.05


def test_epistasis_is_seen_by_the_gaussian_kernel_alone():
    gains = []
    for seed in range(6):
        dosage, y, _ = make_case(seed, markers=8, epistasis=3.0)
        halves = dosage[:60], y[:60], dosage[60:], y[60:]
        predicted = [fit(halves[0], halves[1], kernel=k).predict(halves[2])
                     for k in ("gaussian", "linear")]  # fmt: skip
        gains.append(pearson(halves[3], predicted[0]) - pearson(halves[3], predicted[1]))
    assert np.mean(gains) > 0.1


def test_trait_units_and_blocks_change_nothing(monkeypatch):
    dosage, y, new = make_case()
    wanted = fit(dosage, y).predict(new)
    np.testing.assert_allclose(fit(dosage, 10 * y - 3).predict(new), 10 * wanted - 3, rtol=1e-6)
    monkeypatch.setattr(blocks, "BLOCK", 7)
    np.testing.assert_allclose(fit(dosage, y).predict(new), wanted, atol=1e-8)


def test_state_is_enough_to_predict():
    dosage, y, new = make_case()
    model = fit(dosage, y)
    state = model.state()
    assert state["lines"].dtype == np.int8
    kernel = literal_kernel(new, state["lines"], state["width"])
    found = state["intercept"] + kernel @ state["dual"]
    np.testing.assert_allclose(found, model.predict(new), atol=1e-10)
    assert abs(state["dual"].sum()) < 1e-9 * np.abs(state["dual"]).sum()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"kernel": "poly"}, "kernel: found 'poly'"),
        ({"bandwidths": []}, "bandwidths: found"),
        ({"bandwidths": [1, float("inf")]}, r"bandwidths\[1\]: found inf"),
        ({"bandwidth": 1}, "unknown key 'bandwidth'.*write bandwidths"),
    ],
)
def test_bad_parameters_are_one_line(parameters, message):
    dosage, y, _ = make_case()
    with pytest.raises(UserError, match=message) as error:
        fit(dosage, y, **parameters)
    assert "\n" not in str(error.value)
