"""Networks: what each one is exactly, against literal forms and against each other."""

import copy
import dataclasses

import pytest
import torch
from tiny_study import CHROMOSOMES, CIM, build, planted_lines, standardised, tiny_layout

from soyfold.attention.biased import attention_statistics
from soyfold.common import digest
from soyfold.common.errors import UserError
from soyfold.models import encoder_layers
from soyfold.models.loading import import_model
from soyfold.study import registry
from soyfold.training.attention import measure_attention
from soyfold.training.scaling import fit_scaler

NETWORKS = ("transformer", "csafm", "cisem", "cnn", "lstm", "gru")


@pytest.mark.parametrize("norm", ["post", "pre"])
def test_csafm_without_contacts_is_the_transformer(norm):
    plain = build("transformer", norm=norm)
    biased = build("csafm", cim=torch.zeros(3, 3), norm=norm, seed=1)
    left_over = biased.load_state_dict(plain.state_dict(), strict=False)
    assert not left_over.unexpected_keys
    assert set(left_over.missing_keys) == {"layers.0.H", "layers.1.H"}
    g = standardised()
    torch.testing.assert_close(biased(g), plain(g), atol=1e-6, rtol=1e-6)
    assert not torch.allclose(build("csafm", norm=norm)(g), plain(g), atol=1e-6)


def test_same_seed_gives_csafm_the_transformers_weights():
    plain, biased = build("transformer"), build("csafm")
    for name, weight in plain.named_parameters():
        assert torch.equal(weight, dict(biased.named_parameters())[name])


def literal_csafm(layer, x):
    """[C] eq. 1 with the n x n x d_k tensor, W_o and nothing else."""
    q, k, v = layer.attention.split(x)
    b = layer.H[..., layer.chromosome, :][..., layer.chromosome]
    scores = torch.einsum("bhid,bhijd->bhij", q, k.unsqueeze(2) + b[..., None])
    mixed = (scores / q.shape[-1] ** 0.5).softmax(-1) @ v
    return layer.attention.output(mixed.transpose(1, 2).flatten(2))


@pytest.mark.parametrize("per_head", [False, True])
def test_csafm_attends_as_the_literal_form(per_head):
    layer = build("csafm", per_head=per_head).layers[0]
    x = torch.randn(2, tiny_layout().n_tokens, 8)
    expected = literal_csafm(layer, x)
    torch.testing.assert_close(layer.attention(x, layer.attend), expected, atol=1e-5, rtol=1e-5)


def test_cosine_scores_are_those_of_unit_vectors_times_the_heads_temperature():
    layer = build("csafm", scores="cosine", power="learned").layers[0]
    with torch.no_grad():
        layer.attention.temperature.copy_(torch.tensor([0.0, 1.0]))  # logarithms
        layer.power.fill_(3.0)
    x = 1e-3 * torch.randn(2, tiny_layout().n_tokens, 8)  # small weights flatten nothing
    q, k, v = layer.attention.query_key_value(x).view(2, -1, 3, 2, 4).permute(2, 0, 3, 1, 4)
    unit_q, unit_k = (each / each.norm(dim=-1, keepdim=True) for each in (q, k))
    pairs = (CIM**3)[layer.chromosome][:, layer.chromosome]
    cosine = unit_q @ unit_k.transpose(-1, -2) + unit_q.sum(-1, keepdim=True) * pairs
    temperature = torch.tensor([1.0, torch.e])[:, None, None]
    mixed = (temperature * cosine).softmax(-1) @ v
    expected = layer.attention.output(mixed.transpose(1, 2).flatten(2))
    torch.testing.assert_close(layer.attention(x, layer.attend), expected, atol=1e-5, rtol=1e-4)


def test_a_learned_power_starts_at_the_contacts_themselves():
    learned, fixed = build("csafm", power="learned"), build("csafm")
    g = standardised()
    torch.testing.assert_close(learned(g), fixed(g), atol=1e-5, rtol=1e-5)
    learned(g).square().sum().backward()
    assert all(layer.power.grad.abs() > 0 for layer in learned.layers)


def test_a_product_gate_reads_products_of_two_tokens():
    layer = build("csafm", gate="product").layers[0]
    assert layer.feed_forward.gate is None
    x = torch.randn(2, tiny_layout().n_tokens, 8)
    mixed = layer.attend(*layer.attention.split(x)).transpose(1, 2).flatten(2)
    weight, bias = layer.attention.gate.weight, layer.attention.gate.bias
    assert (bias == 1).all()
    expected = layer.attention.output(mixed * (x @ weight.T + bias))
    torch.testing.assert_close(layer.attention(x, layer.attend), expected, atol=1e-6, rtol=1e-5)


