"""Environments as a token or as queries: literal equations, their order, cells without value."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch
from field_trials import PLACES, write_trials
from tiny_study import QUICK, block, fit, parts_of, planted_lines, standardised, tiny_layout

from soyfold.models.loading import import_model
from soyfold.models.parameters import training_options
from soyfold.training import loop
from soyfold.training.checkpoints import load_network, read_checkpoint
from soyfold.training.scaling import fit_scaler

# Sizes that no two of a network's axes share.
SMALL = {
    "rijal_environments": {"d_model": 5, "init_sd": 0.3},
    "cross_attention": {
        "d_model": 8, "heads": 2, "layers": 1, "feed_forward": 12, "dropout": 0.0,
        "activation": "gelu",
    },
}  # fmt: skip
EPOCHS = {"rijal_environments": 60, "cross_attention": 15}
WINDOWS = {"tokens": "window", "window": 4}


def build(module, *, width=4, outputs=3, seed=0, **parameters):
    """A network whose weights are all random: departures from main effects too."""
    torch.manual_seed(seed)
    tokens = WINDOWS if width > 1 else {"tokens": "snp"}
    layout = dataclasses.replace(tiny_layout(width), outputs=outputs)
    own = {**SMALL[module], **tokens, **parameters}
    network = import_model(module).Network(layout, own, None).eval()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith(("departures", "offset")):
                parameter.normal_()
    return network


def softmax(scores):
    weights = np.exp(np.array(scores) - max(scores))
    return weights / weights.sum()


def arrays(module):
    return {name: p.detach().numpy() for name, p in module.named_parameters()}


@pytest.mark.parametrize("width", [1, 4])
def test_rijals_environments_are_one_more_token(width):
    network = build("rijal_environments", width=width, init_sd=0.9).double()
    g, layout = standardised(2).double(), tiny_layout(width)
    found, w = network(g).detach().numpy(), arrays(network)
    for line, environment in np.ndindex(2, 3):
        X = np.zeros((layout.n_tokens + 1, 4 + 3 + 1))
        X[:, -1] = 1
        for snp, token in enumerate(layout.token):
            X[token, :4] += g[line, snp].item() * w["embedding.locus"][snp]
        X[-1, 4 + environment] = 1
        for layer in range(3):
            Q, K, V = (w[f"layers.{layer}.{name}"] for name in ("query", "key", "value"))
            A = np.array([softmax([(x @ Q) @ (y @ K) for y in X]) for x in X])
            X = A @ X @ V
        wanted = (X * w["readout"]).sum() + w["offset"]
        assert found[line, environment] == pytest.approx(wanted, rel=1e-9)


def literal_queries(readout, x, heads):
    """Values of one line's tokens x (n, d), head by head and query by query."""
    w = arrays(readout)
    n, d = x.shape
    width = d // heads
    q, kv = w["attention.main"] + w["attention.departures"], w["attention.key_value.weight"]
    Q = q @ w["attention.query.weight"].T + w["attention.query.bias"]
    K, V = np.split(x @ kv.T + w["attention.key_value.bias"], 2, axis=1)
    values = []
    for t in range(len(q)):
        mixed = np.zeros(d)
        for head in range(heads):
            own = slice(head * width, (head + 1) * width)
            a = softmax([Q[t, own] @ K[j, own] / np.sqrt(width) for j in range(n)])
            mixed[own] = sum(a[j] * V[j, own] for j in range(n))
        output = mixed @ w["attention.output.weight"].T + w["attention.output.bias"]
        y = q[t] + np.sqrt(n) * output
        h = (y - y.mean()) / np.sqrt(y.var() + 1e-5) * w["norm.weight"] + w["norm.bias"]
        h = torch.from_numpy(h @ w["feed_forward.expand.weight"].T + w["feed_forward.expand.bias"])
        h = torch.nn.functional.gelu(h).numpy()
        y = y + h @ w["feed_forward.contract.weight"].T + w["feed_forward.contract.bias"]
        values.append(y @ (w["main"] + w["departures"][t]) + w["offset"][t])
    return np.array(values)


@pytest.mark.parametrize("layers", [0, 2])
def test_cross_attention_is_its_literal_equations(layers):
    network = build("cross_attention", layers=layers).double()
    with torch.no_grad():
        network.encoder.readout.attention.query.weight.mul_(20)  # attention that isn't flat
    g = standardised(2).double()
    found = network(g).detach().numpy()
    network = network.encoder
    x = network.final_norm(network.tokens(g)).detach().numpy()
    for line in range(2):
        wanted = literal_queries(network.readout, x[line], 2)
        np.testing.assert_allclose(found[line], wanted, rtol=1e-9)
        assert np.ptp(wanted) > 0.1


def permuted(network, order):
    """The same network with its environments in another order."""
    if hasattr(network, "environments"):
        loci = network.embedding.d
        columns = [*range(loci), *(loci + k for k in order), loci + len(order)]
        with torch.no_grad():
            network.readout.copy_(network.readout[:, columns])
            for weight in (w for layer in network.layers for w in layer.parameters()):
                weight.copy_(weight[columns])
            for layer in network.layers:
                layer.value.copy_(layer.value[:, columns])
        return network
    with torch.no_grad():
        readout = network.encoder.readout
        for part in (readout.attention, readout):
            part.departures.copy_(part.departures[order])
        readout.offset.copy_(readout.offset[order])
    return network


