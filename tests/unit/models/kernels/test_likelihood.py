"""REML of lines that a decomposition of more lines serves, against a decomposition of their own."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from soyfold.common.blocks import line_products
from soyfold.models.kernels.likelihood import LineLikelihood, fit_by_reml
from soyfold.models.kernels.matrices import decompose_kernel, kernel_matrix, select

KERNELS = st.sampled_from(["additive", "gaussian0.5", "gaussian4"])


def make_lines(n, snps, seed):
    """Products of the dosages of n lines of three families, and a trait that they give."""
    random = np.random.default_rng(seed)
    frequency = random.uniform(0.1, 0.9, (3, snps))[np.arange(n) % 3]
    dosage = random.binomial(2, frequency).astype(np.int8)
    y = 30 + dosage @ random.normal(size=snps) / np.sqrt(snps) + random.normal(size=n)
    return line_products(dosage, dosage), y


def two_ways(n, snps, without, name, seed):
    """The kernel of some lines, in any order, by all lines' decomposition and by their own."""
    products, y = make_lines(n, snps, seed)
    random = np.random.default_rng(seed)
    every = np.arange(n)
    rows = random.permutation(np.setdiff1d(every, random.choice(n, without, replace=False)))
    shared = decompose_kernel(products, every, name)
    own = decompose_kernel(products, rows, name, width=shared.width)
    return select(shared, products, every, rows), own, y[rows] - y[rows].mean()


@settings(max_examples=60)
@given(
    st.integers(8, 60), st.integers(5, 90), st.integers(0, 40), KERNELS, st.integers(0, 10**6)
)  # fmt: skip
def test_some_lines_of_a_decomposition_have_the_likelihood_of_their_own(
    n, snps, without, name, seed
):
    assume(n - without >= 5)
    shared, own, values = two_ways(n, snps, without, name, seed)
    assert len(shared.missing) == without
    np.testing.assert_allclose(shared.means, own.means, rtol=1e-10)
    assert shared.spread == pytest.approx(own.spread, rel=1e-9)
    found, wanted = LineLikelihood(shared, values), LineLikelihood(own, values)
    for ridge in own.spread * np.geomspace(1e-3, 1e4, 8):
        np.testing.assert_allclose(found.terms(ridge), wanted.terms(ridge), rtol=1e-8, atol=1e-8)
        dual = wanted.dual(ridge)
        np.testing.assert_allclose(found.dual(ridge), dual, atol=1e-8 * np.abs(dual).max())
        assert abs(found.dual(ridge).sum()) < 1e-8 * np.abs(dual).sum()


@pytest.mark.parametrize("name", ["additive", "gaussian2"])
@pytest.mark.parametrize("without", [0, 1, 15, 90])
def test_reml_finds_the_same_variances_and_dual(name, without):
    shared, own, values = two_ways(150, 300, without, name, seed=3)
    dual, figures = fit_by_reml(shared, values)
    wanted, expected = fit_by_reml(own, values)
    assert not expected["at_bound"]
    assert figures == pytest.approx(expected, rel=1e-8)
    assert figures["log_likelihood"] == pytest.approx(expected["log_likelihood"], abs=1e-9)
    np.testing.assert_allclose(dual, wanted, atol=1e-8 * np.abs(wanted).max())


@pytest.mark.parametrize("name", ["additive", "gaussian2"])
def test_terms_are_those_of_the_literal_likelihood(name):
    products, y = make_lines(60, 80, seed=5)
    rows = np.delete(np.arange(60), [3, 31, 59])
    shared = decompose_kernel(products, np.arange(60), name)
    kernel, _ = kernel_matrix(products, rows, name, width=shared.width)  # not even centred
    likelihood = LineLikelihood(
        select(shared, products, np.arange(60), rows), y[rows] - y[rows].mean()
    )
    one = np.ones(len(rows))
    for ridge in (0.5, 20.0):
        inverse = np.linalg.inv(kernel + ridge * np.eye(len(rows)))
        total = one @ inverse @ one
        mu = (inverse @ y[rows]).sum() / total
        squares, logs = likelihood.terms(ridge)
        assert squares == pytest.approx((y[rows] - mu) @ inverse @ (y[rows] - mu), rel=1e-9)
        expected = -np.linalg.slogdet(inverse)[1] + np.log(total / len(rows))
        assert logs == pytest.approx(expected, rel=1e-9)
        np.testing.assert_allclose(
            likelihood.dual(ridge), inverse @ (y[rows] - mu), rtol=1e-7, atol=1e-9
        )
