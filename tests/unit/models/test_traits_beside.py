"""Several traits with covariates and weights: the literal likelihood, BLUP, and its errors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planted_traits import draw_lines

from soyfold.common.blocks import line_products
from soyfold.models import gblup, multi_trait_gblup
from soyfold.models.kernels import trait_errors
from soyfold.models.kernels.beside import part_of
from soyfold.models.kernels.covariances import estimate
from soyfold.models.kernels.likelihood import weighted_kernel
from soyfold.models.kernels.matrices import centre, decompose_kernel, kernel_matrix
from soyfold.models.kernels.pairwise import estimate_pairs
from soyfold.models.kernels.shared import own_kernels
from soyfold.models.kernels.traits import traits_likelihood

LINES, NEW = 40, 6


def draw(seed, traits=2, *, absent=0.0, weighted=False, p=2):
    """Dosages and X of all lines; values and weights of all of them, gaps and all."""
    random = np.random.default_rng(seed)
    dosage = draw_lines(LINES + NEW, 30, seed=seed)
    raw = random.normal(size=(LINES + NEW, p)) + dosage[:, :p]
    raw -= raw[:LINES].mean(0)
    beside = raw @ np.linalg.inv(np.linalg.qr(raw[:LINES])[1]) if p else raw
    values = (
        20
        + dosage @ random.normal(size=(30, traits)) / 4
        + random.normal(size=(LINES + NEW, traits))
    )
    values += 10 * beside @ random.normal(size=(p, traits))
    gaps = random.random(values.shape) < absent
    gaps[:12] = False
    values[gaps] = np.nan
    weights = random.uniform(0.3, 3, values.shape) if weighted else None
    return dosage, values, weights, beside


def cells(dosage, values, covariances, weights, beside):
    """What all values and their fixed effects are: y, V, F, and a function of new lines."""
    lines, traits = np.nonzero(~np.isnan(values))
    count, around = values.shape[1], dosage.mean(0)
    spread = np.ones(len(lines)) if weights is None else weights[lines, traits] ** -0.5
    kernel = (dosage - around) @ (dosage - around).T
    covariance = kernel[np.ix_(lines, lines)] * covariances.genetic[np.ix_(traits, traits)]
    rest = covariances.residual[np.ix_(traits, traits)] * np.outer(spread, spread)
    covariance += (lines[:, None] == lines) * rest

    def fixed(own, trait):
        return np.kron(np.eye(count)[trait], np.append(1.0, own))

    def across(line, trait):
        told = (line - around) @ (dosage - around).T
        return told[lines] * covariances.genetic[trait, traits]

    design = np.array([fixed(beside[i], t) for i, t in zip(lines, traits, strict=True)])
    return values[lines, traits], covariance, design, fixed, across, around


def literal(told, covariances, new, new_beside):
    """Predictions, reliabilities and sd of errors (m, T) of new lines, by the equations."""
    y, covariance, design, fixed, across, around = told
    inverse = np.linalg.inv(covariance)
    inner = np.linalg.pinv(design.T @ inverse @ design, 1e-10, hermitian=True)
    effects = inner @ design.T @ inverse @ y
    dual = inverse @ (y - design @ effects)
    projection = inverse - inverse @ design @ inner @ design.T @ inverse
    found = np.empty((3, len(new), len(covariances.genetic)))
    for i, t in np.ndindex(found.shape[1:]):
        c, f = across(new[i], t), fixed(new_beside[i], t)
        own = np.square(new[i] - around).sum() * covariances.genetic[t, t]
        away = f - design.T @ inverse @ c
        error = own - c @ inverse @ c + away @ inner @ away
        found[:, i, t] = f @ effects + c @ dual, c @ projection @ c / own, np.sqrt(error)
    return found


CASES = [
    (1, 0.0, False, 2), (1, 0.0, True, 0), (2, 0.0, False, 0), (2, 0.0, False, 2),
    (2, 0.3, False, 2), (2, 0.3, True, 2), (3, 0.2, True, 1), (2, 0.0, True, 2),
]  # fmt: skip


@pytest.mark.parametrize(("traits", "absent", "weighted", "p"), CASES)
def test_predictions_and_their_errors_are_those_of_the_equations(traits, absent, weighted, p):
    dosage, values, weights, beside = draw(5, traits, absent=absent, weighted=weighted, p=p)
    own = None if weights is None else weights[:LINES]
    model = multi_trait_gblup.fit(
        dosage[:LINES], values[:LINES], parameters={}, seed=0, weights=own,
        beside=beside[:LINES] if p else None,
    )  # fmt: skip
    covariances = model.training.covariances
    told = cells(dosage[:LINES], values[:LINES], covariances, own, beside[:LINES])
    new, new_beside = dosage[LINES:], beside[LINES:]
    predicted, reliability, sd = literal(told, covariances, new, new_beside)

    def shaped(found):
        return np.reshape(found, (NEW, traits))

    scale = np.ptp(predicted)
    np.testing.assert_allclose(
        shaped(model.predict(new, beside=new_beside)), predicted, atol=1e-6 * scale
    )
    for again in (model, multi_trait_gblup.from_state(model.state())):
        errors = again.errors(new, beside=new_beside)
        np.testing.assert_allclose(shaped(errors[0]), reliability, atol=1e-6)
        np.testing.assert_allclose(shaped(errors[1]), sd, rtol=1e-6)
    lean = multi_trait_gblup.from_state(model.without_lines().state())
    assert np.isnan(lean.errors(new)[0]).all()
    np.testing.assert_array_equal(lean.predict(new), model.predict(new))


@pytest.mark.parametrize(("traits", "absent", "weighted", "p"), CASES[3:6])
def test_known_traits_of_new_lines_come_with_their_weights_and_covariates(
    traits, absent, weighted, p
):
    dosage, values, weights, beside = draw(6, traits, absent=absent, weighted=weighted, p=p)
    values[LINES:, 0] = np.nan
    own = None if weights is None else weights[:LINES]
    model = multi_trait_gblup.fit(
        dosage[:LINES], values[:LINES], parameters={}, seed=0, weights=own, beside=beside[:LINES]
    )
    new = None if weights is None else weights[LINES:]
    found = model.predict_known(
        dosage[LINES:], values[LINES:], 0, weights=new, beside=beside[LINES:]
    )
    covariances = model.training.covariances
    told = cells(dosage, values, covariances, weights, beside)
    wanted = literal(told, covariances, dosage[LINES:], beside[LINES:])[0][:, 0]
    np.testing.assert_allclose(found, wanted, atol=1e-6 * np.ptp(wanted))


@pytest.mark.parametrize(("traits", "absent", "weighted", "p"), CASES[3:7])
def test_lines_without_their_family_are_those_of_a_fit_without_it(traits, absent, weighted, p):
    dosage, values, weights, beside = (
        None if each is None else each[:LINES]
        for each in draw(7, traits, absent=absent, weighted=weighted, p=p)
    )
    model = multi_trait_gblup.fit(
        dosage, values, parameters={}, seed=0, weights=weights, beside=beside
    )
    groups = np.resize(["a", "b", "c", ""], LINES).astype(str)
    fitted = model.predict(dosage, beside=beside)
    errors, sd = model.without(groups, values - fitted)
    assert np.isnan(errors[groups == ""]).all()
    covariances = model.training.covariances
    around = cells(dosage, values, covariances, weights, beside)[-1]
    for name in ("a", "b", "c"):
        gone = groups == name
        left = np.where(gone[:, None], np.nan, values)
        told = cells(dosage, left, covariances, weights, beside)
        np.testing.assert_array_equal(told[-1], around)
        predicted, _, error = literal(told, covariances, dosage[gone], beside[gone])
        np.testing.assert_allclose(errors[gone], values[gone] - predicted, atol=2e-6)
        known = ~np.isnan(values[gone])
        np.testing.assert_allclose(sd[gone][known], error[known], rtol=1e-5)


@settings(max_examples=10)
@given(st.integers(0, 10**6), st.integers(1, 2), st.integers(0, 2), st.booleans())
def test_the_likelihood_is_the_literal_one(seed, traits, p, weighted):
    random = np.random.default_rng(seed)
    dosage, values, _, beside = draw(seed, traits, p=p)
    dosage, values, base = dosage[:LINES], values[:LINES], part_of(beside[:LINES], slice(None))
    weights = random.uniform(0.3, 3, LINES) if weighted else None
    matrix, _ = kernel_matrix(line_products(dosage, dosage), np.arange(LINES), "additive")
    centre(matrix, weights)
    roots = np.ones(LINES) if weights is None else np.sqrt(weights)
    kernel = (
        decompose_kernel(line_products(dosage, dosage), np.arange(LINES), "additive")
        if weights is None
        else weighted_kernel(matrix.copy(), weights)
    )
    likelihood = traits_likelihood(kernel, values, base, weights)
    factors = np.tril(random.standard_normal((2, traits, traits)))
    factors[1] += 0.5 * np.eye(traits) * np.sign(factors[1])
    genetic, residual = (
        factor @ factor.T * np.outer(likelihood.scale, likelihood.scale) for factor in factors
    )
    y = (roots[:, None] * values).T.ravel()
    fixed = np.kron(np.eye(traits), roots[:, None] * np.column_stack([np.ones(LINES), base]))
    mixed = matrix * np.outer(roots, roots) / kernel.spread
    covariance = np.kron(genetic, mixed) + np.kron(residual, np.eye(LINES))
    inverse = np.linalg.inv(covariance)
    inner = fixed.T @ inverse @ fixed
    rest = y - fixed @ np.linalg.solve(inner, fixed.T @ inverse @ y)
    logs = np.linalg.slogdet(covariance)[1] + np.linalg.slogdet(inner)[1]
    logs -= np.linalg.slogdet(fixed.T @ fixed)[1]
    constant = (LINES - 1 - base.shape[1]) * traits * np.log(2 * np.pi)
    wanted = -0.5 * (logs + constant + rest @ inverse @ rest)
    found = likelihood.log_likelihood(*factors)
    assert found == pytest.approx(wanted, rel=1e-7, abs=2e-3)


@pytest.mark.parametrize("weighted", [False, True])
def test_a_lone_trait_is_gblup_with_its_covariates_and_weights(weighted):
    dosage, values, weights, beside = draw(8, 1, weighted=weighted)
    told = {"parameters": {}, "seed": 0, "beside": beside[:LINES]}
    told["weights"] = None if weights is None else weights[:LINES, 0]
    y = values[:LINES, 0]
    one, other = (module.fit(dosage[:LINES], y, **told) for module in (multi_trait_gblup, gblup))
    mean = beside[:LINES].mean(0)
    if weighted:  # GBLUP's mean is that of weighted lines
        mean = np.average(beside[:LINES], axis=0, weights=told["weights"])
    there = np.broadcast_to(mean, (NEW, 2))
    found = one.predict(dosage[LINES:], beside=there)
    np.testing.assert_allclose(found, other.predict(dosage[LINES:]), atol=1e-4)
    figures = other.summary()
    for name, value in one.summary().items():
        assert value == pytest.approx(figures[name], rel=1e-4), name


def test_weights_that_traits_share_give_the_correlations_of_the_weighted_likelihood():
    dosage, values, weights, _ = draw(9, 2, weighted=True, p=0)
    weights[:, 1] = weights[:, 0]
    kernels = own_kernels(dosage)

    def kernel_of(chosen, own):
        assert chosen.all()
        np.testing.assert_allclose(own, weights[:, 0])
        return weighted_kernel(kernels.matrix("additive")[0], own)

    found = estimate_pairs(values, kernel_of, fewest=10, weights=weights)
    kernel = kernel_of(np.ones(LINES + NEW, bool), weights[:, 0])
    wanted = estimate(traits_likelihood(kernel, values, None, weights[:, 0]))
    np.testing.assert_allclose(found[0, 1].estimate.figures, wanted.figures, atol=1e-6)


def test_plots_that_count_tell_more(monkeypatch):
    """Lines with much noise weigh little: true values are predicted better, and as surely."""
    gains = []
    for seed in range(2):
        random = np.random.default_rng(seed)
        dosage = draw_lines(150, 60, seed=seed)
        true = (dosage - dosage.mean(0)) @ random.normal(size=(60, 2)) / 5
        noise = np.where(random.random(150) < 0.5, 0.3, 8.0)[:, None]
        values = 30 + true + random.normal(size=(150, 2)) * np.sqrt(noise)
        weights = np.broadcast_to(1 / noise, values.shape)
        weights = weights / weights.mean()
        told = [
            multi_trait_gblup.fit(dosage[:100], values[:100], parameters={}, seed=0, weights=own)
            for own in (None, weights[:100])
        ]
        gains.append(
            [np.corrcoef(one.predict(dosage[100:])[:, t], true[100:, t])[0, 1]
             for one in told for t in (0, 1)]
        )  # fmt: skip
    without, within = np.mean(gains, axis=0).reshape(2, 2).mean(1)
    assert within > without + 0.02
    monkeypatch.setattr(trait_errors, "MOST", 10)
    for one in told:
        again = multi_trait_gblup.from_state(one.state())
        assert np.isnan(again.errors(dosage[100:])[0]).all()
