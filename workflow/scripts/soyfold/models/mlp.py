"""MLP: the encoder's embedding and readout with nothing between them, the cheap baseline.

The sum over tokens of the embedded SNPs is a linear map of the dosages into d numbers; one hidden
layer follows. What attention adds to this is what attention adds.
"""

from torch import nn

from soyfold.models import embedding
from soyfold.models.encoder import LinearPath, Readout
from soyfold.models.parameters import require_choice, resolve_network

PARAMETERS = {
    **embedding.DEFAULTS,
    "position": "none",
    "dropout": 0.0,
    "readout": "sum_mlp",
    "linear_path": False,
}


class Network(nn.Module):
    """Embedding, dropout, readout.

    Parameters
    ----------
    layout : soyfold.models.tokens.Layout
    parameters : dict
        Laid over `DEFAULTS`.
    cim : ignored
    """

    name = "mlp"
    DEFAULTS = PARAMETERS

    def __init__(self, layout, parameters, cim=None):
        super().__init__()
        p = self.parameters_used = resolve_network(parameters, self.DEFAULTS, model=self.name)
        require_choice(p, "readout", Readout.KINDS, model=self.name)
        require_choice(p, "embedding", ("locus_scaled", "dosage_table"), model=self.name)
        self.embedding = embedding.Embedding(layout, p, model=self.name)
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
