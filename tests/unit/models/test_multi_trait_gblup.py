"""GBLUP of several traits: literal BLUP of all values, known traits of new lines, lone traits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planted_traits import draw_lines

from soyfold.common.blocks import line_products
from soyfold.common.errors import UserError
from soyfold.models import gblup, multi_trait_gblup
from soyfold.models.kernels.matrices import decompose_kernel
from soyfold.models.kernels.shared import SharedKernels, write_kernel


def draw_traits(dosage, seed=0, *, shares=(0.5, 0.5), genetic=0.7, residual=0.0):
    """Values (n, T) and genetic values, of a mean of 20, 40, ..."""
    random, count = np.random.default_rng(seed), len(shares)
    off = 1 - np.eye(count)
    effects = random.multivariate_normal(
        np.zeros(count), np.eye(count) + genetic * off, dosage.shape[1]
    )
    true = (dosage - dosage.mean(0)) @ effects
    true *= np.sqrt(shares) / true.std(0)
    noise = random.multivariate_normal(np.zeros(count), np.eye(count) + residual * off, len(dosage))
    return 20 * np.arange(1, count + 1) + true + noise * np.sqrt(1 - np.array(shares)), true


def literal_blup(dosage, values, covariances, new):
    """Genetic values (m, T) of lines `new` with their means, from the covariance of all cells."""
    lines, traits = np.nonzero(~np.isnan(values))
    y, centre = values[lines, traits], dosage.mean(0)
    kernel = (dosage - centre) @ (dosage - centre).T
    covariance = kernel[np.ix_(lines, lines)] * covariances.genetic[np.ix_(traits, traits)]
    covariance += (lines[:, None] == lines) * covariances.residual[np.ix_(traits, traits)]
    means = np.eye(values.shape[1])[traits]
    inverse = np.linalg.inv(covariance)
    mu = np.linalg.solve(means.T @ inverse @ means, means.T @ inverse @ y)
    dual = inverse @ (y - means @ mu)
    across = (new - centre) @ (dosage - centre).T
    return mu + np.einsum("mi,it->mt", across[:, lines] * dual, covariances.genetic[traits])


@settings(max_examples=15)
@given(st.integers(1, 3), st.floats(0, 0.6), st.booleans(), st.integers(0, 10**6))
def test_it_predicts_as_the_literal_blup_of_all_values(traits, absent, shared, seed):
    random = np.random.default_rng(seed)
    dosage = draw_lines(70, 30, seed=seed)
    values, _ = draw_traits(dosage, seed, shares=(0.5, 0.6, 0.4)[:traits])
    gaps = random.random(values.shape) < absent
    gaps[:12] = False
    values[gaps] = np.nan
    rows = np.flatnonzero(~np.isnan(values[:60]).all(axis=1))
    kernels = SharedKernels(line_products(dosage, dosage)).of(rows) if shared else None
    model = multi_trait_gblup.fit(
        dosage[rows], values[rows], parameters={}, seed=0, kernels=kernels
    )
    covariances = model.training.covariances
    wanted = literal_blup(dosage[rows], values[rows], covariances, dosage)
    predicted = model.predict(dosage).reshape(70, traits)
    np.testing.assert_allclose(predicted, wanted, atol=1e-6 * np.ptp(wanted, axis=0).max())
    if traits > 1:
        new, known = dosage[60:], values[60:].copy()
        known[:, 0] = np.nan
        places = {"rows": np.arange(60, 70)} if shared else {}
        told = model.predict_known(new, known, 0, **places)
        lines = np.concatenate([dosage[rows], new]), np.concatenate([values[rows], known])
        wanted = literal_blup(*lines, covariances, new)[:, 0]
        np.testing.assert_allclose(told, wanted, atol=1e-6 * max(1, np.ptp(wanted)))


def test_a_decomposition_of_more_lines_serves(tmp_path):
    dosage = draw_lines(80, 60, seed=1)
    values, _ = draw_traits(dosage, 1)
    values[5:9, 1] = np.nan
    products, every = line_products(dosage, dosage), np.arange(80)
    stored, rows = tmp_path / "additive_train.npz", np.delete(every, [3, 40])
    write_kernel(decompose_kernel(products, every, "additive"), every, stored)
    kernels = SharedKernels(products, (stored,)).of(rows)
    told = [
        multi_trait_gblup.fit(dosage[rows], values[rows], parameters={}, seed=0, kernels=given)
        for given in (kernels, None)
    ]
    np.testing.assert_allclose(told[0].predict(dosage), told[1].predict(dosage), atol=1e-4)
    assert told[0].summary().keys() == told[1].summary().keys()


def test_a_lone_trait_is_gblup():
    dosage = draw_lines(120, 60, seed=2)
    y = draw_traits(dosage, 2)[0][:, 0]
    one = multi_trait_gblup.fit(dosage[:90], y[:90], parameters={}, seed=0)
    other = gblup.fit(dosage[:90], y[:90], parameters={}, seed=0)
    np.testing.assert_allclose(one.predict(dosage), other.predict(dosage), atol=1e-5)
    figures = other.summary()
    for name, value in one.summary().items():
        assert value == pytest.approx(figures[name], rel=1e-5), name


def test_what_is_known_of_other_traits_helps_and_the_trait_itself_is_refused():
    dosage = draw_lines(400, 300, seed=3)
    gains = []
    for seed in range(4):
        values, true = draw_traits(dosage, seed, shares=(0.25, 0.8), genetic=0.85)
        model, lone = (
            multi_trait_gblup.fit(dosage[:300], y[:300], parameters={}, seed=0)
            for y in (values, values[:, 0])
        )
        known = values[300:].copy()
        known[:, 0] = np.nan
        told = [
            lone.predict(dosage[300:]),
            model.predict(dosage[300:])[:, 0],
            model.predict_known(dosage[300:], known, 0),
        ]
        gains.append([np.corrcoef(one, true[300:, 0])[0, 1] for one in told])
        with pytest.raises(ValueError, match="which is to be predicted"):
            model.predict_known(dosage[300:], values[300:], 0)
    alone, together, with_known = np.mean(gains, axis=0)
    assert alone + 0.02 < together < with_known - 0.05


def test_nothing_known_changes_nothing_and_state_predicts_the_same():
    dosage = draw_lines(100, 80, seed=4)
    values, _ = draw_traits(dosage, 4)
    model = multi_trait_gblup.fit(
        dosage[:80], values[:80], parameters={}, seed=0, traits=("oil", "protein")
    )
    blank = np.full((20, 2), np.nan)
    told = model.predict_known(dosage[80:], blank, 1)
    np.testing.assert_allclose(told, model.predict(dosage[80:])[:, 1], atol=1e-7)
    again = multi_trait_gblup.from_state(model.state())
    np.testing.assert_array_equal(again.predict(dosage), model.predict(dosage))
    names = {"heritability_oil", "heritability_protein", "bent", "at_bound"}
    names |= {f"{kind}_correlation_oil_protein" for kind in ("genetic", "residual")}
    assert set(model.summary()) == names


def test_traits_that_can_t_be_learnt_are_refused():
    dosage = draw_lines(40, 20)
    values = np.column_stack([np.arange(40.0), np.full(40, 3.0)])
    with pytest.raises(UserError, match="1 different values"):
        multi_trait_gblup.fit(dosage, values, parameters={}, seed=0)
    with pytest.raises(UserError, match="known_trait"):
        multi_trait_gblup.fit(dosage, values[:, 0], parameters={"known_trait": []}, seed=0)
