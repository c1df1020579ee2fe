"""Transformer that answers Rijal et al. on the same yeast data ([A], Arcadia Science 2025).

The standard parts that [R] leaves out, residual connections, norms, FFN and several heads, in three
pre-norm layers; tokens are averaged, and each trait is an output of its own, learnt together from
the values that there are. What [A] doesn't print (activation, dropout) is as in our encoder.
"""

from soyfold.models import encoder

PARAMETERS = {
    **encoder.DEFAULTS,
    "d_model": 256,
    "layers": 3,
    "heads": 4,
    "feed_forward": 1024,
    "norm": "pre",
}


class Network(encoder.Encoder):
    """Plain pre-norm encoder; a CIM serves the attention statistics alone."""

    name = "arcadia_transformer"
    DEFAULTS = PARAMETERS
