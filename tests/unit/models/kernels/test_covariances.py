"""REML of several traits: against the literal likelihood, its maximum, and simulated truth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from soyfold.common.blocks import line_products
from soyfold.models.kernels import band
from soyfold.models.kernels.covariances import estimate
from soyfold.models.kernels.likelihood import fit_by_reml
from soyfold.models.kernels.matrices import Kernel, centre, decompose_kernel, kernel_matrix, select
from soyfold.models.kernels.traits import traits_likelihood

TRUTH = {"heritability": [0.6, 0.4], "genetic": 0.6, "residual": -0.3}


def make_lines(n, snps=200, seed=0):
    """Dosages of n lines, and their products."""
    random = np.random.default_rng(seed)
    dosage = random.binomial(2, random.uniform(0.1, 0.9, snps), (n, snps)).astype(np.int8)
    return dosage, line_products(dosage, dosage)


def make_traits(dosage, random, *, heritability, genetic, residual):
    """Values (n, T) of the traits' variances as told, in units of 1, 3, ... and far from 0."""
    shares = np.array(heritability)
    count, centred = len(shares), dosage - dosage.mean(0)
    spread = np.square(centred).sum() / (len(dosage) - 1)
    between = np.eye(count) + genetic * (1 - np.eye(count))
    effects = random.multivariate_normal(np.zeros(count), between, dosage.shape[1])
    noise = np.eye(count) + residual * (1 - np.eye(count))
    rest = random.multivariate_normal(np.zeros(count), noise, len(dosage))
    values = centred @ effects / np.sqrt(spread) * np.sqrt(shares) + rest * np.sqrt(1 - shares)
    return 40 + values * (1 + 2 * np.arange(count))


def literal_log_likelihood(kernel, values, genetic, residual):
    """REML of the nT values at once, with a mean a trait."""
    n, traits = values.shape
    covariance = np.kron(genetic, kernel) + np.kron(residual, np.eye(n))
    means, y = np.kron(np.eye(traits), np.ones((n, 1))), values.T.ravel()
    inverse = np.linalg.inv(covariance)
    inner = means.T @ inverse @ means
    rest = y - means @ np.linalg.solve(inner, means.T @ inverse @ y)
    logs = -np.linalg.slogdet(inverse)[1] + np.linalg.slogdet(inner)[1] - traits * np.log(n)
    return -0.5 * (logs + traits * (n - 1) * np.log(2 * np.pi) + rest @ inverse @ rest)


def kernels_of(products, rows, *, banded):
    """A decomposition of all lines for some of them, and the kernel of these, mean variance 1."""
    every = np.arange(len(products))
    found = decompose_kernel(products, every, "additive")
    if banded:
        matrix, _ = kernel_matrix(products, every, "additive")
        centre(matrix)
        found = Kernel(band.decompose(matrix, width=5), every, found.means, found.spread)
    matrix, _ = kernel_matrix(products, rows, "additive")
    centre(matrix)
    kernel = select(found, products, every, rows)
    return kernel, matrix / kernel.spread


@settings(max_examples=25)
@given(st.integers(1, 3), st.integers(0, 6), st.booleans(), st.integers(0, 10**6))
def test_it_is_the_literal_likelihood_at_any_variances(traits, without, banded, seed):
    random = np.random.default_rng(seed)
    dosage, products = make_lines(26, 15 + seed % 30, seed)
    rows = random.permutation(26)[without:]
    kernel, matrix = kernels_of(products, rows, banded=banded)
    values = 10 * random.standard_normal((len(rows), traits)) + 5 * dosage[rows, :traits]
    likelihood = traits_likelihood(kernel, values)
    factors = np.tril(random.standard_normal((2, 4, traits, traits)))
    factors[0, 0, -1, -1] = 0.0  # traits that genes don't tell apart
    factors[1] += 0.3 * np.eye(traits) * np.sign(factors[1])
    found = likelihood.log_likelihood(*factors)
    for height, *both in zip(found, *factors, strict=True):
        units = np.outer(likelihood.scale, likelihood.scale)
        genetic, residual = (factor @ factor.T * units for factor in both)
        wanted = literal_log_likelihood(matrix, values, genetic, residual)
        assert height == pytest.approx(wanted, rel=1e-8, abs=2e-3)  # 2e-3: heritability above 1e-5


