"""LSTM of [C]: one SNP per time step, hidden 64, 2 layers, dropout 0.2 between them."""

from torch import nn

from soyfold.models.recurrent import Recurrent

DECLARATION = {
    "label": "LSTM",
    "meaning": "Two LSTM layers along the SNPs.",
    "extends": "recurrent",
    "citations": [
        {"what": "LSTM",
         "citation": "Hochreiter S, Schmidhuber J (1997) Long short-term memory. Neural Comput "
                     "9:1735-1780",
         "doi": "10.1162/neco.1997.9.8.1735"},
    ],
}  # fmt: skip


class Network(Recurrent):
    """Two LSTM layers; the last hidden state is read out."""

    cell = nn.LSTM
