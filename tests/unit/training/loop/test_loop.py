"""The training loop: it learns, repeats itself byte by byte, and keeps the best weights."""

import math

import numpy as np
import pytest
import torch
from tiny_study import CIM, SMALL, build, parts_of, planted_lines, standardised, tiny_layout, train

from soyfold.common.errors import UserError
from soyfold.metrics import mae, pearson
from soyfold.models.loading import import_model
from soyfold.models.parameters import training_options
from soyfold.training import loop
from soyfold.training.loop.averaging import WeightAverage
from soyfold.training.scaling import fit_scaler

torch.set_num_threads(1)


@pytest.mark.parametrize("module", ["transformer", "csafm", "cisem"])
def test_learns_a_planted_additive_signal_better_than_the_mean(module):
    dosage, y = planted_lines(300)
    *_, predicted = train(module, lines=(dosage, y), options={"epochs": 15})
    train_rows, _, test_rows = parts_of(300)
    assert pearson(y[test_rows], predicted[test_rows]) > 0.8
    mean_only = mae(y[test_rows], np.full(len(test_rows), y[train_rows].mean()))
    assert mae(y[test_rows], predicted[test_rows]) < 0.7 * mean_only


AUGMENTED = {"snp_dropout": 0.3, "mixup": 1.0, "epochs": 3}


def test_same_seed_gives_the_same_bytes_and_another_seed_others():
    parameters = {**SMALL, "dropout": 0.2}
    one, two, other = (
        train("cisem", seed=seed, parameters=parameters, options=AUGMENTED) for seed in (3, 3, 4)
    )
    assert one[1] == two[1]
    assert one[3].tobytes() == two[3].tobytes()
    for name, weight in one[0].state_dict().items():
        assert torch.equal(weight, two[0].state_dict()[name])
    assert one[3].tobytes() != other[3].tobytes()


def test_the_best_weights_of_validation_are_left_in_the_network():
    lines = planted_lines(noise=3)  # mostly noise: the fit overtakes its best epoch
    _, history, scaler, predicted = train(lines=lines, options={"epochs": 20, "patience": 20})
    _, y = lines
    _, val_rows, _ = parts_of(len(y))
    loss = np.mean((scaler.standardise(predicted) - scaler.standardise(y))[val_rows] ** 2)
    losses = [row["val_loss"] for row in history]
    assert loss == pytest.approx(min(losses), rel=1e-4)
    assert np.argmin(losses) < len(losses) - 1  # or this test would show nothing


def test_patience_stops_the_fit():
    options = {"epochs": 60, "patience": 2}
    _, history, *_ = train(lines=planted_lines(noise=3), options=options)
    losses = [row["val_loss"] for row in history]
    assert len(losses) < 60
    assert len(losses) == np.argmin(losses) + 1 + 2
    assert [row["epoch"] for row in history] == list(range(1, len(losses) + 1))


def test_cisems_m_stays_in_its_box_while_it_trains():
    network, *_ = train("cisem", parameters={**SMALL, "gamma": 1e-3})
    for layer in network.layers:
        moved = (layer.M - CIM).abs().max()
        assert 0 < moved <= 1e-3 + 1e-7


def test_csafms_h_is_trained():
    network, *_ = train("csafm")
    for layer in network.layers:
        assert not torch.equal(layer.H, CIM)


def test_warmup_and_cosine_move_the_learning_rate():
    network = import_model("transformer").Network(tiny_layout(), SMALL, None)
    options = training_options({"learning_rate": 1.0, "epochs": 10, "warmup_epochs": 2,
                                "schedule": "cosine"})  # fmt: skip
    optimiser = loop.Optimiser(network, options, 4)
    rates = []
    for _ in range(40):
        rates.append(optimiser.rate())
        optimiser.step()
    assert rates[0] == pytest.approx(1 / 8) and rates[7] == pytest.approx(1)
    assert np.all(np.diff(rates[8:]) < 0) and rates[-1] < 0.01


