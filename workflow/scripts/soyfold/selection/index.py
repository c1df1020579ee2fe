"""The selection index: one value of several traits' predictions, by what a breeder wants of each.

With g the traits' predicted values, Q their covariance over the candidates and I = b'g, choosing
with intensity i moves the traits by i Q b / sqrt(b' Q b). Predictions already carry what phenotypes
and relatives tell of each trait, so that Q stands in the place of both P and G of the classics:

- economic weights w, a unit's value of each trait: b = w (Hazel 1943; of BLUPs Henderson 1963);
- restricted traits C, not to be moved: b = w - C (C' Q C)^-1 C' Q w (Kempthorne and Nordskog 1959,
  doi:10.2307/2527603), the closest index whose response in them is 0;
- desired gains d, moves in their proportions: b = Q^-1 d (Pesek and Baker 1969,
  doi:10.4141/cjps69-137).
"""

import numpy as np

from soyfold.common.errors import UserError
from soyfold.selection.intensity import intensity

SIGNS = {"high": 1.0, "low": -1.0}
COLLINEAR = 1e-8  # smallest eigenvalue of the correlations of traits that an index can tell apart


def covariance(values):
    """Covariance (T, T) of predictions (n, T)."""
    return np.atleast_2d(np.cov(values, rowvar=False))


def economic_coefficients(weights, covariance, restricted=None):
    """b of economic weights, with some traits held where they are.

    Parameters
    ----------
    weights : ndarray (T,)
        Value of one unit of each trait.
    covariance : ndarray (T, T)
        Q.
    restricted : ndarray (T,) of bool, optional
        Traits whose response is to be 0.

    Returns
    -------
    ndarray (T,)
    """
    weights = np.asarray(weights, dtype=np.float64)
    if restricted is None or not np.any(restricted):
        return weights
    held = np.flatnonzero(restricted)
    coefficients = weights.copy()
    coefficients[held] -= np.linalg.solve(
        covariance[np.ix_(held, held)], covariance[held] @ weights
    )
    return coefficients


def desired_coefficients(gains, covariance):
    """b whose response is proportional to the gains wanted: (T,), (T, T) -> (T,)."""
    return np.linalg.solve(covariance, np.asarray(gains, dtype=np.float64))


def expected_response(coefficients, covariance, share):
    """Expected change of each trait's mean when the best `share` by the index is chosen.

    Parameters
    ----------
    coefficients : ndarray (T,)
    covariance : ndarray (T, T)
    share : float

    Returns
    -------
    ndarray (T,)
        Trait units; 0 of an index that doesn't vary.
    """
    moved = covariance @ coefficients
    sd = np.sqrt(max(coefficients @ moved, 0.0))
    return intensity(share) * moved / sd if sd > 0 else np.zeros_like(moved)


def index_coefficients(settings, traits, better, covariance):
    """b of the index that a study asks for.

    Parameters
    ----------
    settings : dict or None
        weights, desired (each trait to number, or None) and restricted (list of str); without any
        of them each trait weighs 1 / sd of its predictions, towards its better end.
    traits : sequence of str, length T
    better : dict of str to {'high', 'low'}
        By trait.
    covariance : ndarray (T, T)
        Of the predictions over the candidates.

    Returns
    -------
    ndarray (T,)

    Raises
    ------
    UserError
        For predictions of a trait that don't vary, or of traits that say the same.
    """
    settings = settings or {}
    sd = np.sqrt(np.diag(covariance))
    if not (sd > 0).all():
        constant = [name for name, one in zip(traits, sd, strict=True) if not one > 0]
        raise UserError(
            f"the same prediction of {', '.join(constant)} for all candidates",
            at="key selection.index", allowed="traits whose predictions differ",
            mend="leave the trait out of the index, or look at what its model has learned",
        )  # fmt: skip
    if settings.get("desired") or settings.get("restricted"):
        _refuse_collinear(covariance / np.outer(sd, sd), traits)
    if settings.get("desired"):
        return desired_coefficients([settings["desired"].get(t, 0.0) for t in traits], covariance)
    given = settings.get("weights")
    weights = (
        [given.get(trait, 0.0) for trait in traits]
        if given
        else [SIGNS[better[trait]] / one for trait, one in zip(traits, sd, strict=True)]
    )
    held = np.isin(traits, settings.get("restricted") or [])
    return economic_coefficients(np.where(held, 0.0, weights), covariance, held)


def _refuse_collinear(correlations, traits):
    if np.linalg.eigvalsh(correlations)[0] < COLLINEAR:
        raise UserError(
            f"predictions of {', '.join(traits)} of which one follows from the others",
            at="key selection.index", allowed="traits that can move each by itself",
            mend="leave one of them out of the index",
        )  # fmt: skip
