"""Attention whose queries and keys are turned by their places (RoPE), within a chromosome alone.

Between chromosomes a distance has no meaning: there q_i . k_j stays as it is. No single product of
a query and a key says both, so the queries of a chromosome meet its own keys turned and all others
unturned, in two calls that share one softmax: together they are the n x n scores of plain
attention, each once.
"""

import torch
from torch import nn
from torch.nn.functional import pad, scaled_dot_product_attention

from soyfold.attention.forms import kernel_width
from soyfold.attention.priors import at_least_float32

BASE = 10_000.0  # of the frequencies, Su et al. 2021

_ATTEND = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu.default
_ATTEND_BACKWARD = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward.default


class Rotation(nn.Module):
    """RoPE (Su et al. 2021, arXiv:2104.09864) on base pairs: pair p of columns turns by an angle
    position / unit x 10000^(-2 p / width), so that a product depends on the distance alone.

    Parameters
    ----------
    position : Tensor (n,) float64
        bp, of each token on its chromosome.
    chromosome : Tensor (n,) int64
        In any order.
    width : int
        d_k, even; column p makes a pair with p + width / 2.
    unit : float
        bp that turn the first pair by 1 radian.
    """

    def __init__(self, position, chromosome, width, *, unit=1.0):
        super().__init__()
        if width % 2:
            raise ValueError(f"width {width}; allowed: an even one")
        self.width = width
        frequencies = BASE ** (-torch.arange(0, width, 2, dtype=torch.float64) / width) / unit
        angles = position.double()[:, None] * frequencies
        for name, table in (("cos", angles.cos()), ("sin", angles.sin()), ("of", chromosome)):
            self.register_buffer(name, table, persistent=False)

    def forward(self, x):
        """x (..., n, width or more) with its first `width` columns turned."""
        dtype = at_least_float32(x)
        first, second, rest = x.split((self.width // 2,) * 2 + (x.shape[-1] - self.width,), -1)
        cos, sin = self.cos.to(dtype), self.sin.to(dtype)
        parts = first * cos - second * sin, first * sin + second * cos
        return torch.cat([*(part.to(x.dtype) for part in parts), rest], -1)

    def together(self, rows=slice(None)):
        """Which tokens are on the chromosome of each of `rows`: (rows, n) bool."""
        return self.of[rows, None] == self.of


def turned_scores(q, k, rotation, *, turned=None, rows=slice(None)):
    """q_i . k_j, turned within a chromosome: (..., rows, n), for few tokens or a chunk of rows.

    `turned`: q and k as `rotation` turns them, where the caller has them.
    """
    of_q, of_k = turned or (rotation(q), rotation(k))
    return torch.where(rotation.together(rows), of_q @ of_k.mT, q @ k.mT)


class _Parted(torch.autograd.Function):
    """Attention of tokens that lie by chromosome, of `sizes`: turned on their own, else plain.

    The kernel's backward takes what comes out of the whole softmax, and so gives each part's share
    of the gradients, exactly.
    """

    @staticmethod
    def forward(ctx, q, k, turned_q, turned_k, v, sizes, scale):
        out = torch.empty_like(v)
        logsumexp = q.new_empty(q.shape[:3], dtype=at_least_float32(q))
        for here, others in _runs(sizes):
            found, lse = _ATTEND(*(x[:, :, here] for x in (turned_q, turned_k, v)), scale=scale)
            if len(sizes) > 1:
                mine, keys, values = q[:, :, here], _at(k, others), _at(v, others)
                of_others, lse_others = _ATTEND(mine, keys, values, scale=scale)
                whole = torch.logaddexp(lse, lse_others)
                shares = ((part - whole).exp().unsqueeze(-1) for part in (lse, lse_others))
                found = sum(x * share for x, share in zip((found, of_others), shares, strict=True))
                lse = whole
            out[:, :, here], logsumexp[:, :, here] = found, lse
        ctx.save_for_backward(q, k, turned_q, turned_k, v, out, logsumexp)
        ctx.settings = sizes, scale
        return out

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad):
        q, k, turned_q, turned_k, v, out, logsumexp = ctx.saved_tensors
        sizes, scale = ctx.settings
        grads = [torch.zeros_like(x) for x in (q, k, turned_q, turned_k, v)]
        grad = grad.contiguous()
        for here, others in _runs(sizes):
            kept = tuple(x[:, :, here] for x in (out, logsumexp))
            mine = (x[:, :, here] for x in (grad, turned_q, turned_k, v))
            of_own = _ATTEND_BACKWARD(*mine, *kept, 0.0, False, scale=scale)
            for total, part in zip(grads[2:], of_own, strict=True):
                total[:, :, here] += part
            if len(sizes) > 1:
                mine = grad[:, :, here], q[:, :, here], _at(k, others), _at(v, others)
                of_q, of_k, of_v = _ATTEND_BACKWARD(*mine, *kept, 0.0, False, scale=scale)
                grads[0][:, :, here] = of_q
                _add_at(grads[1], others, of_k)
                _add_at(grads[4], others, of_v)
        return *grads, None, None


def _runs(sizes):
    """Slices of each chromosome's tokens, and those before and after it."""
    end = sum(sizes)
    start = 0
    for size in sizes:
        yield slice(start, start + size), (slice(0, start), slice(start + size, end))
        start += size


def _at(x, parts):
    """Tokens of two slices of x (batch, heads, n, d), side by side."""
    return torch.cat([x[:, :, part] for part in parts], 2)


def _add_at(total, parts, of_both):
    before = parts[0].stop
    total[:, :, parts[0]] += of_both[:, :, :before]
    total[:, :, parts[1]] += of_both[:, :, before:]


def _in_wide_blocks(q, k, turned_q, turned_k, v, sizes, scale):
    """The same by calls of twice the width, a chromosome's queries each, on any device.

    A query is [turned, plain]; a key of its chromosome [turned, 0], and another [0, plain].
    """
    width = q.shape[-1]
    found = []
    for here, (before, after) in _runs(sizes):
        queries = torch.cat([turned_q[:, :, here], q[:, :, here]], -1)
        own = pad(turned_k[:, :, here], (0, width))
        others = (pad(k[:, :, part], (width, 0)) for part in (before, after))
        keys = torch.cat([next(others), own, next(others)], 2)
        values = pad(v, (0, width))
        found.append(scaled_dot_product_attention(queries, keys, values, scale=scale))
    return torch.cat(found, 2)[..., :width]


def parted(q, k, v, priors, rotation):
    """Attention with any priors, turned within a chromosome: two calls for each chromosome.

    On a CPU they are of plain attention's width, together of its n^2 products; elsewhere it is one
    call of twice the width, whose keys are kept for each chromosome.
    """
    lead, d_k = q.shape[:-1], q.shape[-1]
    # Priors are of the unturned queries: s_i has no place.
    q_columns = [prior.query_columns(q).expand(*lead, -1) for prior in priors]
    k_columns = [prior.key_columns(k).expand(*lead, -1) for prior in priors]
    q, k = torch.cat([q, *q_columns], -1), torch.cat([k, *k_columns], -1)
    width = kernel_width(q.shape[-1], q.device)
    turned_q, turned_k = rotation(q), rotation(k)
    tensors = [pad(x, (0, width - x.shape[-1])) for x in (q, k, turned_q, turned_k, v)]
    order = None
    if (rotation.of.diff() < 0).any():
        order = torch.argsort(rotation.of, stable=True)
        tensors = [x.index_select(2, order) for x in tensors]
    sizes = torch.bincount(rotation.of)
    sizes = sizes[sizes > 0].tolist()
    form = _Parted.apply if q.device.type == "cpu" else _in_wide_blocks
    out = form(*tensors, sizes, d_k**-0.5)[..., :d_k]
    return out if order is None else out.index_select(2, torch.argsort(order))
