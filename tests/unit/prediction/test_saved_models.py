"""Saved models: every entry of models.yaml predicts the same elsewhere; other files are refused."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from saved_study import Saver, quick_block

from soyfold.common.errors import UserError
from soyfold.common.files import read_table
from soyfold.evaluation.conformal import excess_variance
from soyfold.prediction import saved_models
from soyfold.prediction.panel import refuse_other_variants
from soyfold.prediction.predictors import members_sd
from soyfold.training import checkpoints

ELSEWHERE = """
import sys
import numpy as np
from soyfold.prediction.saved_models import load_model
dosage, names, told, *paths = sys.argv[1:]
found = {}
for path in paths:
    model = load_model(path)
    values, sd = model.predict(np.load(dosage), np.load(names))
    found |= {f"{model.name}/values": values, f"{model.name}/sd": sd}
np.savez(told, **found)
"""


@pytest.fixture(scope="module")
def saver(root, tmp_path_factory):
    return Saver(tmp_path_factory.mktemp("saved"), root)


@pytest.fixture(scope="module")
def every(saver, root, tmp_path_factory):
    """All entries fitted and saved here, loaded and asked in another process."""
    fitted = {name: saver.fit(name) for name in ENTRIES}
    away = tmp_path_factory.mktemp("away")
    samples = np.array([f"PI{number:06d}" for number in range(120)])
    np.save(away / "names.npy", samples)
    paths = [path.rename(away / path.name) for _, _, path in fitted.values()]
    subprocess.run(
        [sys.executable, "-c", ELSEWHERE, saver.inputs["dosage"], away / "names.npy",
         away / "told.npz", *paths],
        check=True, cwd=away,
        env={"PYTHONPATH": str(root / "workflow/scripts"), "PATH": "", "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    for path, (_, _, old) in zip(paths, fitted.values(), strict=True):
        path.rename(old)
    return fitted, np.load(away / "told.npz")


MODELS = Path(__file__).resolve().parents[3] / "config/models.yaml"
ENTRIES = yaml.safe_load(MODELS.read_text())["models"]


@pytest.mark.parametrize("name", ENTRIES)
def test_a_loaded_model_predicts_as_the_fit_did(every, name):
    fitted, told = every
    values = fitted[name][0]
    # Blends are fitted on their members' tables, of 10 digits.
    tolerance = 1e-9 if "members" in ENTRIES[name] else 1e-12
    assert told[f"{name}/values"].shape == values.shape
    np.testing.assert_allclose(told[f"{name}/values"], values, rtol=tolerance)


def test_a_model_that_does_not_say_what_teaches_it_learns_from_all_lines(saver):
    told = saver.fit("gblup")[1]
    block = quick_block(saver.block("gblup"))
    del block["parameters"]["train_on"]
    saver._fit(block, saver.folder / "own", {"first": "%"})
    own = read_table(saver.folder / "own/predictions.tsv", dtype={"sample": str})
    assert np.allclose(own["predicted"], told["predicted"], rtol=1e-9)
    assert own["held_out"].notna().sum() == (own["part"] == "val").sum() > 0


def test_members_tell_how_far_they_differ(every):
    _, told = every
    assert np.isnan(told["gblup/sd"]).all() and np.isnan(told["csafm/sd"]).all()
    assert (told["csafm_ensemble/sd"] > 0).all()
    both = [told[f"{name}/values"] for name in ("gblup", "rkhs")]
    np.testing.assert_allclose(
        told["gblup_rkhs/sd"], np.abs(both[0] - both[1]) / np.sqrt(2), atol=1e-9
    )


def test_the_sd_between_members_has_no_bias():
    """Of equal weights the textbook's, over K - 1; of others right on average; of one, none."""
    random = np.random.default_rng(0)
    told = random.normal(5, 2, (4, 6, 3))
    np.testing.assert_allclose(members_sd(told, np.full(4, 0.25)), told.std(axis=0, ddof=1))
    for weights in ([0.5, 0.3, 0.2, 0], [0.97, 0.01, 0.01, 0.01]):
        many = members_sd(random.normal(5, 2, (4, 200_000)), np.array(weights))
        assert np.square(many).mean() == pytest.approx(4, rel=0.03)
    for alone, weights in ((told[:1], [1.0]), (told, [0, 0, 1.0, 0])):
        sd = members_sd(alone, np.array(weights))
        assert sd.shape == (6, 3) and np.isnan(sd).all()


