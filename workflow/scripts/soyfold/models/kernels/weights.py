"""Weights of chromosome pairs from a CIM."""

import numpy as np

from soyfold.contacts.cim import expected_between


def pair_weights(cim, *, contacts, power):
    """Weights of chromosome pairs from a CIM, with a mean of 1 over the pairs.

    Parameters
    ----------
    cim : ndarray (G, G)
        Not negative. The diagonal isn't looked at; of a matrix that isn't symmetric (row shares)
        the mean of both triangles is.
    contacts : str, keyword only
        observed_expected: the entries over what the marginals of this matrix let expect, for a
        CIM that grows with chromosome size. cim: the entries, for one that is observed / expected
        already. size: 1 for every pair, whatever the CIM says.
    power : float, keyword only
        Exponent: above 1 it sharpens a flat CIM, 0 makes every pair equal.

    Returns
    -------
    ndarray (G, G)
        Symmetric, with a diagonal of 0; all 0 for a CIM without contacts between chromosomes.
    """
    between = (cim + cim.T) / 2.0
    np.fill_diagonal(between, 0.0)
    if not between.any() or len(cim) < 2:
        return np.zeros(np.shape(cim))
    if contacts == "observed_expected":
        between = between / expected_between(between)
    elif contacts == "size":
        between = np.ones(np.shape(cim))
    np.fill_diagonal(between, 0.0)
    weights = between**power
    np.fill_diagonal(weights, 0.0)
    return weights * (len(cim) * (len(cim) - 1) / weights.sum())
