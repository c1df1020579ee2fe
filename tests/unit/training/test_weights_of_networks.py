"""Networks where values weigh differently: the loss, mixup, choices, penalties, joint traits."""

import dataclasses

import numpy as np
import pytest
import torch
from tiny_study import QUICK, SMALL, block, fit, planted_lines, tiny_layout, train, write_cohort

from soyfold.common.files import read_table, write_table
from soyfold.models.contact_products import measure_traits
from soyfold.models.loading import import_model
from soyfold.models.noise import Noise, measure_noise
from soyfold.models.parameters import training_options
from soyfold.training import loop
from soyfold.training.loop.batches import Augmentation
from soyfold.training.loop.record import judge
from soyfold.training.scaling import fit_scaler

torch.set_num_threads(1)


def regression(dosage, y, weights=None, **options):
    scaler = fit_scaler(dosage, y)
    layout = dataclasses.replace(tiny_layout(), outputs=1 if y.ndim == 1 else y.shape[1])
    torch.manual_seed(0)
    network = import_model("transformer").Network(layout, SMALL, None)
    z = torch.from_numpy(scaler.standardise(y))
    if weights is not None:
        weights = torch.from_numpy(weights.astype(np.float32))
    return loop.Regression(
        network, torch.from_numpy(dosage), z, scaler, training_options(options), loop.OneDevice(),
        np.arange(len(y)), weights,
    )  # fmt: skip


def test_a_weight_of_two_is_the_line_twice():
    dosage, y = planted_lines(40)
    twice = np.r_[np.arange(40), np.arange(10)]
    weights = np.where(np.arange(40) < 10, 2.0, 1.0)
    one, other = regression(dosage, y, weights), regression(dosage, y)
    losses = [
        module(torch.from_numpy(rows))[0] * len(rows)
        for module, rows in ((one, np.arange(40)), (other, twice))
    ]
    assert losses[0].item() == pytest.approx(losses[1].item(), rel=1e-5)
    for loss in losses:
        loss.backward()
    for a, b in zip(one.network.parameters(), other.network.parameters(), strict=True):
        np.testing.assert_allclose(a.grad, b.grad, rtol=1e-3, atol=1e-5)


def test_traits_learnt_together_weigh_cell_by_cell():
    dosage, y = planted_lines(30)
    both = np.column_stack([y, 3 - y / 10])
    both[::4, 1] = np.nan
    weights = np.random.default_rng(0).uniform(0.1, 3, both.shape)
    module = regression(dosage, both, weights)
    rows = torch.arange(20)
    z, values = module.z[rows].numpy(), module.values(module.standardised(rows)).detach().numpy()
    known = ~np.isnan(z)
    expected = (weights[:20] * (values - z) ** 2)[known].sum() / known.sum()
    assert module(rows)[0].item() == pytest.approx(expected, rel=1e-5)
    judged = module.judged(rows).detach().numpy()
    loss, _ = judge(*judged)
    errors = (judged[0] - judged[1]) ** 2
    by_trait = [
        np.average(e[k], weights=w[k])
        for e, k, w in zip(errors.T, known.T, judged[2].T, strict=True)
    ]
    assert loss == pytest.approx(np.mean(by_trait), rel=1e-5)


def test_mixed_lines_have_mixed_weights_and_the_same_draws():
    g, z = torch.rand(8, 3), torch.arange(8.0)
    found = []
    for more in ((), (10 * z,)):
        augmentation = Augmentation(1.0, 0.3)
        augmentation.seed(4)
        found.append(augmentation(g, z, *more))
    assert torch.equal(found[0][0], found[1][0]) and torch.equal(found[0][1], found[1][1])
    torch.testing.assert_close(found[1][2], 10 * found[1][1])


def test_heavy_lines_are_believed_and_validation_weighs_too():
    """Light lines say the reverse of heavy ones, in training and validation."""
    dosage, y = planted_lines(200)
    light = np.arange(200) % 2 == 1
    mixed = np.where(light, 2 * y.mean() - y, y)
    weights = np.where(light, 0.1, 1.9)
    _, history, _, told = train(
        "mlp", lines=(dosage, mixed), weights=weights, options={"epochs": 15},
        parameters={"tokens": "window", "window": 4, "d_model": 8},
    )  # fmt: skip
    assert np.corrcoef(told[~light], y[~light])[0, 1] > 0.8
    assert min(row["val_loss"] for row in history) < 0.6, "of all lines alike it is 1 or more"


def weighed(folder, name="phenotypes", *, equal=False):
    inputs = write_cohort(folder)
    table = read_table(inputs[name], dtype={"sample": str})
    table["records"] = 3 if equal else np.random.default_rng(0).integers(1, 9, len(table))
    write_table(table, inputs[name])
    return inputs


@pytest.mark.parametrize("module", ["mlp", "contact_readout"])
def test_equal_weights_change_nothing_and_others_do(tmp_path, module):
    (tmp_path / "other").mkdir()
    (tmp_path / "equal").mkdir()
    own = {"rho": 0.5, "epochs": 5} if module == "contact_readout" else {
        "tokens": "window", "window": 4, "d_model": 8, "members": 2, "refit": True,
    } | QUICK | {"epochs": 3}  # fmt: skip
    told = {}
    for name in ("equal", "other"):
        inputs = weighed(tmp_path / name, equal=name == "equal")
        for weights in ("off", "records"):
            folder = tmp_path / name / weights
            fit(block(module, **own), folders=[folder], weights=weights, **inputs)
            table = read_table(folder / "predictions.tsv", dtype={"sample": str})
            told[name, weights] = table[["predicted", "held_out"]].to_numpy()
    np.testing.assert_array_equal(told["equal", "off"], told["equal", "records"])
    np.testing.assert_array_equal(told["equal", "off"], told["other", "off"])
    assert np.nanmax(np.abs(told["other", "off"] - told["other", "records"])) > 1e-3


def test_a_readouts_noise_is_measured_by_weights_of_each_trait():
    dosage, y = planted_lines(60)
    both = np.column_stack([y, y[::-1]])
    both[::5, 1] = np.nan
    weights = np.ones(both.shape)
    weights[:, 0] = np.random.default_rng(0).uniform(0.2, 2, 60)
    (known, first), (some, second) = measure_traits(dosage, both, lambda _: None, weights)
    assert known.all() and some.sum() == 48 and second.roots is None
    own = measure_noise(dosage, both[:, 0], model="test", weights=weights[:, 0])
    np.testing.assert_allclose(first.residuals, own.residuals, rtol=1e-9, atol=1e-12)


def test_scores_of_weighted_noise_are_those_of_its_whitened_form():
    """x'W e, e of a variance over the weights: as large as of even noise and W^1/2 x."""
    rng = np.random.default_rng(1)
    weights, x = rng.uniform(0.1, 3, 400), rng.normal(size=(400, 50)).astype(np.float32)
    noise = Noise(1.0, 1.0, rng.normal(size=400), np.sqrt(weights))
    pull = noise.scores(0)
    np.testing.assert_allclose(pull.sum(1), 0, atol=1e-3)
    np.testing.assert_allclose((pull @ (x + 7)), pull @ x, atol=1e-2)
    centred = x - weights @ x / weights.sum()
    expected = noise.shuffled(0) @ (noise.roots[:, None] * centred)
    np.testing.assert_allclose(pull @ x, expected, rtol=1e-3, atol=1e-3)
    plain = dataclasses.replace(noise, roots=None)
    np.testing.assert_array_equal(plain.scores(0), plain.shuffled(0))
