"""From values to classes: literal formulas, thresholds in order, gradients, the loss over cells."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some
from tiny_study import SMALL, planted_lines, tiny_layout

from soyfold.models.loading import import_model
from soyfold.models.parameters import training_options
from soyfold.training import loop
from soyfold.training.loop.batches import Augmentation
from soyfold.training.loop.links import Link, Linked, Links
from soyfold.training.loop.record import judge
from soyfold.training.scaling import fit_scaler

torch.set_num_threads(1)
ORDERED = np.repeat([1.0, 2.0, 4.0, 5.0], [20, 50, 10, 40])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def thresholds(link):
    """theta, as -l at f = 0."""
    return -link.logits(torch.zeros(1, dtype=link.raw.dtype)).detach().numpy()[0]


def test_two_classes_have_the_logistic_loss_in_units_of_the_mean_predictor():
    y = np.repeat([0.0, 1.0], [30, 70])
    link = Link.start(y).double()
    f = torch.linspace(-3, 3, 9, dtype=torch.float64)
    p = sigmoid(f.numpy() / np.sqrt(0.21) + np.log(0.7 / 0.3))
    np.testing.assert_allclose(link.expected(f).detach(), p, rtol=1e-6)
    unit = -(0.7 * np.log(0.7) + 0.3 * np.log(0.3))
    for share in (0.0, 1.0, 0.25):
        shares = torch.tensor([[1 - share, share]] * 9)
        expected = -(share * np.log(p) + (1 - share) * np.log(1 - p)) / unit
        np.testing.assert_allclose(link.loss(f, shares).detach(), expected, rtol=1e-5)


def test_ordered_classes_have_differences_of_the_cumulative_link():
    link = Link.start(ORDERED).double()
    f = torch.linspace(-4, 4, 11, dtype=torch.float64)
    reached = sigmoid(float(link.slope) * f.numpy()[:, None] - thresholds(link))
    bounds = np.column_stack([np.ones(11), reached, np.zeros(11)])
    literal = bounds[:, :-1] - bounds[:, 1:]
    found = link.log_probabilities(f).exp().detach().numpy()
    np.testing.assert_allclose(found, literal, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found.sum(1), 1)
    np.testing.assert_allclose(link.expected(f).detach(), literal @ [1, 2, 4, 5], rtol=1e-6)
    far = link.log_probabilities(torch.tensor([-500.0, 500.0]).double())
    assert torch.isfinite(far).all(), "differences of sigma would be 0"


@pytest.mark.parametrize("y", [ORDERED, np.repeat([0.0, 1.0], [95, 5]), ORDERED / 4])
def test_a_link_starts_as_the_mean_predictor_on_the_scale_of_z_scores(y):
    link = Link.start(np.append(y, np.nan)).double()
    shares = Links({"0": link}).shares(y).double()
    f = torch.zeros(len(y), dtype=torch.float64, requires_grad=True)
    np.testing.assert_allclose(
        link.log_probabilities(f)[0].exp().detach(), shares.mean(0), rtol=1e-5
    )
    loss = link.loss(f, shares)
    assert loss.mean().item() == pytest.approx(1, rel=1e-6)
    (loss.sum() * link.null).backward()
    assert f.grad.mean().item() == pytest.approx(0, abs=1e-6)
    if set(np.unique(y)) == {0, 1}:
        np.testing.assert_allclose(-f.grad, (y - y.mean()) / y.std(), rtol=1e-5)
    if (y == y.round()).all():
        assert f.grad.square().mean().item() == pytest.approx(1, rel=1e-5)


@given(some.lists(some.floats(-60, 60), min_size=1, max_size=8))
def test_thresholds_are_in_order_whatever_is_learnt(raw):
    link = Link(len(raw) + 1).double()
    link.raw.data = torch.tensor(raw, dtype=torch.float64)
    found = thresholds(link)
    assert (np.diff(found) >= 0).all() and np.isfinite(found).all()
    assert (link.gaps() > 0).all()
    assert torch.isfinite(link.log_probabilities(torch.zeros(3).double())).all()


@pytest.mark.parametrize("y", [ORDERED, np.repeat([0.0, 1.0], [30, 70])])
def test_gradients_are_those_of_finite_differences(y):
    link = Link.start(y).double()
    shares = Links({"0": link}).shares(y[::9] + 0.2).double()
    f = torch.linspace(-2, 2, len(shares), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda f, _: link.loss(f, shares), (f, link.raw))


def regression(weights=None, **options):
    """A module that trains on a number, two classes and ordered ones, each with gaps."""
    dosage, y = planted_lines(60)
    three = np.column_stack([y, y > 50, np.digitize(y, [46, 50, 52])]).astype(float)
    for column in range(3):
        three[column :: 5 + column, column] = np.nan
    scaler = fit_scaler(dosage, three)
    torch.manual_seed(0)
    layout = dataclasses.replace(tiny_layout(), outputs=3)
    network = import_model("transformer").Network(layout, SMALL, None)
    network.links = Links.start(three, [1, 2])
    z = torch.from_numpy(scaler.standardise(three))
    weights = None if weights is None else torch.from_numpy(weights)
    module = loop.Regression(
        network, torch.from_numpy(dosage), z, scaler, training_options(options), loop.OneDevice(),
        np.arange(60), weights,
    )  # fmt: skip
    return module, three, scaler


@pytest.mark.parametrize("weighted", [False, True])
def test_traits_of_mixed_kinds_have_the_mean_over_the_cells_that_there_are(weighted):
    weights = np.random.default_rng(0).uniform(0.1, 3, (60, 3)).astype(np.float32)
    module, y, _ = regression(weights if weighted else None)
    rows = torch.arange(30)
    values, links = module.values(module.standardised(rows)).detach(), module.links
    cells = [(values[:, 0] - module.z[:30, 0]).square().numpy()]
    for column in (1, 2):
        link = links[str(column)]
        shares = Links({"0": link}).shares(y[:30, column])
        cells.append(link.loss(values[:, column], shares).detach().numpy())
    cells, known = np.column_stack(cells), ~np.isnan(y[:30])
    counted = weights[:30] if weighted else np.ones((30, 3))
    loss, count = module(rows)
    assert count == known.sum() < known.size
    assert loss.item() == pytest.approx((counted * cells)[known].sum() / known.sum(), rel=1e-5)
    loss.backward()
    assert all(torch.isfinite(weight.grad).all() for weight in module.parameters())
    judged, _ = judge(*module.eval().judged(rows).detach().numpy())
    by_trait = [
        np.average(c[k], weights=w[k]) for c, k, w in zip(cells.T, known.T, counted.T, strict=True)
    ]
    assert judged == pytest.approx(np.mean(by_trait), rel=1e-5)


def test_mixed_lines_are_of_both_classes_not_of_one_between():
    shares = torch.eye(3)[[0, 2, 0, 2]]
    augmentation = Augmentation(1.0, 0.0)
    augmentation.seed(1)
    _, mixed = augmentation(torch.zeros(4, 2), shares)
    assert ((mixed > 0).sum(1) == 2).any() and not mixed[:, 1].any()


def test_a_linked_network_gives_z_scores_of_what_it_predicts():
    module, _, scaler = regression()
    network, g = module.network.eval(), module.standardised(torch.arange(60))
    with torch.no_grad():
        z = Linked(network, scaler)(g).numpy()
    told = loop.predict(network, module.dosage.numpy(), scaler=scaler)
    np.testing.assert_allclose(scaler.restore(z), told, rtol=1e-5, atol=1e-5)
    assert (told[:, 1] > 0).all() and (told[:, 1] < 1).all()
    assert (told[:, 2] > 0).all() and (told[:, 2] < 3).all()
