"""GRU of [C]: 2 layers, chunks of 1,024 SNPs with carried hidden state, linear readout."""

from torch import nn

from soyfold.models.recurrent import DEFAULTS, Recurrent

PARAMETERS = {**DEFAULTS, "dropout": 0.0, "chunk": 1024}


class Network(Recurrent):
    """Two GRU layers; the last hidden state is read out."""

    name = "gru"
    cell = nn.GRU
    DEFAULTS = PARAMETERS
