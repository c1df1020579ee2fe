"""What an encoder is made of: attention, feed-forward, readout, and a linear path beside it."""

import math

import torch
from torch import nn
from torch.nn import functional

from soyfold.attention.biased import prior_attention
from soyfold.attention.priors import GroupWeights

# Above LONG_LINE tokens the FFN takes a chunk at a time: its hidden layer would be the network's
# largest tensor, and building it again costs little beside the attention's n^2.
LONG_LINE = 8192
CHUNK_TOKENS = 1024
TEMPERATURE = 10.0  # of cosine scores, at first
ACTIVATIONS = {"relu": functional.relu, "gelu": functional.gelu}


class SelfAttention(nn.Module):
    """Multi-head self-attention on fused kernels: no dropout on the weights, no n x n mask.

    Parameters
    ----------
    d, heads : int
    gate : callable, optional
        Gate the heads' output by gate(W_g x + b_g) before W_o: torch.sigmoid is the GAU of [C]
        Table 4; with the identity the output has products of two tokens.
    cosine : bool
        Scores are cosines times a temperature (QKNorm: Henry et al. 2020, arXiv:2010.04245), which
        neither d_k nor small weights flatten.
    """

    def __init__(self, d, heads, *, gate=None, cosine=False):
        super().__init__()
        self.heads = heads
        self.query_key_value = nn.Linear(d, 3 * d)
        self.output = nn.Linear(d, d)
        self.activate = gate
        self.gate = nn.Linear(d, d) if gate else None
        start = torch.full((heads,), math.log(TEMPERATURE))
        self.temperature = nn.Parameter(start) if cosine else None  # its logarithm

    def split(self, x):
        """x (batch, n, d) to q, k, v (batch, heads, n, d_k)."""
        batch, n, d = x.shape
        qkv = self.query_key_value(x).view(batch, n, 3, self.heads, d // self.heads)
        # Parted along the axis where they lie, so that the gradients need no second copy.
        q, k, v = (part.transpose(1, 2) for part in qkv.unbind(2))
        if self.temperature is not None:
            # Times sqrt(d_k), by which attention divides.
            scale = self.temperature.exp()[:, None, None] * math.sqrt(d // self.heads)
            q, k = scale * functional.normalize(q, dim=-1), functional.normalize(k, dim=-1)
        return q, k, v

    def forward(self, x, attend):
        """x (batch, n, d) to (batch, n, d); `attend` maps q, k, v to the heads' output."""
        mixed = attend(*self.split(x)).transpose(1, 2).flatten(2)
        if self.gate is not None:
            mixed = mixed * self.activate(self.gate(x))
        return self.output(mixed)


class Recomputed(torch.autograd.Function):
    """f(x), whose inner tensors are built again for the backward pass rather than kept.

    As torch.utils.checkpoint, which loads 72 MB of compiler at its first call. Arguments: f, which
    draws nothing at random; x; the parameters that f uses and that want a gradient.
    """

    @staticmethod
    def forward(ctx, f, x, *parameters):
        ctx.f, ctx.parameters = f, parameters
        kind = x.device.type
        ctx.autocast = {
            "device_type": kind,
            "enabled": torch.is_autocast_enabled(kind),
            "dtype": torch.get_autocast_dtype(kind),
        }
        ctx.save_for_backward(x)
        return f(x)

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        x = x.detach().requires_grad_()
        with torch.enable_grad(), torch.autocast(**ctx.autocast):
            out = ctx.f(x)
        return None, *torch.autograd.grad(out, (x, *ctx.parameters), gradient)


class FeedForward(nn.Module):
    """Two-layer FFN; `gated` multiplies the hidden layer by a linear one (GLU).

    Lines longer than `LONG_LINE` go through in chunks whose hidden layers are built again for
    the backward pass: the same function, without its 4 n d numbers in memory.
    """

    def __init__(self, d, hidden, activation, *, gated=False):
        super().__init__()
        self.activation = ACTIVATIONS[activation]
        self.expand = nn.Linear(d, hidden)
        self.contract = nn.Linear(hidden, d)
        self.gate = nn.Linear(d, hidden) if gated else None

    def forward(self, x):
        """x (batch, n, d) to (batch, n, d)."""
        if x.shape[1] <= LONG_LINE:
            return self.transform(x)
        chunks = x.split(CHUNK_TOKENS, dim=1)
        weights = [p for p in self.parameters() if p.requires_grad]
        return torch.cat([Recomputed.apply(self.transform, c, *weights) for c in chunks], 1)

    def transform(self, x):
        """The FFN itself, token by token."""
        hidden = self.activation(self.expand(x))
        if self.gate is not None:
            hidden = hidden * self.gate(x)
        return self.contract(hidden)


def with_priors(q, k, priors):
    """q, k (batch, heads, n, d) whose products, scaled by their width, hold the priors' terms."""
    width = q.shape[-1]
    q = torch.cat([q, *(p.query_columns(q).expand(*q.shape[:-1], -1) for p in priors)], -1)
    k = torch.cat([k, *(p.key_columns(k).expand(*k.shape[:-1], -1) for p in priors)], -1)
    return q * (q.shape[-1] / width) ** 0.5, k


class EncoderLayer(nn.Module):
    """Y = LN(SA(X) + X), E = between(Y), X' = LN(FFN(E) + E); `pre` norm as an option.

    Subclasses override `attend` and `between`, and choose a `gate` of the attention's output and a
    `gated` feed-forward layer.
    """

    def __init__(self, parameters, *, gated=False, gate=None):
        super().__init__()
        d = parameters["d_model"]
        self.pre_norm = parameters["norm"] == "pre"
        self.attention = SelfAttention(
            d, parameters["heads"], gate=gate, cosine=parameters["scores"] == "cosine"
        )
        self.feed_forward = FeedForward(
            d, parameters["feed_forward"], parameters["activation"], gated=gated
        )
        self.norm_attention = nn.LayerNorm(d)
        self.norm_feed_forward = nn.LayerNorm(d)
        self.dropout = nn.Dropout(parameters["dropout"])
        self.register_buffer("of_pairs", None, persistent=False)
        self.rotation, self.motif_bias = None, None

    def know(self, weights):
        """Take weights of pairs of tokens (n, n), of a hypothesis, as a prior on attention."""
        self.of_pairs = weights

    def priors(self):
        """What attention knows beforehand of pairs of tokens."""
        known = [] if self.motif_bias is None else self.motif_bias.priors()
        if self.of_pairs is None:
            return known
        tokens = torch.arange(len(self.of_pairs), device=self.of_pairs.device)
        return [GroupWeights(self.of_pairs, tokens), *known]

    def attend(self, q, k, v):
        """Softmax attention: q, k, v (batch, heads, n, d_k) to (batch, heads, n, d_k)."""
        return prior_attention(q, k, v, self.priors(), rotation=self.rotation)

    def between(self, y):
        """What happens to Y (batch, n, d) before the FFN: here nothing."""
        return y

    def queries_keys(self, x):
        """Query and key (batch, heads, n, d_k) that this layer makes of its input x."""
        q, k, _ = self.attention.split(self.norm_attention(x) if self.pre_norm else x)
        return q, k

    def forward(self, x):
        """x (batch, n, d) to (batch, n, d)."""
        if self.pre_norm:
            x = x + self.dropout(self.attention(self.norm_attention(x), self.attend))
            e = self.between(x)
            return e + self.dropout(self.feed_forward(self.norm_feed_forward(e)))
        y = self.norm_attention(x + self.dropout(self.attention(x, self.attend)))
        e = self.between(y)
        return self.norm_feed_forward(e + self.dropout(self.feed_forward(e)))


class Readout(nn.Module):
    """Token vectors (batch, n, d) to a value (batch,), or to (batch, outputs) above one output.

    - `mean`: mean over tokens, LayerNorm, linear.
    - `flatten`: linear on all n d numbers.
    - `sum_mlp`: sum over tokens / sqrt(n), then d -> 64 -> GELU -> outputs.
    """

    def __init__(self, kind, n, d, outputs=1):
        super().__init__()
        self.kind = kind
        if kind == "mean":
            self.head = nn.Sequential(nn.LayerNorm(d), nn.Linear(d, outputs))
        elif kind == "flatten":
            self.head = nn.Linear(n * d, outputs)
        else:
            self.head = nn.Sequential(nn.Linear(d, 64), nn.GELU(), nn.Linear(64, outputs))

    def forward(self, x):
        """x (batch, n, d) to (batch,) or (batch, outputs)."""
        if self.kind == "mean":
            x = x.mean(1)
        elif self.kind == "flatten":
            x = x.flatten(1)
        else:
            x = x.sum(1) / math.sqrt(x.shape[1])
        return self.head(x).squeeze(-1)


class LinearPath(nn.Module):
    """A linear term beside the network: sum of g_i w_i over the SNPs / sqrt(L), w = 0 at first.

    The root keeps AdamW's first steps, which move every w_i by the learning rate, from adding up.
    """

    def __init__(self, layout):
        super().__init__()
        self.effects = nn.Parameter(torch.zeros(layout.outputs, layout.n_snps))

    def forward(self, g):
        """Standardised dosages (batch, L) to (batch,) or (batch, outputs)."""
        return (g @ self.effects.T / math.sqrt(g.shape[1])).squeeze(-1)
