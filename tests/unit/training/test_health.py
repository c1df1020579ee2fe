"""When attention says nothing: the rule in both directions, on attention made for the purpose."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from soyfold.attention.biased import attention_floors, attention_statistics
from soyfold.common.files import write_table
from soyfold.training.health import is_uniform, read_figures

G, N = 5, 300
CHROMOSOME = torch.arange(N) * G // N


def figures_of(q, k, H):
    """NAE, AAS and floors of softmax(q k' / sqrt(d)), as a fit writes them."""
    found = attention_statistics(q, k, H, CHROMOSOME, biased=False)
    floors = attention_floors(H, CHROMOSOME)
    return {"NAE": float(found["nae"].mean()), "AAS": float(found["aas"].mean())} | floors


def contacts(least):
    """Symmetric, 1 on the diagonal and from `least` to 1 elsewhere."""
    H = torch.rand(G, G, generator=torch.Generator().manual_seed(3)) * (1 - least) + least
    H = (H + H.T) / 2
    return H.fill_diagonal_(1.0)


def noise(sd, d=8):
    """q, k whose logits have this sd over the keys."""
    q, k = torch.randn(2, 1, 2, N, d, generator=torch.Generator().manual_seed(1))
    return q * sd, k


@pytest.mark.parametrize("sd", [0.0, 0.05, 0.34])
def test_attention_of_small_logits_is_uniform(sd):
    figures = figures_of(*noise(sd), contacts(0.1))
    assert figures["NAE"] > 0.98
    assert is_uniform(figures)


@pytest.mark.parametrize("sd", [2.0, 10.0])
def test_attention_that_chooses_tokens_is_not(sd):
    assert not is_uniform(figures_of(*noise(sd), contacts(0.1)))


@pytest.mark.parametrize("least", [0.05, 0.5])
def test_attention_in_proportion_to_contacts_is_not_however_even_they_are(least):
    H = contacts(least)
    q = torch.nn.functional.one_hot(CHROMOSOME, G).float()[None, None]
    k = H.log().T[CHROMOSOME][None, None] * G**0.5
    figures = figures_of(q, k, H)
    assert figures["AAS"] == pytest.approx(1, abs=1e-5)
    assert figures["NAE"] > 0.9
    assert not is_uniform(figures)
    # A hundredth of that is as good as nothing.
    assert is_uniform(figures_of(q * 0.01, k, H))


@given(nae=st.floats(0, 1), aas=st.floats(0, 1), floor=st.floats(0, 0.99))
def test_the_rule_is_as_stated(nae, aas, floor):
    figures = {"NAE": nae, "AAS": aas, "NAE_uniform": 1.0, "AAS_uniform": floor}
    assert is_uniform(figures) == (nae >= 0.9 and (aas - floor) / (1 - floor) <= 0.1)
    assert is_uniform({**figures, "AAS": math.nan}) == (nae >= 0.9)


def test_without_attention_there_is_nothing_to_say():
    assert not is_uniform({})
    assert not is_uniform(pd.Series({"PCC": 0.5, "NAE": np.nan}))


def test_figures_are_means_over_fits_of_what_they_say_of_lines(tmp_path):
    for seed, value in enumerate((0.8, 1.0)):
        rows = [("test", "NAE", value), (None, "parameters", 7.0)]
        table = pd.DataFrame(rows, columns=["part", "metric", "value"])
        write_table(table, tmp_path / f"{seed}.tsv")
    assert read_figures(sorted(tmp_path.iterdir())) == {"NAE": pytest.approx(0.9)}
