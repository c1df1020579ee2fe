"""From standardised dosages to token vectors: what every network starts with."""

import math

import numpy as np
import torch
from torch import nn

DECLARATION = {
    "meaning": "Networks with an embedding",
    "kind": "network",
    "parameters": {
        "tokens": {"default": "snp", "enum": ["snp", "window"],
                   "description": "One token a SNP, or one per `window` neighbouring SNPs of a "
                                  "chromosome."},
        "window": {"default": None, "type": ["integer", "null"], "minimum": 2,
                   "description": "SNPs a window; null with tokens: snp."},
        "embedding": {"default": "locus_scaled", "enum": ["none", "locus_scaled", "dosage_table"],
                      "description": "Each SNP's own vector scaled by the centred dosage; one "
                                     "vector per dosage; or the dosage itself."},
        "position": {"default": "learned", "enum": ["learned", "sinusoidal", "none"],
                     "description": "What tells a token's place: a vector learned of each, or "
                                    "sines of its number."},
        "d_model": {"default": 256, "type": "integer", "minimum": 1,
                    "description": "Width of a token's vector."},
        "locus_sd": {"default": 0.05, "type": "number", "exclusiveMinimum": 0,
                     "description": "Standard deviation of the initial embedding."},
        "position_sd": {"default": 0.02, "type": "number", "exclusiveMinimum": 0,
                        "description": "Standard deviation of the initial positions."},
    },
}  # fmt: skip


PIECE = 128


def sinusoidal_positions(n, d):
    """Positions of Vaswani et al. 2017, 3.5: tensor (n, d)."""
    angle = torch.arange(n, dtype=torch.float64)[:, None] * torch.exp(
        torch.arange(0, d, 2, dtype=torch.float64) * (-math.log(10000.0) / d)
    )
    table = torch.zeros(n, d, dtype=torch.float64)
    table[:, 0::2] = torch.sin(angle)
    table[:, 1::2] = torch.cos(angle)[:, : d // 2]
    return table.float()


def _cut(layout, width):
    """Groups in pieces of up to `width` entries.

    Returns
    -------
    place : ndarray (entries,) int64
        Of each entry in a padded array of pieces x width, by rows.
    token : ndarray (pieces,) int64
        Of each piece.
    """
    pieces = -(-np.bincount(layout.token, minlength=layout.n_tokens) // width)
    first = np.cumsum(pieces) - pieces
    place = (first[layout.token] + layout.slot // width) * width + layout.slot % width
    return place, np.repeat(np.arange(layout.n_tokens), pieces)


class Embedding(nn.Module):
    """Token vectors x (batch, n, d) of standardised dosages g (batch, L).

    - `locus_scaled`: x_t = sum of g_i R_i over the SNPs i in t, + P_t; R (L, d), P (n, d) learned.
    - `dosage_table`: x_t = sum of E[dosage_i] over the SNPs i in t, + P_t; E (3, d) learned and
      shared by all SNPs; between whole dosages (mixup) E is interpolated.
    - `none`: x_t = g_t, d = 1, one SNP a token.

    Parameters
    ----------
    layout : soyfold.models.tokens.Layout
    parameters : dict
        Those declared above, resolved.
    """

    def __init__(self, layout, parameters):
        super().__init__()
        self.kind = parameters["embedding"]
        self.tokens, self.width = layout.n_tokens, layout.width
        self.d = parameters["d_model"] if self.kind != "none" else 1
        place, snp, token = layout.place, None, None
        if layout.snp is not None:
            self.width = min(PIECE, layout.width)
            place, token = _cut(layout, self.width)
            snp, token = torch.from_numpy(layout.snp), torch.from_numpy(token)
        self.pieces = self.tokens if token is None else len(token)
        self.register_buffer("place", torch.from_numpy(place), persistent=False)
        self.register_buffer("snp", snp, persistent=False)
        self.register_buffer("token", token, persistent=False)
        if self.kind == "none":
            self.position = None
            return
        if self.kind == "locus_scaled":
            self.locus = nn.Parameter(parameters["locus_sd"] * torch.randn(layout.n_snps, self.d))
        else:
            self.table = nn.Parameter(parameters["locus_sd"] * torch.randn(3, self.d))
            self.register_buffer("centre", torch.ones(layout.n_snps))
            self.register_buffer("scale", torch.ones(()))
        if parameters["position"] == "learned":
            self.position = nn.Parameter(
                parameters["position_sd"] * torch.randn(self.tokens, self.d)
            )
        elif parameters["position"] == "sinusoidal":
            table = sinusoidal_positions(self.tokens, self.d)
            self.register_buffer("position", table, persistent=False)
        else:
            self.position = None

    def use_scaler(self, centre, scale):
        """Take the standardisation of the dosages, which `dosage_table` has to undo."""
        if self.kind == "dosage_table":
            self.centre.copy_(centre)
            self.scale.copy_(scale)

    def _pad(self, values):
        """(..., L) to (..., pieces, width): zeros where a token, or a piece, has no SNP."""
        if self.snp is not None:
            values = values.index_select(-1, self.snp)
        padded = values.new_zeros(*values.shape[:-1], self.pieces * self.width)
        padded = padded.index_copy(-1, self.place, values)
        return padded.view(*values.shape[:-1], self.pieces, self.width)

    def _join(self, pieces):
        """(pieces, ...) to (n, ...): sums over the pieces of each token."""
        if self.token is None:
            return pieces
        return pieces.new_zeros(self.tokens, *pieces.shape[1:]).index_add(0, self.token, pieces)

    def _locus_scaled(self, g):
        if self.width == 1 and self.snp is None:
            return g.unsqueeze(-1) * self.locus
        locus = self._pad(self.locus.T).permute(1, 2, 0)  # (pieces, width, d)
        windows = self._pad(g).transpose(0, 1)  # (pieces, batch, width)
        return self._join(torch.bmm(windows, locus)).transpose(0, 1)

    def _dosage_table(self, g):
        dosage = (g * self.scale + self.centre).clamp(0, 2)
        hats = torch.stack([(1 - dosage).relu(), 1 - (dosage - 1).abs(), (dosage - 1).relu()], 1)
        sums = self._join(self._pad(hats).sum(-1).permute(2, 0, 1))  # (n, batch, 3)
        return sums.transpose(0, 1) @ self.table

    def forward(self, g):
        """Map g (batch, L) to x (batch, n, d)."""
        if self.kind == "none":
            return g.unsqueeze(-1)
        x = self._locus_scaled(g) if self.kind == "locus_scaled" else self._dosage_table(g)
        return x if self.position is None else x + self.position