def literal_estimate(kernel, values, start):
    """The maximum of the literal likelihood by its own search, and the information there."""
    traits = values.shape[1]
    lower = np.tril_indices(traits)

    def height(point):
        factors = np.zeros((2, traits, traits))
        factors[0][lower], factors[1][lower] = np.split(point, 2)
        genetic, residual = (factor @ factor.T for factor in factors)
        return -literal_log_likelihood(kernel, values, genetic, residual)

    start = np.concatenate([np.linalg.cholesky(matrix)[lower] for matrix in start])
    found = minimize(height, start, method="L-BFGS-B", options={"ftol": 1e-13, "gtol": 1e-6})
    size, step = len(start), 1e-3
    units, information = step * np.eye(size), np.empty((size, size))
    for i in range(size):
        for j in range(size):
            information[i, j] = sum(
                a * b * height(found.x + a * units[i] + b * units[j])
                for a in (-1, 1) for b in (-1, 1)
            ) / (4 * step**2)  # fmt: skip
    return found.x, -found.fun, information


def test_it_finds_the_literal_maximum_with_its_standard_error():
    dosage, products = make_lines(60, 60, seed=3)
    rows = np.arange(57)
    kernel, matrix = kernels_of(products, rows, banded=False)
    values = make_traits(dosage, np.random.default_rng(5), **TRUTH)[rows]
    values = (values - values.mean(0)) / values.std(0, ddof=1)
    found = estimate(traits_likelihood(kernel, values))
    assert found.converged and not found.at_bound.any()
    start = [np.diag(found.heritability), np.diag(1 - found.heritability)]
    point, height, information = literal_estimate(matrix, values, start)
    assert found.log_likelihood == pytest.approx(height, abs=1e-5)
    c11, c21, c22 = point[:3]
    wanted = c21 / np.hypot(c21, c22)
    assert found.figures[0, 0, 1] == pytest.approx(wanted, abs=2e-3)
    slope = np.zeros(6)
    slope[1:3] = c22**2 / np.hypot(c21, c22) ** 3, -c21 * c22 / np.hypot(c21, c22) ** 3
    error = np.sqrt(slope @ np.linalg.solve(information, slope))
    assert found.errors[0, 0, 1] == pytest.approx(error, rel=0.02)
    assert c11 != 0


@pytest.mark.parametrize("without", [0, 7])
def test_a_lone_trait_has_the_heritability_of_its_gblup(without):
    dosage, products = make_lines(150, seed=1)
    rows = np.arange(150 - without)
    kernel, _ = kernels_of(products, rows, banded=False)
    values = make_traits(dosage, np.random.default_rng(2), **TRUTH)[rows, :1]
    found = estimate(traits_likelihood(kernel, values))
    _, figures = fit_by_reml(kernel, values[:, 0] - values.mean())
    assert found.heritability[0] == pytest.approx(figures["heritability"], rel=1e-6)
    assert found.genetic.item() == pytest.approx(figures["variance_genetic"], rel=1e-6)
    assert found.log_likelihood == pytest.approx(figures["log_likelihood"], abs=1e-7)


@settings(max_examples=5)
@given(st.integers(0, 10**6), st.floats(0.01, 100), st.booleans())
def test_units_and_the_order_of_traits_change_nothing_else(seed, unit, mirrored):
    dosage, products = make_lines(80, seed=seed)
    values = make_traits(dosage, np.random.default_rng(seed), **TRUTH)
    kernel = decompose_kernel(products, np.arange(80), "additive")
    sign = -1 if mirrored else 1
    found = estimate(traits_likelihood(kernel, values))
    other = estimate(traits_likelihood(kernel, values[:, ::-1] * [unit, sign] + 3))
    # Near a bound the top is flat, and told less sharply.
    inside = np.abs(found.figures[:2, 0, 1]) < 0.9
    if found.converged and other.converged and inside.all() and not found.at_bound.any():
        np.testing.assert_allclose(other.heritability[::-1], found.heritability, atol=1e-4)
        assert other.figures[0, 0, 1] == pytest.approx(sign * found.figures[0, 0, 1], abs=1e-4)
        assert other.errors[0, 0, 1] == pytest.approx(found.errors[0, 0, 1], rel=1e-2)
        assert other.genetic[0, 0] == pytest.approx(unit**2 * found.genetic[1, 1], rel=1e-3)


