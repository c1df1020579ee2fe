"""Attention with a prior over pairs of chromosomes, exact; without an n x n matrix of long lines.

Implements eq. 1-2 (CSAFM) and eq. 7 (CISEM's chromosome context) of Chen et al. 2026,
doi:10.62762/CJIF.2025.226807. The statistics eq. 13 and 17 are re-exported.
"""

import torch
from torch.nn.functional import pad, scaled_dot_product_attention

from soyfold.attention_statistics import attention_floors, attention_statistics
from soyfold.priors import ChromosomeOnKeys, GroupPrior, at_least_float32, check_groups

__all__ = [
    "attention_floors",
    "attention_statistics",
    "biased_attention",
    "chromosome_context",
    "plain_attention",
    "prior_attention",
]

FORMS = ("auto", "augmented", "blocked", "dense")
SHORT_LINE = 64  # tokens up to which a CPU is quickest with the n x n scores themselves


def _kernel_width(width, device):
    """Width at which the fused kernel is fastest: zero columns change no score.

    On a CPU, 16 columns take 2/3 of the time of 4 or 8, and multiples of 8 beat what lies between;
    CUDA kernels want multiples of 8.
    """
    floor = 16 if device.type == "cpu" else 8
    return max(floor, -(-width // 8) * 8)


def _widen(x, width):
    return x if x.shape[-1] == width else pad(x, (0, width - x.shape[-1]))


def plain_attention(q, k, v, *, dropout_p=0.0):
    """Softmax(q k^T / sqrt(d_k)) v in one fused call, at the width that the kernel likes best.

    Parameters
    ----------
    q, k, v : Tensor (batch, heads, n, d_k)
    dropout_p : float
        Dropout on the attention; above 0 a CPU leaves the fused kernel.

    Returns
    -------
    Tensor (batch, heads, n, d_k)
    """
    return prior_attention(q, k, v, (), dropout_p=dropout_p)


def _augmented(q, k, v, priors, dropout_p):
    """One call, the priors' factors concatenated to q and k; v gets zeros (equal widths fuse)."""
    d_k = q.shape[-1]
    lead = q.shape[:-1]
    q_columns = [prior.query_columns(q) for prior in priors]
    k_columns = [prior.key_columns(k) for prior in priors]
    width = _kernel_width(d_k + sum(c.shape[-1] for c in q_columns), q.device)
    if priors:
        q = torch.cat([q, *(c.expand(*lead, c.shape[-1]) for c in q_columns)], -1)
        k = torch.cat([k, *(c.expand(*lead, c.shape[-1]) for c in k_columns)], -1)
    out = scaled_dot_product_attention(
        _widen(q, width), _widen(k, width), _widen(v, width), scale=d_k**-0.5, dropout_p=dropout_p
    )
    return out[..., :d_k]


class _KeyBuffer:
    """Memory for the keys of one group at a time.

    Freed and allocated anew, the keys of G groups leave holes in the heap that other tensors break
    up: three times the memory at n = 4096.

    Parameters
    ----------
    k : Tensor (batch, heads, n, d)
    u : Tensor (d,)
    """

    def __init__(self, k, u):
        self.k, self.u = k.detach(), u
        self.memory = torch.empty(k.shape, dtype=k.dtype, device=k.device)

    def write(self, row):
        """Keys as one group sees them, row[j] * u added to key j; half precision rounds once."""
        torch.add(self.k, row[..., None] * self.u, out=self.memory)
        return self.memory.detach()

    def rewritten(self, row):
        """Context in which autograd keeps `row` for keys that it saves, and writes them anew."""

        memory = self.memory

        def pack(tensor):
            if tensor.untyped_storage().data_ptr() != memory.untyped_storage().data_ptr():
                return tensor
            same = tensor.shape == memory.shape and tensor.stride() == memory.stride()
            return None if same else tensor.clone()  # the next group overwrites the memory

        def unpack(tensor):
            return self.write(row) if tensor is None else tensor

        return torch.autograd.graph.saved_tensors_hooks(pack, unpack)


class _GroupKeys(torch.autograd.Function):
    """`_KeyBuffer.write`, differentiable in k and in row (n,) or (heads, n)."""

    @staticmethod
    def forward(ctx, k, row, buffer):
        ctx.repeated = tuple(range(k.ndim - 1 - row.ndim))
        ctx.u = buffer.u.to(row.dtype)
        return buffer.write(row)

    @staticmethod
    def backward(ctx, grad):
        return grad, grad.sum(ctx.repeated, dtype=ctx.u.dtype) @ ctx.u, None


def _blocked(q, k, v, prior, dropout_p):
    """One call per group of queries, each with the keys that this group sees."""
    d_k = q.shape[-1]
    q, u = prior.block_form(q)
    width = _kernel_width(q.shape[-1], q.device)
    q, k, v, u = (_widen(x, width) for x in (q, k, v, u))
    # Only the queries must lie together; tokens in genome order do already, and need no copy.
    order = None if (prior.group.diff() >= 0).all() else torch.argsort(prior.group, stable=True)
    queries = q if order is None else q.index_select(2, order)
    sizes = torch.bincount(prior.group, minlength=prior.count).tolist()
    rows = prior.pair_rows(at_least_float32(q)).unbind(-2)
    buffer = _KeyBuffer(k, u)
    blocks = []
    for row, mine in zip(rows, queries.split(sizes, dim=2), strict=True):
        if mine.shape[2]:
            keys = _GroupKeys.apply(k, row, buffer)
            with buffer.rewritten(row.detach()):
                block = scaled_dot_product_attention(
                    mine, keys, v, scale=d_k**-0.5, dropout_p=dropout_p
                )
            blocks.append(block)
    out = torch.cat(blocks, 2)[..., :d_k]
    return out if order is None else out.index_select(2, torch.argsort(order))


def _dense(q, k, v, priors):
    """The scores themselves: of few tokens, less work than the columns add to a fused call."""
    scores = q @ k.mT
    for prior in priors:
        scores = scores + prior.query_columns(q) @ prior.key_columns(k).mT
    return (scores * q.shape[-1] ** -0.5).softmax(-1) @ v


def _choose_form(q, priors, dropout_p=0.0):
    """The measured rule of `biased_attention`."""
    exact = q.device.type == "cpu" and q.dtype in (torch.float32, torch.float64)
    if priors and exact and dropout_p == 0 and q.shape[2] <= SHORT_LINE:
        return "dense"
    if len(priors) != 1 or not isinstance(priors[0], GroupPrior) or q.device.type != "cpu":
        return "augmented"
    n, d_k = q.shape[2:]
    groups = priors[0].count
    wide = _kernel_width(d_k + groups, q.device) + 16
    narrow = _kernel_width(d_k, q.device) + 16
    return "blocked" if wide / narrow >= 1 + 20 * groups / n else "augmented"


def _as_autocast_would(tensors):
    """float32 tensors in autocast's dtype where autocast is on; others as they are."""
    device = tensors[0].device.type
    if not torch.is_autocast_enabled(device):
        return tensors
    dtype = torch.get_autocast_dtype(device)
    return [x.to(dtype) if x.dtype == torch.float32 else x for x in tensors]


def prior_attention(q, k, v, priors, *, form="auto", dropout_p=0.0):
    """Attention with any number of priors (see `soyfold.priors`).

    Parameters
    ----------
    q, k, v : Tensor (batch, heads, n, d_k)
    priors : sequence of Prior
        Their terms add up; none at all is plain attention.
    form : {"auto", "augmented", "blocked", "dense"}
        As in `biased_attention`; blocked takes exactly one `GroupPrior`.
    dropout_p : float
        Dropout on the attention; above 0 a CPU leaves the fused kernel.

    Returns
    -------
    Tensor (batch, heads, n, d_k)

    Raises
    ------
    ValueError
        For shapes that do not fit, an unknown form, or blocked without exactly one `GroupPrior`.
    """
    if q.ndim != 4 or q.shape != k.shape or q.shape != v.shape:
        shapes = ", ".join(str(tuple(x.shape)) for x in (q, k, v))
        raise ValueError(f"q, k, v of shapes {shapes}; allowed: all (batch, heads, n, d_k)")
    if form not in FORMS:
        raise ValueError(f"form {form!r}; allowed: {', '.join(FORMS)}")
    for prior in priors:
        if isinstance(prior, GroupPrior):
            check_groups(prior.table, prior.group, heads=q.shape[1], tokens=q.shape[2])
    single_group = len(priors) == 1 and isinstance(priors[0], GroupPrior)
    if form == "blocked" and not single_group:
        raise ValueError("form 'blocked' with other priors; allowed: exactly one GroupPrior")
    if form == "dense" and dropout_p > 0:
        raise ValueError(f"form 'dense' with dropout_p {dropout_p}; allowed: 0")
    q, k, v = _as_autocast_would((q, k, v))
    if form == "auto":
        form = _choose_form(q, priors, dropout_p)
    # Autocast would round H and s_i before their product as well.
    with torch.autocast(q.device.type, enabled=False):
        if form == "augmented":
            return _augmented(q, k, v, priors, dropout_p)
        if form == "dense":
            return _dense(q, k, v, priors)
        return _blocked(q, k, v, priors[0], dropout_p)


def biased_attention(q, k, v, H, chromosome, *, form="auto", dropout_p=0.0):
    """CSAFM's attention: H[c(i), c(j)] is added to every component of key j ([C] eq. 1).

    score_ij = (q_i . k_j + s_i H[c(i), c(j)]) / sqrt(d_k), s_i = sum_d q_id. All forms equal the
    literal n x n x d_k tensor up to rounding, in value and in all gradients.

    bfloat16, as tensors or under autocast, rounds s_i H once. Relative errors against float64, for
    normal q, k, v, H in [0, 1], G = 20, n = 512 and 2048, d_k = 8 and 32 (norms; value, then the
    gradients of q, k, v): plain attention 0.004-0.005 and 0.005-0.007, augmented the same, blocked
    0.005-0.006 and 0.006-0.009, since it adds up G groups' gradients; of H 0.005-0.009.

    Parameters
    ----------
    q, k, v : Tensor (batch, heads, n, d_k)
    H : Tensor (G, G) or (heads, G, G)
        Chromosome interaction matrix; row: the query's chromosome. Differentiable.
    chromosome : Tensor (n,) int64
        Chromosome of each token, 0 to G - 1, in any order.
    form : {"auto", "augmented", "blocked", "dense"}
        augmented: one fused call of width d_k + G. blocked: G fused calls of width d_k, whose
        keys are built again in the backward pass rather than kept. dense: the n x n scores of each
        head. auto: dense on a CPU in full precision up to n = 64, where it takes 0.42 of
        augmented's time (n = 42, d_k = 16, G = 20, batch 64, 2 heads; 1.1 at n = 128, d_k = 32);
        beyond, blocked on a CPU where
        (W(d_k + G) + 16) / (W(d_k) + 16) >= 1 + 20 G / n, else augmented. W rounds up to a
        multiple of 8, at least 16: the fused kernel's time goes with W + 16, and each block
        costs about 20 queries' worth of copying its keys. Measured forward and backward on one
        CPU thread, 8 heads, G = 20, d_k 4 to 32: batch 1 with n = 512 to 4096 and batch 64 with
        n = 70 to 700, where augmented wins up to about n = 700. From n = 1024 to 16,384
        blocked takes 1.05 to 1.21 of plain attention's time, augmented 1.5 to 1.9. Two threads
        share out blocked's small calls badly: 1.2 to 2.5 against 1.4 to 2.6, and behind augmented
        at d_k = 8 up to n = 2048. CUDA takes augmented, unmeasured. Figures: benchmarks/attention.
    dropout_p : float
        Dropout on the attention; above 0 a CPU leaves the fused kernel, so put it elsewhere.

    Returns
    -------
    Tensor (batch, heads, n, d_k)

    Raises
    ------
    ValueError
        For shapes that do not fit, an unknown form, or chromosome indices beyond H.
    """
    return prior_attention(
        q, k, v, (ChromosomeOnKeys(H, chromosome),), form=form, dropout_p=dropout_p
    )


def chromosome_context(Y, M, chromosome):
    """CISEM's affinity of each token with the genome around it ([C] eq. 7), without any scaling.

    z_i = Y_i . sum_q M[c(i), q] S_q, with S_q the sum of Y over the tokens of chromosome q.
    O(n d + G^2 d). Computed in float32 at least, under autocast too: in bfloat16 the box around H
    that M moves in (2e-4) would be less than a rounding error.

    Parameters
    ----------
    Y : Tensor (batch, n, d)
    M : Tensor (G, G)
        Row: the token's own chromosome.
    chromosome : Tensor (n,) int64
        0 to G - 1, in any order.

    Returns
    -------
    Tensor (batch, n)

    Raises
    ------
    ValueError
        For shapes that do not fit, or chromosome indices beyond M.
    """
    if Y.ndim != 3:
        raise ValueError(f"Y of shape {tuple(Y.shape)}; allowed: (batch, n, d)")
    if M.ndim != 2:
        raise ValueError(f"M of shape {tuple(M.shape)}; allowed: (G, G)")
    check_groups(M, chromosome, heads=1, tokens=Y.shape[1])
    wide = Y.to(at_least_float32(Y))
    sums = wide.new_zeros(Y.shape[0], M.shape[0], Y.shape[2]).index_add(1, chromosome, wide)
    with torch.autocast(Y.device.type, enabled=False):
        around = M.to(wide.dtype) @ sums
    return (wide * around.index_select(1, chromosome)).sum(-1).to(Y.dtype)
