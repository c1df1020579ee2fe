"""CISEM's chromosome context against the double sum over tokens."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from soyfold.attention.biased import chromosome_context


@settings(max_examples=20)
@given(seed=st.integers(0, 2**31), n=st.integers(1, 15), G=st.integers(1, 5))
def test_chromosome_context_equals_the_double_sum(seed, n, G):
    rng = torch.Generator().manual_seed(seed)
    Y = torch.randn(2, n, 3, generator=rng, dtype=torch.float64, requires_grad=True)
    M = torch.randn(G, G, generator=rng, dtype=torch.float64, requires_grad=True)
    chromosome = torch.randint(0, G, (n,), generator=rng)

    results = []

    def dense(Y, M):
        pairs = M[chromosome[:, None], chromosome]
        return torch.einsum("bid,bjd,ij->bi", Y, Y, pairs)

    for function in (lambda Y, M: chromosome_context(Y, M, chromosome), dense):
        out = function(Y, M)
        results.append((out, *torch.autograd.grad(out.square().sum(), (Y, M))))
    for found, wanted in zip(*results, strict=True):
        torch.testing.assert_close(found, wanted, rtol=0, atol=1e-10)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_chromosome_context_sees_a_box_smaller_than_bfloat16_can(dtype):
    """M moves by 2e-4 around H, where neighbouring bfloat16 numbers are 4e-3 apart."""
    rng = torch.Generator().manual_seed(0)
    Y = torch.randn(2, 500, 8, generator=rng).to(dtype)
    M, chromosome = torch.full((4, 4), 0.9), torch.arange(500) % 4
    step = torch.zeros(4, 4)
    step[1, 2] = 2e-4
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = chromosome_context(Y, M, chromosome)
        moved = chromosome_context(Y.float(), M + step, chromosome)
        rest = chromosome_context(Y.float(), M, chromosome)
    wanted = chromosome_context(Y.double(), M.double(), chromosome)
    assert found.dtype == dtype
    torch.testing.assert_close(
        found, wanted.to(dtype), rtol=1e-4 if dtype.itemsize > 2 else 0.01, atol=1e-3
    )
    wanted_step = chromosome_context(Y.double(), step.double(), chromosome)
    torch.testing.assert_close((moved - rest).double(), wanted_step, rtol=0.1, atol=2e-4)


def test_chromosome_context_names_wrong_shapes():
    chromosome = torch.zeros(4, dtype=torch.int64)
    with pytest.raises(ValueError, match="Y of shape"):
        chromosome_context(torch.zeros(4, 3), torch.zeros(2, 2), chromosome)
    with pytest.raises(ValueError, match="M of shape"):
        chromosome_context(torch.zeros(1, 4, 3), torch.zeros(1, 2, 2), chromosome)
    with pytest.raises(ValueError, match="chromosome of shape"):
        chromosome_context(torch.zeros(1, 5, 3), torch.zeros(2, 2), chromosome)
