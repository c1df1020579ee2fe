"""The tridiagonal decomposition against the matrices that it stands for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soyfold.models.kernels.tridiagonal import decompose


def make_kernel(n, rank, seed=0):
    """A centred positive semi-definite kernel of some rank."""
    z = np.random.default_rng(seed).normal(size=(n, rank))
    z -= z.mean(0)
    return z @ z.T


@settings(max_examples=30)
@given(st.integers(1, 40), st.integers(1, 60), st.integers(0, 10**6))
def test_q_t_q_is_the_kernel_and_q_is_orthogonal(n, rank, seed):
    kernel = make_kernel(n, rank, seed)
    found = decompose(kernel.copy())
    q = found.restore(np.eye(n))
    t = np.diag(found.diagonal) + np.diag(found.beside, 1) + np.diag(found.beside, -1)
    np.testing.assert_allclose(q.T @ q, np.eye(n), atol=1e-12)
    np.testing.assert_allclose(q @ t @ q.T, kernel, atol=1e-11 * max(1, np.abs(kernel).max()))
    np.testing.assert_allclose(found.rotate(np.eye(n)), q.T, atol=1e-12)
    assert found.trace == pytest.approx(np.trace(kernel), abs=1e-9)


@pytest.mark.parametrize("rank", [5, 80])
def test_solutions_and_determinants_are_the_kernels(rank):
    kernel = make_kernel(50, rank)
    found, y = decompose(kernel.copy()), np.random.default_rng(1).normal(size=50)
    for ridge in (1e-3, 1.0, 1e4):
        whole = kernel + ridge * np.eye(50)
        solved, logs = found.solve(found.rotate(y), ridge)
        np.testing.assert_allclose(found.restore(solved), np.linalg.solve(whole, y), rtol=1e-8)
        assert logs == pytest.approx(np.linalg.slogdet(whole)[1], rel=1e-12)


def test_leading_eigenvectors_are_the_kernels():
    kernel = make_kernel(40, 90)
    values, vectors = decompose(kernel.copy()).leading(6)
    expected = np.linalg.eigvalsh(kernel)[::-1][:6]
    np.testing.assert_allclose(values, expected, rtol=1e-12)
    np.testing.assert_allclose(kernel @ vectors, vectors * values, atol=1e-10 * values[0])
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(6), atol=1e-12)


def test_a_kernel_that_no_ridge_saves_is_refused():
    with pytest.raises(ValueError, match="ridge 1; allowed"):
        decompose(-5 * np.eye(4)).solve(np.ones(4), 1.0)