def test_simulated_correlations_are_found_as_surely_as_told():
    dosage, products = make_lines(300, 400, seed=11)
    kernel = decompose_kernel(products, np.arange(300), "additive")
    found = [
        estimate(
            traits_likelihood(kernel, make_traits(dosage, np.random.default_rng(seed), **TRUTH))
        )
        for seed in range(24)
    ]
    assert all(one.converged for one in found)
    told = [one for one in found if not one.at_bound.any()]
    assert len(told) >= 22
    for which, place, truth in (
        (0, (0, 1), 0.6), (0, (0, 0), 0.6), (0, (1, 1), 0.4), (1, (0, 1), -0.3),
    ):  # fmt: skip
        values = np.array([one.figures[which][place] for one in told])
        errors = np.array([one.errors[which][place] for one in told])
        sd = values.std(ddof=1)
        assert abs(values.mean() - truth) < 3 * sd / np.sqrt(len(values))
        # The sd of 22 or more estimates is known to within a sixth, thrice of which is half of it.
        assert 0.5 * sd < np.sqrt(np.square(errors).mean()) < 1.5 * sd


def test_all_traits_together_and_by_twos_are_one_likelihood():
    dosage, products = make_lines(200, seed=4)
    options = {"heritability": [0.5, 0.6, 0.4], "genetic": 0.5, "residual": 0.2}
    values = make_traits(dosage, np.random.default_rng(4), **options)
    likelihood = traits_likelihood(decompose_kernel(products, np.arange(200), "additive"), values)
    found, pair = estimate(likelihood), estimate(likelihood.of([0, 2]))
    assert found.converged and found.figures.shape == (3, 3, 3)
    np.testing.assert_allclose(found.figures[0], found.figures[0].T)
    # More traits tell a little more of two, and nothing else.
    assert abs(found.figures[0, 0, 2] - pair.figures[0, 0, 1]) < pair.errors[0, 0, 1] / 2
    lone = traits_likelihood(
        decompose_kernel(products, np.arange(200), "additive"), values[:, [0, 2]]
    )
    assert estimate(lone).log_likelihood == pytest.approx(pair.log_likelihood, abs=1e-6)


def test_bounds_are_told_and_have_no_standard_error():
    dosage, products = make_lines(150, seed=6)
    kernel = decompose_kernel(products, np.arange(150), "additive")
    same = {"heritability": [0.7, 0.7], "genetic": 1.0, "residual": -0.9}
    for seed in range(6):
        values = make_traits(dosage, np.random.default_rng(seed), **same)
        found = estimate(traits_likelihood(kernel, values))
        assert np.isfinite(found.figures[0]).all() and np.abs(found.figures[0, 0, 1]) <= 1 + 1e-12
        if found.at_bound[0, 1]:
            break
    assert found.at_bound[0, 1] and np.isnan(found.errors[0, 0, 1])
    assert found.figures[0, 0, 1] == pytest.approx(1, abs=1e-4)
    assert np.isfinite(np.diag(found.errors[0])).all() and np.isfinite(found.errors[2, 0, 1])


def test_noise_has_no_heritability_and_no_standard_error_of_it():
    _, products = make_lines(120, seed=6)
    kernel, random = (
        decompose_kernel(products, np.arange(120), "additive"),
        np.random.default_rng(0),
    )
    found = [
        estimate(traits_likelihood(kernel, random.standard_normal((120, 1)))) for _ in range(8)
    ]
    at_bound = [one for one in found if one.at_bound[0, 0]]
    assert 1 <= len(at_bound) <= 7  # half of all draws, on average
    for one in at_bound:
        assert one.heritability[0] == pytest.approx(0, abs=1e-4)
        assert np.isnan(one.errors[0, 0, 0]) and np.isfinite(one.log_likelihood)
