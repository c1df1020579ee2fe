"""What LSTM and GRU share: a walk along the tokens, in chunks, and a readout."""

import torch
from torch import nn

from soyfold.models import embedding
from soyfold.models.parameters import resolve

DECLARATION = {
    "meaning": "Recurrent networks",
    "extends": "embedding",
    "gpu": 1,
    "parameters": {
        "embedding": {"default": "none"},
        "position": {"default": "none"},
        "hidden": {"default": 64, "type": "integer", "minimum": 1,
                   "description": "Size of the hidden state."},
        "layers": {"default": 2, "type": "integer", "minimum": 1, "description": "Their number."},
        "dropout": {"default": 0.2, "type": "number", "minimum": 0, "exclusiveMaximum": 1,
                    "description": "Between layers."},
        "bidirectional": {"default": False, "type": "boolean",
                          "description": "Both directions, or one."},
        "chunk": {"default": None, "type": ["integer", "null"], "minimum": 1,
                  "description": "Tokens walked at a time, the hidden state carried over; null "
                                 "for all."},
        "readout": {"default": "last", "enum": ["last", "mean"],
                    "description": "The last hidden state, or the mean over tokens."},
    },
}  # fmt: skip


class Recurrent(nn.Module):
    """Embedding, recurrent layers over the tokens, linear readout.

    Parameters
    ----------
    layout : soyfold.models.tokens.Layout
    parameters : dict
        Laid over those declared: `chunk` tokens are walked at a time, with the hidden state carried
        over (None: all at once; the same numbers); `readout` last: the last state of each
        direction, mean: the mean over tokens.
    cim : ignored
    """

    cell = nn.LSTM

    def __init__(self, layout, parameters, cim=None):
        super().__init__()
        p = self.parameters_used = resolve(parameters, self.__module__)
        self.embedding = embedding.Embedding(layout, p)
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
