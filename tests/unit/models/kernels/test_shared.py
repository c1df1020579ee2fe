"""Kernels that fits share: what is stored, when it is used, and that it changes no prediction."""

import inspect
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tiny_study import block, fit, write_cohort

from soyfold.common import digest
from soyfold.common.errors import UserError
from soyfold.common.files import read_table
from soyfold.models.declarations import declaration, models
from soyfold.models.kernels import shared as shared_kernels
from soyfold.models.kernels.matrices import write_products
from soyfold.models.kernels.names import kernels_of, parts_of
from soyfold.models.kernels.shared import (
    decompose_part,
    read_kernel,
    read_shared,
    reflectors_of,
    release_kernels,
)
from soyfold.models.loading import import_model

MODELS = {
    "gblup": {"train_on": ["train", "val"]},
    "rr_blup": {"train_on": ["train", "val"]},
    "rkhs": {"train_on": ["train", "val"], "bandwidths": [0.5, 2]},
    "principal_components": {"components": 10},
    "contact_kernel": {"train_on": ["train", "val"], "power": 1.0},
    "learned_contact_kernel": {"train_on": ["train", "val"], "iterations": 5},
}


def direct(module):
    cim = declaration(module).cim
    return {**block(module, kind="direct", **MODELS[module]), "cim": cim}


def share(folder, inputs, model):
    """Write the products and what the model takes of every kernel: arguments of a fit."""
    write_products(inputs["dosage"], folder / "products.npy")
    paths = []
    for number, split in enumerate(inputs["splits"]):
        for kernel in kernels_of(model):
            for part in parts_of(model):
                paths.append(folder / f"split{number}" / f"{kernel}_{part}.npz")
                decompose_part(
                    folder / "products.npy", inputs["samples"], split,
                    kernel=kernel, part=part, path=paths[-1],
                )  # fmt: skip
    return {"products": folder / "products.npy", "kernels": paths}


def run(folder, model, inputs, **shared):
    folders = [folder / f"seed{seed}" for seed in inputs["seeds"]]
    fit(model, folders=folders, **inputs, **shared)
    return [read_table(path / "predictions.tsv") for path in folders]


def assert_same(found, wanted, rtol=1e-7):
    for left, right in zip(found, wanted, strict=True):
        pd.testing.assert_frame_equal(left, right, rtol=rtol)


@pytest.mark.parametrize("module", list(MODELS))
def test_shared_decompositions_predict_what_own_ones_do(tmp_path, module):
    inputs, model = write_cohort(tmp_path, seeds=(0, 1)), direct(module)
    wanted = run(tmp_path / "own", model, inputs)
    assert_same(run(tmp_path / "shared", model, inputs, **share(tmp_path, inputs, model)), wanted)
    assert all(table.held_out.notna().equals(table.part == "val") for table in wanted)


@pytest.mark.parametrize("n", [30, 45, 90])  # train lines: 0.7 n, on both sides of 32
def test_few_lines_are_decomposed_and_read_as_many_are(tmp_path, n):
    inputs, model = write_cohort(tmp_path, n=n), direct("gblup")
    wanted = run(tmp_path / "own", model, inputs)
    assert_same(run(tmp_path / "shared", model, inputs, **share(tmp_path, inputs, model)), wanted)


@pytest.mark.parametrize("module", ["gblup", "rkhs", "principal_components"])
def test_with_shared_decompositions_none_is_computed(tmp_path, monkeypatch, module):
    inputs, model = write_cohort(tmp_path, seeds=(0, 1)), direct(module)
    shared = share(tmp_path, inputs, model)
    monkeypatch.setattr(
        shared_kernels, "decompose_kernel", lambda *_: pytest.fail("decomposed a kernel")
    )
    run(tmp_path / "out", model, inputs, **shared)


