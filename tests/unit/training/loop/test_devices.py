"""Precision, compilation, several devices, memory: what changes with the machine."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_study import (
    CIM,
    QUICK,
    SMALL,
    block,
    fit,
    parts_of,
    planted_lines,
    tiny_layout,
    write_cohort,
)

from soyfold.common.errors import UserError
from soyfold.common.files import read_table
from soyfold.common.logs import rule_log
from soyfold.models.loading import import_model
from soyfold.models.parameters import training_options
from soyfold.training import fits
from soyfold.training import loop as training
from soyfold.training.loop import loop, several
from soyfold.training.loop.batches import Augmentation, Batches
from soyfold.training.scaling import fit_scaler

torch.set_num_threads(1)
SLURM_JOB = {
    "SLURM_JOB_ID": "7", "SLURM_JOB_NAME": "fit", "SLURM_NTASKS": "1", "SLURM_NNODES": "1",
    "SLURM_NODEID": "0", "SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_NODELIST": "node1",
}  # fmt: skip
SUPPORT = Path(__file__).parents[3] / "support"
SCRIPTS = Path(fits.__file__).parents[2]


def train(options=None, *, module="csafm", lines=105, size=SMALL, **more):
    """Trained, predictions and network of a small fit; of 105 lines it trains on 73."""
    dosage, y = planted_lines(lines)
    rows, val_rows, _ = parts_of(lines)
    scaler = fit_scaler(dosage[rows], y[rows])
    torch.manual_seed(0)
    network = import_model(module).Network(tiny_layout(), size, CIM)
    trained = training.train(
        network, dosage, scaler.standardise(y), scaler=scaler, train_rows=rows, val_rows=val_rows,
        options=training_options({**QUICK, "epochs": 3, **(options or {})}), seed=0, **more,
    )  # fmt: skip
    return trained, training.predict(network, dosage, scaler=scaler), network


def losses(trained):
    """train and val loss by epoch, an array (epochs, 2)."""
    return np.array([[row["train_loss"], row["val_loss"]] for row in trained.history])


def test_bf16_on_a_cpu_learns_nearly_the_same():
    exact, *_ = train()
    rough, *_ = train({"precision": "bf16-mixed"})
    np.testing.assert_allclose(losses(rough), losses(exact), rtol=0.05)
    assert not np.array_equal(losses(rough), losses(exact))  # or it would not have been bf16


def test_lines_sent_with_each_batch_train_as_those_that_lie_on_the_device(monkeypatch):
    resident, predicted, _ = train({"snp_dropout": 0.3, "mixup": 1.0})
    monkeypatch.setattr(loop, "stays_on_device", lambda _: False)
    sent, predicted_sent, _ = train({"snp_dropout": 0.3, "mixup": 1.0})
    assert sent.history == resident.history
    assert predicted_sent.tobytes() == predicted.tobytes()


def test_batches_of_an_epoch_follow_from_seed_and_epoch_alone():
    def walk(epoch, seed=5):
        batches = Batches(np.arange(30), 8, seed=seed)
        batches.epoch = epoch
        return [rows.tolist() for rows, _ in batches]

    assert walk(2) == walk(2) != walk(3)
    assert walk(2) != walk(2, seed=6)
    assert sorted(row for rows in walk(2) for row in rows) == list(range(30))
    assert [len(rows) for rows in walk(0)] == [8, 8, 8, 6]


@pytest.mark.parametrize("share", [0.05, 0.3, 0.9])
def test_snp_dropout_drops_its_share_and_keeps_the_mean(share):
    g = torch.ones(200, 999)
    dropped, _ = Augmentation(0.0, share)(g, torch.zeros(200))
    kept = dropped != 0
    spread = (share * (1 - share) / g.numel()) ** 0.5
    assert abs(float((~kept).float().mean()) - share) < 5 * spread
    assert dropped[kept].unique().tolist() == pytest.approx([1 / (1 - share)], rel=1e-3)
    # Neighbours in a row share a draw of 64 bits: they must not share their fate.
    pairs = torch.corrcoef(torch.stack([kept[:, :-1].flatten(), kept[:, 1:].flatten()]).float())
    assert abs(float(pairs[0, 1])) < 0.02


def test_mixup_mixes_dosages_and_targets_alike():
    z = torch.arange(64.0)
    g = z[:, None].repeat(1, 3)
    augmentation = Augmentation(1.0, 0.0)
    mixed, target = augmentation(g, z)
    torch.testing.assert_close(mixed[:, 0], target)
    assert not torch.equal(target, z) and float(target.mean()) == pytest.approx(31.5, rel=1e-5)


@pytest.mark.slow
def test_a_compiled_network_trains_the_same_and_its_weights_keep_their_names():
    if not (shutil.which("g++") or shutil.which("clang++")):
        pytest.skip("no C++ compiler for torch.compile")
    # One layer, and batches of one size: each further shape costs half a minute of g++.
    options, small = {"batch_size": 10}, {"lines": 100, "size": {**SMALL, "layers": 1}}
    plain, predicted, network = train(options, **small)
    compiled, predicted_compiled, other = train({**options, "compile": True}, **small)
    np.testing.assert_allclose(losses(compiled), losses(plain), rtol=1e-3)
    np.testing.assert_allclose(predicted_compiled, predicted, rtol=1e-3)
    assert list(other.state_dict()) == list(network.state_dict())


@pytest.mark.slow
@pytest.mark.parametrize("mixed", [{}, {"snp_dropout": 0.3, "mixup": 1.0}], ids=["plain", "mixed"])
def test_two_processes_train_as_one(mixed, tmp_path, monkeypatch):
    for name, value in (mixed and SLURM_JOB).items():  # a job's one task starts both
        monkeypatch.setenv(name, value)
    # 73 lines in batches of 18: the last batch has one line for two ranks.
    options = {**mixed, "batch_size": 18, "accumulate": 2}
    one, predicted, network = train(options)
    with rule_log(tmp_path / "fit.log") as log:
        two, predicted_two, other = train(options, devices=2)
        log.info("afterwards")
    np.testing.assert_allclose(losses(two), losses(one), rtol=2e-4)
    np.testing.assert_allclose(predicted_two, predicted, rtol=2e-4)
    for name, weight in network.state_dict().items():
        torch.testing.assert_close(other.state_dict()[name], weight, rtol=5e-3, atol=5e-4)
    text = (tmp_path / "fit.log").read_text()
    assert text.count("epoch ") == 3 and text.index("epoch   3") < text.index("afterwards")
    assert 0 <= two.cost["data_wait_share"] <= 1


@pytest.mark.slow
def test_a_script_that_fits_on_several_devices_runs_once(tmp_path):
    # As Snakemake runs a rule's script: no guard of its main part, which a second run would trip.
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\n"
        f"sys.path[:0] = {[str(Path(__file__).parent), str(SUPPORT), str(SCRIPTS)]!r}\n"
        "open('runs', 'a').write('x')\n"
        "from test_devices import train\n"
        "print(len(train({'epochs': 2}, devices=2)[0].history))\n"
    )
    command = [sys.executable, str(script)]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert done.stdout == "2\n"
    assert (tmp_path / "runs").read_text() == "x"


@pytest.mark.slow
def test_an_error_in_a_process_comes_back_in_its_own_words():
    with pytest.raises(UserError, match=r"^model csafm: found training loss (nan|inf) in epoch 1"):
        train({"learning_rate": 1e30, "clip": 0.0}, devices=2)


def test_cost_has_what_changes_from_run_to_run_and_estimates_have_not(tmp_path):
    chosen = block("csafm", attention=True, **{**SMALL, **QUICK, "epochs": 2})
    fit(chosen, folders=[tmp_path / "out"], **write_cohort(tmp_path))
    cost = read_table(tmp_path / "out/cost.tsv").iloc[0]
    assert cost["resumed"] == 0 and cost["device"] == training.device_name()
    assert 0 <= cost["data_wait_share"] <= 1
    assert cost["train_lines_per_second"] > 0 and cost["peak_memory_mb"] > 100
    assert np.isnan(cost["peak_gpu_memory_mb"]) == (cost["device"] == "cpu")
    assert not set(cost.index) & set(read_table(tmp_path / "out/estimates.tsv").metric)


@pytest.mark.parametrize("where", ["forward", "final_attention"])
def test_too_little_memory_is_one_line_with_the_settings_to_lower(tmp_path, monkeypatch, where):
    network = import_model("csafm").Network
    monkeypatch.setattr(network, where, lambda self, g: torch.empty(2**56, device=g.device))
    chosen = block("csafm", attention=True, **{**SMALL, **QUICK, "epochs": 1})
    with pytest.raises(UserError) as caught:
        fit(chosen, folders=[tmp_path / "out"], **write_cohort(tmp_path))
    line = str(caught.value)
    assert f"too little memory on {training.device_name()} for 7 tokens x batch_size 16" in line
    for setting in ("batch_size", "accumulate", "tokens: window", "layers", "bf16-mixed"):
        assert setting in line.partition("to mend:")[2]
    assert "\n" not in line and not (tmp_path / "out").exists()


def test_other_errors_are_not_taken_for_those_of_memory():
    with (
        pytest.raises(RuntimeError, match="shapes"),
        training.memory_errors(n=1, batch_size=1, model="x"),
    ):
        raise RuntimeError("shapes differ")


def test_a_fit_that_diverges_ends_in_its_second_epoch():
    with pytest.raises(UserError) as caught:
        train({"learning_rate": 30.0, "clip": 0.0, "epochs": 9}, module="transformer")
    assert "mean training loss" in str(caught.value) and "in epoch 2, step 5" in str(caught.value)
    assert "lower learning_rate" in str(caught.value)


@pytest.mark.parametrize(
    ("last", "kind", "line"),
    [
        (
            "soyfold.common.errors.UserError: model x: found nan; to mend: y",
            UserError,
            "model x: found nan",
        ),
        ("torch.OutOfMemoryError: CUDA out of memory. Tried 2 GiB", MemoryError, "CUDA out of"),
        ("RuntimeError: DefaultCPUAllocator: can't allocate memory", MemoryError, "DefaultCPU"),
    ],
)
def test_the_last_line_of_a_processes_traceback_tells_its_error(last, kind, line):
    with pytest.raises(kind, match=f"^{line}"):
        several._raise_as_told(f"Process 1 ended:\n\nTraceback:\n  File x\n{last}\n")
    several._raise_as_told("Traceback:\nValueError: a defect")  # a defect stays one
