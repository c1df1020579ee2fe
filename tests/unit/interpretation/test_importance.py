"""Importance: closed forms, planted loci, sums over windows and chromosomes, choice of models."""

import numpy as np
import pandas as pd
import pytest
import torch
from tiny_study import (
    CHROMOSOMES,
    CODES,
    block,
    fit,
    planted_lines,
    write_cohort,
    write_second_trait,
)

from soyfold.common.errors import UserError
from soyfold.interpretation.effects import dosage_sd, explain_effects
from soyfold.interpretation.explaining import explain_fits
from soyfold.interpretation.gradients import attribute, explain_network
from soyfold.interpretation.importance import (
    chromosome_table,
    read_places,
    read_test_lines,
    seed_agreement,
    snp_table,
    window_table,
)
from soyfold.study import interpreted_models
from soyfold.training.checkpoints import read_checkpoint
from soyfold.training.scaling import fit_scaler

PLANTED = {0, 5, 12, 15, 20}


class Linear(torch.nn.Module):
    """f(g) = g w; or g (w, -w), two traits."""

    def __init__(self, weights, outputs=1):
        super().__init__()
        self.w, self.outputs = torch.nn.Parameter(torch.tensor(weights).float()), outputs

    def forward(self, g):
        return g @ self.w if self.outputs == 1 else torch.stack([g @ self.w, -g @ self.w], 1)


class Product(torch.nn.Module):
    """f(g) = g_0 g_1: the two share f(x) - f(0) equally, whatever x is."""

    def forward(self, g):
        return g[:, 0] * g[:, 1]


class Steep(torch.nn.Module):
    """A step that quadrature takes for a slope: the parts cannot add up."""

    def forward(self, g):
        return torch.sigmoid(1e6 * (g[:, 0] - 1e-3))


@pytest.mark.parametrize("outputs", [1, 2])
def test_gradients_of_a_linear_network_are_weight_times_deviation(outputs):
    dosage, y = planted_lines(40)
    scaler = fit_scaler(dosage, y if outputs == 1 else np.stack([y, 3 * y], 1))
    weights = np.random.default_rng(2).standard_normal(dosage.shape[1])
    found = attribute(
        Linear(weights, outputs), dosage, scaler=scaler, target=outputs - 1, steps=2, size=16
    )
    unit = np.ravel(scaler.sd)[outputs - 1]
    effects = (-1) ** (outputs - 1) * unit * weights / scaler.scale
    assert found.effect == pytest.approx(effects, rel=1e-4, abs=1e-6)
    moved = np.abs(effects) * np.abs(dosage - scaler.centre).mean(0)
    assert found.importance == pytest.approx(moved, rel=1e-4)
    assert found.completeness_error < 1e-4


def test_gradients_share_an_interaction_equally():
    dosage, y = planted_lines(40)
    scaler = fit_scaler(dosage, y)
    found = attribute(Product(), dosage, scaler=scaler, steps=4)
    x = (dosage[:, :2] - scaler.centre[:2]) / scaler.scale
    half = scaler.sd * np.abs(x[:, 0] * x[:, 1]).mean() / 2
    assert found.importance[:2] == pytest.approx([half, half], rel=1e-4)
    assert (found.importance[2:] == 0).all()


def test_gradients_that_do_not_add_up_are_refused():
    dosage, y = planted_lines(40)
    with pytest.raises(UserError, match="with 16 steps"):
        attribute(Steep(), dosage, scaler=fit_scaler(dosage, y), steps=2, tolerance=1e-3)


def test_networks_find_the_planted_loci_trait_by_trait(tmp_path):
    inputs = write_cohort(tmp_path, n=300)
    inputs["phenotypes"] = write_second_trait(tmp_path, inputs)
    small = {
        "tokens": "window", "window": 4, "d_model": 16, "layers": 1, "heads": 2, "feed_forward": 16,
        "dropout": 0.0, "linear_path": True, "learning_rate": 1e-2, "batch_size": 16, "epochs": 25,
        "patience": 25,
    }  # fmt: skip
    folder = tmp_path / "fit"
    fit(block("transformer", **small), folders=[folder], **inputs)
    for trait in ("first", "second"):
        importance, effects, fits = explain_fits(
            [folder / "checkpoint.npz"], [folder / "predictions.tsv"], seeds=[0],
            dosage=inputs["dosage"], samples=inputs["samples"], model="transformer", trait=trait,
            lines=20, steps=8, tolerance=0.05, threads=1,
        )  # fmt: skip
        assert set(np.argsort(-importance[0])[:5]) == PLANTED
        sign = 1 if trait == "first" else -1  # the second falls where the first rises
        assert np.sign(sign * effects[0][[0, 5, 12, 15, 20]]).tolist() == [1, -1, 1, 1, -1]
        assert fits.loc[0, ["lines", "trait"]].tolist() == [20, trait]
        assert fits.loc[0, "completeness_error"] < 0.05
    with pytest.raises(UserError, match="third"):
        lines = np.load(inputs["dosage"])[:5]
        explain_network(folder / "checkpoint.npz", lines, trait="third", steps=4, tolerance=1)


