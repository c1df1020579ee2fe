"""Groups as tokens, and what a hypothesis says of pairs of them: against the literal forms."""

import numpy as np
import pytest
import torch
from scipy import sparse
from tiny_study import CHROMOSOMES, CIM, CODES, block, fit, planted_lines, standardised
from tiny_study import write_cohort as write_files

from soyfold.attention.biased import plain_attention, prior_attention
from soyfold.attention.priors import ChromosomeOnKeys, GroupWeights, SharesOnKeys
from soyfold.common.errors import UserError
from soyfold.common.groups import REST, Groups, write_groups
from soyfold.models.loading import import_model
from soyfold.models.parameters import resolve
from soyfold.models.tokens import lay_out_groups
from soyfold.training.checkpoints import load_network
from soyfold.training.loop import predict

GROUP = {
    "tokens": "group", "hypothesis": "pathways", "d_model": 8, "layers": 2, "heads": 2,
    "feed_forward": 12, "dropout": 0.0,
}  # fmt: skip


def draw_groups(*, rest=True):
    """Four overlapping groups of the tiny study's 23 SNPs; weights with forbidden pairs."""
    members = np.zeros((23, 5), bool)
    for group, own in enumerate(([0, 5, 14], [5, 6, 7, 20], [12, 15, 21, 22], [1, 2, 3, 4, 5])):
        members[own, group] = True
    members[:, 4] = ~members.any(1)
    if not rest:
        members[members[:, 4], 1], members[:, 4] = True, False
    weights = np.eye(5)
    weights[0, 1] = weights[1, 0] = 0.5
    weights[2, 3] = weights[3, 2] = 3.0
    return Groups([*"abcd", REST], sparse.csr_array(members), weights)


def tokens(**options):
    return lay_out_groups(CODES, CHROMOSOMES, draw_groups(**options))


def build(module="transformer", *, groups=None, seed=0, **parameters):
    torch.manual_seed(seed)
    layout = tokens() if groups is None else lay_out_groups(CODES, CHROMOSOMES, groups)
    return import_model(module).Network(layout, {**GROUP, **parameters}, CIM).eval()


@pytest.mark.parametrize("rest", [True, False])
@pytest.mark.parametrize("embedding", ["locus_scaled", "dosage_table"])
@pytest.mark.parametrize("piece", [3, 128])
def test_a_token_is_the_sum_over_its_snps(embedding, rest, piece, monkeypatch):
    monkeypatch.setattr("soyfold.models.embedding.PIECE", piece)
    layout, g = tokens(rest=rest), standardised(4)
    assert layout.n_tokens == 4 + rest and layout.n_snps == 23
    network = build(groups=draw_groups(rest=rest), embedding=embedding, position="none")
    own = network.embedding
    if embedding == "locus_scaled":
        by_snp = g[:, :, None] * own.locus
    else:
        dosage = (g + 1).clamp(0, 2)
        hats = [(1 - dosage).relu(), 1 - (dosage - 1).abs(), (dosage - 1).relu()]
        by_snp = torch.stack(hats, -1) @ own.table
    members = torch.from_numpy(layout.groups.members.toarray()[:, : layout.n_tokens]).float()
    wanted = torch.einsum("bld,lt->btd", by_snp, members)
    torch.testing.assert_close(own(g), wanted, atol=1e-5, rtol=1e-5)


def literal(q, k, v, weights, extra=0.0):
    """softmax(q k' / sqrt(d) + ln w + extra) v with all n x n scores written out."""
    scores = q @ k.mT * q.shape[-1] ** -0.5 + weights.log().clamp_min(-1e4) + extra
    return scores.softmax(-1) @ v


@pytest.mark.parametrize("form", ["augmented", "blocked", "dense", "auto"])
def test_weights_of_pairs_are_those_of_the_literal_form(form):
    torch.manual_seed(1)
    q, k, v = torch.randn(3, 2, 2, 90, 8, dtype=torch.float64).requires_grad_().unbind(0)
    group = torch.randint(0, 5, (90,))
    weights = torch.tensor(draw_groups().weights)
    found = prior_attention(q, k, v, [GroupWeights(weights, group)], form=form)
    wanted = literal(q, k, v, weights[group][:, group])
    torch.testing.assert_close(found, wanted, atol=1e-10, rtol=1e-10)
    for one, other in zip(
        torch.autograd.grad(found.square().sum(), (q, k, v), retain_graph=True),
        torch.autograd.grad(wanted.square().sum(), (q, k, v)),
        strict=True,
    ):
        torch.testing.assert_close(one, other, atol=1e-9, rtol=1e-9)


