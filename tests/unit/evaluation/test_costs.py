"""Costs of networks: FLOPs against closed forms, and one measurement in its own process."""

import numpy as np
import pandas as pd
import pytest
import tiny_study
import torch

from soyfold.attention import biased as attention
from soyfold.attention.biased import plain_attention, prior_attention
from soyfold.attention.turned import Rotation
from soyfold.common.files import read_table
from soyfold.evaluation.costs import cost_table, measure_costs
from soyfold.evaluation.network_costs import count_flops
from soyfold.models import csafm, gru, lstm, transformer

TOKENS, D, HIDDEN, HEADS = 12, 32, 48, 2  # d_k = 16: the kernel's own width, no padding
SIZE = {**tiny_study.SMALL, "d_model": D, "heads": HEADS, "feed_forward": HIDDEN, "window": 2}


def encoder_flops(n, d, hidden, layers=1):
    """Multiply-adds twice: q, k, v, o and the FFN are 2 n per weight, attention 4 n^2 d."""
    return layers * (2 * n * (4 * d * d + 2 * d * hidden) + 4 * n * n * d)


def forward_flops(module, **parameters):
    layout = tiny_study.tiny_layout(parameters.get("window", 1))
    network = module.Network(layout, parameters, tiny_study.CIM).eval()
    return layout.n_tokens, count_flops(network, torch.zeros(1, layout.n_snps))


@pytest.mark.parametrize("shape", [(1, 1, 50, 16), (3, 4, 70, 32)])
def test_attention_is_4_n_squared_d(shape):
    class Attention(torch.nn.Module):
        def forward(self, x):
            return plain_attention(x, x, x)

    batch, heads, n, d = shape
    assert count_flops(Attention(), torch.randn(shape)) == batch * heads * 4 * n * n * d


@pytest.mark.parametrize("layers", [1, 3])
def test_a_layer_of_the_transformer_in_closed_form(layers):
    n, one = forward_flops(transformer, **{**SIZE, "layers": 1})
    _, more = forward_flops(transformer, **{**SIZE, "layers": layers + 1})
    assert more - one == encoder_flops(n, D, HIDDEN, layers)


def test_turned_attention_meets_each_pair_of_tokens_once():
    shape = batch, heads, n, d = 2, 3, 150, 16
    rotation = Rotation(torch.rand(n) * 1e7, torch.arange(n) // 30, d)

    class Attention(torch.nn.Module):
        def forward(self, x):
            return prior_attention(x, x, x, (), rotation=rotation)

    assert count_flops(Attention(), torch.randn(shape)) == batch * heads * 4 * n * n * d


@pytest.mark.parametrize(("short_line", "per_column"), [(0, 4), (64, 2)])
def test_columns_added_for_the_cim_count(monkeypatch, short_line, per_column):
    """G columns a head: 2 n^2 each in the scores; as much again in values that are as wide."""
    monkeypatch.setattr(attention, "SHORT_LINE", short_line)
    n, plain = forward_flops(transformer, **SIZE)
    _, biased = forward_flops(csafm, **SIZE)
    columns = SIZE["layers"] * HEADS * len(tiny_study.CIM)
    assert biased - plain >= columns * per_column * n * n
    if short_line:  # no column is padded here
        assert biased - plain < columns * (per_column + 1) * n * n


@pytest.mark.parametrize(("module", "gates"), [(lstm, 4), (gru, 3)])
def test_recurrent_cells_count(module, gates):
    """2 per weight and token, gates x h x (inputs + h) weights a layer."""
    h = 5
    n, flops = forward_flops(module, tokens="snp", hidden=h, layers=2, dropout=0.0)
    assert flops == 2 * n * gates * h * ((1 + h) + (h + h)) + 2 * h


@pytest.fixture(scope="module")
def costs(tmp_path_factory):
    """The tiny study's Transformer and a wider one."""
    folder = tmp_path_factory.mktemp("costs")
    files = tiny_study.write_cohort(folder)
    large = {**SIZE, "feed_forward": 8_000_000 // D, "window": 13}  # its weights pass few tokens
    large["position"] = "rope_bp"  # a network that reads places
    blocks = [
        {**tiny_study.block("transformer", **SIZE), "label": "Transformer"},
        {**tiny_study.block("csafm", **large), "label": "CSAFM"},
    ]
    options = {name: files[name] for name in ("dosage", "variants", "cim")}
    return measure_costs(blocks, **options, threads=1)


@pytest.mark.slow
def test_each_network_is_measured_alone(costs):
    small, large = costs.to_dict("records")
    # Two layers of 16 M weights of 4 bytes are 122 MiB more; the peak is the network's own.
    assert large["peak_memory_mb"] > 100 > small["peak_memory_mb"] > 0
    assert large["parameters"] - small["parameters"] > 30e6
    assert small["ms_per_sample"] > 0 and small["device"] == "cpu"
    assert small["snps"] == len(tiny_study.CODES)
    assert small["n_tokens"] == tiny_study.tiny_layout(2).n_tokens


@pytest.mark.slow
def test_a_network_that_fails_is_named(tmp_path):
    files = tiny_study.write_cohort(tmp_path)
    block = {**tiny_study.block("transformer", **SIZE, depth=3), "label": "Odd one"}
    options = {name: files[name] for name in ("dosage", "variants", "cim")}
    with pytest.raises(RuntimeError, match=r"(?s)Odd one: .*depth"):
        measure_costs([block], **options, threads=1)


def test_table_3_has_the_papers_values_beside_and_flops_relative_to_the_transformer(root):
    costs = pd.DataFrame(
        {
            "name": ["transformer", "csafm"], "model": ["Transformer", "CSAFM"], "preset": "cpu",
            "parameters": [2_000_000, 3_000_000], "flops": [2e9, 5e9], "ms_per_sample": [1.0, 2.0],
            "peak_memory_mb": 10.0, "device": "cpu", "threads": 1, "n_tokens": 12, "snps": 23,
        }
    )  # fmt: skip
    paper = read_table(root / "resources/paper_tables.tsv")
    table = cost_table(costs, paper).set_index("model")
    assert list(table.relative_flops) == [1.0, 2.5]
    assert list(table.gflops) == [2.0, 5.0]
    # [C], Table 3.
    assert list(table.parameters_M_paper) == [15.0, 18.0]
    assert list(table.relative_flops_paper) == [1.0, 1.2]
    assert list(table.ms_per_sample_paper) == [5.0, 6.0]
    gau = costs[1:].assign(name="csafm_gau", model="CSAFM CIM+GAU")
    table = cost_table(pd.concat([costs, gau]), paper).set_index("model")
    assert table.parameters_M_paper["CSAFM CIM+GAU"] == 18.0
    assert np.isnan(table.parameters_M_paper["CSAFM"])
    alone = cost_table(costs[costs.name == "csafm"], paper)
    assert np.isnan(alone.relative_flops).all()