@pytest.mark.parametrize(
    ("module", "parameters"),
    [("gblup", {}), ("bayesb", {"iterations": 300, "burn_in": 100, "chains": 1, "pi": 0.8})],
)
def test_linear_models_rank_the_planted_loci_on_top(tmp_path, module, parameters):
    inputs = write_cohort(tmp_path, n=300)
    chosen = block(module, kind="direct", train_on=["train", "val"], **parameters)
    fit({**chosen, "cim": "none"}, folders=[tmp_path / "fit"], **inputs)
    checkpoint, dosage = tmp_path / "fit/checkpoint.npz", np.load(inputs["dosage"], mmap_mode="r")
    importance, effects = explain_effects([checkpoint], dosage)
    assert set(np.argsort(-importance[0])[:5]) == PLANTED
    assert np.array_equal(effects[0], read_checkpoint(checkpoint)[0]["effects"])
    assert importance[0] == pytest.approx(np.abs(effects[0]) * np.std(dosage, axis=0))
    assert dosage_sd(dosage) == pytest.approx(np.std(dosage, axis=0))


def test_a_checkpoint_without_effects_is_refused(tmp_path):
    inputs = write_cohort(tmp_path)
    fit({**block("mean", kind="direct"), "cim": "none"}, folders=[tmp_path / "fit"], **inputs)
    with pytest.raises(UserError, match="no effects"):
        explain_effects([tmp_path / "fit/checkpoint.npz"], np.load(inputs["dosage"]))


def places():
    """Places of the tiny study's SNPs, 7 bp apart."""
    position = 1 + 7 * np.concatenate([np.arange(13), np.arange(3), np.arange(7)])
    names = [CHROMOSOMES[code] for code in CODES]
    variant = [f"snp{i}" for i in range(23)]
    return pd.DataFrame(
        {"variant": variant, "chromosome": names, "position": position, "ref": "A", "alt": "G"}
    )


def test_windows_and_chromosomes_hold_all_importance():
    importance = np.random.default_rng(3).random((3, 23))
    windows = window_table(places(), importance, window_kb=0.02)
    chromosomes = chromosome_table(places(), importance)
    for table in (windows, chromosomes):
        assert table["snps"].sum() == 23
        assert table["importance"].sum() == pytest.approx(importance.mean(0).sum())
    assert chromosomes["chromosome"].tolist() == CHROMOSOMES
    assert chromosomes["share"].sum() == pytest.approx(1)
    per_seed = importance[:, 13:16].sum(1) / importance.sum(1)
    assert chromosomes["share_sd"][1] == pytest.approx(per_seed.std(ddof=1))
    assert (windows["end"] - windows["start"] == 19).all()
    inside = places().query("chromosome == 'Gm03' and 21 <= position <= 40").index
    row = windows.query("chromosome == 'Gm03' and start == 21").iloc[0]
    assert row.importance == pytest.approx(importance[:, inside].sum(1).mean())


def test_seeds_that_agree_and_a_single_one():
    importance = np.stack([np.arange(23.0), np.arange(23.0) ** 2, -np.arange(23.0)])
    assert seed_agreement(importance) == pytest.approx([0, 0, -1])
    assert np.isnan(seed_agreement(importance[:1])).all()
    table = snp_table(places(), importance[:1], importance[:1])
    assert table["importance_sd"].isna().all()
    assert table["importance"].tolist() == importance[0].tolist()


def test_test_lines_are_those_of_the_fit_and_no_more_than_wanted(tmp_path):
    inputs = write_cohort(tmp_path)
    parts = pd.read_csv(inputs["splits"][0], sep="\t")
    wanted = parts.index[parts.part == "test"].tolist()
    options = {"trait": "oil", "seed": 0}
    rows = read_test_lines(inputs["splits"][0], inputs["samples"], most=99, **options)
    assert rows.tolist() == wanted
    some = read_test_lines(inputs["splits"][0], inputs["samples"], most=5, **options)
    assert len(some) == 5 and set(some) <= set(wanted)
    assert read_places(inputs["variants"])["variant"].tolist() == places()["variant"].tolist()


def models():
    kinds = {"gblup": "direct", "rkhs": "direct", "csafm": "network", "blend": "blend"}
    return {name: {"module": name, "kind": kind} for name, kind in kinds.items()}


def test_models_are_asked_where_they_can_answer():
    fitted = {"oil": ["gblup", "rkhs", "csafm"], "height": ["rkhs", "blend"]}
    choose = {"trait_models": fitted, "models": models(), "file": "study.yaml"}
    assert interpreted_models.choose_models(None, **choose) == {
        "oil": ["gblup", "csafm"],
        "height": [],
    }
    assert interpreted_models.choose_models(["csafm"], **choose)["oil"] == ["csafm"]
    with pytest.raises(UserError, match="'rkhs', which is neither linear nor a network"):
        interpreted_models.choose_models(["rkhs"], **choose)
    with pytest.raises(UserError, match="'bayesb', which is not fitted here"):
        interpreted_models.choose_models(["bayesb"], **choose)
    with pytest.raises(
        UserError, match=r"study\.yaml, key interpretation\.qtl\.traits: found trait 'oyl'"
    ):
        interpreted_models.refuse_unknown_traits({"Oil": "oyl"}, fitted, file="study.yaml")
