"""Attention model of Rijal et al. 2025 (arXiv:2504.10388): bare attention layers between loci.

Tokens are x_l R_l with a constant as last entry, x_l the allele and R_l a learned vector of the
locus. Three layers X' = softmax(X Q (X K)') X V follow, of one head each, without scaling, residual
connection, norm or FFN. The phenotype is the sum over loci l and entries k of X_lk C_lk, plus an
offset. Weights start at N(0, 0.03), of which 0.03 is taken for the standard deviation.

Their x is -1 or 1 in haploid segregants; here it is the centred and scaled dosage, which in an
inbred line of allele frequency 1/2 is the same. Tokens may be windows of SNPs, whose x_l R_l add
up.
"""

import torch
from torch import nn

from soyfold.attention.biased import plain_attention
from soyfold.models import embedding
from soyfold.models.parameters import resolve

DECLARATION = {
    "label": "Rijal attention",
    "meaning": "Bare attention layers between loci: no residual, norm or FFN.",
    "kind": "network",
    "attention": True,
    "gpu": 1,
    "parameters": {
        "tokens": {"default": "snp", "enum": ["snp", "window"],
                   "description": "One token a SNP, or one per `window` neighbouring SNPs of a "
                                  "chromosome."},
        "window": {"default": None, "type": ["integer", "null"], "minimum": 2,
                   "description": "SNPs a window; null with tokens: snp."},
        "d_model": {"default": 13, "type": "integer", "minimum": 2,
                    "description": "Width of a token's vector, its constant entry counted."},
        "layers": {"default": 3, "type": "integer", "minimum": 1, "description": "Their number."},
        "init_sd": {"default": 0.03, "type": "number", "exclusiveMinimum": 0,
                    "description": "Standard deviation of all initial weights."},
        "learning_rate": {"default": 1e-3},
        # Plain Adam: no decay, no clipping.
        "weight_decay": {"default": 0.0},
        "clip": {"default": 0.0},
        "batch_size": {"default": 64},
    },
    "citations": [
        {"what": "attention between loci",
         "citation": "Rijal K, Holmes CM, Petti S, Reddy G, Desai MM, Mehta P (2025) Inferring "
                     "genotype-phenotype maps using attention models. bioRxiv, arXiv:2504.10388",
         "doi": "10.1101/2025.04.11.648465"},
    ],
}  # fmt: skip


class Layer(nn.Module):
    """X (batch, n, d) to softmax(X Q (X K)') X V.

    Parameters
    ----------
    d : int
    sd : float
        Standard deviation of the initial weights.
    """

    def __init__(self, d, sd):
        super().__init__()
        self.query, self.key, self.value = (nn.Parameter(sd * torch.randn(d, d)) for _ in range(3))

    def queries_keys(self, x):
        """Query and key (batch, 1, n, d) whose product over sqrt(d) is the unscaled score."""
        scale = self.query.shape[0] ** 0.5  # undoes the one that the fused kernels apply
        return (x @ (scale * self.query)).unsqueeze(1), (x @ self.key).unsqueeze(1)

    def forward(self, x):
        """x (batch, n, d) to (batch, n, d)."""
        return plain_attention(*self.queries_keys(x), (x @ self.value).unsqueeze(1)).squeeze(1)


class Network(nn.Module):
    """Bare attention layers and a readout with weights of their own for each token.

    Parameters
    ----------
    layout : soyfold.models.tokens.Layout
    parameters : dict
        Laid over those declared.
    cim : tensor (G, G) or None
        Serves the attention statistics alone.
    """

    def __init__(self, layout, parameters, cim=None):
        super().__init__()
        p = self.parameters_used = resolve(parameters, self.__module__)
        d, sd = p["d_model"], p["init_sd"]
        loci = {"embedding": "locus_scaled", "position": "none", "d_model": d - 1, "locus_sd": sd}
        self.embedding = embedding.Embedding(layout, {**p, **loci})
        self.register_buffer("chromosome", torch.from_numpy(layout.chromosome), persistent=False)
        self.register_buffer("cim", cim, persistent=False)
        self.layers = nn.ModuleList(Layer(d, sd) for _ in range(p["layers"]))
        self.readout = nn.Parameter(sd * torch.randn(layout.outputs, layout.n_tokens, d))
        self.offset = nn.Parameter(torch.zeros(layout.outputs))

    def tokens(self, g, layers):
        """Token vectors (batch, n, d) after the first `layers` layers."""
        x = self.embedding(g)
        x = torch.cat([x, x.new_ones(*x.shape[:2], 1)], -1)
        for layer in self.layers[:layers]:
            x = layer(x)
        return x

    def forward(self, g):
        """Standardised dosages (batch, L) to z-scored predictions (batch,) or (batch, outputs)."""
        x = self.tokens(g, len(self.layers))
        return (x.flatten(1) @ self.readout.flatten(1).T + self.offset).squeeze(-1)

    def final_attention(self, g):
        """Last layer's attention, for `soyfold.attention.biased.attention_statistics`.

        Returns
        -------
        tuple
            q, k (batch, 1, n, d), H (G, G), chromosome (n,), biased.
        """
        q, k = self.layers[-1].queries_keys(self.tokens(g, len(self.layers) - 1))
        return q, k, self.cim, self.chromosome, False
