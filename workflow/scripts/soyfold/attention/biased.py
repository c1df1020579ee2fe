"""Attention with a prior over pairs of chromosomes, exact; without an n x n matrix of long lines.

Implements eq. 1-2 (CSAFM) and eq. 7 (CISEM's chromosome context) of Chen et al. 2026,
doi:10.62762/CJIF.2025.226807. The statistics eq. 13 and 17 are re-exported.
"""

import torch

from soyfold.attention.blocks import blocked, choose_columns
from soyfold.attention.forms import augmented, dense, kernel_width, width_cost
from soyfold.attention.priors import ChromosomeOnKeys, GroupPrior, at_least_float32, check_groups
from soyfold.attention.statistics import attention_floors, attention_statistics, logit_spread
from soyfold.attention.turned import parted, turned_scores

__all__ = [
    "attention_floors",
    "attention_statistics",
    "biased_attention",
    "chromosome_context",
    "logit_spread",
    "plain_attention",
    "prior_attention",
]

FORMS = ("auto", "augmented", "blocked", "dense")
TURNED_FORMS = ("auto", "dense", "parted")
# Tokens up to which a CPU is quickest with the n x n scores themselves: with priors, and turned
# (otherwise two calls a chromosome).
SHORT_LINE, SHORT_TURNED = 64, 128


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


def _choose_form(q, priors, dropout_p=0.0):
    """The measured rule of `biased_attention`."""
    if priors and dropout_p == 0 and _is_short(q, SHORT_LINE):
        return "dense"
    if len(priors) != 1 or not isinstance(priors[0], GroupPrior):
        return "augmented"
    if q.device.type != "cpu" or dropout_p > 0:
        return "augmented"
    n, d_k = q.shape[2:]
    wide = kernel_width(d_k + priors[0].count, q.device)
    one_call = width_cost(wide, kernel_width(d_k, q.device))
    _, in_blocks = choose_columns(priors[0], d_k, n, q.device)
    return "blocked" if in_blocks <= one_call else "augmented"


def _is_short(q, most):
    """Whether the n x n scores themselves are quickest: few tokens, on a CPU, in full precision."""
    exact = q.device.type == "cpu" and q.dtype in (torch.float32, torch.float64)
    return exact and q.shape[2] <= most


def _turned(q, k, v, priors, form, rotation):
    """Attention whose q and k `rotation` turns within a chromosome."""
    if form == "auto":
        form = "dense" if _is_short(q, SHORT_TURNED) else "parted"
    with torch.autocast(q.device.type, enabled=False):
        if form == "parted":
            return parted(q, k, v, priors, rotation)
        return dense(q, k, v, priors, lambda q, k: turned_scores(q, k, rotation))


def _as_autocast_would(tensors):
    """float32 tensors in autocast's dtype where autocast is on; others as they are."""
    device = tensors[0].device.type
    if not torch.is_autocast_enabled(device):
        return tensors
    dtype = torch.get_autocast_dtype(device)
    return [x.to(dtype) if x.dtype == torch.float32 else x for x in tensors]


