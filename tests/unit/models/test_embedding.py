"""From dosages to tokens: the embeddings against their literal sums."""

import numpy as np
import pytest
import torch
from tiny_study import standardised, tiny_layout

from soyfold.models import embedding
from soyfold.models.declarations import declaration


def embed(kind, width, g, position="learned"):
    torch.manual_seed(1)
    own = {"d_model": 6, "embedding": kind, "position": position}
    parameters = {**declaration("embedding").defaults, **own}
    layer = embedding.Embedding(tiny_layout(width), parameters)
    return layer, layer(g)


@pytest.mark.parametrize("width", [1, 4, 50])
def test_locus_scaled_equals_the_literal_sum(width):
    g, layout = standardised(3), tiny_layout(width)
    layer, x = embed("locus_scaled", width, g)
    for t in range(layout.n_tokens):
        inside = np.flatnonzero(layout.token == t)
        expected = sum(g[:, [i]] * layer.locus[i] for i in inside) + layer.position[t]
        torch.testing.assert_close(x[:, t], expected)


@pytest.mark.parametrize("width", [1, 4])
def test_dosage_table_looks_dosages_up(width):
    dosage = torch.randint(0, 3, (3, tiny_layout().n_snps)).float()
    centre, scale = torch.rand(dosage.shape[1]) * 2, torch.tensor(0.7)
    layout = tiny_layout(width)
    layer, _ = embed("dosage_table", width, dosage, position="none")
    layer.use_scaler(centre, scale)
    x = layer((dosage - centre) / scale)
    for t in range(layout.n_tokens):
        inside = np.flatnonzero(layout.token == t)
        expected = layer.table[dosage[:, inside].long()].sum(1)
        torch.testing.assert_close(x[:, t], expected, atol=1e-5, rtol=1e-5)


def test_sinusoidal_positions_follow_vaswani():
    table = embedding.sinusoidal_positions(5, 6)
    assert table[3, 2] == pytest.approx(np.sin(3 / 10000 ** (2 / 6)), abs=1e-6)
    assert table[3, 3] == pytest.approx(np.cos(3 / 10000 ** (2 / 6)), abs=1e-6)
