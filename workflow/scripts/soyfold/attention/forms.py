"""The forms of attention with priors that take one call; `blocks` has the third. All give the same.

`soyfold.attention.biased` chooses among them and checks what it hands over.
"""

import torch
from torch.nn.functional import pad, scaled_dot_product_attention


def kernel_width(width, device):
    """Width at which the fused kernel is fastest: zero columns change no score.

    On a CPU, 16 columns take 2/3 of the time of 4 or 8, and multiples of 8 beat what lies between;
    CUDA kernels want multiples of 8.
    """
    floor = 16 if device.type == "cpu" else 8
    return max(floor, -(-width // 8) * 8)


def width_cost(width, plain):
    """Time of a call of this width, of that of plain attention at its own: multiples of 16 win."""
    cost, base = (w + (16 if w % 16 == 0 else 20) for w in (width, plain))
    return cost / base


def _widen(x, width):
    return x if x.shape[-1] == width else pad(x, (0, width - x.shape[-1]))


def augmented(q, k, v, priors, dropout_p):
    """One call, the priors' factors concatenated to q and k; v gets zeros (equal widths fuse)."""
    d_k = q.shape[-1]
    lead = q.shape[:-1]
    q_columns = [prior.query_columns(q) for prior in priors]
    k_columns = [prior.key_columns(k) for prior in priors]
    width = kernel_width(d_k + sum(c.shape[-1] for c in q_columns), q.device)
    if priors:
        q = torch.cat([q, *(c.expand(*lead, c.shape[-1]) for c in q_columns)], -1)
        k = torch.cat([k, *(c.expand(*lead, c.shape[-1]) for c in k_columns)], -1)
    out = scaled_dot_product_attention(
        _widen(q, width), _widen(k, width), _widen(v, width), scale=d_k**-0.5, dropout_p=dropout_p
    )
    return out[..., :d_k]


def dense(q, k, v, priors, scores=None):
    """The scores themselves: of few tokens, less work than the columns add to a fused call.

    `scores` takes q and k to (batch, heads, n, n); by default their products.
    """
    scores = q @ k.mT if scores is None else scores(q, k)
    for prior in priors:
        scores = scores + prior.query_columns(q) @ prior.key_columns(k).mT
    return (scores * q.shape[-1] ** -0.5).softmax(-1) @ v
