"""RoPE on base pairs, within a chromosome alone: every form against literal n x n scores."""

from itertools import chain, combinations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from soyfold.attention import priors, turned
from soyfold.attention.biased import attention_statistics, prior_attention
from soyfold.attention.turned import Rotation

FORMS = ("dense", "parted", "wide", "auto")
KINDS = ("keys", "direct", "weights", "shares")
SUBSETS = list(chain.from_iterable(combinations(KINDS, r) for r in range(len(KINDS) + 1)))
UNIT = 1e4


def make_case(seed, *, n=29, d_k=6, G=4, batch=2, heads=3):
    rng = torch.Generator().manual_seed(seed)
    options = {"generator": rng, "dtype": torch.float64}
    q, k, v = (torch.randn(batch, heads, n, d_k, **options).requires_grad_() for _ in range(3))
    H = torch.randn(G, G, **options).requires_grad_()
    chromosome = torch.randint(0, G, (n,), generator=rng)
    position = (torch.rand(n, **options) * 6e7).floor()
    return q, k, v, H, chromosome, position


def turned_literally(x, position):
    """RoPE as complex numbers: columns p and p + d / 2 are one, times e^(i angle_p)."""
    half = x.shape[-1] // 2
    angles = position[:, None] / UNIT / 10000 ** (2 * torch.arange(half).double() / x.shape[-1])
    turn = torch.polar(torch.ones_like(angles), angles)
    number = torch.complex(x[..., :half], x[..., half:]) * turn
    return torch.cat([number.real, number.imag], -1)


def known_beforehand(kinds, H, chromosome):
    """Priors of these kinds, and what they add to the scores before scaling, in full."""
    n, G = len(chromosome), len(H)
    other = torch.arange(n) % 3
    table = torch.linspace(0.5, 2, 9, dtype=H.dtype).reshape(3, 3)
    shares = torch.linspace(0, 1, n * G, dtype=H.dtype).sin().abs().reshape(n, G) + 0.1
    shares = shares / shares.sum(1, keepdim=True)
    beta = torch.tensor([0.3, 1.0, 2.0], dtype=H.dtype)[:, None, None]
    pairs = H[chromosome[:, None], chromosome]
    made = {
        "keys": priors.ChromosomeOnKeys(H, chromosome),
        "direct": priors.ChromosomeDirect(H, chromosome, beta),
        "weights": priors.GroupWeights(table, other),
        "shares": priors.SharesOnKeys(H, shares),
    }
    added = {
        "keys": lambda q: q.sum(-1, keepdim=True) * pairs,
        "direct": lambda q: beta * pairs * q.shape[-1] ** 0.5,
        "weights": lambda q: table[other[:, None], other].log() * q.shape[-1] ** 0.5,
        "shares": lambda q: q.sum(-1, keepdim=True) * (shares @ H @ shares.T),
    }
    return [made[kind] for kind in kinds], [added[kind] for kind in kinds]


def literal_attention(q, k, v, added, chromosome, position):
    scores = torch.einsum("bhid,bhjd->bhij", q, k)
    within = turned_literally(q, position) @ turned_literally(k, position).mT
    scores = torch.where(chromosome[:, None] == chromosome, within, scores)
    scores = scores + sum(term(q) for term in added)
    return (scores / q.shape[-1] ** 0.5).softmax(-1)


def engine(monkeypatch, form):
    if form == "wide":
        monkeypatch.setattr(turned._Parted, "apply", turned._in_wide_blocks)
        form = "parted"
    return lambda *x, rotation: prior_attention(*x, form=form, rotation=rotation)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kinds", SUBSETS, ids="+".join)
def test_with_any_priors_equals_the_literal_scores_in_value_and_gradients(monkeypatch, kinds, form):
    q, k, v, H, chromosome, position = make_case(len(kinds))
    known, added = known_beforehand(kinds, H, chromosome)
    rotation = Rotation(position, chromosome, q.shape[-1], unit=UNIT)
    found = engine(monkeypatch, form)(q, k, v, known, rotation=rotation)
    wanted = literal_attention(q, k, v, added, chromosome, position) @ v
    weight = torch.linspace(-1, 1, found.numel(), dtype=found.dtype).reshape(found.shape).sin()
    inputs = (q, k, v, H) if set(kinds) - {"weights"} else (q, k, v)
    pairs = [(out, *torch.autograd.grad((out * weight).sum(), inputs)) for out in (found, wanted)]
    for a, b in zip(*pairs, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-10)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    n=st.integers(1, 140),
    half=st.integers(1, 9),
    G=st.integers(1, 6),
    in_order=st.booleans(),
)
def test_any_shape_equals_the_literal_scores(seed, n, half, G, in_order):
    """One token a chromosome, one chromosome, and chromosomes without tokens are among these."""
    q, k, v, H, chromosome, position = make_case(seed, n=n, d_k=2 * half, G=G)
    chromosome = chromosome.sort().values if in_order else chromosome
    known, added = known_beforehand(["keys"], H, chromosome)
    rotation = Rotation(position, chromosome, 2 * half, unit=UNIT)
    wanted = literal_attention(q, k, v, added, chromosome, position) @ v
    for form in ("parted", "auto"):
        found = prior_attention(q, k, v, known, form=form, rotation=rotation)
        torch.testing.assert_close(found, wanted, rtol=0, atol=1e-10)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31), shift=st.floats(-5e7, 5e7))
