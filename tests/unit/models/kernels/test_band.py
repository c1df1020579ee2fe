"""The decomposition to a band against the matrices that it stands for, and the tridiagonal one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soyfold.common.blocks import line_products
from soyfold.models import gblup
from soyfold.models.kernels import band, decompositions, tridiagonal
from soyfold.models.kernels.likelihood import fit_by_reml
from soyfold.models.kernels.matrices import decompose_kernel, select
from soyfold.models.kernels.shared import read_kernel, write_kernel


def make_kernel(n, rank, seed=0):
    """A centred positive semi-definite kernel of some rank."""
    z = np.random.default_rng(seed).normal(size=(n, rank))
    z -= z.mean(0)
    return z @ z.T


def dense(found):
    """B (n, n)."""
    n = len(found.diagonal)
    matrix = sum(np.diag(row[: n - k], -k) for k, row in enumerate(found.band) if k < n)
    return matrix + np.tril(matrix, -1).T


@settings(max_examples=40)
@given(
    st.integers(2, 70), st.integers(1, 90), st.integers(1, 20), st.sampled_from([4, 7, 256]),
    st.sampled_from("CF"), st.integers(0, 10**6),
)  # fmt: skip
def test_q_b_q_is_the_kernel_and_q_is_orthogonal(n, rank, width, tile, order, seed):
    kernel, width = make_kernel(n, rank, seed), min(width, n - 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(band, "TILE", tile)
        found = band.decompose(np.array(kernel, order=order), width)
    q = found.restore(np.eye(n))
    assert found.band.shape == (width + 1, n)
    np.testing.assert_allclose(q.T @ q, np.eye(n), atol=1e-12)
    scale = max(1, np.abs(kernel).max())
    np.testing.assert_allclose(q @ dense(found) @ q.T, kernel, atol=1e-11 * scale)
    np.testing.assert_allclose(found.rotate(np.eye(n)), q.T, atol=1e-12)
    assert found.trace == pytest.approx(np.trace(kernel), abs=1e-9 * scale)


@pytest.mark.parametrize("copies", [2, 40])
def test_columns_that_are_zero_or_equal_are_no_trouble(copies):
    kernel = make_kernel(60, 3)
    kernel[:copies] = kernel[:, :copies] = 0.0  # reflectors that are none
    found = band.decompose(kernel.copy(), 8)
    q = found.restore(np.eye(60))
    np.testing.assert_allclose(q @ dense(found) @ q.T, kernel, atol=1e-11 * np.abs(kernel).max())


@pytest.mark.parametrize("n", [300, 700])
def test_likelihoods_are_the_tridiagonal_ones(n):
    kernel, y = make_kernel(n, n), np.random.default_rng(1).normal(size=(n, 4))
    banded, other = band.decompose(kernel.copy()), tridiagonal.decompose(kernel.copy())
    for ridge in n * np.geomspace(1e-3, 1e3, 5):
        products, logs = banded.quadratic(banded.rotate(y), ridge)
        wanted, expected = other.quadratic(other.rotate(y), ridge)
        assert logs == pytest.approx(expected, abs=4e-12)
        np.testing.assert_allclose(products, wanted, rtol=1e-10, atol=1e-10 * np.abs(wanted).max())
        found = banded.restore(banded.solve(banded.rotate(y), ridge)[0])
        wanted = other.restore(other.solve(other.rotate(y), ridge)[0])
        np.testing.assert_allclose(found, wanted, rtol=1e-8, atol=1e-11)


@pytest.mark.parametrize("count", [6, 200])  # by iteration, and at once
def test_leading_eigenvectors_are_the_kernels(count):
    kernel = make_kernel(300, 400)
    values, vectors = band.decompose(kernel.copy()).leading(count)
    np.testing.assert_allclose(values, np.linalg.eigvalsh(kernel)[::-1][:count], rtol=1e-11)
    np.testing.assert_allclose(kernel @ vectors, vectors * values, atol=1e-9 * values[0])
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(count), atol=1e-11)


def test_a_kernel_that_no_ridge_saves_is_refused():
    with pytest.raises(ValueError, match="ridge 1; allowed"):
        band.decompose(-5 * np.eye(9), 3).solve(np.ones(9), 1.0)


@pytest.fixture
def banded(monkeypatch):
    """Kernels of as few lines as a test's take a band."""
    monkeypatch.setattr(decompositions, "BANDED", 70)


def make_lines(n=150, snps=220, seed=4):
    random = np.random.default_rng(seed)
    dosage = random.binomial(2, random.uniform(0.1, 0.9, snps), (n, snps)).astype(np.int8)
    return dosage, 30 + dosage @ random.normal(size=snps) / 9 + random.normal(size=n)


def test_gblup_is_the_same(banded, monkeypatch):
    dosage, y = make_lines()
    found = gblup.fit(dosage, y, parameters={}, seed=0)
    monkeypatch.setattr(decompositions, "BANDED", 1000)
    wanted = gblup.fit(dosage, y, parameters={}, seed=0)
    np.testing.assert_allclose(found.effects, wanted.effects, atol=1e-8 * wanted.effects.std())
    assert found.summary() == pytest.approx(wanted.summary(), rel=1e-8)


def test_lines_without_a_value_and_files_work_with_a_band(banded, tmp_path):
    dosage, y = make_lines()
    products, every, rows = line_products(dosage, dosage), np.arange(150), np.arange(4, 150)[::-1]
    write_kernel(decompose_kernel(products, every, "gaussian2"), every, tmp_path / "k.npz")
    kernel, read = read_kernel(tmp_path / "k.npz")
    assert np.array_equal(read, every)
    assert isinstance(kernel.decomposition, band.BandDecomposition)
    assert np.load(tmp_path / "k.npy", mmap_mode="r").size < 0.6 * 150**2
    values = y[rows] - y[rows].mean()
    dual, figures = fit_by_reml(select(kernel, products, every, rows), values)
    own = decompose_kernel(products, rows, "gaussian2", width=kernel.width)
    wanted, expected = fit_by_reml(own, values)
    assert figures == pytest.approx(expected, rel=1e-8)
    np.testing.assert_allclose(dual, wanted, atol=1e-8 * np.abs(wanted).max())
