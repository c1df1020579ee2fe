"""Several traits learnt together: masked loss, scale of each trait, mixup of what is known."""

import dataclasses

import numpy as np
import pytest
import torch
from tiny_study import SMALL, parts_of, planted_lines, tiny_layout, train

from soyfold.metrics import pearson
from soyfold.models.loading import import_model
from soyfold.models.parameters import training_options
from soyfold.training import loop
from soyfold.training.loop.batches import Augmentation
from soyfold.training.loop.record import judge
from soyfold.training.scaling import fit_scaler

torch.set_num_threads(1)


def two_traits(n=120):
    """Dosages and two traits (n, 2), each unknown on lines of its own."""
    dosage, y = planted_lines(n)
    both = np.column_stack([y, 3 - y / 10])
    both[::5, 0] = both[1::4, 1] = np.nan
    return dosage, both


def regression(dosage, y, **options):
    """The module that trains, its network of `SMALL`, and the scaler."""
    scaler = fit_scaler(dosage, y)
    layout = dataclasses.replace(tiny_layout(), outputs=1 if y.ndim == 1 else y.shape[1])
    torch.manual_seed(0)
    network = import_model("transformer").Network(layout, SMALL, None)
    z = torch.from_numpy(scaler.standardise(y))
    options = training_options(options)
    return loop.Regression(network, torch.from_numpy(dosage), z, scaler, options, loop.OneDevice())


def test_the_loss_is_the_mean_over_the_observed_cells():
    module = regression(*two_traits())
    rows = torch.arange(20)
    loss, cells = module(rows)
    z, values = module.z[rows].numpy(), module.values(module.standardised(rows)).detach().numpy()
    known = ~np.isnan(z)
    assert 0 < known.sum() < known.size and cells == known.sum()
    assert loss.item() == pytest.approx(np.mean((values[known] - z[known]) ** 2), rel=1e-5)
    loss.backward()
    for parameter in module.network.parameters():
        assert torch.isfinite(parameter.grad).all()


def test_a_cell_without_a_value_has_no_say():
    dosage, y = two_traits()
    module = regression(dosage, y)
    blank = torch.isnan(module.z[:20, 0]).nonzero().flatten()
    kept = torch.tensor([row for row in range(20) if row not in blank])
    module.z[:20, 1] = float("nan")
    losses = [module(rows)[0] for rows in (torch.arange(20), kept)]
    assert losses[0].item() == pytest.approx(losses[1].item(), rel=1e-5)


def test_traits_of_one_scale_are_judged_alike():
    random = np.random.default_rng(0)
    z, predicted = random.standard_normal((2, 30, 2))
    z[:10, 1] = np.nan
    loss, correlation = judge(predicted, z)
    errors = (predicted - z) ** 2
    assert loss == pytest.approx((errors[:, 0].mean() + errors[10:, 1].mean()) / 2)
    expected = (pearson(z[:, 0], predicted[:, 0]) + pearson(z[10:, 1], predicted[10:, 1])) / 2
    assert correlation == pytest.approx(expected)
    assert judge(predicted[:, 0], z[:, 0])[0] == pytest.approx(errors[:, 0].mean())


def test_mixup_knows_a_value_only_where_both_lines_have_one():
    augmentation = Augmentation(1.0, 0.0)
    z = torch.arange(16.0).reshape(8, 2)
    z[3, 0] = z[5, 1] = float("nan")
    augmentation.seed(4)
    _, mixed = augmentation(torch.zeros(8, 3), z)
    order = np.random.default_rng(4)
    order.beta(1, 1)
    other = torch.from_numpy(order.permutation(8))
    assert torch.equal(torch.isnan(mixed), torch.isnan(z) | torch.isnan(z[other]))
    assert 2 < torch.isnan(mixed).sum() < 5


def test_two_traits_are_learnt_by_one_network():
    dosage, y = two_traits(300)
    *_, predicted = train(lines=(dosage, y), options={"epochs": 15})
    _, _, test_rows = parts_of(300)
    assert predicted.shape == (300, 2)
    for trait in range(2):
        rows = test_rows[~np.isnan(y[test_rows, trait])]
        assert pearson(y[rows, trait], predicted[rows, trait]) > 0.8