@pytest.mark.parametrize("clip", [0.0, 0.5])
def test_steps_are_those_of_torchs_own_adamw(clip):
    ours, theirs = (build("csafm", seed=1) for _ in range(2))
    options = training_options({"learning_rate": 0.01, "clip": clip, "schedule": "cosine",
                                "epochs": 3, "weight_decay": 0.1})  # fmt: skip
    optimiser = loop.Optimiser(ours, options, 4)
    groups = [{"params": group, "weight_decay": decay}
              for decay, group in loop.decay_groups(theirs, 0.1)]  # fmt: skip
    order = [parameter for group in groups for parameter in group["params"]]
    known = torch.optim.AdamW(groups, lr=0.01, fused=True)
    for step in range(12):
        batch = standardised(seed=step)
        for network in (ours, theirs):
            (network(batch) ** 2).sum().backward()
        if clip:
            torch.nn.utils.clip_grad_norm_(order, clip)
        for group in known.param_groups:
            group["lr"] = 0.01 * 0.5 * (1 + math.cos(math.pi * step / 12))
        known.step()
        known.zero_grad()
        optimiser.step()
    assert not torch.equal(ours.layers[0].H, build("csafm", seed=1).layers[0].H)
    for name, weight in ours.state_dict().items():
        torch.testing.assert_close(weight, theirs.state_dict()[name], rtol=1e-6, atol=1e-8)


class Penalised(torch.nn.Module):
    """Effects with a rate and a penalty of their own beside others; steps of all lines."""

    whole = True

    def __init__(self):
        super().__init__()
        self.few, self.all = torch.nn.Parameter(torch.ones(3)), torch.nn.Parameter(torch.zeros(23))

    def forward(self, g):
        return g @ self.all + g[:, :3] @ self.few

    def penalty(self):
        return 7 * self.few.square().sum()

    def rate_groups(self):
        return [(5.0, [self.few])]


def test_a_network_brings_its_own_rates_penalty_and_steps_of_all_lines():
    dosage, y = planted_lines()
    rows, val_rows, _ = parts_of(len(y))
    scaler = fit_scaler(dosage[rows], y[rows])
    z = scaler.standardise(y)
    ours, theirs, own = Penalised(), Penalised(), {"learning_rate": 0.01, "betas": [0.9, 0.98]}
    options = training_options({**own, "epochs": 6, "batch_size": 4, "clip": 0.0})
    trained = loop.train(
        ours, dosage, z, scaler=scaler, train_rows=rows, val_rows=None, options=options, seed=0
    )
    g = torch.from_numpy((dosage[rows] - scaler.centre) / scaler.scale).float()
    groups = [{"params": [theirs.few], "lr": 0.05, "weight_decay": 0.0}, {"params": [theirs.all]}]
    known = torch.optim.AdamW(groups, lr=0.01, betas=(0.9, 0.98), weight_decay=0.0)
    for _ in range(6):
        squares = (theirs(g) - torch.from_numpy(z[rows])).square().sum()
        known.zero_grad()
        ((squares + theirs.penalty()) / len(rows)).backward()
        known.step()
    torch.testing.assert_close(ours.few, theirs.few)
    torch.testing.assert_close(ours.all, theirs.all)  # a vector: it wouldn't decay either
    assert trained.best_epoch == 6
    options["epochs"] = 1
    judged = loop.train(
        Penalised(), dosage, z, scaler=scaler, train_rows=rows, val_rows=val_rows, options=options,
        seed=0,
    )  # fmt: skip
    start = (Penalised()(g) - torch.from_numpy(z[rows])).square().mean()
    assert judged.history[0]["train_loss"] == pytest.approx(start.item(), rel=1e-5)


def test_accumulated_batches_are_one_step_and_the_training_loss_stays_a_mean():
    # Five whole batches of 14, or groups of two with an odd one at the end.
    options = {"epochs": 1, "batch_size": 14, "learning_rate": 1e-12}
    losses = [
        train(options={**options, "accumulate": accumulate}, lines=planted_lines(100))[1][0]
        for accumulate in (1, 2)
    ]
    assert losses[0]["train_loss"] == pytest.approx(losses[1]["train_loss"], rel=1e-5)


def test_no_decay_on_biases_norms_positions_and_cims():
    network = import_model("csafm").Network(tiny_layout(), SMALL, CIM)
    decayed, free = ({id(p) for p in group} for _, group in loop.decay_groups(network, 0.1))
    names = {name: id(p) for name, p in network.named_parameters()}
    assert not decayed & free and decayed | free == set(names.values())
    for name, key in names.items():
        spared = name.endswith(("bias", "position", ".H")) or "norm" in name
        spared |= name == "readout.head.0.weight"  # LayerNorm
        assert (key in free) == spared, name


