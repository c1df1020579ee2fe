"""GBLUP against its textbook forms, built in full from the definition."""

import numpy as np
import pandas as pd
import pytest

from soyfold.common import blocks
from soyfold.common.errors import UserError
from soyfold.metrics import pearson, r2
from soyfold.models import gblup, mean

SHAPES = [(60, 150), (150, 60), (80, 80)]  # more SNPs than lines, fewer, as many


def make_case(shape, *, heritability=0.6, seed=0):
    """Dosages of varied frequency and a trait with many small additive effects."""
    rng = np.random.default_rng(seed)
    n, markers = shape
    frequency = rng.uniform(0.1, 0.9, markers)
    dosage = rng.binomial(2, frequency, (n, markers)).astype(np.int8)
    genetic = (dosage - dosage.mean(0)) @ rng.normal(size=markers)
    genetic *= np.sqrt(heritability) / genetic.std()
    y = 35 + 2 * (genetic + rng.normal(size=n) * np.sqrt(1 - heritability))
    return dosage, y, rng.binomial(2, frequency, (20, markers)).astype(np.int8)


def fit(dosage, y, **parameters):
    return gblup.fit(dosage, y, parameters=parameters, seed=0)


def literal_log_likelihood(dosage, y, ridge):
    """REML log-likelihood from V and P = V^-1 - V^-1 X (X'V^-1 X)^-1 X'V^-1, s_u^2 profiled."""
    n = len(y)
    Z = dosage - dosage.mean(0)
    V = Z @ Z.T + ridge * np.eye(n)
    X = np.ones((n, 1))
    V_inverse = np.linalg.inv(V)
    XVX = X.T @ V_inverse @ X
    P = V_inverse - V_inverse @ X @ np.linalg.inv(XVX) @ X.T @ V_inverse
    variance = y @ P @ y / (n - 1)
    logs = np.linalg.slogdet(V)[1] + np.linalg.slogdet(XVX)[1] - np.log(n)
    return -0.5 * (logs + (n - 1) * (np.log(2 * np.pi * variance) + 1))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("ridge", [0.5, 40.0])
def test_equals_gblup_and_ridge_regression_in_closed_form(shape, ridge):
    dosage, y, new = make_case(shape)
    model = fit(dosage, y, ridge_lambda=ridge)
    Z, Z_new = dosage - dosage.mean(0), new - dosage.mean(0)
    # GBLUP: generalised least squares for the mean, then BLUP of the new lines.
    V_inverse = np.linalg.inv(Z @ Z.T + ridge * np.eye(len(y)))
    mu = (V_inverse @ y).sum() / V_inverse.sum()
    np.testing.assert_allclose(
        model.predict(new), mu + Z_new @ Z.T @ V_inverse @ (y - mu), atol=1e-8
    )
    # Ridge regression on the SNPs.
    effects = np.linalg.solve(Z.T @ Z + ridge * np.eye(Z.shape[1]), Z.T @ (y - y.mean()))
    np.testing.assert_allclose(model.effects, effects, atol=1e-8)
    np.testing.assert_allclose(model.predict(new), y.mean() + Z_new @ effects, atol=1e-8)


@pytest.mark.parametrize("shape", SHAPES)
def test_reml_is_the_top_of_the_literal_likelihood(shape):
    dosage, y, _ = make_case(shape)
    found = fit(dosage, y).summary()
    top, ridge = found["log_likelihood"], found["lambda"]
    assert not found["at_bound"]
    assert top == pytest.approx(literal_log_likelihood(dosage, y, ridge), abs=1e-8)
    grid = ridge * np.geomspace(1e-3, 1e3, 121)
    assert max(literal_log_likelihood(dosage, y, x) for x in grid) <= top + 1e-9
    step = 1e-4
    up, down = (literal_log_likelihood(dosage, y, ridge * np.exp(s)) for s in (step, -step))
    assert abs(up - down) / (2 * step) < 1e-4


def test_heritability_of_a_simulated_trait_comes_back():
    for simulated in (0.2, 0.5, 0.8):
        found = [
            fit(*make_case((500, 200), heritability=simulated, seed=s)[:2]).summary()[
                "heritability"
            ]
            for s in range(5)
        ]
        assert np.mean(found) == pytest.approx(simulated, abs=0.07)


