"""What a breeder gains who selects the best lines by prediction."""

import math

import numpy as np

from soyfold.metrics import checked_pair, is_constant

TOP = 0.10
SIGNS = {"high": 1.0, "low": -1.0}


def _chances(values, count):
    """Chance of each line to be among the `count` largest, ties broken at random; sums to count.

    A model that knows families alone predicts the same of all sisters: without the ties' shares the
    order of the lines in the file would decide who is selected.
    """
    limit = np.partition(values, -count)[-count]
    above, tied = values > limit, values == limit
    return above + tied * ((count - above.sum()) / tied.sum())


def selection_metrics(y, p, *, top=TOP, better="high"):
    """Overlap, gain and efficiency of selecting the best lines by prediction.

    With S the lines predicted best, T the lines observed best (each the share `top` of all, one
    line at least, ties broken at random and averaged over) and mean(.) of observed values:

    - selection_overlap: |S and T| / |T|; `top` is what chance reaches.
    - selection_gain: mean(S) - mean(all), trait units, positive where the trait gets better: the
      selection differential.
    - selection_efficiency: selection_gain over the gain of perfect selection, mean(T) - mean(all).

    Parameters
    ----------
    y, p : array-like (n,)
        Observed and predicted, in trait units.
    top : float, keyword only
        Share of the lines that is selected, in (0, 1).
    better : {'high', 'low'}, keyword only
        Which end of the trait is wanted.

    Returns
    -------
    dict of str to float
        All NaN if either is constant: nothing is best then.

    Raises
    ------
    ValueError
        For other than 1-d arrays of equal length, values that are not finite, or another `top` or
        `better`.

    References
    ----------
    Ornella L et al. (2014) Genomic-enabled prediction with classification algorithms. Heredity
    112:616-626 (relative efficiency).
    """
    y, p = checked_pair(y, p)
    if better not in SIGNS or not 0 < top < 1:
        raise ValueError(f"top {top}, better {better!r}; allowed: in (0, 1), high or low")
    names = ("selection_overlap", "selection_gain", "selection_efficiency")
    if is_constant(y) or is_constant(p):
        return dict.fromkeys(names, float("nan"))
    count = max(1, math.floor(top * len(y) + 0.5))
    y, p = SIGNS[better] * y, SIGNS[better] * p
    selected, best = _chances(p, count), _chances(y, count)
    gain, perfect = selected @ y / count - y.mean(), best @ y / count - y.mean()
    return dict(
        zip(names, map(float, (selected @ best / count, gain, gain / perfect)), strict=True)
    )
