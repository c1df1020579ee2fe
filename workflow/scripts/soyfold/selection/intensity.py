"""What truncation selection on a normal value comes to."""

import numpy as np
from scipy.special import ndtr, ndtri


def intensity(share):
    """Mean of the chosen in standard deviations, i, when the best `share` of many is chosen.

    i = phi(z) / share at the truncation point z (Falconer and Mackay 1996, chapter 11).

    Parameters
    ----------
    share : float
        In (0, 1).

    Returns
    -------
    float
    """
    return float(np.exp(-np.square(ndtri(share)) / 2) / np.sqrt(2 * np.pi) / share)


def share_above(mean, sd, limit):
    """Share of a normal value that exceeds `limit`: of arrays; 0 or 1 where the sd is 0."""
    return ndtr((mean - limit) / np.maximum(sd, 1e-12))
