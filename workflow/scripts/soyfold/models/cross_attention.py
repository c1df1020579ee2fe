"""Environments or traits as learned queries over a line's SNPs: cross-attention ([V] 3.2.3).

Tokens of the genome go through the encoder's layers, or through none. Then each output t, an
environment or a trait, asks by its query: heads attend from q_t to the tokens, weighted values
are added to q_t, an FFN follows, and the output's own vector reads out a number:

    y_t = q_t + sqrt(n) W_o [softmax(W_q q_t (W_k x)' / sqrt(d_k)) W_v x, over heads]
    value_t = r_t . (y_t + FFN(LN(y_t))) + b_t

sqrt(n) makes of uniform attention the sum over tokens / sqrt(n), which keeps the variance of many
small effects, where their mean would lose it. Queries and readouts are those of a main effect and
departures from it, q_t = q + d_t and r_t = r + s_t, with departures of 0 at first: outputs start
alike, and one of which no value is known stays at the main effect.
"""

import math

import torch
from torch import nn
from torch.nn import functional

from soyfold.models import encoder, encoder_layers

DECLARATION = {
    "label": "Cross-attention",
    "meaning": "Traits or environments as queries that attend to the SNPs, one value each.",
    "extends": "encoder",
    "attention": False,
    "joint": True,
    "parameters": {
        "layers": {"default": 2, "minimum": 0,
                   "description": "Of self-attention between the tokens, before the queries'."},
        "norm": {"default": "pre"},
        "readout": {"default": "queries", "enum": ["queries"],
                    "description": "One query an output."},
    },
    "citations": [
        {"what": "cross-attention",
         "citation": "Vaswani A et al. (2017) Attention is all you need. NeurIPS 30, "
                     "arXiv:1706.03762"},
    ],
}  # fmt: skip


class CrossAttention(nn.Module):
    """Learned queries attend to tokens: x (batch, n, d) to (batch, outputs, d).

    Parameters
    ----------
    d, heads, outputs : int
    cosine : bool
        Scores are cosines times a learned temperature, as in the encoder's self-attention.
    """

    def __init__(self, d, heads, outputs, *, cosine=False):
        super().__init__()
        self.heads = heads
        self.main = nn.Parameter(torch.randn(d) / math.sqrt(d))
        self.departures = nn.Parameter(torch.zeros(outputs, d))
        self.query = nn.Linear(d, d)
        self.key_value = nn.Linear(d, 2 * d)
        self.output = nn.Linear(d, d)
        start = torch.full((heads,), math.log(encoder_layers.TEMPERATURE))
        self.temperature = nn.Parameter(start) if cosine else None  # its logarithm

    @property
    def queries(self):
        """Tensor (outputs, d)."""
        return self.main + self.departures

    def split(self, x):
        """q (heads, outputs, d_k) and k, v (batch, heads, n, d_k)."""
        batch, n, d = x.shape
        width = d // self.heads
        q = self.query(self.queries).view(-1, self.heads, width).transpose(0, 1)
        keys_values = self.key_value(x).view(batch, n, 2, self.heads, width)
        k, v = (part.transpose(1, 2) for part in keys_values.unbind(2))
        if self.temperature is not None:
            # Times sqrt(d_k), by which attention divides.
            scale = self.temperature.exp()[:, None, None] * math.sqrt(width)
            q, k = scale * functional.normalize(q, dim=-1), functional.normalize(k, dim=-1)
        return q, k, v

    def forward(self, x):
        """x (batch, n, d) to what the queries become, (batch, outputs, d)."""
        q, k, v = self.split(x)
        q = q.expand(len(x), -1, -1, -1)
        mixed = functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        return self.queries + math.sqrt(x.shape[1]) * self.output(mixed)


class QueryReadout(nn.Module):
    """Token vectors (batch, n, d) to a value for each output: (batch,) or (batch, outputs).

    Parameters
    ----------
    parameters : dict
        The model's, resolved.
    outputs : int
    """

    def __init__(self, parameters, outputs):
        super().__init__()
        d = parameters["d_model"]
        self.attention = CrossAttention(
            d, parameters["heads"], outputs, cosine=parameters["scores"] == "cosine"
        )
        self.norm = nn.LayerNorm(d)
        self.feed_forward = encoder_layers.FeedForward(
            d, parameters["feed_forward"], parameters["activation"]
        )
        self.dropout = nn.Dropout(parameters["dropout"])
        self.main = nn.Parameter(torch.randn(d) / math.sqrt(d))
        self.departures = nn.Parameter(torch.zeros(outputs, d))
        self.offset = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        """x (batch, n, d) to (batch,) or (batch, outputs)."""
        y = self.attention(x)
        y = y + self.dropout(self.feed_forward(self.norm(y)))
        return ((y * (self.main + self.departures)).sum(-1) + self.offset).squeeze(-1)


class QueriedEncoder(encoder.Encoder):
    """An encoder whose tokens are read out by queries."""

    def make_readout(self, parameters, layout):
        """Queries, one an output."""
        return QueryReadout(parameters, layout.outputs)


class Network(nn.Module):
    """Tokens and queries. It hands on no attention: a query is of no chromosome.

    Parameters
    ----------
    layout : soyfold.models.tokens.Layout
        Its outputs are the queries.
    parameters : dict
        Laid over those declared.
    cim : tensor (G, G) or None
        Not looked at.
    """

    def __init__(self, layout, parameters, cim=None):
        super().__init__()
        self.encoder = QueriedEncoder(layout, parameters, None)
        self.parameters_used = self.encoder.parameters_used

    def forward(self, g):
        """Standardised dosages (batch, L) to z-scored predictions (batch,) or (batch, outputs)."""
        return self.encoder(g)

    def use_scaler(self, centre, scale):
        """Pass the dosages' standardisation on to the embedding."""
        self.encoder.use_scaler(centre, scale)