def without_some(folder, inputs, every):
    """The inputs of a trait that every so many-th line has no value of."""
    values = read_table(inputs["phenotypes"])
    values.loc[::every, "value"] = np.nan
    values.to_csv(folder / "other.tsv", sep="\t", index=False, na_rep="NA")
    return {**inputs, "phenotypes": folder / "other.tsv"}


@pytest.mark.parametrize("every", [5, 50])  # train lines: more and less than `SHARED` allows
@pytest.mark.parametrize("module", list(MODELS))
def test_a_trait_without_some_values_is_predicted_as_by_its_own_kernels(tmp_path, module, every):
    inputs, model = write_cohort(tmp_path, seeds=(0, 1)), direct(module)
    shared = share(tmp_path, inputs, model)
    inputs = without_some(tmp_path, inputs, every)
    found = run(tmp_path / "shared", model, inputs, **shared)
    assert len(found[0]) == 120 - len(range(0, 120, every))
    for path in shared["kernels"]:  # of the split's lines are then the Gaussian kernels' widths
        reflectors_of(path).unlink()
    # The tiny trait has no noise: its ridge is at the bound, where rounding is a million times it.
    assert_same(found, run(tmp_path / "own", model, inputs, **shared), rtol=1e-6)
    if module != "rkhs":
        assert_same(found, run(tmp_path / "alone", model, inputs), rtol=1e-6)


@pytest.mark.parametrize(
    ("module", "computed"), [("gblup", 0), ("rkhs", 0), ("principal_components", 2)]
)
def test_few_lines_without_a_value_take_no_decomposition(tmp_path, monkeypatch, module, computed):
    inputs, model = write_cohort(tmp_path), direct(module)
    shared, names = share(tmp_path, inputs, model), []
    own = shared_kernels.decompose_kernel

    def counted(*given, **options):
        names.append(given[-1])
        return own(*given, **options)

    monkeypatch.setattr(shared_kernels, "decompose_kernel", counted)
    run(tmp_path / "few", model, without_some(tmp_path, inputs, 50), **shared)
    assert len(names) == computed
    run(tmp_path / "many", model, without_some(tmp_path, inputs, 5), **shared)
    assert len(names) == computed + len(shared["kernels"])


def test_a_kernel_is_of_the_split_of_its_fit(tmp_path):
    """Not of another one that has all its lines, whose test lines would set its width."""
    inputs, model = write_cohort(tmp_path, seeds=(0, 1)), direct("rkhs")
    shared = share(tmp_path, inputs, model)
    for path in shared["kernels"]:
        reflectors_of(path).unlink()
    wanted = run(tmp_path / "before", model, inputs, **shared)[1]
    parts = read_table(inputs["splits"][0]).assign(part="train")
    parts.loc[:5, "part"], parts.loc[6:11, "part"] = "val", "test"
    parts.to_csv(tmp_path / "wide.tsv", sep="\t", index=False)
    inputs["splits"][0] = tmp_path / "wide.tsv"
    shared = share(tmp_path, inputs, model)
    assert_same(run(tmp_path / "after", model, inputs, **shared)[1:], [wanted])


@pytest.mark.parametrize("module", ["gblup", "principal_components"])
def test_released_reflectors_change_no_prediction(tmp_path, module):
    inputs, model = write_cohort(tmp_path), direct(module)
    shared = share(tmp_path, inputs, model)
    wanted = run(tmp_path / "before", model, inputs, **shared)
    release_kernels(shared["kernels"][0].parent / "released.tsv")
    removed = read_table(shared["kernels"][0].parent / "released.tsv")
    assert list(removed.file) == ["additive_train.npy", "additive_train_val.npy"]
    assert not any(reflectors_of(path).exists() for path in shared["kernels"])
    assert_same(run(tmp_path / "after", model, inputs, **shared), wanted)


