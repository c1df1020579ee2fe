"""Reliabilities of predictions against the mixed model equations, and against truth simulated."""

import dataclasses

import numpy as np
import pytest

from soyfold.common.blocks import line_products
from soyfold.models import blup, family_gblup, gblup, rkhs, rr_blup
from soyfold.models.kernels import certainty
from soyfold.models.kernels.shared import SharedKernels

SHAPES = [(50, 120), (120, 50)]  # more SNPs than lines: errors by lines; fewer: by SNPs


def draw_lines(shape, *, new=15, seed=0):
    rng = np.random.default_rng(seed)
    frequency = rng.uniform(0.1, 0.9, shape[1])
    return rng.binomial(2, frequency, (shape[0] + new, shape[1])).astype(np.int8)


def equations(design, penalties, noise):
    """Of y = X b + e: var(x'b_hat - x'b) for each row x, by the inverse of the coefficients.

    penalties: s_e / variance of each column's effect; 0 for a fixed one.
    """
    inverse = np.linalg.inv(design.T @ design + np.diag(penalties)) * noise

    def error(rows):
        return np.einsum("ij,jk,ik->i", rows, inverse, rows)

    return error


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("module", [gblup, rr_blup])
@pytest.mark.parametrize("ridge", [None, 30.0])
def test_reliability_is_that_of_the_mixed_model_equations(shape, module, ridge):
    lines, n = draw_lines(shape), shape[0]
    rng = np.random.default_rng(1)
    y = 40 + lines[:n] @ rng.normal(size=shape[1]) + 3 * rng.normal(size=n)
    model = module.fit(lines[:n], y, parameters={"ridge_lambda": ridge}, seed=0)
    effect, noise = model.variances
    assert noise / effect == pytest.approx(model.summary()["lambda"])
    z = lines - lines[:n].mean(0)
    error = equations(
        np.column_stack([np.ones(n), z[:n]]), np.append(0, np.full(shape[1], noise / effect)), noise
    )
    genetic = error(np.column_stack([np.zeros(len(z)), z]))
    reliability, sd = model.errors(lines)
    np.testing.assert_allclose(reliability, 1 - genetic / (effect * (z**2).sum(1)), atol=1e-8)
    whole = error(np.column_stack([np.ones(len(z)), z]))
    np.testing.assert_allclose(sd, np.sqrt(whole), rtol=1e-8)
    assert (reliability > 0).all() and (reliability < 1).all()
    assert reliability[:n].mean() > reliability[n:].mean(), "a line that was seen is surer"


def families_of(count):
    return np.array([f"{k % 3:02d}" if k % 7 else "" for k in range(count)], dtype="U3")


def test_family_gblup_knows_what_departures_add():
    lines, n, names = draw_lines((60, 25)), 60, families_of(75)
    rng = np.random.default_rng(2)
    y = lines[:n] @ rng.normal(size=25) + 3 * rng.normal(size=n)
    model = family_gblup.fit(lines[:n], y, parameters={}, seed=0, families=names[:n])
    model = dataclasses.replace(model, variances=np.array([0.7, 0.4, 5.0]))
    names[-3:] = ["new", "new", ""]
    common, family, noise = model.variances
    z = lines - lines[:n].mean(0)
    # Effects of all lines, then those of each family, a new one's among them.
    parts = [z, *(z * (names == name)[:, None] for name in ("00", "01", "02", "new"))]
    variances = np.repeat([common, family, family, family, family], 25)
    design = np.column_stack([np.ones(75), *parts])
    error = equations(design[:n], np.append(0, noise / variances), noise)
    bare = design.copy()
    bare[:, 0] = 0
    prior = (design[:, 1:] ** 2) @ variances
    reliability, sd = model.errors(lines, names)
    np.testing.assert_allclose(reliability, 1 - error(bare) / prior, atol=1e-8)
    np.testing.assert_allclose(sd, np.sqrt(error(design)), rtol=1e-8)
    alike = model.errors(lines[-3:], np.array(["new"] * 3))[0]
    np.testing.assert_allclose(alike[:2], reliability[-3:-1], rtol=1e-12)
    assert alike[2] < reliability[-1]


