"""MLP: the encoder's embedding and readout with nothing between them, the cheap baseline.

The sum over tokens of the embedded SNPs is a linear map of the dosages into d numbers; one hidden
layer follows. What attention adds to this is what attention adds.
"""

from torch import nn

from soyfold.models import embedding
from soyfold.models.encoder_layers import LinearPath, Readout
from soyfold.models.parameters import resolve

DECLARATION = {
    "label": "MLP",
    "meaning": "Embedding and readout alone: what attention has to be better than.",
    "extends": "embedding",
    "joint": True,
    "parameters": {
        "tokens": {"default": "window"},
        "window": {"default": 128},
        "embedding": {"enum": ["locus_scaled", "dosage_table"],
                      "description": "Each SNP's own vector scaled by the centred dosage, or "
                                     "one vector per dosage."},
        "position": {"default": "none"},
        "d_model": {"default": 32},
        "dropout": {"default": 0.0, "type": "number", "minimum": 0, "exclusiveMaximum": 1,
                    "description": "Before the readout."},
        "readout": {"default": "sum_mlp", "enum": ["mean", "flatten", "sum_mlp"],
                    "description": "Mean over tokens; all numbers; or sum over tokens / "
                                   "sqrt(n), then one hidden layer of 64."},
        "linear_path": {"default": False, "type": "boolean",
                        "description": "A linear term of the dosages beside the network, 0 at "
                                       "first."},
        "learning_rate": {"default": 1e-3},
        "betas": {"default": [0.9, 0.98]},
        "batch_size": {"default": 64},
        "epochs": {"default": 25},
        "warmup_epochs": {"default": 2},
        "schedule": {"default": "cosine"},
        "patience": {"default": 8},
        "snp_dropout": {"default": 0.3},
        "mixup": {"default": 1.0},
    },
}  # fmt: skip


class Network(nn.Module):
    """Embedding, dropout, readout.

    Parameters
    ----------
    layout : soyfold.models.tokens.Layout
    parameters : dict
        Laid over those declared.
    cim : ignored
    """

    def __init__(self, layout, parameters, cim=None):
        super().__init__()
        p = self.parameters_used = resolve(parameters, self.__module__)
        self.embedding = embedding.Embedding(layout, p)
        self.dropout = nn.Dropout(p["dropout"])
        self.readout = Readout(p["readout"], layout.n_tokens, p["d_model"], layout.outputs)
        self.linear_path = LinearPath(layout) if p["linear_path"] else None

    def forward(self, g):
        """Standardised dosages (batch, L) to z-scored predictions (batch,) or (batch, outputs)."""
        values = self.readout(self.dropout(self.embedding(g)))
        return values if self.linear_path is None else values + self.linear_path(g)

    def use_scaler(self, centre, scale):
        """Pass the dosages' standardisation on to the embedding."""
        self.embedding.use_scaler(centre, scale)