def test_a_stored_kernel_is_that_of_its_lines_in_any_order(tmp_path):
    inputs, model = write_cohort(tmp_path), direct("gblup")
    shared = share(tmp_path, inputs, model)
    kernel, rows = read_kernel(shared["kernels"][0])
    parts = read_table(inputs["splits"][0])
    assert np.array_equal(rows, np.flatnonzero(parts.part == "train"))
    assert isinstance(kernel.decomposition.reflectors, np.memmap)
    order = np.random.default_rng(0).permutation(len(rows))
    found = read_shared(shared["products"], shared["kernels"]).of(rows[order]).kernel("additive")
    assert isinstance(found.decomposition.reflectors, np.memmap)
    assert np.array_equal(found.places, order) and not found.missing.size
    z = np.load(inputs["dosage"])[rows[order]].astype(float)
    z -= z.mean(0)
    products = np.load(shared["products"])[np.ix_(rows[order], rows[order])]
    np.testing.assert_allclose(found.means, products.mean(0, dtype=float), rtol=1e-12)
    x = np.random.default_rng(1).normal(size=len(rows))
    t, placed = found.decomposition, np.empty_like(x)
    placed[found.places] = x
    turned = t.rotate(placed)
    t = np.diag(t.diagonal) + np.diag(t.beside, 1) + np.diag(t.beside, -1)
    restored = found.decomposition.restore(t @ turned)[found.places]
    np.testing.assert_allclose(restored, z @ z.T @ x, atol=1e-9)


def test_test_lines_change_no_stored_kernel(tmp_path):
    inputs, model = write_cohort(tmp_path), direct("rkhs")
    before = share(tmp_path, inputs, model)["kernels"]
    dosage = np.load(inputs["dosage"])
    dosage[read_table(inputs["splits"][0]).part == "test"] = 1
    (tmp_path / "changed").mkdir()
    np.save(tmp_path / "changed/dosage.npy", dosage)
    changed = {**inputs, "dosage": tmp_path / "changed/dosage.npy"}
    after = share(tmp_path / "changed", changed, model)["kernels"]
    for left, right in zip(before, after, strict=True):
        assert left.read_bytes() == right.read_bytes()
        assert reflectors_of(left).read_bytes() == reflectors_of(right).read_bytes()


def test_a_part_without_lines_is_refused(tmp_path):
    inputs = write_cohort(tmp_path)
    write_products(inputs["dosage"], tmp_path / "products.npy")
    parts = read_table(inputs["splits"][0]).assign(part="test")
    parts.to_csv(tmp_path / "empty.tsv", sep="\t", index=False)
    with pytest.raises(UserError, match="0 lines in part train"):
        decompose_part(
            tmp_path / "products.npy", inputs["samples"], tmp_path / "empty.tsv",
            kernel="additive", part="train", path=tmp_path / "x.npz",
        )  # fmt: skip
    assert not (tmp_path / "x.npz").exists()


DIRECT = [module for module in models() if declaration(module).kind == "direct"]


@pytest.mark.parametrize("module", DIRECT)
def test_the_direct_models_that_declare_kernels_are_those_whose_fit_takes_them(module):
    taken = set(inspect.signature(import_model(module).fit).parameters)
    declared = declaration(module)
    assert ("kernels" in taken) == (declared.kernels is not None)
    both = declared.kernels is not None and "validation" in declared.needs
    assert ("refit_kernels" in taken) == both


def test_models_without_kernels_carry_no_digest_of_them():
    modules = [
        "soyfold.models.kernels.likelihood",
        "soyfold.models.kernels.band",
        "soyfold.models.kernels.tridiagonal",
        "soyfold.models.kernels.matrices",
        "soyfold.models.kernels.shared",
    ]
    files = {Path(import_module(name).__file__) for name in modules}
    for model in ("transformer", "mean", "cnn", "gblup", "rkhs"):
        script = "fit_direct" if model in ("mean", "gblup", "rkhs") else "fit_network"
        reached = set(digest.reached(script, f"soyfold.models.{model}"))
        assert (files <= reached) == (model in ("gblup", "rkhs"))
        assert bool(files & reached) == (model in ("gblup", "rkhs"))
