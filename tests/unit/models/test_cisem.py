"""CISEM: squeeze and excitation over unequal chromosomes, the box of M, its ablation."""

import pytest
import torch
from tiny_study import CIM, build, standardised, tiny_layout

from soyfold.models.cisem import Layer
from soyfold.models.declarations import declaration


def literal_weights(layer, y):
    """[C] eq. 7-9 token by token, chromosome by chromosome, without any padding; S_q is a mean."""
    c = layer.chromosome
    means = torch.stack([y[:, c == q].mean(1) for q in range(3)], 1) / y.shape[-1] ** 0.5
    z = torch.stack([(y[:, i] * (layer.M[c[i]] @ means)).sum(-1) for i in range(y.shape[1])], 1)
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
    assert torch.bincount(layer.chromosome).tolist() == [4, 1, 2]


@pytest.mark.parametrize("literal", [False, True])
def test_context_is_divided_by_the_size_of_the_chromosome_it_sums(literal):
    """Y = 1, d = 4, contacts with the other chromosome alone: z = d / sqrt(d) wherever a token is.

    With [C]'s eq. 7 as printed it is d times the tokens of the other chromosome.
    """
    sizes, d = torch.tensor([10, 100]), 4
    chromosome = torch.repeat_interleave(torch.arange(2), sizes)
    own = {"d_model": d, "heads": 2, "literal": literal}
    parameters = {**declaration("cisem").defaults, **own}
    layer = Layer(parameters, 1 - torch.eye(2), chromosome)
    layer.excitation = torch.nn.Identity()
    z = layer.weights(torch.ones(1, 110, d))[0]
    wanted = (d * sizes.flip(0) if literal else torch.tensor([2, 2]))[chromosome]
    torch.testing.assert_close(z, wanted.float())


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
