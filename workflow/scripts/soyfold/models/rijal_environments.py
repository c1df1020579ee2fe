"""Attention model of Rijal et al. 2025 (arXiv:2504.10388) for lines in several environments.

As `rijal_attention`, with one more token that names the environment: loci are x_l R_l with zeros in
the columns of the E environments and a constant; the environment's token is zero but for its own
column and the constant. A line is so read once for each environment, by the same weights, and each
reading gives one value: the sum over all tokens and their entries, weighed, plus an offset.

Their batch of 72 is four lines in all of 18 environments; a batch here is as many lines, in however
many environments the study has. They keep the epoch of the best R2 over all validation values, here
it is that of the least loss, in which each environment counts the same.
"""

import torch
from torch import nn

from soyfold.models import embedding, rijal_attention
from soyfold.models.parameters import resolve

DECLARATION = {
    "label": "Rijal environments",
    "meaning": "Bare attention layers between loci and a token of the environment, or of the "
               "trait.",
    "extends": "rijal_attention",
    "attention": False,
    "joint": True,
    "parameters": {
        "d_model": {"default": 13, "type": "integer", "minimum": 2,
                    "description": "Width of a token's vector, its constant entry counted; columns "
                                   "of the environments are added."},
        "batch_size": {"default": 4},
        "epochs": {"default": 3000},
        "patience": {"default": 3000},
    },
}  # fmt: skip


class Network(nn.Module):
    """Bare attention layers between a line's loci and one environment after the other.

    Parameters
    ----------
    layout : soyfold.models.tokens.Layout
        Its outputs are the environments.
    parameters : dict
        Laid over those declared.
    cim : tensor (G, G) or None
        Not looked at.
    """

    def __init__(self, layout, parameters, cim=None):
        super().__init__()
        p = self.parameters_used = resolve(parameters, self.__module__)
        loci, sd, self.outputs = p["d_model"] - 1, p["init_sd"], layout.outputs
        d = loci + self.outputs + 1
        own = {"embedding": "locus_scaled", "position": "none", "d_model": loci, "locus_sd": sd}
        self.embedding = embedding.Embedding(layout, {**p, **own})
        named = torch.cat(
            [torch.zeros(self.outputs, loci), torch.eye(self.outputs), torch.ones(self.outputs, 1)],
            dim=1,
        )
        self.register_buffer("environments", named, persistent=False)
        self.layers = nn.ModuleList(rijal_attention.Layer(d, sd) for _ in range(p["layers"]))
        self.readout = nn.Parameter(sd * torch.randn(layout.n_tokens + 1, d))
        self.offset = nn.Parameter(torch.zeros(()))

    def tokens(self, g):
        """Token vectors (batch, environments, n + 1, d), the environment's the last."""
        x = self.embedding(g)
        between = x.new_zeros(*x.shape[:2], self.outputs)
        x = torch.cat([x, between, x.new_ones(*x.shape[:2], 1)], -1)
        x = x.unsqueeze(1).expand(-1, self.outputs, -1, -1)
        return torch.cat([x, self.environments[:, None].expand(len(g), -1, -1, -1)], 2)

    def forward(self, g):
        """Standardised dosages (batch, L) to z-scored predictions (batch,) or (batch, outputs)."""
        x = self.tokens(g).flatten(0, 1)
        for layer in self.layers:
            x = layer(x)
        values = x.flatten(1) @ self.readout.flatten() + self.offset
        return values.view(len(g), self.outputs).squeeze(-1)
