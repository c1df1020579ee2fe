"""Attention with a prior over groups, block after block of queries.

Queries of one group see each key shifted by one number, so an ordinary fused call serves them.
Columns that the kernel's width leaves empty, or that are worth their width, hold the numbers of as
many groups, which then share a block. Slices of heads are worked off one by one: what they add up
stays in a core's cache, and threads share out slices rather than small operations.
"""

import torch
from torch.nn.functional import pad

from soyfold.attention.forms import kernel_width, width_cost
from soyfold.attention.priors import at_least_float32, one_hot
from soyfold.attention.sharing import head_slices, one_thread, share_out

# What a block costs beside its own queries, of plain attention's time: a / n + b / n^2, the keys
# written again and the calls. By the kernel's vectors, each measured on an AMD EPYC.
BLOCK_COST = {"AVX2": (20, 0), "AVX512": (8, 5000)}

_ATTEND = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu.default
_ATTEND_BACKWARD = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward.default


def choose_columns(prior, d_k, n, device):
    """How many columns a block's groups have to themselves, and the time that this takes.

    Parameters
    ----------
    prior : GroupPrior
    d_k, n : int
    device : torch.device

    Returns
    -------
    columns : int
        Groups in a block. 0: one group, whose numbers are added to all components of the keys.
    cost : float
        Of plain attention's time, by the measured rule of `soyfold.attention.biased`.
    """
    plain = kernel_width(d_k, device)
    a, b = BLOCK_COST.get(torch.backends.cpu.get_cpu_capability(), BLOCK_COST["AVX2"])
    costs = {}
    for width in (plain, plain + 8):
        columns = width - d_k
        if columns or prior.on_all_components:
            blocks = -(-prior.count // max(1, columns))
            costs[columns] = width_cost(width, plain) + blocks * (a / n + b / n**2)
    columns = min(costs, key=costs.get)
    return columns, costs[columns]


class _Keys:
    """The keys of a slice as one block of queries after the other sees them, in the same memory.

    Parameters
    ----------
    k : Tensor (samples, heads, n, d)
    rows : Tensor (blocks, groups, n) or (heads, blocks, groups, n)
        What each group of queries adds to the keys.
    columns : int
    """

    def __init__(self, k, rows, columns):
        self.k = k
        self.rows = rows.mT.unbind(-3)
        self.memory = k.new_zeros(*k.shape[:-1], k.shape[-1] + columns)
        self.memory[..., : k.shape[-1]] = k
        self.own = self.memory[..., k.shape[-1] :] if columns else None

    def write(self, block):
        if self.own is None:  # one group; half precision rounds once
            torch.add(self.k, self.rows[block], out=self.memory)
        else:
            self.own.copy_(self.rows[block].expand_as(self.own))
        return self.memory

    def gradients(self, grad):
        """Of k, and of the block's rows: (heads, groups, n), from that of what `write` gave."""
        d, wide = self.k.shape[-1], at_least_float32(grad)
        if self.own is None:
            return grad, grad.sum((0, -1), dtype=wide)[:, None]
        return grad[..., :d], grad[..., d:].sum(0, dtype=wide).mT


def _attend(q, k, v, rows, out, logsumexp, columns, sizes, scale):
    """Fills out and logsumexp of one slice, a block after the other."""
    keys = _Keys(k, rows, columns)
    blocks = zip(*(x.split(sizes, 2) for x in (q, out, logsumexp)), strict=True)
    for block, (mine, to_out, to_lse) in enumerate(blocks):
        found, lse = _ATTEND(mine, keys.write(block), v, scale=scale)
        to_out.copy_(found)
        to_lse.copy_(lse)


def _attend_backward(grad, q, k, v, rows, out, logsumexp, grads, columns, sizes, scale):
    """Fills one slice's gradients of q, k, v; gives that of rows (heads, blocks, groups, n)."""
    keys = _Keys(k, rows, columns)
    wide = at_least_float32(k)
    of_k, of_v, of_rows = torch.zeros_like(k, dtype=wide), torch.zeros_like(v, dtype=wide), []
    blocks = zip(*(x.split(sizes, 2) for x in (grad, q, out, logsumexp, grads[0])), strict=True)
    for block, (above, mine, found, lse, to_q) in enumerate(blocks):
        of_mine, of_keys, of_values = _ATTEND_BACKWARD(
            above, mine, keys.write(block), v, found, lse, 0.0, False, scale=scale
        )
        to_q.copy_(of_mine)
        of_own, of_block = keys.gradients(of_keys)
        of_k += of_own
        of_v += of_values
        of_rows.append(of_block)
    grads[1].copy_(of_k)
    grads[2].copy_(of_v)
    return torch.stack(of_rows, 1)


class _Blocked(torch.autograd.Function):
    """Attention of queries that lie together by block; rows as in `_Keys`."""

    @staticmethod
    def forward(ctx, q, k, v, rows, columns, sizes, scale):
        out = torch.empty_like(q)
        logsumexp = q.new_empty(q.shape[:3], dtype=at_least_float32(q))
        slices = head_slices(*q.shape[:2], q.shape[2] * q.shape[3])

        def attend(part):
            tensors = (x[part] for x in (q, k, v))
            written = (x[part] for x in (out, logsumexp))
            _attend(*tensors, _of_heads(rows, part), *written, columns, sizes, scale)

        share_out(attend, slices)
        ctx.save_for_backward(q, k, v, rows, out, logsumexp)
        ctx.settings = columns, sizes, scale
        return out[..., : k.shape[-1]]

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad):
        q, k, v, rows, *found = ctx.saved_tensors
        grads = [torch.empty_like(x) for x in (q, k, v)]
        columns = ctx.settings[0]
        slices = head_slices(*q.shape[:2], q.shape[2] * q.shape[3])

        def attend(part):
            above = pad(grad[part], (0, columns)).contiguous()
            tensors = (above, *(x[part] for x in (q, k, v)))
            kept = (x[part] for x in found)
            filled = [x[part] for x in grads]
            return _attend_backward(*tensors, _of_heads(rows, part), *kept, filled, *ctx.settings)

        of_rows = rows.new_zeros(q.shape[1], *rows.shape[-3:])
        for (_, heads), of_slice in zip(slices, share_out(attend, slices), strict=True):
            of_rows[heads] += of_slice
        return *grads, of_rows if rows.ndim == 4 else of_rows.sum(0), None, None, None


