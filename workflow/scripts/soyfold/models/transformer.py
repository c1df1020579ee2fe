"""Transformer: the encoder without any knowledge of chromosomes (Vaswani et al. 2017)."""

from soyfold.models.encoder import Encoder

DECLARATION = {
    "label": "Transformer",
    "meaning": "The encoder without any knowledge of chromosomes.",
    "extends": "encoder",
    "citations": [
        {"what": "Transformer",
         "citation": "Vaswani A et al. (2017) Attention is all you need. NeurIPS 30"},
    ],
}  # fmt: skip


class Network(Encoder):
    """Plain encoder; a CIM serves the attention statistics alone."""
