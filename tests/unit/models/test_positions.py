"""What tells a token's place: sines of its number, base pairs that turn q and k, or nothing."""

import numpy as np
import pandas as pd
import pytest
import torch
from tiny_study import CHROMOSOMES, CIM, CODES, block, build, fit, planted_lines, standardised
from tiny_study import write_cohort as write_files

from soyfold.common.errors import UserError
from soyfold.models.embedding import sinusoidal_positions
from soyfold.models.parameters import resolve
from soyfold.models.tokens import make_layout
from soyfold.training.attention import measure_attention
from soyfold.training.checkpoints import load_network
from soyfold.training.loop import predict
from soyfold.training.scaling import fit_scaler

ENCODERS = ("transformer", "csafm", "cisem")
BP = np.random.default_rng(3).integers(1, 5e7, len(CODES))


def turning(module="csafm", width=1, bp=BP, **parameters):
    layout = make_layout(CODES, CHROMOSOMES, width=width, position=bp)
    return build(module, width=width, layout=layout, position="rope_bp", **parameters)


def test_sines_are_those_of_the_formula_for_every_place_and_column():
    table = sinusoidal_positions(50, 7)
    for k in range(50):
        for i in range(4):
            angle = k / 10000 ** (2 * i / 7)
            wanted = [np.sin(angle), np.cos(angle)][: 7 - 2 * i]
            assert table[k, 2 * i : 2 * i + 2].tolist() == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("width", [1, 4, 50])
def test_a_tokens_place_is_the_mean_of_its_snps(width):
    layout = make_layout(CODES, CHROMOSOMES, width=width, position=BP)
    wanted = [BP[layout.token == token].mean() for token in range(layout.n_tokens)]
    assert layout.position.tolist() == wanted
    assert layout.position.dtype == np.float64


def literal_layer(layer, x, bp, chromosome):
    """Attention of CSAFM with q and k turned pair by pair of tokens; H by the unturned q."""
    q, k, v = layer.attention.split(x)
    n, half = q.shape[2], q.shape[3] // 2
    scores = torch.zeros(*q.shape[:2], n, n)
    for i in range(n):
        for j in range(n):
            apart = float(bp[i] - bp[j]) if chromosome[i] == chromosome[j] else 0.0
            angle = apart / 10000 / 10000 ** (torch.arange(half).double() / half)
            cos, sin = angle.cos().float(), angle.sin().float()
            (a, b), (c, d) = q[..., i, :].split(half, -1), k[..., j, :].split(half, -1)
            scores[..., i, j] = (cos * (a * c + b * d) + sin * (a * d - b * c)).sum(-1)
            scores[..., i, j] += q[..., i, :].sum(-1) * layer.H[chromosome[i], chromosome[j]]
    return (scores * q.shape[-1] ** -0.5).softmax(-1) @ v


