"""CNN of [C]: 2 convolutions with 64 kernels of 3, ReLU, flatten, linear."""

from itertools import pairwise

from torch import nn

from soyfold.models import embedding
from soyfold.models.parameters import require, resolve_network

PARAMETERS = {
    **embedding.DEFAULTS,
    "embedding": "none",
    "position": "none",
    "channels": 64,
    "kernel": 3,
    "layers": 2,
    "dropout": 0.0,
}


class Network(nn.Module):
    """Convolutions along the SNPs, or along the tokens of an embedding.

    Parameters
    ----------
    layout : soyfold.models.tokens.Layout
    parameters : dict
        Laid over `DEFAULTS`, the paper's.
    cim : ignored
    """

    name = "cnn"
    DEFAULTS = PARAMETERS

    def __init__(self, layout, parameters, cim=None):
        super().__init__()
        p = self.parameters_used = resolve_network(parameters, self.DEFAULTS, model=self.name)
        require(
            p["kernel"] % 2 == 1, f"kernel: {p['kernel']}", model=self.name, allowed="an odd width"
        )
        self.embedding = embedding.Embedding(layout, p, model=self.name)
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