def _of_heads(rows, part):
    return rows[part[1]] if rows.ndim == 4 else rows


def _layout(group, count, per_block):
    """Groups that have tokens, each token's place within its block, and the blocks' sizes."""
    tokens = torch.bincount(group, minlength=count)
    present = tokens.nonzero()[:, 0]
    place = torch.zeros_like(tokens)
    place[present] = torch.arange(len(present), device=group.device) % per_block
    return present, place[group], [int(some.sum()) for some in tokens[present].split(per_block)]


def blocked(q, k, v, prior):
    """One call of the fused kernel per block of queries, each with the keys that it sees."""
    d_k = q.shape[-1]
    columns, _ = choose_columns(prior, d_k, q.shape[2], q.device)
    with one_thread():
        queries, order, *others = _prepare(q, k, v, prior, columns)
    out = _Blocked.apply(queries, *others, d_k**-0.5)
    return out if order is None else out.index_select(2, torch.argsort(order))


def _prepare(q, k, v, prior, columns):
    """Queries by block and their order (None: as they are), k, v, rows, columns, blocks' sizes."""
    present, place, sizes = _layout(prior.group, prior.count, max(1, columns))
    rows = prior.pair_rows(at_least_float32(q)).index_select(-2, present)
    if columns:
        rows = pad(rows, (0, 0, 0, -len(present) % columns))
        own = (prior.coupling(q) * one_hot(place, columns, rows.dtype)).to(q.dtype)
        q = torch.cat([q, own.expand(*q.shape[:-1], columns)], -1)
        v = pad(v, (0, columns))
    rows = rows.unflatten(-2, (-1, max(1, columns)))
    # Only the queries must lie together; tokens in genome order do already, and need no copy.
    in_order = (prior.group.diff() >= 0).all()
    order = None if in_order else torch.argsort(prior.group, stable=True)
    queries = q if in_order else q.index_select(2, order)
    queries, k, v = (x if x.stride(-1) == 1 else x.contiguous() for x in (queries, k, v))
    return queries, order, k, v, rows, columns, sizes