def test_direct_bias_adds_beta_h_to_the_score():
    layer = build("csafm", bias="direct").layers[0]
    with torch.no_grad():
        layer.coupling.copy_(torch.tensor([0.5, -2.0]))
    q, k, v = torch.randn(3, 2, 2, tiny_layout().n_tokens, 4)
    pairs = CIM[layer.chromosome][:, layer.chromosome]
    beta = torch.tensor([0.5, 2.0])[:, None, None]  # never below 0
    expected = (q @ k.transpose(-1, -2) / 2 + beta * pairs).softmax(-1) @ v
    torch.testing.assert_close(layer.attend(q, k, v), expected, atol=1e-5, rtol=1e-5)


def test_gate_and_glu_make_the_gau_row_and_change_the_output():
    gated, plain = build("csafm", gate="gau"), build("csafm")
    names = {name for name, _ in gated.named_parameters()}
    extra = names - {name for name, _ in plain.named_parameters()}
    assert {name.split(".", 2)[2] for name in extra} == {
        "attention.gate.weight", "attention.gate.bias",
        "feed_forward.gate.weight", "feed_forward.gate.bias",
    }  # fmt: skip
    assert not torch.allclose(gated(standardised()), plain(standardised()))


def test_shared_h_is_one_parameter_and_layered_h_is_one_each():
    shared, layered = build("csafm", H="shared"), build("csafm")
    assert sum(name.endswith(".H") for name, _ in shared.named_parameters()) == 1
    assert sum(name.endswith(".H") for name, _ in layered.named_parameters()) == 2
    torch.testing.assert_close(shared(standardised()), layered(standardised()))


