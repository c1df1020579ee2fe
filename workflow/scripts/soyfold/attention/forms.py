"""The forms in which a fused kernel computes attention with priors; all give the same numbers.

`soyfold.attention.biased` chooses among them and checks what it hands over.
"""

import torch
from torch.nn.functional import pad, scaled_dot_product_attention

from soyfold.attention.priors import at_least_float32


def kernel_width(width, device):
    """Width at which the fused kernel is fastest: zero columns change no score.

    On a CPU, 16 columns take 2/3 of the time of 4 or 8, and multiples of 8 beat what lies between;
    CUDA kernels want multiples of 8.
    """
    floor = 16 if device.type == "cpu" else 8
    return max(floor, -(-width // 8) * 8)


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


def blocked(q, k, v, prior, dropout_p):
    """One call per group of queries, each with the keys that this group sees."""
    d_k = q.shape[-1]
    q, u = prior.block_form(q)
    width = kernel_width(q.shape[-1], q.device)
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


def dense(q, k, v, priors):
    """The scores themselves: of few tokens, less work than the columns add to a fused call."""
    scores = q @ k.mT
    for prior in priors:
        scores = scores + prior.query_columns(q) @ prior.key_columns(k).mT
    return (scores * q.shape[-1] ** -0.5).softmax(-1) @ v