def test_a_saved_model_carries_what_it_needs(saver):
    model = saved_models.load_model(saver.fit("gblup")[2])
    assert model.traits == ["first"] and model.facts["units"] == ["%"]
    assert model.facts["software"]["soyfold"] and model.facts["software"]["numpy"]
    assert model.variants[["chromosome", "position", "ref", "alt"]].equals(
        saver.panel[["chromosome", "position", "ref", "alt"]]
    )
    np.testing.assert_allclose(model.variants["frequency"], saver.panel["frequency"])
    table = saver.fit("gblup")[1]
    judged = table[table.part == "val"]
    known, apart = model.calibration["first"], model.apart["first"]
    np.testing.assert_allclose(known.residuals, judged.observed - judged.held_out)
    np.testing.assert_allclose(known.sd, judged.held_out_sd)
    np.testing.assert_allclose(apart.residuals, table.observed - table.without_family)
    np.testing.assert_allclose(apart.sd, table.without_family_sd)
    # 12 residuals: the 12th smallest of 13 ranks covers 12/13, and no width covers more.
    sd, new = np.array([0.5, 0.5, 2.0]), np.array([False, True, True])
    half = model.half_widths("first", 0.9, sd, new)
    noise = excess_variance(known.residuals, known.sd)
    scores = np.abs(known.residuals) / np.sqrt(known.sd**2 + noise)
    assert half[0] == pytest.approx(scores.max() * np.sqrt(0.25 + noise))
    assert half[2] > half[1] and half[1] != pytest.approx(half[0])
    assert np.isnan(model.half_widths("first", 0.95, sd, new)).tolist() == [True, False, False]


SURE = {
    "gblup", "rr_blup", "rkhs", "family_gblup", "nonadditive_gblup", "learned_contact_kernel",
    "multi_trait_gblup",
}  # fmt: skip


def test_reliability_goes_with_the_models_that_know_it(saver, every):
    dosage = np.load(saver.inputs["dosage"])
    samples = [f"PI{number:06d}" for number in range(120)]
    for name, (values, table, path) in every[0].items():
        found, sd = saved_models.load_model(path).errors(dosage, samples)
        assert found.shape == sd.shape == values.shape
        block = saver.block(name)
        members = [saver.block(member)["module"] for member in block["members"]]
        if members and set(members) <= SURE:  # a blend errs as its members do
            np.testing.assert_allclose(sd[:, 0], table["error_sd"], rtol=1e-6)
            assert table["without_family"].notna().all() and table["held_out_sd"].notna().any()
        if block["module"] not in SURE:
            assert np.isnan(found).all() and "reliability" not in table
            continue
        assert (found > 0).all() and (found < 1).all()
        first = table[table["trait"] == "first"] if "trait" in table else table
        np.testing.assert_allclose(found[:, 0], first["reliability"], rtol=1e-6)
        np.testing.assert_allclose(sd[:, 0], first["error_sd"], rtol=1e-6)
    with pytest.raises(ValueError, match="allowed: 23 variants"):
        saved_models.load_model(every[0]["gblup"][2]).reliability(dosage[:, :22])


def test_nothing_in_a_saved_model_is_pickled(every):
    fitted, _ = every
    for _, _, path in fitted.values():
        with np.load(path, allow_pickle=False) as stored:
            assert all(stored[name].dtype != object for name in stored.files)


def test_other_columns_are_refused(saver):
    model = saved_models.load_model(saver.fit("gblup")[2])
    with pytest.raises(ValueError, match="allowed: 23 variants"):
        model.predict(np.zeros((2, 22), np.int8))
    with pytest.raises(UserError, match=r"23 variants, 23 of them among the 23 here"):
        refuse_other_variants(model.variants, saver.panel.iloc[::-1], file="model.npz")


def rewritten(path, target, **facts):
    """A saved model with other facts."""
    arrays, old = checkpoints.read_checkpoint(path)
    checkpoints.save_checkpoint(target, arrays, **{**old, **facts})
    return target


def damaged(saver, folder, how):
    path, target = saver.fit("gblup")[2], folder / "model.npz"
    if how == "newer":
        return rewritten(path, target, version=saved_models.VERSION + 1)
    if how == "checkpoint":
        return saver.folder / "gblup/checkpoint.npz"
    if how == "text":
        target.write_text("a model\n")
    elif how == "cut off":
        target.write_bytes(path.read_bytes()[:-2000])
    elif how == "pickle":
        np.savez(target, facts=np.array(json.dumps({"format": saved_models.FORMAT})),
                 x=np.array([{}], dtype=object))  # fmt: skip
    elif how == "no residuals":
        arrays, facts = checkpoints.read_checkpoint(path)
        arrays.pop("residuals/0")
        checkpoints.save_checkpoint(target, arrays, **facts)
    elif how == "foreign code":
        node = checkpoints.read_checkpoint(path)[1]["model"]
        node["facts"]["module"] = "..os"
        return rewritten(path, target, model=node)
    return target


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("newer", "format 2 of soyfold .*update soyfold"),
        ("checkpoint", "such as a fit's checkpoint"),
        ("text", "no saved model"),
        ("cut off", "no saved model"),
        ("pickle", "no saved model"),
        ("no residuals", "something missing .*residuals/0"),
        ("foreign code", "something missing .*module"),
        ("absent", "no saved model"),
    ],
)
def test_other_files_get_one_clear_line(saver, tmp_path, how, words):
    with pytest.raises(UserError, match=words) as error:
        saved_models.load_model(damaged(saver, tmp_path, how))
    assert "\n" not in str(error.value)
