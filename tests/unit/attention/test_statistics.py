"""Streamed statistics of attention against those of the dense attention matrix."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from soyfold.attention import statistics as module
from soyfold.attention.biased import attention_floors, attention_statistics, logit_spread


def dense_attention(q, k, H, chromosome, *, biased):
    scores = q @ k.transpose(-1, -2)
    if biased:
        scores = scores + q.sum(-1, keepdim=True) * H[..., chromosome[:, None], chromosome]
    return (scores / q.shape[-1] ** 0.5).softmax(-1)


def dense_statistics(A, H, chromosome):
    """[C] eq. 13 and 17 and the mass, from the whole matrix A (..., n, n)."""
    n, G = A.shape[-1], H.shape[-1]
    rows = H[..., chromosome[:, None], chromosome].expand_as(A)
    mass = torch.full((*A.shape[:-2], G, G), float("nan"), dtype=A.dtype)
    for a in chromosome.unique():
        mean_row = A[..., chromosome == a, :].mean(-2)
        for b in range(G):
            mass[..., a, b] = mean_row[..., chromosome == b].sum(-1)
    nae = torch.special.entr(A).sum(-1).mean(-1) / math.log(n)
    return nae, torch.cosine_similarity(A, rows, dim=-1).mean(-1), mass


def make_case(seed, *, n=17, d_k=4, G=4, per_head=False):
    rng = torch.Generator().manual_seed(seed)
    q, k = torch.randn(2, 2, 3, n, d_k, generator=rng, dtype=torch.float64)
    H = torch.rand(*((3, G, G) if per_head else (G, G)), generator=rng, dtype=torch.float64)
    return q, k, H, torch.randint(0, G, (n,), generator=rng)


def assert_statistics(q, k, H, chromosome, *, biased):
    found = attention_statistics(q, k, H, chromosome, biased=biased)
    A = dense_attention(q, k, H, chromosome, biased=biased)
    nae, aas, mass = dense_statistics(A, H, chromosome)
    H_mean = H.mean(0) if H.ndim == 3 else H
    nae_mean, aas_mean, _ = dense_statistics(A.mean(1), H_mean, chromosome)
    wanted = {
        "nae": nae,
        "aas": aas,
        "chromosome_mass": mass,
        "nae_headmean": nae_mean,
        "aas_headmean": aas_mean,
        "negative_coupling": (q.sum(-1) < 0).double().mean(-1),
    }
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        torch.testing.assert_close(found[name], value, rtol=0, atol=1e-10, equal_nan=True, msg=name)


@settings(max_examples=30)
@given(
    seed=st.integers(0, 2**31),
    n=st.integers(2, 20),
    G=st.integers(1, 5),
    per_head=st.booleans(),
    biased=st.booleans(),
    elements=st.sampled_from([1, 60, 500, 2**19]),
)
def test_equal_the_dense_statistics_at_any_chunk(seed, n, G, per_head, biased, elements):
    case = make_case(seed, n=n, G=G, per_head=per_head)
    before = module.CHUNK_ELEMENTS
    module.CHUNK_ELEMENTS = elements
    try:
        assert_statistics(*case, biased=biased)
    finally:
        module.CHUNK_ELEMENTS = before


def test_chunks_visit_every_row_once_and_stay_small():
    batch, n = 7, 100
    before = module.CHUNK_ELEMENTS
    module.CHUNK_ELEMENTS = 2 * n * 9
    try:
        seen = torch.zeros(batch, n)
        for b, i in module._chunks(batch, n):
            seen[b, i] += 1
            assert seen[b, i].numel() * n <= module.CHUNK_ELEMENTS
    finally:
        module.CHUNK_ELEMENTS = before
    assert (seen == 1).all()


def test_uniform_attention_has_entropy_one_and_the_uniform_floor():
    _, k, H, chromosome = make_case(0)
    found = attention_statistics(torch.zeros_like(k), k, H, chromosome, biased=True)
    floors = attention_floors(H, chromosome)
    torch.testing.assert_close(found["nae"], torch.ones_like(found["nae"]))
    torch.testing.assert_close(found["aas"], torch.full_like(found["aas"], floors["AAS_uniform"]))
    assert floors["NAE_uniform"] == 1


@pytest.mark.parametrize("strength", [1e2, 1e6])
def test_one_hot_attention_has_entropy_zero_even_at_huge_scores(strength):
    n = 16
    one_hot = torch.eye(n)[None, None] * strength
    found = attention_statistics(
        one_hot, one_hot, torch.ones(2, 2), torch.arange(n) % 2, biased=False
    )
    assert float(found["nae"]) == pytest.approx(0, abs=1e-6)
    # Cosine of a one-hot row with a constant one.
    assert float(found["aas"]) == pytest.approx(n**-0.5, rel=1e-6)


def test_attention_equal_to_the_normalised_cim_has_alignment_one():
    """Keys that give the logits ln H[c(i), c(j)] make each row proportional to H's."""
    G, n = 4, 12
    H = torch.rand(G, G, dtype=torch.float64) + 0.1
    chromosome = torch.arange(n) % G
    q = torch.nn.functional.one_hot(chromosome, G).double()[None, None]
    k = H.log().T[chromosome][None, None] * G**0.5
    found = attention_statistics(q, k, H, chromosome, biased=False)
    assert float(found["aas"]) == pytest.approx(1, abs=1e-12)
    assert float(found["aas_headmean"]) == pytest.approx(1, abs=1e-12)
    wanted = H / H.sum(1, keepdim=True)  # every chromosome has as many tokens
    torch.testing.assert_close(found["chromosome_mass"][0, 0], wanted)


