"""DNNGP-like CNN, after Wang et al. 2023 (doi:10.1016/j.molp.2022.11.004).

Theirs reads the principal components of the genotypes, from which their software makes a sequence;
this one reads SNPs in genome order, where neighbours have something to tell each other, or windows
of them. From theirs come the stack of three convolutions of 64 kernels of 4 with ReLU, batch
normalisation after them and dropout after the first two, and a dense end; their layer of 3 units
before the output, and the penalties that differ from layer to layer, are left out.
"""

from itertools import pairwise

from torch import nn

from soyfold.models import embedding
from soyfold.models.parameters import resolve

DECLARATION = {
    "label": "DNNGP-like CNN",
    "meaning": "Three convolutions with batch normalisation.",
    "extends": "embedding",
    "gpu": 1,
    "parameters": {
        "embedding": {"default": "none"},
        "position": {"default": "none"},
        "channels": {"default": 64, "type": "integer", "minimum": 1,
                     "description": "Kernels a layer."},
        "kernel": {"default": 4, "type": "integer", "minimum": 1, "description": "Their width."},
        "layers": {"default": 3, "type": "integer", "minimum": 1, "description": "Convolutions."},
        "dropout": {"default": 0.2, "type": "number", "minimum": 0, "exclusiveMaximum": 1,
                    "description": "After each convolution but the last."},
        "learning_rate": {"default": 1e-3},
    },
    "citations": [
        {"what": "DNNGP",
         "citation": "Wang K et al. (2023) DNNGP, a deep neural network-based method for genomic "
                     "prediction using multi-omics data in plants. Mol Plant 16:279-293",
         "doi": "10.1016/j.molp.2022.11.004"},
    ],
}  # fmt: skip


class Network(nn.Module):
    """Convolutions with batch normalisation along the SNPs, or the tokens of an embedding.

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
        widths = [self.embedding.d] + [p["channels"]] * p["layers"]
        # As many positions after a convolution as before; torch's own "same" copies even kernels.
        around, stages = ((p["kernel"] - 1) // 2, p["kernel"] // 2), []
        for number, (inward, outward) in enumerate(pairwise(widths), start=1):
            stages += [nn.ConstantPad1d(around, 0.0), nn.Conv1d(inward, outward, p["kernel"])]
            stages += [nn.ReLU()]
            stages += [nn.Dropout(p["dropout"])] if number < p["layers"] else []
            stages += [nn.BatchNorm1d(outward)]
        self.convolutions = nn.Sequential(*stages)
        self.head = nn.Linear(layout.n_tokens * widths[-1], layout.outputs)

    def forward(self, g):
        """Standardised dosages (batch, L) to z-scored predictions (batch,) or (batch, outputs)."""
        x = self.convolutions(self.embedding(g).transpose(1, 2))
        return self.head(x.flatten(1)).squeeze(-1)

    def use_scaler(self, centre, scale):
        """Pass the dosages' standardisation on to the embedding."""
        self.embedding.use_scaler(centre, scale)
