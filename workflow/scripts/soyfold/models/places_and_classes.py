"""What an encoder's attention knows of tokens beside their vectors: places, classes of variants."""

import torch
from torch import nn

from soyfold.attention.priors import ChromosomeDirect, SharesOnKeys
from soyfold.attention.turned import Rotation


class MotifBias(nn.Module):
    """T[m(i), m(j)] on the logits, m the class of a token's variants; T is 0 at first.

    Parameters
    ----------
    shares : Tensor (n, C)
        Of each class in each token.
    """

    def __init__(self, shares):
        super().__init__()
        self.motif_pairs = nn.Parameter(torch.zeros(shares.shape[1], shares.shape[1]))
        self.register_buffer("shares", shares, persistent=False)
        own = shares.argmax(1) if (shares.amax(1) == 1).all() else None
        self.register_buffer("of", own, persistent=False)

    def priors(self):
        """The prior; none while T is 0 and nothing learns it."""
        if not torch.is_grad_enabled() and not self.motif_pairs.any():
            return []
        one = self.motif_pairs.new_ones(())
        if self.of is None:
            return [SharesOnKeys(self.motif_pairs, self.shares, one)]
        return [ChromosomeDirect(self.motif_pairs, self.of, one)]


def make_rotation(layout, parameters):
    """What turns queries and keys of position: rope_bp; None for another."""
    if parameters["position"] != "rope_bp":
        return None
    if layout.position is None:
        raise ValueError("position: rope_bp without the tokens' base pairs in the layout")
    place, chromosome = torch.from_numpy(layout.position), torch.from_numpy(layout.chromosome)
    width = parameters["d_model"] // parameters["heads"]
    return Rotation(place, chromosome, width, unit=parameters["rope_unit"])


def make_motif_bias(layout, parameters):
    """What classes of variants add to the scores; None without `motif_bias`."""
    if not parameters["motif_bias"]:
        return None
    if layout.class_shares is None:
        raise ValueError("motif_bias without the classes of variants in the layout")
    return MotifBias(torch.from_numpy(layout.class_shares))