def test_alignment_with_the_measured_cim_beside_that_with_the_learned():
    """Attention follows H; its alignment with another matrix is what a plain one's would be."""
    q, k, H, chromosome = make_case(8, per_head=True)
    measured = H[0].flip(0)
    found = attention_statistics(q, k, H, chromosome, biased=True, measured=measured)
    A = dense_attention(q, k, H, chromosome, biased=True)
    for end, attention, learned in (("", A, H), ("_headmean", A.mean(1), H.mean(0))):
        for name, matrix in (("aas", learned), ("aas_measured", measured)):
            wanted = dense_statistics(attention, matrix, chromosome)[1]
            torch.testing.assert_close(found[f"{name}{end}"], wanted, rtol=0, atol=1e-10)
    assert not torch.allclose(found["aas"], found["aas_measured"])


def test_floors_equal_the_dense_statistics_of_their_attentions():
    _, _, H, chromosome = make_case(3, n=30, per_head=True)
    floors = attention_floors(H, chromosome)
    n = len(chromosome)
    same = (chromosome[:, None] == chromosome).double()
    uniform, within = torch.full_like(same, 1 / n), same / same.sum(1, keepdim=True)
    for name, A in (("uniform", uniform), ("within_chromosome", within)):
        nae, aas, _ = dense_statistics(A.expand(len(H), n, n), H, chromosome)
        assert floors[f"NAE_{name}"] == pytest.approx(float(nae.mean()), abs=1e-12)
        assert floors[f"AAS_{name}"] == pytest.approx(float(aas.mean()), abs=1e-12)


def test_half_precision_is_computed_in_float32():
    q, k, H, chromosome = make_case(4)
    half = attention_statistics(q.bfloat16(), k.bfloat16(), H, chromosome, biased=True)
    same = attention_statistics(
        q.bfloat16().double(), k.bfloat16().double(), H.float(), chromosome, biased=True
    )
    assert half["nae"].dtype == torch.float32
    torch.testing.assert_close(half["nae"].double(), same["nae"], rtol=1e-5, atol=0)


@pytest.mark.parametrize("biased", [False, True])
def test_autocast_changes_nothing(biased):
    q, k, H, chromosome = (x.float() if x.is_floating_point() else x for x in make_case(7))
    wanted = attention_statistics(q, k, H, chromosome, biased=biased)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = attention_statistics(q, k, H, chromosome, biased=biased)
    for name, value in wanted.items():
        assert torch.equal(found[name], value), name


def test_undefined_is_nan_and_absent_chromosomes_hurt_nothing():
    q, k, H, _ = make_case(5, n=6)
    chromosome = torch.tensor([0, 0, 1, 1, 1, 2])  # none on 3
    found = attention_statistics(q, k, H, chromosome, biased=True)
    assert found["chromosome_mass"][..., 3, :].isnan().all()
    assert not found["chromosome_mass"][..., :3, :].isnan().any()
    assert not found["nae"].isnan().any()
    zero = attention_statistics(q, k, H * 0, chromosome, biased=True)
    assert zero["aas"].isnan().all()
    assert not zero["nae"].isnan().any()
    assert math.isfinite(attention_floors(H, chromosome)["AAS_uniform"])


def test_the_spread_of_logits_is_their_sd_over_keys_and_takes_half_its_square_of_the_entropy():
    q, k = torch.randn(2, 1, 3, 400, 16, dtype=torch.float64)
    k = k + 5  # the same for all keys: moves no attention
    scaled = q * 0.2 / 4
    logits = scaled @ k.mT
    found = logit_spread(scaled, k)
    wanted = logits.var(-1, correction=0).mean(-1).sqrt()
    torch.testing.assert_close(found, wanted, rtol=1e-10, atol=0)
    entropy = torch.special.entr(logits.softmax(-1)).sum(-1).mean(-1)
    torch.testing.assert_close(math.log(400) - entropy, found**2 / 2, rtol=0.05, atol=0)
    assert (logit_spread(scaled.bfloat16(), k.bfloat16()) / found - 1).abs().max() < 0.02


def test_wrong_shapes_are_named():
    q, k, H, chromosome = make_case(6)
    with pytest.raises(ValueError, match="q, k of shapes"):
        attention_statistics(q, k[:, :, 1:], H, chromosome, biased=True)
    with pytest.raises(ValueError, match="indices 0 to"):
        attention_statistics(q, k, H[:2, :2], chromosome, biased=True)
    with pytest.raises(ValueError, match="indices 0 to"):
        attention_statistics(q, k, H, chromosome, biased=True, measured=H[:2, :2])
    with pytest.raises(ValueError, match="H of shape"):
        attention_floors(H[0], chromosome)