def test_csafm_turns_within_a_chromosome_and_couples_by_the_unturned_query():
    network = turning(width=4)
    layer, chromosome = network.layers[0], network.chromosome
    bp = make_layout(CODES, CHROMOSOMES, width=4, position=BP).position
    x = torch.randn(2, len(bp), 8)
    found = layer.attend(*layer.attention.split(x))
    torch.testing.assert_close(found, literal_layer(layer, x, bp, chromosome), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("module", ENCODERS)
def test_places_along_a_chromosome_matter_and_where_it_begins_does_not(module):
    g, moved, stretched = standardised(), BP.copy(), BP.copy()
    moved[CODES == 1] += 10**7
    stretched[CODES == 0] += 10**5 * np.arange(13)
    told = turning(module)(g)
    torch.testing.assert_close(turning(module, bp=moved)(g), told, atol=1e-5, rtol=1e-5)
    assert not torch.allclose(turning(module, bp=stretched)(g), told, atol=1e-5)
    assert not torch.allclose(build(module, width=1, position="none")(g), told, atol=1e-5)


def test_turning_needs_no_parameters_and_changes_no_start():
    turned, none = turning(), build("csafm", width=1, position="none")
    assert list(turned.state_dict()) == list(none.state_dict())
    for one, other in zip(turned.parameters(), none.parameters(), strict=True):
        assert torch.equal(one, other)
    none.load_state_dict(turned.state_dict())


def test_measured_attention_is_the_turned_one():
    network, (dosage, y) = turning(), planted_lines(9)
    scaler = fit_scaler(dosage, y)
    figures, between = measure_attention(network, dosage, scaler=scaler, names=CHROMOSOMES, size=4)
    g = torch.from_numpy((dosage - scaler.centre) / scaler.scale).float()
    x, layer = network.tokens(g, 1), network.layers[-1]
    q, k, _ = layer.attention.split(x)
    values = torch.eye(3)[network.chromosome].expand(*q.shape[:3], 3)
    padded = torch.cat([values, torch.zeros(*q.shape[:3], 1)], -1)
    mass = layer.attend(q, k, padded)[..., :3].mean((0, 1))
    wanted = torch.stack([mass[network.chromosome == c].mean(0) for c in range(3)])
    np.testing.assert_allclose(between, wanted.detach(), atol=1e-5)
    assert 0 < figures["NAE"] <= 1


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"tokens": "group", "hypothesis": "go"}, "tokens: group"),
        ({"d_model": 24, "heads": 8}, "an even d_model / heads"),
    ],
)
def test_what_has_no_place_or_no_pairs_is_refused(parameters, said):
    with pytest.raises(UserError, match=said):
        resolve({"position": "rope_bp", **parameters}, "transformer")


@pytest.mark.parametrize("known", [{"position": "rope_bp"}, {"motif_bias": True}])
def test_scores_that_no_layer_has_are_refused(known):
    """Cross-attention may have no layer between tokens, and its queries lie at no place."""
    found = ": ".join(map(str, *known.items())).lower()
    with pytest.raises(UserError, match=f"{found} with layers: 0.*to mend: raise layers"):
        resolve({"layers": 0, **known}, "cross_attention")
    assert resolve({"layers": 1, **known}, "cross_attention")["layers"] == 1
    assert resolve({"layers": 0}, "cross_attention")["layers"] == 0


def test_models_without_attention_know_no_turning():
    with pytest.raises(UserError, match="rope_bp"):
        resolve({"position": "rope_bp"}, "mlp")


def test_a_fit_reads_the_places_and_its_checkpoint_keeps_them(tmp_path):
    inputs = write_files(tmp_path, n=80)
    variants = pd.read_csv(inputs["variants"], sep="\t")
    variants["position"] = np.sort(BP)
    # The table's rows may stand in any order: `column` says which SNP is which.
    variants.sample(frac=1, random_state=1).to_csv(inputs["variants"], sep="\t", index=False)
    own = {"tokens": "snp", "d_model": 8, "layers": 1, "heads": 2, "feed_forward": 8, "epochs": 1}
    entry = block("csafm", attention=True, position="rope_bp", **own)
    entry["gpu"] = 0
    fit(entry, folders=[tmp_path / "fit"], **inputs)
    network, scaler = load_network(tmp_path / "fit/checkpoint.npz")
    wanted = make_layout(CODES, CHROMOSOMES, position=np.sort(BP)).position
    angles = torch.atan2(network.rotation.sin, network.rotation.cos)[:, 0]
    turns = torch.remainder(torch.from_numpy(wanted) / 10000 - angles + 1, 2 * np.pi) - 1
    torch.testing.assert_close(turns, torch.zeros_like(turns), atol=1e-9, rtol=0)
    told = pd.read_csv(tmp_path / "fit/predictions.tsv", sep="\t").set_index("sample")
    samples = pd.read_csv(inputs["samples"], sep="\t")["sample"]
    again = predict(network, np.load(inputs["dosage"]), scaler=scaler)
    np.testing.assert_allclose(told.predicted[samples], again, rtol=1e-4)
    assert network.cim.equal(CIM)
