"""Kernels from products of dosages against their definitions, written out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist, pdist

from soyfold.common import blocks
from soyfold.common.blocks import line_products
from soyfold.common.errors import UserError
from soyfold.models.kernels.matrices import (
    centre,
    kernel_matrix,
    median_off_diagonal,
    write_products,
)
from soyfold.models.kernels.names import kernels_of, parts_of, takes_products


def make_dosage(n=40, markers=130, seed=0):
    rng = np.random.default_rng(seed)
    return rng.binomial(2, rng.uniform(0.1, 0.9, markers), (n, markers)).astype(np.int8)


@pytest.mark.parametrize("block", [1, 7, 2048])
def test_products_are_exact_in_any_blocks(monkeypatch, tmp_path, block):
    monkeypatch.setattr(blocks, "BLOCK", block)
    dosage = make_dosage()
    expected = dosage.astype(np.int64) @ dosage.astype(np.int64).T
    np.save(tmp_path / "dosage.npy", dosage)
    write_products(tmp_path / "dosage.npy", tmp_path / "products.npy")
    found = np.load(tmp_path / "products.npy", mmap_mode="r")
    assert found.dtype == np.float32
    assert np.array_equal(found, expected)
    assert np.array_equal(line_products(dosage[:5], dosage), expected[:5])


def test_products_that_float32_cannot_hold_are_float64():
    dosage = np.full((2, 2**22 + 1), 2, dtype=np.int8)
    found = line_products(dosage, dosage)
    assert found.dtype == np.float64
    assert (found == 4.0 * (2**22 + 1)).all()


@settings(max_examples=30)
@given(st.integers(2, 30), st.integers(1, 50), st.integers(0, 10**6))
def test_any_lines_centred_part_is_their_additive_kernel(n, markers, seed):
    dosage = make_dosage(n, markers, seed)
    products = line_products(dosage, dosage)
    rng = np.random.default_rng(seed)
    rows = rng.permutation(n)[: rng.integers(1, n + 1)]
    z = dosage[rows] - dosage[rows].mean(0)
    kernel, width = kernel_matrix(products, rows, "additive")
    means = centre(kernel)
    np.testing.assert_allclose(kernel, z @ z.T, atol=1e-10)
    expected = products[np.ix_(rows, rows)].mean(0, dtype=np.float64)
    np.testing.assert_allclose(means, expected, rtol=1e-12)
    assert np.isnan(width)


@pytest.mark.parametrize("bandwidth", [0.25, 1, 2.5])
def test_gaussian_kernel_is_its_definition(bandwidth):
    dosage = make_dosage()
    rows = np.arange(39, 3, -1)  # an odd number of pairs, another order
    squared = cdist(dosage[rows], dosage[rows], "sqeuclidean")
    median = np.median(pdist(dosage[rows], "sqeuclidean"))
    kernel, width = kernel_matrix(line_products(dosage, dosage), rows, f"gaussian{bandwidth:g}")
    assert width == bandwidth * median
    np.testing.assert_allclose(kernel, np.exp(-squared / (bandwidth * median)), rtol=1e-12)


@given(st.integers(2, 12), st.integers(0, 10**6))
def test_median_is_a_pairs_distance_with_half_on_either_side(n, seed):
    rng = np.random.default_rng(seed)
    distances = np.triu(rng.integers(0, 9, (n, n)), 1)
    pairs = np.sort(distances[np.triu_indices(n, 1)])
    expected = pairs[(len(pairs) - 1) // 2]
    assert median_off_diagonal((distances + distances.T).astype(float)) == expected


def test_copies_of_one_line_have_no_gaussian_kernel():
    dosage = np.repeat(make_dosage(1), 9, axis=0)
    with pytest.raises(UserError, match="median distance of 0 among 9 lines"):
        kernel_matrix(line_products(dosage, dosage), np.arange(9), "gaussian1")


@pytest.mark.parametrize(
    ("module", "parameters", "held_out", "kernels", "parts"),
    [
        ("mean", {"train_on": ["train"]}, True, [], []),
        ("csafm", {}, True, [], []),
        ("family_gblup", {"train_on": ["train", "val"]}, True, [], []),
        ("rr_blup", {"train_on": ["train"]}, True, ["additive"], ["train"]),
        ("gblup", {"train_on": ["train"]}, True, ["additive"], ["train"]),
        ("gblup", {"train_on": ["val", "train"]}, True, ["additive"], ["train", "train_val"]),
        ("gblup", {"train_on": ["train", "val"]}, False, ["additive"], ["train_val"]),
        ("principal_components", {}, True, ["additive"], ["train", "train_val"]),
        ("rkhs", {"train_on": ["train"], "kernel": "linear"}, True, ["additive"], ["train"]),
        ("rkhs", {"train_on": ["train"], "bandwidths": [0.5, 2]}, True,
         ["gaussian0.5", "gaussian2"], ["train"]),
    ],
)  # fmt: skip
def test_which_kernels_a_model_takes(module, parameters, held_out, kernels, parts):
    block = {"module": module, "parameters": parameters, "held_out": held_out}
    assert kernels_of(block) == kernels
    assert parts_of(block) == parts
    assert takes_products(block) == (module not in ("mean", "csafm"))
