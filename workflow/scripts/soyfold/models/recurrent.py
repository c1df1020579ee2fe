"""What LSTM and GRU share: a walk along the tokens, in chunks, and a readout."""

import torch
from torch import nn

from soyfold.models import embedding
from soyfold.models.parameters import require_choice, resolve_network

DEFAULTS = {
    **embedding.DEFAULTS,
    "embedding": "none",
    "position": "none",
    "hidden": 64,
    "layers": 2,
    "dropout": 0.2,
    "bidirectional": False,
    "chunk": None,
    "readout": "last",
}


class Recurrent(nn.Module):
    """Embedding, recurrent layers over the tokens, linear readout.

    Parameters
    ----------
    layout : soyfold.models.tokens.Layout
    parameters : dict
        Laid over `DEFAULTS`: `chunk` tokens are walked at a time, with the hidden state carried
        over (None: all at once; the same numbers); `readout` last: the last state of each
        direction, mean: the mean over tokens.
    cim : ignored
    """

    name = "recurrent"
    cell = nn.LSTM
    DEFAULTS = DEFAULTS

    def __init__(self, layout, parameters, cim=None):
        super().__init__()
        p = self.parameters_used = resolve_network(parameters, self.DEFAULTS, model=self.name)
        require_choice(p, "readout", ("last", "mean"), model=self.name)
        self.embedding = embedding.Embedding(layout, p, model=self.name)
        self.chunk = p["chunk"] or layout.n_tokens
        self.mean = p["readout"] == "mean"
        self.recurrent = self.cell(
            self.embedding.d,
            p["hidden"],
            num_layers=p["layers"],
            dropout=p["dropout"] if p["layers"] > 1 else 0.0,
            batch_first=True,
            bidirectional=p["bidirectional"],
        )
        directions = 2 if p["bidirectional"] else 1
        self.head = nn.Linear(p["hidden"] * directions, layout.outputs)

    def forward(self, g):
        """Standardised dosages (batch, L) to z-scored predictions (batch,) or (batch, outputs)."""
        x = self.embedding(g)
        state, total = None, 0.0
        for part in x.split(self.chunk, dim=1):
            out, state = self.recurrent(part, state)
            total = total + out.sum(1) if self.mean else total
        if self.mean:
            return self.head(total / x.shape[1]).squeeze(-1)
        hidden = state[0] if isinstance(state, tuple) else state
        directions = 2 if self.recurrent.bidirectional else 1
        last = torch.cat(list(hidden[-directions:]), -1)
        return self.head(last).squeeze(-1)

    def use_scaler(self, centre, scale):
        """Pass the dosages' standardisation on to the embedding."""
        self.embedding.use_scaler(centre, scale)
