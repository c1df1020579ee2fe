"""CSAFM: attention whose scores know the chromosomes' contacts ([C] eq. 1-2)."""

import torch
from torch import nn

from soyfold.attention.priors import ChromosomeDirect, ChromosomeOnKeys, SharesOnKeys
from soyfold.models.contact_encoder import ContactEncoder
from soyfold.models.encoder_layers import EncoderLayer, with_priors
from soyfold.models.parameters import require

DECLARATION = {
    "label": "CSAFM",
    "meaning": "Attention whose scores know the chromosomes' contacts.",
    "extends": "contact_encoder",
    "parameters": {
        "H": {"default": "layer", "enum": ["layer", "shared"],
              "description": "One trainable CIM a layer, or one for all layers."},
        "per_head": {"default": False, "type": "boolean", "description": "A trainable CIM a head."},
        "gate": {"default": "none", "enum": ["none", "gau", "product"],
                 "description": "gau: gated attention output and GLU feed-forward (Table 4). "
                                "product: the output times a linear map of the query's token, so "
                                "that products of two tokens are read."},
        "power": {"default": "fixed", "enum": ["fixed", "learned"],
                  "description": "Exponent of H: 1, or learned in each layer from there."},
        "bias": {"default": "keys", "enum": ["keys", "direct"],
                 "description": "CIM on the keys, as published, or directly on the score."},
    },
    "citations": [
        {"what": "CSAFM",
         "citation": "Chen, Zou, Yang, Zhou (2026) Transformer fusing chromosome conformation "
                     "and genomic information for soybean trait prediction. Chinese J Inf Fusion "
                     "3(1):31-45",
         "doi": "10.62762/CJIF.2025.226807"},
    ],
}  # fmt: skip
GATES = {"none": None, "gau": torch.sigmoid, "product": nn.Identity()}
LEAST = 1e-6  # of a contact, whose power has a gradient


class Layer(EncoderLayer):
    """Encoder layer with H[c(i), c(j)] in the score of tokens i and j.

    Parameters
    ----------
    parameters : dict
    H : nn.Parameter (G, G) or (heads, G, G)
    chromosome : tensor (n,) int64
    shares : tensor (n, G), optional
        Of tokens of several chromosomes.
    """

    def __init__(self, parameters, H, chromosome, shares=None):
        gate = parameters["gate"]
        super().__init__(parameters, gated=gate == "gau", gate=GATES[gate])
        if gate == "product":
            nn.init.ones_(self.attention.gate.bias)  # near no gate at first
        self.H = H
        learned = parameters["power"] == "learned"
        self.power = nn.Parameter(torch.ones(())) if learned else None
        self.register_buffer("chromosome", chromosome, persistent=False)
        self.register_buffer("shares", shares, persistent=False)
        direct = parameters["bias"] == "direct"
        # beta_h = |coupling_h| stays at or above 0 without a projection after each step.
        self.coupling = nn.Parameter(torch.ones(parameters["heads"])) if direct else None

    def contacts(self):
        """H as it enters the score: to the learned power, if there is one."""
        if self.power is None:
            return self.H
        return self.H.clamp_min(LEAST).pow(self.power.relu())

    def priors(self):
        """A hypothesis' weights; the CIM, on the keys ([C] eq. 1) or directly on the score."""
        beta = None if self.coupling is None else self.coupling.abs()
        if self.shares is not None:
            own = SharesOnKeys(self.contacts(), self.shares, beta)
        elif beta is None:
            own = ChromosomeOnKeys(self.contacts(), self.chromosome)
        else:
            own = ChromosomeDirect(self.contacts(), self.chromosome, beta)
        return [*super().priors(), own]


class Network(ContactEncoder):
    """Encoder with a trainable H in each layer that starts at the CIM.

    `H` layer (one each) | shared; `per_head`: one H a head; `gate` none | gau (the CIM+GAU row of
    Table 4: gated attention output and GLU feed-forward) | product; `bias` keys | direct; `power`
    of H fixed | learned; `scores` dot | cosine, as for all encoders.
    With H = 0 and no gate it is the Transformer exactly, weight by weight.
    """

    def __init__(self, layout, parameters, cim):
        super().__init__(layout, parameters, cim)
        if self.parameters_used["H"] == "shared":
            for layer in self.layers[1:]:
                layer.H = self.layers[0].H

    def make_layer(self, parameters):
        """A layer with its own H, which starts at the CIM."""
        require(self.cim is not None, "no CIM", model="csafm", mend="set cim: real in its block")
        per_head = (parameters["heads"],) if parameters["per_head"] else ()
        H = nn.Parameter(self.cim.expand(*per_head, *self.cim.shape).clone())
        return Layer(parameters, H, self.chromosome, self.shares)

    def final_attention(self, g):
        """Last layer's attention with its trained H; other priors enter through q and k."""
        layer = self.layers[-1]
        q, k = layer.queries_keys(self.tokens(g, len(self.layers) - 1))
        alone = layer.shares is None and layer.motif_bias is None
        if layer.coupling is None and alone:
            return q, k, layer.contacts(), self.chromosome, True
        return *with_priors(q, k, layer.priors()), layer.contacts(), self.chromosome, False

    @torch.no_grad()
    def negative_coupling(self, g):
        """Share of rows with s_i < 0 over lines, heads and tokens, layer by layer.

        Parameters
        ----------
        g : Tensor (batch, L)

        Returns
        -------
        Tensor (layers,) or None
            None for `bias: direct`, whose coupling is never negative.
        """
        if self.layers[0].coupling is not None:
            return None
        # The layers end the zip, so that the last one's attention isn't computed for nothing.
        pairs = zip(self.layers, self.layer_inputs(g), strict=False)
        queries = (layer.queries_keys(x)[0] for layer, x in pairs)
        return torch.stack([(q.sum(-1) < 0).float().mean() for q in queries])
