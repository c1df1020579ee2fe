"""CISEM: squeeze and excitation over unequal chromosomes, the box of M, its ablation."""

import pytest
import torch
from tiny_study import CIM, build, standardised, tiny_layout


def literal_weights(layer, y):
    """[C] eq. 7-9 token by token, chromosome by chromosome, without any padding."""
    c = layer.chromosome
    sums = torch.stack([y[:, c == q].sum(1) for q in range(3)], 1)
    z = (
        torch.stack([(y[:, i] * (layer.M[c[i]] @ sums)).sum(-1) for i in range(y.shape[1])], 1)
        / layer.size
    )
    se = layer.excitation
    w = torch.empty_like(z)
    for g in range(3):
        mine = c == g
        size = int(mine.sum())
        hidden = torch.relu(z[:, mine] @ se.squeeze.weight[:, :size].T + se.squeeze.bias)
        w[:, mine] = torch.sigmoid(hidden @ se.excite.weight[:size].T + se.excite.bias[:size])
    return w


def test_se_on_unequal_chromosomes_ignores_padding():
    layer = build("cisem", reduction=2).layers[0]
    y = torch.randn(3, tiny_layout().n_tokens, 8)
    torch.testing.assert_close(layer.weights(y), literal_weights(layer, y), atol=1e-5, rtol=1e-5)
    counts = torch.bincount(layer.chromosome)
    assert counts.tolist() == [4, 1, 2]
    assert torch.allclose(layer.size, counts[layer.chromosome] * 8**0.5)


def test_literal_context_is_not_scaled():
    scaled, literal = build("cisem", se=False), build("cisem", se=False, literal=True)
    y = torch.randn(2, tiny_layout().n_tokens, 8)
    assert scaled.layers[0].excitation is None
    assert not torch.allclose(scaled.layers[0].weights(y), literal.layers[0].weights(y))


@pytest.mark.parametrize("gamma", [0.0, 2e-4, 0.1])
def test_m_never_leaves_its_box(gamma):
    network = build("cisem", gamma=gamma).train()
    contexts = [layer.M for layer in network.layers]
    optimiser = torch.optim.Adam(contexts, lr=0.3)
    moved = []
    for step in range(4):
        optimiser.zero_grad()
        network(standardised(5, seed=step)).square().mean().backward()
        optimiser.step()
        moved += [(M.detach() - CIM).abs().max().item() for M in contexts]
        network.after_step()
        for M in contexts:
            assert torch.equal(M, M.clamp(CIM - gamma, CIM + gamma))
            assert gamma > 0 or torch.equal(M, CIM)
    assert max(moved) > gamma  # the steps did try to leave it


def test_cisem_ablation_differs_from_the_transformer_by_the_weights_alone():
    network, plain = build("cisem", se=False), build("transformer")
    extra = set(dict(network.named_parameters())) - set(dict(plain.named_parameters()))
    assert {name.split(".", 2)[2] for name in extra} == {
        "M", "norm_context.weight", "norm_context.bias",
    }  # fmt: skip
