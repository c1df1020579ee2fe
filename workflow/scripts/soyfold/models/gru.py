"""GRU of [C]: 2 layers, chunks of 1,024 SNPs with carried hidden state, linear readout."""

from torch import nn

from soyfold.models.recurrent import Recurrent

DECLARATION = {
    "label": "GRU",
    "meaning": "Two GRU layers along the SNPs, the hidden state carried over chunks.",
    "extends": "recurrent",
    "parameters": {
        "dropout": {"default": 0.0},
        "chunk": {"default": 1024},
    },
    "citations": [
        {"what": "GRU",
         "citation": "Cho K et al. (2014) Learning phrase representations using RNN "
                     "encoder-decoder for statistical machine translation. EMNLP 2014:1724-1734",
         "doi": "10.3115/v1/D14-1179"},
    ],
}  # fmt: skip


class Network(Recurrent):
    """Two GRU layers; the last hidden state is read out."""

    cell = nn.GRU