def prior_attention(q, k, v, priors, *, form="auto", dropout_p=0.0, rotation=None):
    """Attention with any number of priors (see `soyfold.attention.priors`).

    Parameters
    ----------
    q, k, v : Tensor (batch, heads, n, d_k)
    priors : sequence of Prior
        Their terms add up; none at all is plain attention.
    form : {"auto", "augmented", "blocked", "dense"}
        As in `biased_attention`; blocked takes exactly one `GroupPrior`.
    dropout_p : float
        Dropout on the attention; above 0 a CPU leaves the fused kernel.
    rotation : soyfold.attention.turned.Rotation, optional
        Turns q and k within a chromosome; priors are of the unturned ones. Forms then are dense
        and parted, auto dense up to n = 128; dropout is 0. Parted takes 1.2 of plain attention's
        time at n = 4096, 1.5 at 1456, 2.6 at 364 (16 to 20 chromosomes, value and gradients, one
        thread).

    Returns
    -------
    Tensor (batch, heads, n, d_k)

    Raises
    ------
    ValueError
        For shapes that do not fit, an unknown form, blocked without exactly one `GroupPrior` or on
        another device than the CPU, or dropout in another form than augmented.
    """
    if q.ndim != 4 or q.shape != k.shape or q.shape != v.shape:
        shapes = ", ".join(str(tuple(x.shape)) for x in (q, k, v))
        raise ValueError(f"q, k, v of shapes {shapes}; allowed: all (batch, heads, n, d_k)")
    allowed = TURNED_FORMS if rotation else FORMS
    if form not in allowed:
        raise ValueError(f"form {form!r}; allowed: {', '.join(allowed)}")
    for prior in priors:
        if isinstance(prior, GroupPrior):
            check_groups(prior.table, prior.group, heads=q.shape[1], tokens=q.shape[2])
    single_group = len(priors) == 1 and isinstance(priors[0], GroupPrior)
    if form == "blocked" and not single_group:
        raise ValueError("form 'blocked' with other priors; allowed: exactly one GroupPrior")
    if (form in ("blocked", "dense") or rotation) and dropout_p > 0:
        raise ValueError(f"form {form!r} with dropout_p {dropout_p}; allowed: 0")
    if form == "blocked" and q.device.type != "cpu":
        raise ValueError(f"form 'blocked' on {q.device.type}; allowed: cpu")
    q, k, v = _as_autocast_would((q, k, v))
    if rotation:
        return _turned(q, k, v, priors, form, rotation)
    if form == "auto":
        form = _choose_form(q, priors, dropout_p)
    # Autocast would round H and s_i before their product as well.
    with torch.autocast(q.device.type, enabled=False):
        if form == "augmented":
            return augmented(q, k, v, priors, dropout_p)
        if form == "dense":
            return dense(q, k, v, priors)
        return blocked(q, k, v, priors[0])


def biased_attention(q, k, v, H, chromosome, *, form="auto", dropout_p=0.0):
    """CSAFM's attention: H[c(i), c(j)] is added to every component of key j ([C] eq. 1).

    score_ij = (q_i . k_j + s_i H[c(i), c(j)]) / sqrt(d_k), s_i = sum_d q_id. All forms equal the
    literal n x n x d_k tensor up to rounding, in value and in all gradients.

    bfloat16, as tensors or under autocast, rounds s_i H once. Relative errors against float64, for
    normal q, k, v, H in [0, 1], G = 20, n = 512 and 2048, d_k = 8 and 32 (norms; value, then the
    gradients of q, k, v): plain attention 0.004-0.005 and 0.005-0.007, augmented the same, blocked
    0.004-0.005 and 0.005-0.007; of H 0.005-0.007.

    Parameters
    ----------
    q, k, v : Tensor (batch, heads, n, d_k)
    H : Tensor (G, G) or (heads, G, G)
        Chromosome interaction matrix; row: the query's chromosome. Differentiable.
    chromosome : Tensor (n,) int64
        Chromosome of each token, 0 to G - 1, in any order.
    form : {"auto", "augmented", "blocked", "dense"}
        augmented: one fused call of width d_k + G. blocked: a fused call per block of queries,
        whose keys are built again in the backward pass rather than kept; a block is one
        chromosome's queries, or as many chromosomes' as the kernel's width W leaves columns (W
        rounds d_k up to a multiple of 8, at least 16), or 8 more where that is cheaper. dense: the
        n x n scores of each head. auto: dense on a CPU in full precision up to n = 64, where it
        takes 0.42 of augmented's time (n = 42, d_k = 16, G = 20, batch 64, 2 heads; 1.1 at n =
        128, d_k = 32); beyond, on a CPU, what costs less of plain attention's time: augmented
        w(d_k + G) / w(d_k), or blocked w(its width) / w(d_k) + blocks (a / n + b / n^2), with w = W
        + 16, or W + 20 where W is no multiple of 16, and a, b = 20, 0 for kernels with AVX2, 8,
        5000 with AVX-512. A rule, not a measurement at each start, so that reruns choose alike:
        forms differ in the last digits. CUDA takes augmented, unmeasured. Figures:
        benchmarks/attention.
    dropout_p : float
        Dropout on the attention, for augmented alone; above 0 a CPU leaves the fused kernel, so put
        it elsewhere.

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