def test_reliability_is_the_squared_accuracy_over_traits_and_predictions_have_no_bias():
    """800 traits drawn at the variances that the model is told: line by line, and in the mean."""
    lines, rng = draw_lines((80, 60), new=40), np.random.default_rng(3)
    true = (lines - lines[:80].mean(0)) @ rng.normal(size=(60, 800))
    seen = 30 + true[:80] + 5 * rng.normal(size=(80, 800))
    models = [gblup.fit(lines[:80], y, parameters={"ridge_lambda": 25.0}, seed=0) for y in seen.T]
    told = np.array([model.predict(lines[80:]) - model.intercept for model in models])
    new = true[80:].T
    reliability = models[0].reliability(lines[80:])
    squared = [np.corrcoef(*pair)[0, 1] ** 2 for pair in zip(told.T, new.T, strict=True)]
    np.testing.assert_allclose(reliability, squared, atol=0.1)
    assert reliability.mean() == pytest.approx(np.mean(squared), abs=0.02)
    errors = np.array([model.intercept - 30 for model in models])[:, None] + told - new
    assert abs(errors.mean()) < 4 * errors.mean(1).std() / np.sqrt(800)
    slope = (told * new).sum() / (told**2).sum()
    assert slope == pytest.approx(1, abs=0.03)
    # Of these traits the noise is 25, in place of what this one's REML says.
    sd = models[0].errors(lines[80:])[1] * np.sqrt(25 / models[0].variances[1])
    np.testing.assert_allclose(np.sqrt(np.square(errors).mean(0)), sd, rtol=0.1)


@pytest.mark.parametrize("floats", [1, 2**24])
def test_the_study_products_spare_those_of_the_dosages(monkeypatch, floats):
    monkeypatch.setattr(certainty, "FLOATS", floats)
    lines = draw_lines((70, 40), new=30)
    names, rng = families_of(100), np.random.default_rng(4)
    y = lines @ rng.normal(size=40) + rng.normal(size=100)
    order = rng.permutation(100)
    train, rest = order[:70], order[70:]
    kernels = SharedKernels(line_products(lines, lines)).of(train)
    wide = {"parameters": {"ridge_lambda": 3.0}, "seed": 0}
    alone, sharing = (gblup.fit(lines[train], y[train], **wide, kernels=k) for k in (None, kernels))
    given = sharing.errors(lines[rest], rest)
    np.testing.assert_allclose(given, alone.errors(lines[rest]), rtol=1e-8)
    told = {"parameters": {}, "seed": 0, "families": names[train]}
    alone, sharing = (
        family_gblup.fit(lines[train], y[train], **told, kernels=k) for k in (None, kernels)
    )
    given = sharing.errors(lines[rest], names[rest], rest)
    np.testing.assert_allclose(given, alone.errors(lines[rest], names[rest]), rtol=1e-6)


@pytest.mark.parametrize("module", [gblup, rr_blup])
@pytest.mark.parametrize("shape", SHAPES)
def test_lines_without_their_family_are_told_as_a_fit_without_it_tells_them(module, shape):
    n = shape[0]
    lines, names = draw_lines(shape)[:n], families_of(n)
    y = 20 + lines @ np.random.default_rng(6).normal(size=shape[1])
    told = {"parameters": {"ridge_lambda": 20.0}, "seed": 0}
    model = module.fit(lines, y, **told)
    errors, sd = model.without(names, y - model.predict(lines))
    for name in ("00", "01", "02"):
        out = names == name
        blind = module.fit(lines[~out], y[~out], **told)
        np.testing.assert_allclose(y[out] - errors[out], blind.predict(lines[out]), rtol=1e-8)
        scale = np.sqrt(model.variances[1] / blind.variances[1])
        np.testing.assert_allclose(sd[out], scale * blind.errors(lines[out])[1], rtol=1e-8)
    assert np.isnan(errors[names == ""]).all() and np.isnan(sd[names == ""]).all()
    assert np.isnan(model.without(np.full(n, "all"), y)[0]).all(), "nothing is left to learn from"


