"""The transformer encoder that Transformer, CSAFM and CISEM share ([C] eq. 4-5).

A model differs from another by two hooks: `attend`, how queries meet keys, and `between`, what
happens between the attention and the feed-forward sublayer. Without either it is the Transformer.
"""

import math
from itertools import islice

import torch
from torch import nn
from torch.nn import functional

from soyfold.attention.biased import prior_attention
from soyfold.attention.priors import GroupWeights
from soyfold.models import embedding
from soyfold.models.parameters import resolve
from soyfold.models.places_and_classes import make_motif_bias, make_rotation

DECLARATION = {
    "meaning": "Encoders",
    "extends": "embedding",
    "attention": True,
    "gpu": 1,
    "parameters": {
        "embedding": {"enum": ["locus_scaled", "dosage_table"],
                      "description": "Each SNP's own vector scaled by the centred dosage, or "
                                     "one vector per dosage."},
        "tokens": {"default": "snp", "enum": ["snp", "window", "group"],
                   "description": "One token a SNP, one per `window` neighbouring SNPs of a "
                                  "chromosome, or one a group of the `hypothesis`."},
        "hypothesis": {"default": None, "type": ["string", "null"],
                       "description": "Of tokens: group; a name in hypotheses.tsv."},
        "group_weights": {"default": True, "type": "boolean",
                          "description": "Of tokens: group; whether pairs of groups attend to each "
                                         "other as the hypothesis weighs them, or all freely."},
        "position": {"enum": ["learned", "sinusoidal", "rope_bp", "none"],
                     "description": "What tells a token's place: a vector learned of each, sines "
                                    "of its number, queries and keys turned by base pairs, within "
                                    "a chromosome alone (RoPE), or nothing."},
        "rope_unit": {"default": 10000, "type": "number", "exclusiveMinimum": 0,
                      "description": "Of position: rope_bp; base pairs that turn the first of a "
                                     "head's pairs by 1 radian, pair i by 10000^(-2i / d_k)."},
        "motif_bias": {"default": False, "type": "boolean",
                       "description": "A learned number for each pair of classes of variants, 0 at "
                                      "first, in the scores of all heads and layers; of a token of "
                                      "several SNPs the mean over its SNPs."},
        "layers": {"default": 6, "type": "integer", "minimum": 1, "description": "Their number."},
        "heads": {"default": 8, "type": "integer", "minimum": 1,
                  "description": "Of each layer; they divide d_model."},
        "scores": {"default": "dot", "enum": ["dot", "cosine"],
                   "description": "q k' / sqrt(d_k), as published; or the cosine of q and k times "
                                  "a temperature that each head learns from 10."},
        "feed_forward": {"default": 1024, "type": "integer", "minimum": 1,
                         "description": "Width of the FFN's hidden layer."},
        "activation": {"default": "relu", "enum": ["relu", "gelu"], "description": "Of the FFN."},
        "norm": {"default": "post", "enum": ["post", "pre"],
                 "description": "LayerNorm after each sublayer, as published, or before it."},
        "dropout": {"default": 0.1, "type": "number", "minimum": 0, "exclusiveMaximum": 1,
                    "description": "On embedding and sublayers, never on the attention itself."},
        "readout": {"default": "mean", "enum": ["mean", "flatten", "sum_mlp"],
                    "description": "Mean over tokens; all numbers; or sum over tokens / "
                                   "sqrt(n), then one hidden layer of 64."},
        "linear_path": {"default": False, "type": "boolean",
                        "description": "A linear term of the dosages beside the network, 0 at "
                                       "first."},
        "batch_size": {"default": 8},
        "accumulate": {"default": 4},
    },
}  # fmt: skip
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


class Encoder(nn.Module):
    """Embedding, layers, readout. A model subclasses it and makes its own layers.

    Parameters
    ----------
    layout : soyfold.models.tokens.Layout
    parameters : dict
        Laid over those declared.
    cim : tensor (G, G) or None
        Chromosome interaction matrix; the plain Transformer uses it for AAS alone.
    """

    def __init__(self, layout, parameters, cim):
        super().__init__()
        p = self.parameters_used = resolve(parameters, self.__module__)
        self.embedding = embedding.Embedding(layout, p)
        chromosome = torch.from_numpy(layout.chromosome)
        self.register_buffer("chromosome", chromosome, persistent=False)
        shares = None if layout.shares is None else torch.from_numpy(layout.shares)
        self.register_buffer("shares", shares, persistent=False)
        self.register_buffer("cim", cim, persistent=False)
        self.dropout = nn.Dropout(p["dropout"])
        self.layers = nn.ModuleList(self.make_layer(p) for _ in range(p["layers"]))
        if layout.groups is not None and p["group_weights"]:
            tokens = layout.n_tokens  # the rest is none where it has no SNP
            weights = torch.from_numpy(layout.groups.weights[:tokens, :tokens]).float()
            for layer in self.layers:
                layer.know(weights)
        self.rotation, self.motif_bias = make_rotation(layout, p), make_motif_bias(layout, p)
        for layer in self.layers:
            layer.rotation, layer.motif_bias = self.rotation, self.motif_bias
        self.final_norm = nn.LayerNorm(p["d_model"]) if p["norm"] == "pre" else nn.Identity()
        self.readout = self.make_readout(p, layout)
        self.linear_path = LinearPath(layout) if p["linear_path"] else None

    def make_readout(self, parameters, layout):
        """What reads the tokens out."""
        d = parameters["d_model"]
        return Readout(parameters["readout"], layout.n_tokens, d, layout.outputs)

    def make_layer(self, parameters):
        """One layer of this model."""
        return EncoderLayer(parameters)

    def layer_inputs(self, g):
        """Yield the token vectors (batch, n, d) that enter each layer, then those that leave.

        A layer runs only when what it gives is asked for.
        """
        x = self.dropout(self.embedding(g))
        yield x
        for layer in self.layers:
            x = layer(x)
            yield x

    def tokens(self, g, layers=None):
        """Token vectors after the first `layers` layers (default all): (batch, n, d)."""
        wanted = len(self.layers) if layers is None else layers
        return next(islice(self.layer_inputs(g), wanted, None))

    def forward(self, g):
        """Standardised dosages (batch, L) to z-scored predictions (batch,) or (batch, outputs)."""
        values = self.readout(self.final_norm(self.tokens(g)))
        return values if self.linear_path is None else values + self.linear_path(g)

    def use_scaler(self, centre, scale):
        """Pass the dosages' standardisation on to the embedding."""
        self.embedding.use_scaler(centre, scale)

    def final_attention(self, g):
        """Last layer's attention, for `soyfold.attention.biased.attention_statistics`.

        Returns
        -------
        tuple
            q, k (batch, heads, n, d_k), H (G, G), chromosome (n,), biased. q and k are those that
            `rotation`, if there is one, turns.
        """
        layer = self.layers[-1]
        q, k = layer.queries_keys(self.tokens(g, len(self.layers) - 1))
        return *with_priors(q, k, layer.priors()), self.cim, self.chromosome, False

    def negative_coupling(self, g):
        """Share of rows where the CIM acts turned round, layer by layer.

        Only CSAFM with the CIM on its keys has such rows.

        Returns
        -------
        Tensor (layers,) or None
        """
