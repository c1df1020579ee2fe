"""Where a forest plot's axis ends: one rule for figures and for the report's interactive plots."""

import numpy as np

# A panel shows intervals of differences up to so many times the median one, and all models that are
# better; worse ones beyond are told in words.
REACH = 2.5
NARROWEST = 0.02  # no panel zooms in on less: the same as of the controls
ROOM = 0.06  # beside the outermost mark, of the axis


def panel_ends(rows, better):
    """Ends that all better models need, and the intervals of the others but for those far off.

    The interval of a better model is inside as a whole where it leaves 0 out.

    Parameters
    ----------
    rows : DataFrame
        Of one panel: difference, low and high; without an interval (NaN) the difference counts.
    better : array of bool
        By row: whether its model is better than the reference.

    Returns
    -------
    tuple of float
        Low and high; 0 lies between them.
    """
    size = rows.difference.abs()
    near = rows[size <= max(REACH * size.dropna().median(), NARROWEST)]
    own, most = rows[better], size[better]
    below = (own.difference - own.low).clip(upper=most)
    above = (own.high - own.difference).clip(upper=most)
    ends = [near.low, near.high, near.difference]
    ends += [own.difference, own.difference - below, own.difference + above]
    ends = np.concatenate([[-NARROWEST / 2, NARROWEST / 2], *ends])
    ends = ends[np.isfinite(ends)]
    room = ROOM * np.ptp(ends)
    return float(ends.min() - room), float(ends.max() + room)
