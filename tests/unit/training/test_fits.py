"""A fit from files to files: contents, losses, honesty about the test lines, reload."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from tiny_study import CHROMOSOMES, CIM, CODES, QUICK, SMALL, agreement, block, fit, write_cohort

from soyfold.common.errors import UserError
from soyfold.common.files import read_table, write_table
from soyfold.models.gblup import fit as fit_gblup
from soyfold.models.kernels.matrices import write_products
from soyfold.models.mean import fit as fit_mean
from soyfold.study import registry
from soyfold.training import fits, loop
from soyfold.training.checkpoints import load_network, read_checkpoint, save_checkpoint
from soyfold.training.cohorts import read_cohort
from soyfold.training.scaling import fit_scaler
from soyfold.training.tasks import draw_task

torch.set_num_threads(1)
PARTS = {"train": 84, "val": 24, "test": 12}


def run(folder, model, inputs):
    """Fit and return the folders, one a seed."""
    folders = [folder / f"seed{seed}" for seed in inputs["seeds"]]
    fit(model, folders=folders, **inputs)
    return folders


def network_block(module="csafm", **parameters):
    return block(module, attention=True, **{**SMALL, **QUICK, "epochs": 2, **parameters})


def direct_block(module, **parameters):
    return {**block(module, kind="direct", **parameters), "cim": "none"}


@pytest.fixture(scope="module")
def csafm(tmp_path_factory):
    folder = tmp_path_factory.mktemp("csafm")
    inputs = write_cohort(folder, seeds=(0, 1))
    return inputs, run(folder / "out", network_block(), inputs)


def test_every_seed_has_every_output(csafm):
    _, folders = csafm
    for folder in folders:
        assert {path.name for path in folder.iterdir()} == {
            "predictions.tsv", "history.tsv", "estimates.tsv", "cost.tsv", "checkpoint.npz",
            "attention.tsv",
        }  # fmt: skip
    predictions = read_table(folders[0] / "predictions.tsv")
    assert list(predictions.columns) == [
        "sample", "part", "observed", "predicted", "held_out",
    ]  # fmt: skip
    assert predictions.part.value_counts().to_dict() == PARTS
    history = read_table(folders[0] / "history.tsv")
    assert list(history.columns) == ["epoch", "train_loss", "val_loss", "val_pcc"]


def test_a_network_with_attention_says_what_its_attention_was(csafm):
    _, folders = csafm
    metrics = read_table(folders[0] / "estimates.tsv").set_index(["part", "metric"])["value"]
    assert "PCC" not in metrics.index.get_level_values("metric"), "what predictions tell"
    for name in ("NAE", "AAS", "NAE_headmean", "AAS_headmean", "negative_coupling",
                 "AAS_uniform", "AAS_within_chromosome", "AAS_learned", "AAS_learned_headmean",
                 "AAS_learned_uniform", "AAS_learned_within_chromosome"):  # fmt: skip
        assert 0 <= metrics["test", name] <= 1
    layers = [metrics["test", f"negative_coupling_layer{k}"] for k in (1, 2)]
    assert layers[-1] == pytest.approx(metrics["test", "negative_coupling"], rel=1e-5)
    assert 0 <= layers[0] <= 1 and layers[0] != layers[1]
    spreads = [metrics["test", name] for name in ("qk_sd", "prior_sd")]
    starts = [metrics["test", f"{name}_start"] for name in ("qk_sd", "prior_sd")]
    assert min(*spreads, *starts) > 0 and spreads != starts
    assert metrics["test", "NAE_uniform"] == 1
    assert metrics["test", "NAE_headmean"] >= metrics["test", "NAE"]
    assert metrics[np.nan, "parameters"] > 0


def test_attention_between_chromosomes_sums_to_one_by_row(csafm):
    _, folders = csafm
    table = read_table(folders[0] / "attention.tsv").set_index("chromosome")
    assert list(table.index) == list(table.columns) == CHROMOSOMES
    np.testing.assert_allclose(table.sum(axis=1), 1, rtol=1e-5)


def test_a_second_run_writes_the_same_bytes_but_for_the_cost(csafm, tmp_path):
    inputs, folders = csafm
    again = run(tmp_path, network_block(), {**inputs, "seeds": [1], "splits": inputs["splits"][1:]})
    for path in again[0].iterdir():
        if path.name != "cost.tsv":
            assert path.read_bytes() == (folders[1] / path.name).read_bytes(), path.name


def test_a_checkpoint_predicts_what_the_fit_predicted(csafm):
    inputs, folders = csafm
    network, scaler = load_network(folders[0] / "checkpoint.npz")
    predicted = loop.predict(network, np.load(inputs["dosage"]), scaler=scaler)
    table = read_table(folders[0] / "predictions.tsv")
    np.testing.assert_allclose(predicted, table.predicted, rtol=1e-8)


def test_a_checkpoint_of_an_earlier_version_is_one_line(csafm, tmp_path):
    _, folders = csafm
    arrays, facts = read_checkpoint(folders[0] / "checkpoint.npz")
    del facts["members"], facts["outputs"]
    save_checkpoint(tmp_path / "old.npz", arrays, **facts)
    with pytest.raises(UserError, match=r"old\.npz.*no outputs, members.*run again"):
        load_network(tmp_path / "old.npz")


def test_test_lines_touch_nothing_that_is_fitted(csafm, tmp_path):
    inputs, folders = csafm
    test = read_table(inputs["splits"][0]).part == "test"
    dosage = np.load(inputs["dosage"])
    dosage[test] = 2 - dosage[test]
    np.save(tmp_path / "dosage.npy", dosage)
    values = read_table(inputs["phenotypes"])
    values.loc[test, "value"] += 1000
    values.to_csv(tmp_path / "phenotypes.tsv", sep="\t", index=False)
    changed = {
        **inputs, "seeds": [0], "splits": inputs["splits"][:1],
        "dosage": tmp_path / "dosage.npy", "phenotypes": tmp_path / "phenotypes.tsv",
    }  # fmt: skip
    [folder] = run(tmp_path / "out", network_block(), changed)
    before, after = (read_checkpoint(f / "checkpoint.npz") for f in (folders[0], folder))
    assert before[1] == after[1]
    for name, array in before[0].items():
        assert np.array_equal(array, after[0][name]), name
    history = [(f / "history.tsv").read_bytes() for f in (folders[0], folder)]
    assert history[0] == history[1]


def test_the_scaler_is_fitted_on_training_rows_only(csafm):
    inputs, folders = csafm
    arrays, facts = read_checkpoint(folders[0] / "checkpoint.npz")
    rows = (read_table(inputs["splits"][0]).part == "train").to_numpy()
    y = read_table(inputs["phenotypes"]).value.to_numpy()
    expected = fit_scaler(np.load(inputs["dosage"])[rows], y[rows])
    assert np.array_equal(arrays["centre"], expected.centre)
    assert facts["scaler"]["mean"] == pytest.approx(y[rows].mean())


@pytest.mark.parametrize("model", ["cnn", "gru", "lstm", "transformer", "csafm", "cisem"])
def test_the_papers_size_fits_from_end_to_end(tmp_path, root, model):
    study = {"training": {"models_file": str(root / "config/models.yaml"), "preset": "paper"}}
    blocks = registry.load_models(study, root / "workflow/schemas", [model])
    blocks[model]["parameters"]["epochs"] = 1
    [folder] = run(tmp_path / "out", blocks[model], write_cohort(tmp_path))
    assert read_table(folder / "predictions.tsv").predicted.std() > 0
    assert (folder / "attention.tsv").is_file() == (model in ("transformer", "csafm", "cisem"))


def test_direct_models_fit_on_the_parts_they_name(tmp_path):
    inputs = write_cohort(tmp_path)
    model = direct_block("gblup", train_on=["train", "val"])
    [folder] = run(tmp_path / "out", model, inputs)
    predictions = read_table(folder / "predictions.tsv")
    fitted = (predictions.part != "test").to_numpy()
    dosage = np.load(inputs["dosage"])
    own = fit_gblup(dosage[fitted], predictions.observed.to_numpy()[fitted], parameters={}, seed=0)
    np.testing.assert_allclose(predictions.predicted, own.predict(dosage), rtol=1e-8)
    metrics = read_table(folder / "estimates.tsv")
    assert metrics[metrics.part.isna()].metric.tolist()[:2] == ["heritability", "lambda"]
    assert read_table(folder / "history.tsv").empty
    arrays, facts = read_checkpoint(folder / "checkpoint.npz")
    assert facts["module"] == "gblup" and "effects" in arrays
    with pytest.raises(UserError, match="a network's checkpoint"):
        load_network(folder / "checkpoint.npz")


def test_the_mean_predictor_has_no_correlation(tmp_path):
    inputs = write_cohort(tmp_path)
    [folder] = run(tmp_path / "out", direct_block("mean"), inputs)
    assert np.isnan(agreement(folder)["test", "PCC"])


def test_a_direct_model_with_a_cim_gets_it_in_the_order_of_its_codes(tmp_path, monkeypatch):
    got = {}

    def fit(dosage, y, **handed):
        got.update(handed)
        return fit_mean(dosage, y, parameters={}, seed=0)

    monkeypatch.setattr("soyfold.models.contact_kernel.fit", fit)
    inputs = write_cohort(tmp_path)
    run(tmp_path / "out", direct_block("contact_kernel"), inputs)
    np.testing.assert_allclose(got["cim"], CIM.numpy())
    assert np.array_equal(got["snp_chromosome"], CODES)


def test_tuned_parameters_are_laid_over_the_blocks(tmp_path):
    tuned = tmp_path / "best.yaml"
    tuned.write_text("parameters: {epochs: 1, d_model: 4}\n")
    model = network_block("transformer")
    [folder] = run(tmp_path / "out", model, {**write_cohort(tmp_path), "tuned": tuned})
    _, facts = read_checkpoint(folder / "checkpoint.npz")
    assert facts["parameters"] == {**model["parameters"], "epochs": 1, "d_model": 4}
    assert len(read_table(folder / "history.tsv")) == 1
    assert model["parameters"]["epochs"] == 2  # the caller's block stays


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("parameters: {epoch: 1}\n", "unknown key 'epoch'.*allowed: .*epochs"),
        ("epochs: 1\n", "no mapping `parameters`"),
        ("", "no mapping `parameters`"),
    ],
)
def test_tuned_parameters_that_the_model_does_not_know_are_refused(tmp_path, text, found):
    tuned = tmp_path / "best.yaml"
    tuned.write_text(text)
    with pytest.raises(UserError, match=f"best.yaml.*{found}"):
        fits.with_tuned(network_block(), tuned)


def test_only_lines_with_a_value_and_a_part_take_part(tmp_path):
    inputs = write_cohort(tmp_path)
    values = read_table(inputs["phenotypes"])
    values.drop(index=[3, 8]).to_csv(inputs["phenotypes"], sep="\t", index=False)
    split = read_table(inputs["splits"][0]).drop(index=[5])
    split.sample(frac=1, random_state=0).to_csv(inputs["splits"][0], sep="\t", index=False)
    cohort = read_cohort(**{k: inputs[k] for k in ("dosage", "samples", "variants", "phenotypes")})
    task = draw_task(cohort, inputs["splits"][0], 0)
    left = [i for i in range(120) if i not in (3, 5, 8)]
    assert task.sample.tolist() == [f"PI{i:06d}" for i in left]
    assert np.array_equal(task.dosage, np.load(inputs["dosage"])[left])
    assert cohort.chromosomes == CHROMOSOMES


def test_too_few_lines_in_a_part_are_refused(tmp_path):
    inputs = write_cohort(tmp_path)
    split = read_table(inputs["splits"][0])
    split.loc[split.part == "val", "part"] = "train"
    split.to_csv(inputs["splits"][0], sep="\t", index=False)
    with pytest.raises(UserError, match="0 lines with a value in part val; allowed: at least 3"):
        run(tmp_path / "out", direct_block("mean"), inputs)
    assert not (tmp_path / "out").exists()


def test_tables_that_do_not_fit_the_matrix_are_refused(tmp_path):
    inputs = write_cohort(tmp_path)
    samples = pd.read_csv(inputs["samples"], sep="\t").iloc[:-1]
    samples.to_csv(inputs["samples"], sep="\t", index=False)
    with pytest.raises(UserError, match="a matrix of 120 x 23; allowed: 119 samples x 23"):
        run(tmp_path / "out", direct_block("mean"), inputs)


def test_a_cim_without_a_chromosome_is_refused(tmp_path):
    inputs = write_cohort(tmp_path)
    cim = read_table(inputs["cim"]).iloc[:2].drop(columns="Gm03")
    cim.to_csv(inputs["cim"], sep="\t", index=False)
    with pytest.raises(UserError, match="no chromosome Gm03"):
        run(tmp_path / "out", network_block(), inputs)
    cim.assign(extra=1).to_csv(inputs["cim"], sep="\t", index=False)
    with pytest.raises(UserError, match="rows and columns that differ"):
        run(tmp_path / "out", network_block(), inputs)


def test_direct_models_import_no_torch(tmp_path):
    inputs = write_cohort(tmp_path)
    arguments = {**inputs, "folders": [tmp_path / "out"]}
    code = (
        "import sys\n"
        "from pathlib import PosixPath\n"
        "from soyfold.training.direct_fits import fit_and_write\n"
        "from soyfold.training.fits import fit\n"
        f"fit({direct_block('gblup')!r}, fit_and_write, **{arguments!r})\n"
        "assert 'torch' not in sys.modules\n"
    )
    scripts = Path(fits.__file__).parents[2]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=scripts)
    assert (tmp_path / "out/estimates.tsv").is_file()


def test_held_out_predictions_come_from_a_fit_that_has_not_seen_those_lines(tmp_path):
    inputs = write_cohort(tmp_path)
    both = run(tmp_path / "both", direct_block("gblup", train_on=["train", "val"]), inputs)
    alone = run(tmp_path / "alone", direct_block("gblup", train_on=["train"]), inputs)
    tables = [read_table(folder / "predictions.tsv") for [folder] in (both, alone)]
    for table in tables:
        assert table.held_out.notna().equals(table.part == "val")
    np.testing.assert_allclose(tables[0].held_out, tables[1].held_out, rtol=1e-10)
    val = tables[0].part == "val"
    assert not np.allclose(tables[0].predicted[val], tables[0].held_out[val])


def test_reliability_is_told_of_the_test_lines_with_shared_products_and_without(tmp_path):
    inputs = write_cohort(tmp_path)
    model = direct_block("gblup", train_on=["train", "val"])
    write_products(inputs["dosage"], tmp_path / "products.npy")
    more = {"products": tmp_path / "products.npy"}
    runs = [run(tmp_path / f"{k}", model, inputs | extra) for k, extra in enumerate(({}, more))]
    for [folder] in runs:
        table = read_table(folder / "predictions.tsv")
        dosage, test = np.load(inputs["dosage"]), (table.part == "test").to_numpy()
        own = fit_gblup(dosage[~test], table.observed[~test], parameters={}, seed=0)
        np.testing.assert_allclose(table.reliability[test], own.reliability(dosage[test]))
        assert table.reliability[~test].isna().all()
        # Its checkpoint is one of many: the training lines go with final fits alone.
        assert "lines" not in read_checkpoint(folder / "checkpoint.npz")[0]


def test_values_weigh_by_records_or_error_variance_in_models_that_take_weights(tmp_path):
    inputs = write_cohort(tmp_path)
    table = read_table(inputs["phenotypes"], dtype={"sample": str})
    table["records"] = np.random.default_rng(0).integers(1, 9, len(table))
    table["error_variance"] = 0.5 / table["records"]
    write_table(table, inputs["phenotypes"])
    model, told = direct_block("gblup", train_on=["train", "val"]), {}
    for weights in ("off", "records", "variance"):
        [folder] = run(tmp_path / weights, model, inputs | {"weights": weights})
        told[weights] = read_table(folder / "predictions.tsv", dtype={"sample": str})
    fitted = (told["off"].part != "test").to_numpy()
    weight = table.set_index("sample").records[told["off"]["sample"]].to_numpy()[fitted]
    dosage = np.load(inputs["dosage"])[[int(name[2:]) for name in told["off"]["sample"]]]
    y = told["off"].observed.to_numpy()[fitted]
    weight = 1 / (0.1 * (y.var(ddof=1) - 0.5 * np.mean(1 / weight)) + 0.5 / weight)
    own = fit_gblup(dosage[fitted], y, parameters={}, seed=0, weights=weight / weight.mean())
    np.testing.assert_allclose(told["records"].predicted, own.predict(dosage), rtol=1e-8)
    for column in ("predicted", "held_out"):
        np.testing.assert_allclose(told["variance"][column], told["records"][column], rtol=1e-8)
        assert not np.allclose(told["off"][column], told["records"][column], equal_nan=True)
    table["records"] = 3
    write_table(table, inputs["phenotypes"])
    [folder] = run(tmp_path / "equal", model, inputs | {"weights": "records"})
    assert read_table(folder / "predictions.tsv", dtype={"sample": str}).equals(told["off"])
    table["error_variance"] = np.nan
    write_table(table, inputs["phenotypes"])
    with pytest.raises(UserError, match=r"training\.weights: variance: found 120 of 120 values"):
        run(tmp_path / "none", model, inputs | {"weights": "variance"})


def test_without_held_out_the_column_is_empty(tmp_path):
    inputs = write_cohort(tmp_path)
    model = {**direct_block("gblup", train_on=["train", "val"]), "held_out": False}
    [folder] = run(tmp_path / "out", model, inputs)
    assert read_table(folder / "predictions.tsv").held_out.isna().all()


def test_a_model_that_needs_families_is_refused_where_there_are_none(tmp_path):
    inputs = write_cohort(tmp_path)
    with pytest.raises(UserError, match=r"cohort\.families"):
        run(tmp_path / "out", direct_block("family_mean"), inputs)