def test_rkhs_and_family_gblup_without_a_family_are_best_linear_unbiased():
    n, lines, names = 60, draw_lines((60, 40))[:60], families_of(60)
    y = lines @ np.random.default_rng(7).normal(size=40) + np.random.default_rng(8).normal(size=n)
    z = lines - lines.mean(0)
    kernel = rkhs.fit(lines, y, parameters={"bandwidths": [1]}, seed=0)
    family = family_gblup.fit(lines, y, parameters={}, seed=0, families=names)
    family = dataclasses.replace(family, variances=np.array([0.7, 0.4, 5.0]))
    shared = family_gblup.same_family(names)
    distances = np.square(z[:, None] - z).sum(2)
    genetic = {
        "rkhs": kernel.variances[0] * np.exp(-distances / kernel.width),
        "family": z @ z.T * (0.7 + 0.4 * shared),
    }
    out = names == "01"
    for name, model in {"rkhs": kernel, "family": family}.items():
        noise, K = model.variances[-1], genetic[name]
        whole = np.linalg.inv(K + noise * np.eye(n))
        residuals = noise * (whole @ (y - whole.sum(0) @ y / whole.sum()))
        errors, sd = model.without(names, residuals)
        inverse = np.linalg.inv(K[~out][:, ~out] + noise * np.eye((~out).sum()))
        across, weight = K[out][:, ~out], inverse.sum()
        mean = inverse.sum(0) @ y[~out] / weight
        told = mean + across @ inverse @ (y[~out] - mean)
        np.testing.assert_allclose(y[out] - errors[out], told, rtol=1e-6)
        rest = 1 - across @ inverse.sum(0)
        variance = np.diag(K[out][:, out] - across @ inverse @ across.T) + rest**2 / weight
        np.testing.assert_allclose(sd[out], np.sqrt(variance), rtol=1e-5)


def test_rkhs_knows_its_errors_at_its_variances():
    n, lines = 60, draw_lines((60, 40), new=20)
    y = lines[:n] @ np.random.default_rng(7).normal(size=40)
    y += 4 * np.random.default_rng(8).normal(size=n)
    kernels = SharedKernels(line_products(lines, lines)).of(np.arange(n))
    for told, kernel in (({"bandwidths": [1]}, None), ({"kernel": "linear"}, kernels)):
        model = rkhs.fit(lines[:n], y, parameters=told, seed=0, kernels=kernel)
        genetic, noise = model.variances
        assert noise / genetic == pytest.approx(model.summary()["lambda"])
        z = lines - lines[:n].mean(0)
        K = z @ z.T
        if kernel is None:
            K = np.exp(-np.square(z[:, None] - z).sum(2) / model.width)
            K = K - K[:, :n].mean(1) - K[:, :n].mean(1)[:, None] + K[:n, :n].mean()
        inverse = np.linalg.inv(genetic * K[:n, :n] + noise * np.eye(n))
        caught = np.einsum("ij,jk,ik->i", genetic * K[:, :n], inverse, genetic * K[:, :n])
        reliability, sd = model.errors(lines, None if kernel is None else np.arange(n + 20))
        np.testing.assert_allclose(reliability, caught / (genetic * np.diag(K)), rtol=1e-6)
        expected = genetic * np.diag(K) - caught + noise / n
        np.testing.assert_allclose(sd, np.sqrt(expected), rtol=1e-6)


def test_a_line_with_the_mean_dosages_has_none():
    lines = np.array([[0, 2], [2, 0], [0, 0], [2, 2], [1, 1]], dtype=np.int8)
    model = gblup.fit(lines[:4], np.array([1.0, 4, 2, 5]), parameters={"ridge_lambda": 1}, seed=0)
    reliability, sd = model.errors(lines)
    assert np.isnan(reliability).tolist() == [False] * 4 + [True]
    assert sd[4] == pytest.approx(np.sqrt(model.variances[1] / 4)), "of the mean alone"


def test_without_its_lines_a_model_predicts_and_knows_no_errors(tmp_path):
    lines, names = draw_lines((40, 30)), families_of(55)
    y = lines[:40] @ np.random.default_rng(5).normal(size=30)
    plain = gblup.fit(lines[:40], y + 1, parameters={"ridge_lambda": 2.0}, seed=0)
    family = family_gblup.fit(lines[:40], y, parameters={}, seed=0, families=names[:40])
    for number, (model, module, more) in enumerate(
        ((plain, blup, ()), (family, family_gblup, (names,)))
    ):
        lean = model.without_lines()
        assert "lines" in model.state() and "lines" not in lean.state()
        np.savez(tmp_path / f"{number}.npz", **model.state())
        with np.load(tmp_path / f"{number}.npz") as stored:
            again = module.from_state(dict(stored))
        np.testing.assert_array_equal(again.errors(lines, *more), model.errors(lines, *more))
        for bare in (lean, module.from_state(lean.state())):
            np.testing.assert_array_equal(bare.predict(lines, *more), model.predict(lines, *more))
            assert np.isnan(bare.errors(lines, *more)).all()
    old = {name: plain.state()[name] for name in ("intercept", "centre", "effects")}
    assert np.isnan(blup.from_state(old).reliability(lines)).all(), "as it was saved before"
