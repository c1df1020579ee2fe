"""DNNGP-like CNN, Rijal et al.'s attention and the transformer that answers it, each literally."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch
from tiny_study import (
    CIM,
    QUICK,
    agreement,
    block,
    fit,
    planted_lines,
    standardised,
    tiny_layout,
    write_cohort,
)
from torch import nn

from soyfold.attention.biased import attention_statistics
from soyfold.common.errors import UserError
from soyfold.models.loading import import_model
from soyfold.study import registry
from soyfold.training.checkpoints import load_network
from soyfold.training.loop import predict

# Learns the tiny study in seconds; sizes that no two of a network's axes share.
SMALL = {
    "rijal_attention": {"d_model": 5, "init_sd": 0.3},
    "arcadia_transformer": {"d_model": 8, "heads": 2, "feed_forward": 12},
    "dnngp": {"embedding": "locus_scaled", "d_model": 6, "channels": 7, "dropout": 0.0},
}
WINDOWS = {"tokens": "window", "window": 4}


def build(module, *, width=4, outputs=1, seed=0, **parameters):
    torch.manual_seed(seed)
    tokens = WINDOWS if width > 1 else {"tokens": "snp"}
    layout = dataclasses.replace(tiny_layout(width), outputs=outputs)
    network = import_model(module).Network
    return network(layout, {**SMALL[module], **tokens, **parameters}, CIM).eval()


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


def literal_rijal(network, g, layout):
    """[R]'s equations for one line, entry by entry: predictions and the last layer's attention."""
    R = network.embedding.locus.detach().numpy()
    n, d = layout.n_tokens, R.shape[1] + 1
    X = [[0.0] * (d - 1) + [1.0] for _ in range(n)]
    for snp in range(layout.n_snps):
        for k in range(d - 1):
            X[layout.token[snp]][k] += g[snp] * R[snp, k]
    X = np.array(X)
    for layer in network.layers:
        Q, K, V = (w.detach().numpy() for w in (layer.query, layer.key, layer.value))
        new, attention = np.zeros((n, d)), np.zeros((n, n))
        for i in range(n):
            scores = [sum((X[i] @ Q) * (X[j] @ K)) for j in range(n)]
            attention[i] = np.exp(scores) / sum(np.exp(scores))
            for j in range(n):
                new[i] += attention[i, j] * (X[j] @ V)
        X = new
    C = network.readout.detach().numpy()
    values = [
        sum(X[i, k] * C[t, i, k] for i in range(n) for k in range(d)) + network.offset[t].item()
        for t in range(len(C))
    ]
    return np.array(values), attention


@pytest.mark.parametrize("width", [1, 4])
def test_rijal_is_its_literal_equations(width):
    network = build("rijal_attention", width=width, outputs=2, init_sd=0.9).double()
    with torch.no_grad():
        network.offset.copy_(torch.tensor([0.3, -2.0]))
    g, layout = standardised(3).double(), tiny_layout(width)
    found, members = network(g).detach().numpy(), np.eye(3)[layout.chromosome]
    q, k, H, chromosome, biased = network.final_attention(g)
    assert H is network.cim and not biased
    mass = attention_statistics(q, k, H, chromosome, biased=False)["chromosome_mass"]
    for line in range(3):
        wanted, attention = literal_rijal(network, g[line].numpy(), layout)
        assert attention.max() > 2 / layout.n_tokens  # not so flat that any attention would do
        np.testing.assert_allclose(found[line], wanted, rtol=1e-9)
        between = (members / members.sum(0)).T @ attention @ members
        np.testing.assert_allclose(mass[line, 0].detach().numpy(), between, atol=1e-9)


@pytest.mark.parametrize("outputs", [1, 3])
def test_rijal_has_the_parameters_of_the_paper(outputs):
    network = build("rijal_attention", width=1, outputs=outputs, d_model=13, init_sd=0.03)
    snps = tiny_layout(1).n_snps
    assert count(network) == 12 * snps + 3 * 3 * 13**2 + outputs * (13 * snps + 1)
    weights = torch.cat([p.detach().flatten() for p in network.parameters() if p.ndim > 1])
    assert weights.std().item() == pytest.approx(0.03, rel=0.05)
    assert abs(weights.mean().item()) < 0.003
    kinds = {type(module) for module in network.modules()}
    assert not kinds & {nn.Linear, nn.LayerNorm, nn.Dropout, nn.ReLU, nn.GELU}


def test_rijal_sees_the_order_of_loci_by_their_own_weights_alone():
    """Loci that change places with their vectors and readout change nothing."""
    network, g = build("rijal_attention", width=1), standardised(3)
    wanted = network(g)
    order = torch.randperm(g.shape[1], generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        network.embedding.locus.copy_(network.embedding.locus[order])
        network.readout.copy_(network.readout[:, order])
    torch.testing.assert_close(network(g[:, order]), wanted, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("outputs", [1, 4])
def test_arcadia_has_the_parameters_of_a_standard_transformer(outputs, root):
    p = load(root, "paper")["arcadia_transformer"]["parameters"]
    layout = dataclasses.replace(tiny_layout(1), outputs=outputs)
    network = import_model("arcadia_transformer").Network(layout, p, CIM)
    d, snps = 256, layout.n_snps
    layer = 4 * (d * d + d) + (d * 1024 + 1024) + (1024 * d + d) + 2 * 2 * d
    assert count(network) == 2 * snps * d + 3 * layer + 2 * 2 * d + outputs * (d + 1)
    assert [part.attention.heads for part in network.layers] == [4, 4, 4]
    assert all(part.pre_norm for part in network.layers)


def literal_convolution(x, convolution):
    """Keras's `same` for a kernel of k: (k - 1) // 2 zeros before, k // 2 behind."""
    weight, bias = (p.detach().numpy() for p in (convolution.weight, convolution.bias))
    k, n = weight.shape[2], x.shape[1]
    padded = np.pad(x, ((0, 0), ((k - 1) // 2, k // 2)))
    out = [(weight * padded[None, :, i : i + k]).sum((1, 2)) + bias for i in range(n)]
    return np.array(out).T


def test_dnngp_is_its_three_stages():
    network = build("dnngp", width=1, embedding="none", dropout=0.3)
    stages = [[s for s in network.convolutions if isinstance(s, kind)] for kind in (
        nn.Conv1d, nn.BatchNorm1d, nn.Dropout
    )]  # fmt: skip
    assert [len(found) for found in stages] == [3, 3, 2]
    with torch.no_grad():
        for norm in stages[1]:
            norm.running_mean.uniform_(-1, 1)
            norm.running_var.uniform_(0.5, 2)
    g = standardised(1)
    x = g.numpy()
    for convolution, norm in zip(*stages[:2], strict=True):
        x = np.maximum(literal_convolution(x, convolution), 0)
        mean, variance = norm.running_mean.numpy(), norm.running_var.numpy()
        x = (x - mean[:, None]) / np.sqrt(variance + norm.eps)[:, None]
    weight, bias = (p.detach().numpy() for p in (network.head.weight, network.head.bias))
    wanted = weight[0] @ x.ravel() + bias[0]
    assert network(g).item() == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("module", SMALL)
@pytest.mark.parametrize("outputs", [1, 3])
def test_outputs_are_traits_and_every_weight_has_a_gradient(module, outputs):
    network, g = build(module, outputs=outputs).train(), standardised(6)
    values = network(g)
    assert values.shape == ((6,) if outputs == 1 else (6, outputs))
    (values**2).sum().backward()
    for name, parameter in network.named_parameters():
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().max() > 0, name


@pytest.mark.parametrize("module", SMALL)
def test_beats_the_mean_and_loads_again(module, tmp_path):
    inputs = write_cohort(tmp_path, n=300)
    own = {**SMALL[module], **WINDOWS, **QUICK, "epochs": 25, "patience": 25}
    attention = module != "dnngp"
    entry = block(module, attention=attention, **own)
    fit(entry, folders=[tmp_path / "fit"], **inputs)
    test = agreement(tmp_path / "fit")["test"]
    assert test["PCC"] > 0.7 and test["R2"] > 0.3
    assert (tmp_path / "fit/attention.tsv").is_file() == attention
    network, scaler = load_network(tmp_path / "fit/checkpoint.npz")
    told = pd.read_csv(tmp_path / "fit/predictions.tsv", sep="\t")
    dosage, _ = planted_lines(300)
    np.testing.assert_allclose(predict(network, dosage, scaler=scaler), told.predicted, rtol=1e-5)


def load(root, preset):
    study = {"training": {"models_file": str(root / "config/models.yaml"), "preset": preset}}
    return registry.load_models(study, root / "workflow/schemas", list(SMALL))


@pytest.mark.parametrize("preset", ["paper", "cpu", "demo"])
def test_presets_resolve_to_networks(preset, root):
    for name, entry in load(root, preset).items():
        p = entry["parameters"]
        layout = tiny_layout(p.get("window") or 1)
        network = import_model(entry["module"]).Network(layout, p, CIM)
        assert entry["preset"] == preset and p["tokens"] == (
            "snp" if preset == "paper" else "window"
        )
        assert network.eval()(standardised(2)).shape == (2,), name
    assert load(root, preset)["arcadia_transformer"]["joint"]


def test_rijals_own_recipe_is_kept_where_it_is_published(root):
    p = load(root, "paper")["rijal_attention"]["parameters"]
    wanted = {"d_model": 13, "layers": 3, "init_sd": 0.03, "learning_rate": 1e-3, "batch_size": 64}
    assert wanted.items() <= p.items() and p["weight_decay"] == p["clip"] == 0


@pytest.mark.parametrize(
    ("module", "parameters", "message"),
    [
        ("rijal_attention", {"d_model": 1}, "d_model: found 1"),
        ("rijal_attention", {"heads": 2}, "unknown key 'heads'"),
        ("arcadia_transformer", {"heads": 3}, "d_model: 8 with heads: 3"),
        ("dnngp", {"kernel": 0}, "kernel: found 0"),
    ],
)
def test_parameters_that_cannot_be_are_refused(module, parameters, message):
    with pytest.raises(UserError, match=message):
        build(module, **parameters)
