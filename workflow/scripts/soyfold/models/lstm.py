"""LSTM of [C]: one SNP per time step, hidden 64, 2 layers, dropout 0.2 between them."""

from torch import nn

from soyfold.models.recurrent import DEFAULTS, Recurrent


class Network(Recurrent):
    """Two LSTM layers; the last hidden state is read out."""

    name = "lstm"
    cell = nn.LSTM
    DEFAULTS = DEFAULTS