def test_final_attention_is_what_the_last_layer_uses():
    network = build("csafm")
    g = standardised(2)
    q, k, H, chromosome, biased = network.final_attention(g)
    assert biased and H is network.layers[-1].H
    mass = attention_statistics(q, k, H, chromosome, biased=True)["chromosome_mass"]
    s = q.sum(-1, keepdim=True)
    pairs = H[chromosome][:, chromosome]
    attention = ((q @ k.transpose(-1, -2) + s * pairs) / 2).softmax(-1)
    members = torch.nn.functional.one_hot(chromosome, 3).float()
    expected = torch.einsum("ig,bhij,jf->bhgf", members / members.sum(0), attention, members)
    torch.testing.assert_close(mass, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("model", ["csafm", "transformer"])
def test_aas_is_against_the_measured_cim_and_the_learned_h_has_its_own_name(model):
    """[C] eq. 15; floors follow. The learned H is that of the layer measured."""
    network, (dosage, y) = build(model).eval(), planted_lines(20)
    learned = CIM.flip(0)
    if model == "csafm":
        with torch.no_grad():
            network.layers[-1].H.copy_(learned)
    scaler = fit_scaler(dosage, y)
    figures, _ = measure_attention(network, dosage, scaler=scaler, names=CHROMOSOMES, size=7)
    g = torch.from_numpy((dosage - scaler.centre) / scaler.scale).float()
    q, k, _, chromosome, _ = network.final_attention(g)
    wanted = {"AAS": CIM, "AAS_learned": learned} if model == "csafm" else {"AAS": CIM}
    assert {name for name in figures if name in ("AAS", "AAS_learned")} == set(wanted)
    scores = q @ k.transpose(-1, -2)
    if model == "csafm":
        scores = scores + q.sum(-1, keepdim=True) * learned[chromosome[:, None], chromosome]
    attention = (scores / q.shape[-1] ** 0.5).softmax(-1)
    for name, matrix in wanted.items():
        rows = matrix[chromosome[:, None], chromosome].expand_as(attention)
        aas = torch.cosine_similarity(attention, rows, dim=-1).mean()
        assert figures[name] == pytest.approx(aas.item(), rel=1e-5)
        floor = torch.cosine_similarity(torch.ones_like(rows[0, 0]), rows[0, 0], dim=-1).mean()
        assert figures[f"{name}_uniform"] == pytest.approx(floor.item(), rel=1e-5)


@pytest.mark.parametrize("norm", ["post", "pre"])
def test_negative_coupling_is_that_of_each_layers_own_queries(norm):
    network, g = build("csafm", norm=norm, layers=3), standardised(4)
    seen = []
    for layer in network.layers:  # q as `attend` is given it in a whole forward pass
        attend = layer.attend
        layer.attend = lambda q, k, v, a=attend: seen.append(q.sum(-1) < 0) or a(q, k, v)
    network(g)
    wanted = torch.stack([sign.float().mean() for sign in seen])
    assert len(wanted) == 3 and wanted.min() > 0 and wanted.max() < 1
    torch.testing.assert_close(network.negative_coupling(g), wanted)
    assert network.negative_coupling(g).requires_grad is False


def test_negative_coupling_only_where_the_sign_can_turn():
    g = standardised(2)
    assert build("csafm", bias="direct").negative_coupling(g) is None
    assert build("transformer").negative_coupling(g) is None
    assert build("cisem").negative_coupling(g) is None


@pytest.mark.parametrize("module", ["lstm", "gru"])
@pytest.mark.parametrize("readout", ["last", "mean"])
def test_chunks_carry_the_hidden_state(module, readout):
    whole, chunked = (build(module, chunk=chunk, readout=readout) for chunk in (None, 3))
    g = standardised()
    torch.testing.assert_close(chunked(g), whole(g), atol=1e-6, rtol=1e-5)


def test_paper_sizes():
    layout = tiny_layout(1)
    counts = {}
    for module in ("cnn", "lstm", "gru"):
        network = import_model(module).Network(layout, {}, None)
        counts[module] = sum(p.numel() for p in network.parameters())
    h, L = 64, layout.n_snps
    gates = (1 * h + h * h + 2 * h) + (2 * h * h + 2 * h)
    assert counts["lstm"] == 4 * gates + h + 1
    assert counts["gru"] == 3 * gates + h + 1
    assert counts["cnn"] == (3 * 64 + 64) + (3 * 64 * 64 + 64) + 64 * L + 1


@pytest.mark.parametrize("module", NETWORKS)
@pytest.mark.parametrize("width", [1, 4])
def test_every_network_maps_a_batch_to_one_value_a_line_with_gradients(module, width):
    network = build(module, width=width).train()
    out = network(standardised())
    assert out.shape == (5,)
    out.square().sum().backward()
    without = [n for n, p in network.named_parameters() if p.grad is None]
    assert not without


@pytest.mark.parametrize(
    ("module", "parameters"),
    [
        ("transformer", {}),
        ("csafm", {}),
        ("csafm", {"bias": "direct", "per_head": True}),
        ("csafm", {"gate": "gau", "H": "shared"}),
        ("csafm", {"gate": "product", "power": "learned", "scores": "cosine"}),
        ("cisem", {}),
        ("cisem", {"se": False}),
    ],
)
def test_training_step_under_bfloat16_autocast_stays_near_float64(module, parameters):
    network, g = build(module, **parameters), standardised()
    exact = copy.deepcopy(network).double()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = network(g)
    wanted = exact(g.double())
    for value in (out, wanted):
        value.double().square().sum().backward()
    assert (out.double() - wanted).norm() < 0.02 * wanted.norm()
    pairs = list(zip(network.parameters(), exact.parameters(), strict=True))
    assert all(p.grad.dtype == torch.float32 for p in network.parameters())
    error = torch.stack([(p.grad.double() - e.grad).norm() for p, e in pairs]).norm()
    assert error < 0.05 * torch.stack([e.grad.norm() for _, e in pairs]).norm()


@pytest.mark.parametrize("module", ["transformer", "csafm", "cisem"])
@pytest.mark.parametrize("norm", ["post", "pre"])
def test_feed_forward_in_chunks_is_the_same_function(monkeypatch, module, norm):
    network, g = build(module, norm=norm), standardised()

    def value_and_gradients():
        out = network(g)
        return out, *torch.autograd.grad(out.square().sum(), list(network.parameters()))

    whole = value_and_gradients()
    monkeypatch.setattr(encoder_layers, "LONG_LINE", 6)
    monkeypatch.setattr(encoder_layers, "CHUNK_TOKENS", 3)  # 7 tokens: the last chunk is shorter
    for found, wanted in zip(value_and_gradients(), whole, strict=True):
        torch.testing.assert_close(found, wanted, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("module", NETWORKS)
def test_lines_of_a_batch_do_not_touch_each_other(module):
    network, g = build(module), standardised()
    torch.testing.assert_close(network(g)[2:3], network(g[2:3]), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(
    ("module", "wrong", "said"),
    [
        (
            "transformer",
            {"headz": 2},
            "'headz'; allowed: accumulate, activation.*; to mend: write heads",
        ),
        ("transformer", {"heads": 3}, "d_model a multiple of heads"),
        ("transformer", {"tokens": "snp"}, "tokens: snp with window: 4"),
        ("transformer", {"window": None}, "window: 2 or more"),
        ("transformer", {"position": "rope"}, "allowed: learned, sinusoidal, rope_bp, none"),
        ("transformer", {"readout": "sum"}, "allowed: mean, flatten, sum_mlp"),
        ("csafm", {"gate": "yes"}, "allowed: none, gau, product"),
        ("cisem", {"gamma": -1.0}, "gamma: found -1.0 .*; allowed: at least 0"),
        ("gru", {"embedding": "none"}, "embedding: locus_scaled or dosage_table"),
        ("lstm", {"bidirectional": True, "chunk": 2}, "chunk: null"),
        ("cnn", {"kernel": 4}, "key kernel: found 4 .*; allowed: Their width, odd"),
    ],
)
def test_wrong_parameters_are_refused_in_one_line(module, wrong, said):
    with pytest.raises(UserError, match=said) as caught:
        build(module, **wrong)
    assert f"model {module}" in str(caught.value)


@pytest.mark.parametrize("module", ["csafm", "cisem"])
def test_models_of_contacts_need_a_cim(module):
    with pytest.raises(UserError, match="no CIM; to mend: set cim: real"):
        build(module, cim=None)


@pytest.mark.parametrize("preset", ["paper", "cpu", "demo"])
def test_the_models_file_builds(root, preset):
    study = {"training": {"models_file": str(root / "config/models.yaml"), "preset": preset}}
    for name, block in registry.load_models(study, root / "workflow/schemas", NETWORKS).items():
        assert block["gpu"] == (1 if preset == "paper" else 0)
        layout = tiny_layout(block["parameters"].get("window") or 1)
        import_model(block["module"]).Network(layout, block["parameters"], CIM)
        assert block["attention"] == (name in ("transformer", "csafm", "cisem"))


def test_editing_one_model_cannot_change_another():
    digests = {m: parts_of_digest(m) for m in NETWORKS}
    for module, files in digests.items():
        others = {f"{other}.py" for other in NETWORKS if other != module}
        assert not files & others, module


def parts_of_digest(module):
    """Names of the files that a model's source digest covers."""
    return {path.name for path in digest.reached(f"soyfold.models.{module}")}


@pytest.mark.parametrize("module", NETWORKS)
def test_traits_learnt_together_are_outputs_of_one_network(module):
    layout = dataclasses.replace(tiny_layout(), outputs=3)
    network = build(module, layout=layout)
    alone = build(module)
    g = standardised(4)
    assert network(g).shape == (4, 3) and alone(g).shape == (4,)
    widened = {name for name, p in network.named_parameters()} - {
        name for name, p in alone.named_parameters() if p.shape == network.get_parameter(name).shape
    }
    assert {name.split(".")[0] for name in widened} <= {"readout", "head"} and len(widened) == 2


def test_the_mlp_reads_the_sum_of_all_embedded_snps():
    own = {"tokens": "window", "window": 4, "d_model": 8}
    torch.manual_seed(0)
    network = import_model("mlp").Network(tiny_layout(), own, None).eval()
    g = standardised()
    sums = g @ network.embedding.locus / tiny_layout().n_tokens ** 0.5
    torch.testing.assert_close(network(g), network.readout.head(sums).squeeze(-1))


@pytest.mark.parametrize("module", ["transformer", "csafm", "cisem"])
def test_a_linear_path_starts_at_nothing_and_adds_the_effects_of_snps(module):
    plain, linear = build(module), build(module, linear_path=True)
    g = standardised()
    assert linear.load_state_dict(plain.state_dict(), strict=False).missing_keys == [
        "linear_path.effects"
    ]
    assert torch.equal(linear(g), plain(g))
    with torch.no_grad():
        linear.linear_path.effects[0, 3] = 2.0
    torch.testing.assert_close(linear(g), plain(g) + 2 * g[:, 3] / g.shape[1] ** 0.5)