def test_a_forbidden_pair_gets_nothing_and_all_alike_is_plain_attention():
    q, k = torch.randn(2, 1, 1, 90, 8)
    group = torch.arange(90) % 5
    forbidden = GroupWeights(torch.eye(5), group)
    told = prior_attention(q, k, k, [forbidden])
    torch.testing.assert_close(told[:, :, ::5], plain_attention(q[:, :, ::5], k[:, :, ::5],
                                                                k[:, :, ::5]))  # fmt: skip
    alike = GroupWeights(torch.full((5, 5), 7.0), group)
    torch.testing.assert_close(prior_attention(q, k, k, [alike]), plain_attention(q, k, k))


def test_shares_of_one_chromosome_are_that_chromosome():
    q, k = torch.randn(2, 2, 2, 6, 8)
    H, chromosome = torch.rand(3, 3), torch.tensor([0, 2, 1, 1, 0, 2])
    shares = torch.eye(3)[chromosome]
    wanted, found = (
        prior_attention(q, k, k, [prior], form="augmented")
        for prior in (ChromosomeOnKeys(H, chromosome), SharesOnKeys(H, shares))
    )
    torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("bias", ["keys", "direct"])
def test_csafm_adds_the_cim_of_the_groups_snps_to_the_hypothesis(bias):
    network, g = build("csafm", bias=bias), standardised(3)
    layer, layout = network.layers[0], tokens()
    q, k, v = torch.randn(3, 3, 2, 5, 4)
    of_pair = torch.zeros(5, 5)  # the mean of H over all pairs of SNPs
    snps = layout.groups.snps()
    for i in range(5):
        for j in range(5):
            of_pair[i, j] = layer.H[CODES[snps[i]]][:, CODES[snps[j]]].mean()
    coupling = q.sum(-1, keepdim=True) / 2 if bias == "keys" else layer.coupling.view(-1, 1, 1)
    weights = torch.from_numpy(layout.groups.weights).float()
    wanted = literal(q, k, v, weights, coupling * of_pair)
    torch.testing.assert_close(layer.attend(q, k, v), wanted, atol=1e-5, rtol=1e-5)
    q, k, H, _, biased = network.final_attention(g)
    assert q.shape[-1] == 4 + 5 + 3 and not biased and H.shape == (3, 3)
    scaled = (q @ k.mT * q.shape[-1] ** -0.5).softmax(-1)
    assert torch.all(scaled[..., 0, 2] < 1e-6) and scaled[..., 2, 3].mean() > 0


def test_the_arm_without_weights_has_as_many_parameters_and_attends_freely():
    with_weights, without = build(), build(group_weights=False)
    counts = [sum(p.numel() for p in n.parameters()) for n in (with_weights, without)]
    assert counts[0] == counts[1]
    g = standardised(4)
    assert not torch.allclose(with_weights(g), without(g))
    alike = draw_groups()
    alike.weights[:] = 1.0
    torch.testing.assert_close(build(groups=alike)(g), without(g))


def test_tokens_and_hypothesis_go_together():
    with pytest.raises(UserError, match="tokens: group with hypothesis: null"):
        resolve({"tokens": "group"}, "transformer")
    with pytest.raises(UserError, match="tokens: snp with hypothesis: pathways"):
        resolve({"hypothesis": "pathways"}, "csafm")
    with pytest.raises(UserError, match="tokens"):
        resolve({"tokens": "group", "hypothesis": "pathways"}, "cisem")
    with pytest.raises(UserError, match="readout: contact with tokens: group"):
        build("csafm", readout="contact")


def test_a_fit_on_groups_is_rebuilt_from_its_checkpoint(tmp_path):
    inputs = write_files(tmp_path)
    write_groups(draw_groups(), tmp_path / "groups.npz")
    chosen = block("csafm", attention=True, **GROUP, epochs=2, batch_size=32, position="learned")
    fit(chosen, folders=[tmp_path / "fit"], groups=tmp_path / "groups.npz", **inputs)
    network, scaler = load_network(tmp_path / "fit/checkpoint.npz")
    dosage, _ = planted_lines(20)
    assert network.embedding.tokens == 5 and network.layers[0].of_pairs is not None
    predicted = predict(network, dosage, scaler=scaler)
    told = np.loadtxt(tmp_path / "fit/predictions.tsv", skiprows=1, usecols=(0, 3), dtype=str)
    by_sample = dict(told)
    wanted = [float(by_sample[f"PI{k:06d}"]) for k in range(20)]
    assert np.allclose(predicted, wanted, atol=1e-4)
