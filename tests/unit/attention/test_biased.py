"""Attention with a chromosome prior against the literal n x n x d_k tensor."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from soyfold.attention import blocks, priors, sharing
from soyfold.attention.biased import _choose_form as choose_form
from soyfold.attention.biased import (
    biased_attention,
    plain_attention,
    prior_attention,
)

FORMS = ("augmented", "blocked", "dense", "auto")


def literal_attention(q, k, v, H, chromosome):
    """[C] eq. 1 as printed: b_ij = H[c(i), c(j)] * 1_dk is added to the key, in full."""
    b = H[..., chromosome[:, None], chromosome[None, :]]
    b = b[..., None].expand(*b.shape, q.shape[-1])
    keys = k[:, :, None] + b
    scores = torch.einsum("bhid,bhijd->bhij", q, keys) / q.shape[-1] ** 0.5
    return scores.softmax(-1) @ v


def make_case(seed, *, n=23, d_k=5, G=4, per_head=False, batch=2, heads=3):
    rng = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(*shape, generator=rng, dtype=torch.float64).requires_grad_()

    q, k, v = (normal(batch, heads, n, d_k) for _ in range(3))
    H = normal(*((heads, G, G) if per_head else (G, G)))
    return q, k, v, H, torch.randint(0, G, (n,), generator=rng)


def value_and_gradients(function, q, k, v, H, chromosome):
    out = function(q, k, v, H, chromosome)
    weight = torch.linspace(-1, 1, out.numel(), dtype=out.dtype).reshape(out.shape).sin()
    return out, *torch.autograd.grad((out * weight).sum(), (q, k, v, H))


def assert_equal(found, wanted):
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-10)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("per_head", [False, True])
@pytest.mark.parametrize("d_k", [1, 4, 8, 17, 32])
def test_equals_the_literal_form_in_value_and_gradients(form, per_head, d_k):
    case = make_case(d_k, d_k=d_k, per_head=per_head)
    found = value_and_gradients(lambda *x: biased_attention(*x, form=form), *case)
    for a, b in zip(found, value_and_gradients(literal_attention, *case), strict=True):
        assert_equal(a, b)


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**31),
    n=st.integers(1, 20),
    d_k=st.integers(1, 9),
    G=st.integers(1, 6),
    per_head=st.booleans(),
    form=st.sampled_from(FORMS),
    in_order=st.booleans(),
)
def test_any_shape_equals_the_literal_form(seed, n, d_k, G, per_head, form, in_order):
    """Chromosomes without tokens and single tokens are among these cases."""
    *case, chromosome = make_case(seed, n=n, d_k=d_k, G=G, per_head=per_head)
    case.append(chromosome.sort().values if in_order else chromosome)
    found = value_and_gradients(lambda *x: biased_attention(*x, form=form), *case)
    for a, b in zip(found, value_and_gradients(literal_attention, *case), strict=True):
        assert_equal(a, b)


@settings(max_examples=15)
@given(seed=st.integers(0, 2**31), form=st.sampled_from(FORMS))
def test_a_prior_constant_along_rows_is_plain_attention(seed, form):
    q, k, v, H, chromosome = make_case(seed)
    plain = torch.nn.functional.scaled_dot_product_attention(q, k, v)
    constant = H[:, :1].expand_as(H)
    assert_equal(biased_attention(q, k, v, constant, chromosome, form=form), plain)
    assert_equal(biased_attention(q, k, v, H * 0, chromosome, form=form), plain)
    assert_equal(plain_attention(q, k, v), plain)


@settings(max_examples=15)
@given(seed=st.integers(0, 2**31), form=st.sampled_from(FORMS))
def test_permuted_tokens_permute_outputs(seed, form):
    q, k, v, H, chromosome = make_case(seed)
    order = torch.randperm(q.shape[2], generator=torch.Generator().manual_seed(seed))
    moved = (x[:, :, order] for x in (q, k, v))
    assert_equal(
        biased_attention(*moved, H, chromosome[order], form=form),
        biased_attention(q, k, v, H, chromosome, form=form)[:, :, order],
    )


@settings(max_examples=15)
@given(seed=st.integers(0, 2**31), per_head=st.booleans(), form=st.sampled_from(FORMS))
def test_names_of_chromosomes_do_not_matter(seed, per_head, form):
    q, k, v, H, chromosome = make_case(seed, per_head=per_head)
    new_name = torch.randperm(H.shape[-1], generator=torch.Generator().manual_seed(seed))
    old_name = torch.argsort(new_name)
    assert_equal(
        biased_attention(
            q, k, v, H[..., old_name, :][..., old_name], new_name[chromosome], form=form
        ),
        biased_attention(q, k, v, H, chromosome, form=form),
    )


def test_a_larger_contact_draws_attention_where_the_query_sum_is_positive():
    """[C] lemma 1: order-preserving for s_i > 0, turned round for s_i < 0."""
    chromosome = torch.tensor([0, 1, 2])
    H = torch.tensor([[0.0, 0.2, 0.9]] * 3)
    q = torch.ones(1, 1, 3, 4)
    k, v = torch.zeros(1, 1, 3, 4), torch.eye(3, 4)[None, None]
    weights = biased_attention(q, k, v, H, chromosome)[0, 0, 0, :3]
    assert weights.tolist() == sorted(weights.tolist())
    turned = biased_attention(-q, k, v, H, chromosome)[0, 0, 0, :3]
    assert turned.tolist() == sorted(turned.tolist(), reverse=True)


@pytest.mark.parametrize("form", FORMS)
def test_direct_prior_adds_beta_times_h_to_the_logit(form):
    q, k, v, H, chromosome = make_case(1, n=40)
    beta = torch.tensor([0.0, 0.7, 2.0], dtype=torch.float64, requires_grad=True)

    def engine(q, k, v, H, beta):
        prior = priors.ChromosomeDirect(H, chromosome, beta)
        return prior_attention(q, k, v, [prior], form=form)

    def dense(q, k, v, H, beta):
        logits = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
        pairs = H[chromosome[:, None], chromosome]
        return (logits + beta[:, None, None] * pairs).softmax(-1) @ v

    inputs = (q, k, v, H, beta)
    for a, b in zip(
        value_and_gradients_of(engine, inputs), value_and_gradients_of(dense, inputs), strict=True
    ):
        assert_equal(a, b)


def value_and_gradients_of(function, inputs):
    out = function(*inputs)
    return out, *torch.autograd.grad(out.square().sum(), inputs)


def test_priors_add_up_and_any_factors_will_do():
    class Distance:
        """-(x_i - x_j)^2 up to a row constant: 2 x_i x_j - x_j^2."""

        def __init__(self, x):
            self.x = x

        def query_columns(self, q):
            return torch.stack([2 * self.x, torch.ones_like(self.x)], -1)

        def key_columns(self, k):
            return torch.stack([self.x, -(self.x**2)], -1)

    q, k, v, H, chromosome = make_case(2)
    x = torch.linspace(0, 1, q.shape[2], dtype=q.dtype)
    both = [priors.ChromosomeOnKeys(H, chromosome), Distance(x)]
    scores = q @ k.transpose(-1, -2) + q.sum(-1, keepdim=True) * H[chromosome[:, None], chromosome]
    scores = scores - (x[:, None] - x) ** 2
    wanted = (scores / q.shape[-1] ** 0.5).softmax(-1) @ v
    assert_equal(prior_attention(q, k, v, both), wanted)
    with pytest.raises(ValueError, match="exactly one GroupPrior"):
        prior_attention(q, k, v, both, form="blocked")


def relative_errors(found, wanted):
    """||found - wanted|| / ||wanted||, for a value and each of its gradients."""
    pairs = zip(found, wanted, strict=True)
    return torch.stack([(a.double() - b).norm() / b.norm() for a, b in pairs])


def under_autocast(function):
    def call(*inputs):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return function(*inputs)

    return call


@pytest.mark.parametrize("form", ["augmented", "blocked"])
@pytest.mark.parametrize("per_head", [False, True])
@pytest.mark.parametrize("mode", ["tensors", "autocast"])
@pytest.mark.parametrize(("n", "d_k"), [(96, 8), (300, 32)])
def test_bfloat16_loses_little_more_than_plain_attention_does(form, per_head, mode, n, d_k):
    q, k, v, H, chromosome = make_case(3, n=n, d_k=d_k, G=20, per_head=per_head)
    H = H.detach().sigmoid().requires_grad_()

    def biased(q, k, v, H, chromosome):
        return biased_attention(q, k, v, H, chromosome, form=form)

    def plain(q, k, v, H, chromosome):
        return plain_attention(q, k, v) + 0 * H.sum().to(q.dtype)

    low = torch.bfloat16 if mode == "tensors" else torch.float32
    rounded = [x.detach().to(low).requires_grad_() for x in (q, k, v)]
    rounded += [H.detach().float().requires_grad_(), chromosome]
    errors = {}
    for name, function in (("biased", biased), ("plain", plain)):
        wanted = value_and_gradients(function, q, k, v, H, chromosome)
        in_mode = function if mode == "tensors" else under_autocast(function)
        found = value_and_gradients(in_mode, *rounded)
        assert found[0].dtype == torch.bfloat16
        assert found[4].dtype == torch.float32
        errors[name] = relative_errors(found, wanted)
    assert errors["biased"].max() < 0.015
    assert (errors["biased"][:4] < 2 * errors["plain"][:4]).all()


def test_auto_in_bfloat16_takes_h_in_float32():
    q, k, v, H, chromosome = make_case(3, n=64, d_k=8)
    half = (x.detach().bfloat16() for x in (q, k, v))
    found = biased_attention(*half, H.float(), chromosome)
    assert found.dtype == torch.bfloat16
    wanted = biased_attention(q, k, v, H, chromosome)
    torch.testing.assert_close(found.double(), wanted, rtol=0, atol=0.05)


@pytest.mark.parametrize("per_head", [False, True])
@pytest.mark.parametrize("columns", [0, 1, 3, 8])
def test_blocks_of_any_number_of_groups_give_the_same(monkeypatch, columns, per_head):
    case = make_case(5, d_k=16, G=7, per_head=per_head)
    wanted = value_and_gradients(literal_attention, *case)
    monkeypatch.setattr(blocks, "choose_columns", lambda *shape: (columns, 1.0))
    found = value_and_gradients(lambda *x: biased_attention(*x, form="blocked"), *case)
    for a, b in zip(found, wanted, strict=True):
        assert_equal(a, b)


def test_blocked_keeps_the_keys_of_no_block():
    """What is kept for the backward pass doesn't grow with the number of groups."""

    def kept(G):
        q, k, v, H, _ = make_case(5, n=200, d_k=16, G=G, batch=1)
        seen = {}

        def keep(x):
            seen[x.untyped_storage().data_ptr()] = x.untyped_storage().nbytes()
            return x

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda x: x):
            out = biased_attention(q, k, v, H, torch.arange(200) * G // 200, form="blocked")
        return sum(seen.values()) / (out.numel() * out.element_size())

    assert kept(40) < kept(2) + 5  # in multiples of q; the keys of 40 blocks would be 40
    assert kept(2) < 8


@pytest.mark.parametrize("slice_elements", [1, 2**17])
def test_threads_and_slices_change_no_digit(monkeypatch, slice_elements):
    case = make_case(6, n=90, d_k=16, G=5, batch=2, heads=4)
    one = value_and_gradients(lambda *x: biased_attention(*x, form="blocked"), *case)
    monkeypatch.setattr(sharing, "SLICE_ELEMENTS", slice_elements)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        many = value_and_gradients(lambda *x: biased_attention(*x, form="blocked"), *case)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
    for a, b in zip(one, many, strict=True):
        assert torch.equal(a, b)


def test_shared_out_work_keeps_its_order_and_its_errors():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        assert sharing.share_out(lambda x: x * x, range(7)) == [x * x for x in range(7)]
        threads = set(sharing.share_out(lambda x: torch.get_num_threads(), range(3)))
        assert threads == {1}
        with pytest.raises(ZeroDivisionError):
            sharing.share_out(lambda x: 1 // x, [1, 0])
    finally:
        torch.set_num_threads(before)


def test_dropout_is_augmented_attentions_and_keeps_the_mean():
    q, k, v, H, chromosome = make_case(4, batch=1, n=12)
    torch.manual_seed(0)
    draws = [biased_attention(q, k, v, H, chromosome, dropout_p=0.3).detach() for _ in range(600)]
    wanted = biased_attention(q, k, v, H, chromosome).detach()
    torch.testing.assert_close(torch.stack(draws).mean(0), wanted, rtol=0, atol=0.25)
    assert (draws[0] - wanted).abs().max() > 0.01
    for form in ("blocked", "dense"):
        with pytest.raises(ValueError, match=f"form '{form}' with dropout_p 0.3; allowed: 0"):
            biased_attention(q, k, v, H, chromosome, form=form, dropout_p=0.3)


def test_auto_follows_its_rule(monkeypatch):
    def columns_of(n, d_k):
        prior = priors.ChromosomeOnKeys(torch.zeros(20, 20), torch.zeros(n, dtype=torch.int64))
        return blocks.choose_columns(prior, d_k, n, torch.device("cpu"))[0]

    def form(n, d_k, G=20):
        q = torch.empty(1, 8, n, d_k)
        chromosome = torch.zeros(n, dtype=torch.int64)
        return choose_form(q, [priors.ChromosomeOnKeys(torch.zeros(G, G), chromosome)])

    for vectors in ("AVX2", "AVX512"):
        monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda v=vectors: v)
        assert form(4096, 8) == form(4096, 16) == form(4096, 32) == "blocked"
        assert form(70, 8) == form(70, 16) == "augmented"
        # A block that costs more is larger, and is worth a wider call sooner.
        columns = [columns_of(n, 32) for n in (500, 1024, 4096, 2**17)]
        assert columns == sorted(columns, reverse=True) and columns[-1] == 0
        assert columns_of(300, 8) == 8  # columns of the width that are there anyway
    assert form(64, 8) == form(42, 16) == "dense"
    assert choose_form(torch.empty(1, 8, 4096, 8), []) == "augmented"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"k": torch.zeros(2, 3, 7, 5)}, "q, k, v of shapes"),
        ({"H": torch.zeros(4, 3)}, r"H of shape \(4, 3\); allowed: \(G, G\)"),
        ({"H": torch.zeros(2, 4, 4)}, "H for 2 heads; q has 3"),
        ({"chromosome": torch.zeros(7, dtype=torch.int64)}, r"allowed: \(6,\)"),
        ({"chromosome": torch.zeros(6)}, "allowed: torch.int64"),
        ({"chromosome": torch.full((6,), 4)}, "indices 4 to 4; allowed: 0 to 3"),
        ({"chromosome": torch.full((6,), -1)}, "indices -1 to -1"),
        ({"form": "naive"}, "form 'naive'; allowed: auto, augmented, blocked, dense"),
    ],
)
def test_wrong_shapes_are_named(change, message):
    x = torch.zeros(2, 3, 6, 5)
    call = {"q": x, "k": x, "v": x, "H": torch.zeros(4, 4), "form": "auto"}
    call["chromosome"] = torch.zeros(6, dtype=torch.int64)
    with pytest.raises(ValueError, match=message):
        biased_attention(**{**call, **change})
