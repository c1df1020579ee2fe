"""CNN of [C]: 2 convolutions with 64 kernels of 3, ReLU, flatten, linear."""

from itertools import pairwise

from torch import nn

from soyfold.models import embedding
from soyfold.models.parameters import resolve

DECLARATION = {
    "label": "CNN",
    "meaning": "Two convolutions along the SNPs.",
    "extends": "embedding",
    "gpu": 1,
    "parameters": {
        "embedding": {"default": "none"},
        "position": {"default": "none"},
        "channels": {"default": 64, "type": "integer", "minimum": 1,
                     "description": "Kernels a layer."},
        "kernel": {"default": 3, "type": "integer", "minimum": 1, "not": {"multipleOf": 2},
                   "description": "Their width, odd."},
        "layers": {"default": 2, "type": "integer", "minimum": 1, "description": "Convolutions."},
        "dropout": {"default": 0.0, "type": "number", "minimum": 0, "exclusiveMaximum": 1,
                    "description": "Before the linear layer."},
    },
}  # fmt: skip


class Network(nn.Module):
    """Convolutions along the SNPs, or along the tokens of an embedding.

    Parameters
    ----------
    layout : soyfold.models.tokens.Layout
    parameters : dict
        Laid over those declared, the paper's.
    cim : ignored
    """

    def __init__(self, layout, parameters, cim=None):
        super().__init__()
        p = self.parameters_used = resolve(parameters, self.__module__)
        self.embedding = embedding.Embedding(layout, p)
        widths = [self.embedding.d] + [p["channels"]] * p["layers"]
        stages = []
        for inward, outward in pairwise(widths):
            stages += [nn.Conv1d(inward, outward, p["kernel"], padding="same"), nn.ReLU()]
        self.convolutions = nn.Sequential(*stages)
        self.dropout = nn.Dropout(p["dropout"])
        self.head = nn.Linear(layout.n_tokens * widths[-1], layout.outputs)

    def forward(self, g):
        """Standardised dosages (batch, L) to z-scored predictions (batch,) or (batch, outputs)."""
        x = self.convolutions(self.embedding(g).transpose(1, 2))
        return self.head(self.dropout(x.flatten(1))).squeeze(-1)

    def use_scaler(self, centre, scale):
        """Pass the dosages' standardisation on to the embedding."""
        self.embedding.use_scaler(centre, scale)
