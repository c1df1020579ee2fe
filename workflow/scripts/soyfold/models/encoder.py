"""The transformer encoder that Transformer, CSAFM and CISEM share ([C] eq. 4-5).

A model differs from another by two hooks: `attend`, how queries meet keys, and `between`, what
happens between the attention and the feed-forward sublayer. Without either it is the Transformer.
"""

from itertools import islice

import torch
from torch import nn

from soyfold.models import embedding
from soyfold.models.encoder_layers import EncoderLayer, LinearPath, Readout, with_priors
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
