"""Ensembles, refits and joint traits as fits from files to files."""

import numpy as np
import pytest
import torch
from cut_fits import cut_short
from tiny_study import QUICK, SMALL, agreement, block, fit, write_cohort, write_second_trait

from soyfold.common.files import read_table
from soyfold.training import fits, loop
from soyfold.training.checkpoints import load_network, read_checkpoint
from soyfold.training.cohorts import read_cohort
from soyfold.training.network_fits import member_seed
from soyfold.training.tasks import draw_task

torch.set_num_threads(1)
AUGMENTED = {"snp_dropout": 0.3, "mixup": 1.0, "epochs": 3}


def ensemble(kind="ensemble", **parameters):
    chosen = block("csafm", kind=kind, **{**SMALL, **QUICK, **AUGMENTED, **parameters})
    return {**chosen, "cim": "real"}


def run(folder, inputs, chosen):
    fit(chosen, folders=[folder], seconds=0, **inputs)
    return folder


def predictions(folder):
    return read_table(folder / "predictions.tsv")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Inputs of a study of one trait, and its second trait's."""
    folder = tmp_path_factory.mktemp("study")
    inputs = write_cohort(folder)
    return inputs, write_second_trait(folder, inputs)


def test_an_ensemble_is_the_mean_of_fits_from_the_seeds_of_its_members(
    study, tmp_path, monkeypatch
):
    inputs, _ = study
    both = predictions(run(tmp_path / "both", inputs, ensemble(members=2)))
    seeds, tables = [member_seed(0, number) for number in (0, 1)], []
    assert seeds[0] == 0 != seeds[1]
    for seed in seeds:
        alone = {**inputs, "seeds": [seed]}
        tables.append(predictions(run(tmp_path / str(seed), alone, ensemble("network"))))
    for column in ("predicted", "held_out"):
        expected = np.mean([table[column] for table in tables], axis=0)
        np.testing.assert_allclose(both[column], expected, rtol=1e-8)
    assert np.abs(tables[0].predicted - tables[1].predicted).max() > 0.01
    history = read_table(tmp_path / "both/history.tsv")
    assert history.groupby("member").epoch.max().to_dict() == {0: 3, 1: 3}
    one = read_table(tmp_path / "0/history.tsv")
    assert history[history.member == 0].drop(columns="member").equals(one)


def test_an_ensemble_of_one_is_the_network(study, tmp_path):
    inputs, _ = study
    folders = [
        run(tmp_path / kind, inputs, ensemble(kind, members=1)) for kind in ("network", "ensemble")
    ]
    for name in ("predictions.tsv", "history.tsv", "estimates.tsv"):
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes()


def test_a_checkpoint_of_several_members_and_traits_predicts_what_the_fit_did(study, tmp_path):
    inputs, phenotypes = study
    chosen = ensemble(members=2, refit=True, linear_path=True)
    folder = run(tmp_path / "out", {**inputs, "phenotypes": phenotypes}, chosen)
    arrays, facts = read_checkpoint(folder / "checkpoint.npz")
    assert facts["traits"] == ["first", "second"] and facts["members"] == 2
    assert "member1/weights/readout.head.0.weight" in arrays
    network, scaler = load_network(folder / "checkpoint.npz")
    predicted = loop.predict(network, np.load(inputs["dosage"]), scaler=scaler)
    table = predictions(folder)
    for number, trait in enumerate(phenotypes):
        rows = table[table.trait == trait]
        lines = rows["sample"].str.removeprefix("PI").astype(int)
        np.testing.assert_allclose(predicted[lines, number], rows.predicted, rtol=1e-6)


def test_a_joint_fit_has_each_traits_lines_and_metrics(study, tmp_path):
    inputs, phenotypes = study
    folder = run(tmp_path / "out", {**inputs, "phenotypes": phenotypes}, ensemble("network"))
    table, estimates = predictions(folder), read_table(folder / "estimates.tsv")
    for trait, path in phenotypes.items():
        values = read_table(path).set_index("sample").value
        rows = table[table.trait == trait].set_index("sample")
        assert set(rows.index) == set(values.index)
        np.testing.assert_allclose(rows.observed, values[rows.index])
        test = rows[rows.part == "test"]
        mine = agreement(folder, trait)["test"]
        assert mine["MAE"] == pytest.approx(np.abs(test.observed - test.predicted).mean())
    assert estimates[estimates.part.isna()].metric.tolist() == ["parameters"]


