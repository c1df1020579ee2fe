"""Fixed effects profiled out of likelihoods of several kernels, against the likelihood as it is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import cho_factor

from soyfold.common.errors import UserError
from soyfold.models.kernels import several, stacked
from soyfold.models.kernels.beside import part_of, solve_beside, take_off

N = 30


def draw(seed, p, uneven):
    """Dosages, X (n, p) orthonormal beside the mean, y in which it matters, weights or None."""
    random = np.random.default_rng(seed)
    dosage = random.integers(0, 3, (N, 12)).astype(np.int8)
    raw = random.normal(size=(N, p)) + dosage[:, :p]
    base = np.linalg.qr(raw - raw.mean(0))[0]
    weights = random.uniform(0.3, 3, N) if uneven else None
    return dosage, base, 5 + raw.sum(1) + random.normal(size=N), weights


def literal(covariance, parts, y, beside):
    """-1/2 (log|V| + log|F'V^-1 F| + y'Py) of F = [1 X], its slopes by `parts`, mu and P y."""
    fixed = np.column_stack([np.ones(len(y)), beside])
    inverse = np.linalg.inv(covariance)
    inner = fixed.T @ inverse @ fixed
    projection = inverse - inverse @ fixed @ np.linalg.solve(inner, fixed.T @ inverse)
    logs = np.linalg.slogdet(covariance)[1] + np.linalg.slogdet(inner)[1]
    effects = np.linalg.solve(inner, fixed.T @ inverse @ y)
    dual = projection @ y
    slopes = [0.5 * (dual @ part @ dual - np.vdot(projection, part)) for part in parts]
    return -0.5 * (logs + y @ dual), np.array(slopes), effects[0], dual


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.integers(0, 3), st.booleans())
def test_reml_of_several_kernels_is_the_literal_one(seed, p, uneven):
    dosage, base, y, weights = draw(seed, p, uneven)
    beside, off = take_off(base, y, weights)
    z = dosage - dosage.mean(0)
    noise = np.ones(N) if weights is None else 1 / weights
    parts = [z[:, :6] @ z[:, :6].T, z[:, 6:] @ z[:, 6:].T, np.diag(noise)]
    variances = np.random.default_rng(seed).uniform(0.1, 1, 3)
    found = several.evaluate(parts[:2], off, variances, noise, beside)
    covariance = sum(s * part for s, part in zip(variances, parts, strict=True))
    # Neither the values nor the basis of X say anything of what X tells.
    height, slopes, mean, dual = literal(covariance, parts, y, beside)
    assert found.log_likelihood == pytest.approx(height, abs=1e-8)
    np.testing.assert_allclose(found.gradient, slopes, atol=1e-7)
    solved = solve_beside(cho_factor(covariance, lower=True), y, beside)
    np.testing.assert_allclose(solved.dual, dual, atol=1e-8)
    projection = np.linalg.inv(covariance) - solved.fixed @ solved.fixed.T
    np.testing.assert_allclose(projection @ y, dual, atol=1e-8)
    assert solved.mean == pytest.approx(mean, abs=1e-8)


@settings(max_examples=10)
@given(st.integers(0, 10**6), st.integers(0, 3))
def test_reml_of_a_stack_is_the_literal_one(seed, p):
    dosage, base, y, weights = draw(seed, p, True)
    beside, _ = take_off(base, y, weights)
    code = np.repeat([0, 1, 2], 4)
    stack = stacked.stack_kernels(
        dosage, dosage.mean(0), code, 3, np.full(12, 0.2), kind=np.float64
    )
    random = np.random.default_rng(seed)
    own, pairs = random.uniform(0.1, 1, 3), np.triu(random.uniform(0.1, 1, (3, 3)), 1)
    z = dosage - dosage.mean(0)
    kernels = [0.2 * z[:, code == g] @ z[:, code == g].T for g in range(3)]
    products = [kernels[g] * kernels[h] for g, h in ((0, 1), (0, 2), (1, 2))]
    parts = [*kernels, *products, np.diag(1 / weights)]
    sizes = [*own, pairs[0, 1], pairs[0, 2], pairs[1, 2], 0.7]
    covariance = sum(s * part for s, part in zip(sizes, parts, strict=True))
    found = stacked.evaluate(stack, y, own, pairs + pairs.T, 0.7, 1 / weights, beside)
    height, slopes, mean, dual = literal(covariance, parts, y, beside)
    constant = (N - 1 - p) * np.log(2 * np.pi) - np.log(N)
    assert found.log_likelihood == pytest.approx(height - 0.5 * constant, abs=1e-7)
    told = [*found.by_chromosome, *found.by_pair[np.triu_indices(3, 1)], found.by_noise]
    np.testing.assert_allclose(told, slopes, atol=1e-6)
    np.testing.assert_allclose(found.dual, dual, atol=1e-8)
    assert found.mean == pytest.approx(mean, abs=1e-8)


@pytest.mark.parametrize("uneven", [False, True])
def test_what_is_taken_off_is_the_least_squares_fit(uneven):
    _, base, y, weights = draw(3, 2, uneven)
    beside, off = take_off(base, y, weights)
    own = np.ones(N) if weights is None else weights
    np.testing.assert_allclose(beside.T @ (own[:, None] * beside), np.eye(2), atol=1e-12)
    np.testing.assert_allclose(own @ beside, 0, atol=1e-12)
    design = np.sqrt(own)[:, None] * np.column_stack([np.ones(N), base])
    effects = np.linalg.lstsq(design, np.sqrt(own) * y, rcond=None)[0]
    left = y - np.column_stack([np.ones(N), base]) @ effects
    np.testing.assert_allclose(off - np.average(off, weights=own), left, atol=1e-10)
    assert np.average(off, weights=own) == pytest.approx(np.average(y, weights=own))


def test_none_is_no_column_and_leaves_all_digits():
    y = np.random.default_rng(0).normal(size=9)
    beside, off = take_off(None, y)
    assert beside.shape == (9, 0) and off is y
    assert part_of(beside, np.arange(5)).shape == (5, 0)


def test_a_part_of_the_lines_has_what_its_lines_tell_apart():
    plate = np.repeat(np.eye(4), 6, axis=0)
    base = np.linalg.qr((plate - plate.mean(0))[:, :3])[0]
    part = part_of(base, np.arange(15))  # three of four plates
    assert part.shape == (15, 2)
    np.testing.assert_allclose(part.T @ part, np.eye(2), atol=1e-12)
    np.testing.assert_allclose(part.sum(0), 0, atol=1e-12)
    assert part_of(base, np.arange(6)).shape == (6, 0)
    with pytest.raises(UserError, match="covariates of 3 directions for 4 lines"):
        part_of(base, np.array([0, 6, 12, 18]))
