"""CISEM: tokens reweighted by the context of their chromosome ([C] eq. 4-10)."""

import math

import torch
from torch import nn

from soyfold.attention.biased import chromosome_context
from soyfold.models.contact_encoder import ContactEncoder
from soyfold.models.encoder_layers import EncoderLayer
from soyfold.models.parameters import require

DECLARATION = {
    "label": "CISEM",
    "meaning": "Tokens reweighted by the context of their chromosome, which contacts weigh.",
    "extends": "contact_encoder",
    "parameters": {
        "tokens": {"enum": ["snp", "window"],
                   "description": "One token a SNP, or one per `window` neighbouring SNPs of a "
                                  "chromosome: each lies on one."},
        "gamma": {"default": 2e-4, "type": "number", "minimum": 0,
                  "description": "M stays within gamma of the CIM; 0 freezes it."},
        "se": {"default": True, "type": "boolean",
               "description": "Squeeze and excitation; false is the CIM-only ablation."},
        "reduction": {"default": 16, "type": "integer", "minimum": 1,
                      "description": "r of the excitation's hidden width."},
        "literal": {"default": False, "type": "boolean",
                    "description": "Leave out the scaling of the chromosome context."},
    },
    "citations": [
        {"what": "CISEM",
         "citation": "Chen, Zou, Yang, Zhou (2026) Transformer fusing chromosome conformation "
                     "and genomic information for soybean trait prediction. Chinese J Inf Fusion "
                     "3(1):31-45",
         "doi": "10.62762/CJIF.2025.226807"},
    ],
}  # fmt: skip
# With a handful of window tokens a chromosome, Lmax / r is a unit or none: once its ReLU dies, no
# gradient reaches M again.
LEAST_HIDDEN = 4


class Excitation(nn.Module):
    """Weights of tokens from their context: w = sigmoid(W2 relu(W1 z_g)), eq. 8-9.

    W1 (hidden x Lmax) and W2 (Lmax x hidden) are shared by the chromosomes. Chromosomes have
    unequal numbers of tokens: z_g is padded with zeros to Lmax, and the padding's weights are
    never read.

    Parameters
    ----------
    chromosome : tensor (n,) int64
        Chromosome of each token, any order.
    groups : int
        G.
    reduction : int
        r; the hidden width is Lmax / r, at least `LEAST_HIDDEN`.
    """

    def __init__(self, chromosome, groups, reduction):
        super().__init__()
        counts = torch.bincount(chromosome, minlength=groups)
        self.groups, self.longest = groups, int(counts.max())
        order = torch.argsort(chromosome, stable=True)
        first = torch.cumsum(counts, 0) - counts
        rank = torch.empty_like(chromosome)
        rank[order] = torch.arange(len(chromosome)) - first[chromosome[order]]
        place = chromosome * self.longest + rank
        self.register_buffer("place", place, persistent=False)
        hidden = max(LEAST_HIDDEN, self.longest // reduction)
        self.squeeze = nn.Linear(self.longest, hidden)
        self.excite = nn.Linear(hidden, self.longest)

    def forward(self, z):
        """Context z (batch, n) to weights in (0, 1), (batch, n)."""
        padded = z.new_zeros(z.shape[0], self.groups * self.longest)
        padded = padded.index_copy(1, self.place, z).view(-1, self.groups, self.longest)
        weights = torch.sigmoid(self.excite(torch.relu(self.squeeze(padded))))
        return weights.flatten(1).index_select(1, self.place)


class Layer(EncoderLayer):
    """Encoder layer whose Y is weighted by w before the FFN: E = w * Y.

    Parameters
    ----------
    parameters : dict
    cim : tensor (G, G)
        Start and centre of M.
    chromosome : tensor (n,) int64
    """

    def __init__(self, parameters, cim, chromosome):
        super().__init__(parameters)
        self.literal = parameters["literal"]
        self.M = nn.Parameter(cim.clone())
        self.register_buffer("chromosome", chromosome, persistent=False)
        counts = torch.bincount(chromosome, minlength=len(cim)).clamp(min=1)
        # What S_q is divided by: tokens of chromosome q x sqrt(d).
        size = counts.to(cim) * math.sqrt(parameters["d_model"])
        self.register_buffer("size", size, persistent=False)
        # The ablation without SE normalises z, so that the sigmoid doesn't saturate.
        self.norm_context = None if parameters["se"] else nn.LayerNorm(len(chromosome))
        self.excitation = (
            Excitation(chromosome, len(cim), parameters["reduction"]) if parameters["se"] else None
        )

    def weights(self, y):
        """w (batch, n) of Y (batch, n, d): eq. 7-9."""
        M = self.M if self.literal else self.M / self.size  # column q: S_q becomes a mean
        z = chromosome_context(y, M, self.chromosome)
        return self.excitation(z) if self.excitation else torch.sigmoid(self.norm_context(z))

    def between(self, y):
        """E = w * Y, eq. 10."""
        return self.weights(y).unsqueeze(-1) * y


class Network(ContactEncoder):
    """Encoder with chromosome context between attention and FFN.

    M of each layer is trainable, starts at the CIM H and is clamped to [H - gamma, H + gamma]
    after every optimiser step; gamma = 0 freezes it. `se: false` is the CIM-only row of Table 5;
    `literal: true` leaves out the division of S_q, chromosome q's part of z, by sqrt(d) and the
    number of tokens on q.
    """

    def make_layer(self, parameters):
        """A layer with its own M."""
        require(self.cim is not None, "no CIM", model="cisem", mend="set cim: real in its block")
        return Layer(parameters, self.cim, self.chromosome)

    @torch.no_grad()
    def after_step(self):
        """Clamp every layer's M to its box around H."""
        gamma = self.parameters_used["gamma"]
        for layer in self.layers:
            layer.M.copy_(torch.clamp(layer.M, self.cim - gamma, self.cim + gamma))
