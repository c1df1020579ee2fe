"""Several networks that differ by their initialisation alone, and predict together."""

import torch
from torch import nn


class Ensemble(nn.Module):
    """The mean of several networks' predictions.

    Parameters
    ----------
    members : sequence of nn.Module
    """

    def __init__(self, members):
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, g):
        """Standardised dosages (batch, L) to z-scored predictions (batch,) or (batch, T)."""
        return torch.stack([member(g) for member in self.members]).mean(0)
