"""Transformer: the encoder without any knowledge of chromosomes (Vaswani et al. 2017)."""

from soyfold.models.encoder import Encoder


class Network(Encoder):
    """Plain encoder; a CIM serves the attention statistics alone."""

    name = "transformer"