@pytest.mark.parametrize("module", SMALL)
def test_environments_in_another_order_are_the_outputs_in_that_order(module):
    network, g, order = build(module, outputs=4).double(), standardised(5).double(), [2, 0, 3, 1]
    wanted = network(g)[:, order]
    assert wanted.std(1).min() > 1e-3
    torch.testing.assert_close(permuted(network, order)(g), wanted)


@pytest.mark.parametrize("module", SMALL)
@pytest.mark.parametrize("outputs", [1, 3])
def test_outputs_are_environments_and_every_weight_has_a_gradient(module, outputs):
    network, g = build(module, outputs=outputs).train(), standardised(6)
    values = network(g)
    assert values.shape == ((6,) if outputs == 1 else (6, outputs))
    (values**2).sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad.abs().max() > 0, name


def trained(module, y, *, dosage, seed=0, **options):
    """Predictions (n, environments) after training on y, NaN without a value."""
    train_rows, val_rows, _ = parts_of(len(y))
    scaler = fit_scaler(dosage[train_rows], y[train_rows])
    torch.manual_seed(seed)
    layout = dataclasses.replace(tiny_layout(), outputs=y.shape[1])
    network = import_model(module).Network(layout, {**SMALL[module], **WINDOWS}, None)
    z = scaler.standardise(y)
    loop.train(
        network, dosage, z, scaler=scaler, train_rows=train_rows, val_rows=val_rows, seed=seed,
        options=training_options({**QUICK, **options}),
    )  # fmt: skip
    return loop.predict(network, dosage, scaler=scaler)


@pytest.mark.parametrize("module", SMALL)
def test_a_cell_without_a_value_has_no_say(module):
    """The loss is that of the known cells, and so are the gradients."""
    dosage, y = planted_lines(30)
    both = np.column_stack([y, 2 * y[::-1], y + 1])
    both[::3, 1] = both[4:, 2] = np.nan
    scaler, network = fit_scaler(dosage, both), build(module)
    z, options = torch.from_numpy(scaler.standardise(both)), training_options(QUICK)
    lines = torch.from_numpy(dosage)
    regression = loop.Regression(network, lines, z, scaler, options, loop.OneDevice())
    loss, cells = regression(torch.arange(30))
    loss.backward()
    found = [p.grad.clone() for p in network.parameters()]
    network.zero_grad()
    known = ~torch.isnan(z)
    wanted = (network(regression.standardised(torch.arange(30)))[known] - z[known]).square().mean()
    wanted.backward()
    assert cells == known.sum() and loss.item() == pytest.approx(wanted.item(), rel=1e-5)
    for mine, parameter in zip(found, network.parameters(), strict=True):
        torch.testing.assert_close(mine, parameter.grad, rtol=1e-3, atol=1e-5)


def test_an_environment_that_is_never_seen_has_the_main_effect():
    dosage, y = planted_lines(60)
    network = import_model("cross_attention").Network(
        dataclasses.replace(tiny_layout(), outputs=3), {**SMALL["cross_attention"], **WINDOWS}, None
    )
    scaler = fit_scaler(dosage, y)
    z = np.column_stack([scaler.standardise(y), -scaler.standardise(y), np.full(60, np.nan)])
    rows = np.arange(60)
    loop.train(
        network, dosage, z.astype(np.float32), scaler=scaler, train_rows=rows, val_rows=None,
        seed=0, epochs=2, options=training_options({**QUICK, "weight_decay": 0.1}),
    )  # fmt: skip
    readout = network.encoder.readout
    for part in (readout.attention, readout):
        assert part.departures[:2].abs().min(1).values.max() > 0
        assert not part.departures[2].any()
    network.eval()
    g = standardised(4)
    with torch.no_grad():
        seen = network(g)
        for part in (readout.attention, readout):
            part.departures.zero_()
        readout.offset.zero_()
        torch.testing.assert_close(network(g)[:, 0], seen[:, 2])


@pytest.mark.parametrize("module", SMALL)
def test_effects_that_differ_between_environments_are_learnt(module):
    dosage, y = planted_lines(200)
    dosage_effect = dosage[:, 3] - dosage[:, 17].astype(float)
    values = np.column_stack([y + 3 * dosage_effect, y - 3 * dosage_effect])
    values[::4, 0] = values[1::4, 1] = np.nan
    predicted = trained(module, values, dosage=dosage, epochs=EPOCHS[module], patience=60)
    test = parts_of(200)[2]
    difference = predicted[test, 0] - predicted[test, 1]
    assert np.corrcoef(difference, dosage_effect[test])[0, 1] > 0.7


@pytest.mark.parametrize("module", SMALL)
def test_lines_in_environments_are_predicted_and_saved(module, tmp_path):
    """In another place than where a line was seen (cv2), and by a network that loads again."""
    _, inputs, _ = write_trials(tmp_path, "cv2", interaction=0.5, noise=0.3)
    own = {**SMALL[module], **WINDOWS, **QUICK}
    entry = block(module, **own) | {"cim": "none", "unit": "environment"}
    fit(entry, folders=[tmp_path / "fit"], **inputs)
    told = pd.read_csv(tmp_path / "fit/predictions.tsv", sep="\t")
    path = tmp_path / "fit/checkpoint.npz"
    network, scaler = load_network(path)
    assert read_checkpoint(path)[1]["environments"] == PLACES
    again = pd.DataFrame(
        loop.predict(network, np.load(inputs["dosage"]), scaler=scaler), columns=PLACES
    )
    rows, columns = told["sample"].str[2:].astype(int), told.environment.map(PLACES.index)
    np.testing.assert_allclose(again.to_numpy()[rows, columns], told.predicted, rtol=1e-5)
    assert (again.std(axis=1) > 0).all()