def test_only_distances_on_a_chromosome_matter(seed, shift):
    q, k, v, _, chromosome, position = make_case(seed)
    moved = position + torch.where(chromosome == 1, shift, 0.0)
    outs = [
        prior_attention(q, k, v, [], form="parted", rotation=Rotation(at, chromosome, 6, unit=UNIT))
        for at in (position, moved)
    ]
    torch.testing.assert_close(*outs, rtol=0, atol=1e-9)


def test_a_product_depends_on_the_distance_alone_and_keeps_its_length():
    x, y = torch.randn(2, 1, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    at = torch.tensor([0.0, 3e6, 5e7, 5.3e7], dtype=torch.float64)
    rotation = Rotation(at, torch.zeros(4, dtype=torch.int64), 8, unit=UNIT)
    of_x, of_y = rotation(x.expand(4, 8)), rotation(y.expand(4, 8))
    torch.testing.assert_close(of_x[0] @ of_y[1], of_x[2] @ of_y[3], rtol=0, atol=1e-9)
    assert abs(of_x[0] @ of_y[1] - of_x[0] @ of_y[0]) > 1e-3  # it does depend on it
    torch.testing.assert_close(of_x.norm(dim=-1), x.norm().expand(4))


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**31), form=st.sampled_from(["dense", "parted"]))
def test_permuted_tokens_permute_outputs(seed, form):
    q, k, v, H, chromosome, position = make_case(seed)
    order = torch.randperm(q.shape[2], generator=torch.Generator().manual_seed(seed))

    def attend(q, k, v, chromosome, position):
        rotation = Rotation(position, chromosome, 6, unit=UNIT)
        known = [priors.ChromosomeOnKeys(H, chromosome)]
        return prior_attention(q, k, v, known, form=form, rotation=rotation)

    moved = attend(*(x[:, :, order] for x in (q, k, v)), chromosome[order], position[order])
    wanted = attend(q, k, v, chromosome, position)[:, :, order]
    torch.testing.assert_close(moved, wanted, rtol=0, atol=1e-10)


def test_one_place_a_chromosome_is_plain_attention():
    q, k, v, H, chromosome, _ = make_case(4)
    rotation = Rotation(chromosome.double() * 7e6, chromosome, 6, unit=UNIT)
    known = [priors.ChromosomeOnKeys(H, chromosome)]
    found = prior_attention(q, k, v, known, form="parted", rotation=rotation)
    torch.testing.assert_close(found, prior_attention(q, k, v, known), rtol=0, atol=1e-10)


@pytest.mark.parametrize("biased", [True, False])
def test_statistics_are_of_the_turned_attention(biased):
    q, k, v, H, chromosome, position = make_case(5, n=40)
    rotation = Rotation(position, chromosome, 6, unit=UNIT)
    _, added = known_beforehand(["keys"] if biased else [], H, chromosome)
    attention = literal_attention(q, k, v, added, chromosome, position)
    found = attention_statistics(q, k, H, chromosome, biased=biased, rotation=rotation)
    entropy = -(attention * attention.log()).sum(-1).mean(-1)
    torch.testing.assert_close(found["nae"], (entropy / torch.tensor(40.0).log()).detach())
    cosine = torch.cosine_similarity(attention, H[chromosome[:, None], chromosome], dim=-1)
    torch.testing.assert_close(found["aas"], cosine.mean(-1).detach())


def test_half_precision_loses_little_more_than_plain_attention_does():
    *tensors, H, chromosome, position = make_case(6, n=96, d_k=8)
    half = [x.detach().bfloat16() for x in tensors]
    rotation = Rotation(position, chromosome, 8, unit=UNIT)
    for options in ({"rotation": rotation}, {}):
        known = [priors.ChromosomeOnKeys(H, chromosome)]
        wanted = prior_attention(*tensors, known, **options)
        found = prior_attention(*half, known, **options)
        assert found.dtype == torch.bfloat16
        assert (found.double() - wanted).norm() / wanted.norm() < 0.02


def test_what_does_not_fit_is_refused():
    q, k, v, _, chromosome, position = make_case(7)
    with pytest.raises(ValueError, match="even"):
        Rotation(position, chromosome, 5)
    rotation = Rotation(position, chromosome, 6)
    with pytest.raises(ValueError, match="auto, dense, parted"):
        prior_attention(q, k, v, [], form="augmented", rotation=rotation)
    with pytest.raises(ValueError, match="dropout_p"):
        prior_attention(q, k, v, [], dropout_p=0.1, rotation=rotation)