def test_a_loss_that_is_no_number_says_where_and_what_to_try():
    options = {"learning_rate": 1e30, "clip": 0.0, "epochs": 3}
    with pytest.raises(UserError, match=r"training loss (nan|inf) in epoch 1, step \d") as caught:
        train(options=options)
    assert "lower learning_rate" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_mixup_and_snp_dropout_leave_validation_alone():
    dosage, y = planted_lines(40)
    scaler = fit_scaler(dosage, y)
    network = import_model("transformer").Network(tiny_layout(), SMALL, None)
    options = training_options({"mixup": 1.0, "snp_dropout": 0.5})
    z = torch.from_numpy(scaler.standardise(y))
    module = loop.Regression(
        network, torch.from_numpy(dosage), z, scaler, options, loop.OneDevice()
    )
    rows = torch.arange(10)
    with torch.no_grad():
        predicted, z = module.judged(rows)
        torch.testing.assert_close(predicted, network(module.standardised(rows)))
    np.testing.assert_allclose(z, scaler.standardise(y[:10]))
    g, _ = module.augmentation(module.standardised(rows), module.z[rows])
    assert 0.3 < float((g == 0).float().mean()) < 0.7


def test_on_epoch_hears_every_validation_and_may_end_the_training():
    heard = []
    _, history, *_ = train(options={"epochs": 3}, on_epoch=lambda *pair: heard.append(pair))
    assert heard == [(row["epoch"], row["val_loss"]) for row in history]

    class Pruned(Exception):
        pass

    def prune(epoch, _):
        if epoch == 2:
            raise Pruned

    with pytest.raises(Pruned):
        train(options={"epochs": 5}, on_epoch=prune)


def test_nothing_is_left_on_the_disk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    train(options={"epochs": 1})
    assert list(tmp_path.iterdir()) == []


def test_a_refit_on_the_same_lines_is_the_fit_at_the_epoch_that_it_chose():
    options = {"epochs": 20, "patience": 20, "schedule": "cosine", "warmup_epochs": 2, **AUGMENTED}
    options |= {"epochs": 12, "ema": 0.9}
    lines = planted_lines(noise=3)
    network, history, *_ = train(lines=lines, options=options)
    best = 1 + int(np.argmin([row["val_loss"] for row in history]))
    assert 1 < best < 12  # or the end of the schedule would be the same
    again, no_history, *_ = train(lines=lines, options=options, judged=False, epochs=best)
    assert no_history == []
    for name, weight in network.state_dict().items():
        assert torch.equal(weight, again.state_dict()[name]), name


def test_the_average_is_the_closed_form():
    layer = torch.nn.Linear(3, 2)
    average, seen = WeightAverage(layer, 0.8), []
    for _ in range(5):
        with torch.no_grad():
            layer.weight += torch.randn(2, 3)
        average.update()
        seen.append(layer.weight.detach().clone())
    factors = np.array([0.2 * 0.8 ** (5 - i) for i in range(1, 6)]) / (1 - 0.8**5)
    assert factors.sum() == pytest.approx(1)
    expected = sum(float(f) * w for f, w in zip(factors, seen, strict=True))
    average.exchange()
    torch.testing.assert_close(layer.weight, expected)
    average.exchange()
    assert torch.equal(layer.weight, seen[-1])


def test_the_average_is_what_is_judged_and_kept():
    plain, averaged = (train(options={"epochs": 4, "ema": ema}) for ema in (0.0, 0.9))
    _, y = planted_lines()
    _, val_rows, _ = parts_of(len(y))
    _, history, scaler, predicted = averaged
    loss = np.mean((scaler.standardise(predicted) - scaler.standardise(y))[val_rows] ** 2)
    assert loss == pytest.approx(min(row["val_loss"] for row in history), rel=1e-4)
    # Training itself goes on with the weights, not with their average.
    assert [r["train_loss"] for r in plain[1]] == [r["train_loss"] for r in history]
    assert [r["val_loss"] for r in plain[1]] != [r["val_loss"] for r in history]