def test_variances_have_the_units_of_the_trait():
    dosage, y, new = make_case((300, 100))
    model, scaled = fit(dosage, y), fit(dosage, 10 * y - 3)
    for name in ("variance_genetic", "variance_residual"):
        assert scaled.summary()[name] == pytest.approx(100 * model.summary()[name], rel=1e-5)
    total = model.summary()["variance_genetic"] + model.summary()["variance_residual"]
    assert total == pytest.approx(y.var(), rel=0.2)
    np.testing.assert_allclose(scaled.predict(new), 10 * model.predict(new) - 3, rtol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_monomorphic_snps_and_the_order_of_snps_change_nothing(shape):
    dosage, y, new = make_case(shape)
    wanted = fit(dosage, y)
    order = np.random.default_rng(1).permutation(dosage.shape[1])
    np.testing.assert_allclose(
        fit(dosage[:, order], y).predict(new[:, order]), wanted.predict(new), atol=1e-6
    )
    fixed = np.full((len(y), 90), 2, dtype=np.int8)
    wide = fit(np.hstack([fixed, dosage]), y)
    unseen = np.zeros((len(new), 90), dtype=np.int8)
    np.testing.assert_allclose(
        wide.predict(np.hstack([unseen, new])), wanted.predict(new), atol=1e-6
    )
    assert wide.summary()["heritability"] == pytest.approx(
        wanted.summary()["heritability"], abs=1e-6
    )
    np.testing.assert_allclose(wide.effects[:90], 0, atol=1e-12)


@pytest.mark.parametrize("block", [1, 7, 64])
def test_blocks_change_nothing(monkeypatch, block):
    for shape in SHAPES:
        dosage, y, new = make_case(shape)
        wanted = fit(dosage, y).predict(new)
        with monkeypatch.context() as patch:
            patch.setattr(blocks, "BLOCK", block)
            np.testing.assert_allclose(fit(dosage, y).predict(new), wanted, atol=1e-8)


def test_pure_noise_and_pure_signal_meet_the_bounds():
    dosage, _, new = make_case((200, 40))
    signal = (dosage @ np.linspace(-1, 1, 40)).astype(float)
    found = fit(dosage, signal)
    assert found.summary()["heritability"] > 0.999
    assert found.summary()["at_bound"]
    np.testing.assert_allclose(found.predict(dosage), signal, atol=0.01)
    # A trait that the SNPs cannot give: the part of noise that is orthogonal to all of them.
    Z = dosage - dosage.mean(0)
    noise = np.random.default_rng(0).normal(size=200)
    noise -= Z @ np.linalg.lstsq(Z, noise, rcond=None)[0]
    found = fit(dosage, noise)
    assert found.summary()["heritability"] < 1e-4
    assert found.summary()["at_bound"]
    np.testing.assert_allclose(found.predict(new), noise.mean(), atol=1e-6)


def test_state_is_enough_to_predict():
    dosage, y, new = make_case(SHAPES[0])
    model = fit(dosage, y)
    state = model.state()
    assert all(isinstance(value, np.ndarray) for value in state.values())
    found = state["intercept"] + (new - state["centre"]) @ state["effects"]
    np.testing.assert_allclose(found, model.predict(new), atol=1e-10)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": np.full(60, 3.0)}, "60 training lines with 1 different values"),
        ({"dosage": np.ones((60, 150), dtype=np.int8)}, "no SNP that differs among 60"),
        ({"parameters": {"ridge_lambda": -1}}, "ridge_lambda: found -1"),
        ({"parameters": {"lambda": 1}}, "unknown key 'lambda'"),
    ],
)
def test_bad_input_is_one_line(change, message):
    dosage, y, _ = make_case(SHAPES[0])
    with pytest.raises(UserError, match=message) as error:
        gblup.fit(**{"dosage": dosage, "y": y, "parameters": {}, "seed": 0, **change})
    assert "\n" not in str(error.value)


def test_mean_predictor():
    dosage, y, new = make_case(SHAPES[0])
    model = mean.fit(dosage, y, parameters={}, seed=0)
    assert (model.predict(new) == y.mean()).all()
    assert model.predict(new).shape == (20,)
    assert float(model.state()["mean"]) == model.summary()["mean"] == y.mean()
    with pytest.raises(UserError, match="unknown key"):
        mean.fit(dosage, y, parameters={"x": 1}, seed=0)


@pytest.mark.real_data
def test_yeast_reaches_the_baseline(real_data):
    """Five traits of 1,008 segregants, two random 90/10 splits each, against published GBLUP."""
    folder = real_data / "yeast"
    genotypes = pd.read_csv(folder / "genotypes.txt.gz", sep="\t", index_col=0)
    traits = pd.read_csv(folder / "phenotypes.tsv.gz", sep="\t", index_col=0)
    baselines = pd.read_csv(folder / "baselines.tsv", sep="\t", index_col=0)
    dosage = (genotypes.T == "R").to_numpy().astype(np.int8) * 2
    names = baselines.index[:5]
    found, correlations = [], []
    for seed, trait in enumerate(np.repeat(names, 2)):
        y = traits[trait].reindex(genotypes.columns).to_numpy()
        order = np.random.default_rng(seed).permutation(np.flatnonzero(np.isfinite(y)))
        test, training = np.split(order, [len(order) // 10])
        model = fit(dosage[training], y[training])
        predicted = model.predict(dosage[test])
        found.append(r2(y[test], predicted))
        correlations.append(pearson(y[test], predicted))
    assert np.mean(found) == pytest.approx(baselines.r2[names].mean(), abs=0.06)
    assert np.mean(correlations) == pytest.approx(baselines.pcc[names].mean(), abs=0.05)