def test_too_few_lines_of_one_trait_in_a_part_are_refused(study, tmp_path):
    inputs, phenotypes = study
    split = read_table(inputs["splits"][0])
    values = read_table(phenotypes["second"])
    kept = values["sample"].isin(split["sample"][split.part != "val"])
    values[kept].to_csv(tmp_path / "few.tsv", sep="\t", index=False)
    names = ("dosage", "samples", "variants", "cim")
    cohort = read_cohort(
        phenotypes={**phenotypes, "second": tmp_path / "few.tsv"},
        **{name: inputs[name] for name in names},
    )
    with pytest.raises(fits.UserError, match="0 lines with a value of second in part val"):
        draw_task(cohort, inputs["splits"][0], 0)


def test_a_refit_sees_validation_and_what_was_held_out_does_not(study, tmp_path):
    inputs, _ = study
    plain, refit = (
        run(tmp_path / str(refit), inputs, ensemble("network", refit=refit, epochs=6))
        for refit in (False, True)
    )
    tables = [predictions(folder) for folder in (plain, refit)]
    np.testing.assert_allclose(tables[0].held_out, tables[1].held_out, rtol=1e-8)
    val = tables[0].part == "val"
    np.testing.assert_allclose(tables[0].predicted[val], tables[0].held_out[val], rtol=1e-6)
    assert not np.allclose(tables[1].predicted[val], tables[1].held_out[val], rtol=1e-4)
    metrics = read_table(refit / "estimates.tsv").set_index("metric").value
    losses = read_table(refit / "history.tsv").val_loss
    assert metrics["chosen_epochs"] == 1 + losses.argmin()
    # The scaler of the refit is that of train + val.
    rows = (read_table(inputs["splits"][0]).part != "test").to_numpy()
    _, facts = read_checkpoint(refit / "checkpoint.npz")
    values = read_table(inputs["phenotypes"]).value[rows]
    assert facts["scaler"]["mean"] == pytest.approx(values.mean())


@pytest.mark.parametrize("call", [2, 3, 4], ids=["refit", "second member", "its refit"])
def test_a_killed_ensemble_goes_on_in_the_training_that_it_was_in(
    study, tmp_path, monkeypatch, caplog, call
):
    inputs, phenotypes = study
    inputs = {**inputs, "phenotypes": phenotypes}
    chosen = ensemble(members=2, refit=True, ema=0.9, epochs=4)
    known, calls = loop.train, []

    class Killed(BaseException):
        pass

    def train(*arguments, **options):
        calls.append(options["epochs"])
        if len(calls) == call:
            raise Killed
        return known(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "train", train)
        with pytest.raises(Killed):
            run(tmp_path / "cut", inputs, chosen)
    with caplog.at_level("INFO", logger="soyfold"):
        run(tmp_path / "cut", inputs, chosen)
    assert caplog.text.count("trained already") == call - 1
    run(tmp_path / "whole", inputs, chosen)
    for path in (tmp_path / "whole").iterdir():
        if path.name != "cost.tsv":
            assert path.read_bytes() == (tmp_path / "cut" / path.name).read_bytes(), path.name
    assert not list((tmp_path / "cut").glob("*.ckpt"))


def test_the_average_travels_in_the_resume_file(study, tmp_path, monkeypatch):
    inputs, _ = study
    chosen = ensemble("network", ema=0.9, epochs=6)
    cut_short(tmp_path / "cut", inputs, chosen, monkeypatch)
    run(tmp_path / "cut", inputs, chosen)
    run(tmp_path / "whole", inputs, chosen)
    assert read_table(tmp_path / "cut/cost.tsv").resumed[0] == 1
    for name in ("predictions.tsv", "history.tsv", "checkpoint.npz"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
