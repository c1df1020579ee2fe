"""Kinship of new lines to those that a model learnt from: how far it has to reach."""

import dataclasses

import numpy as np

from soyfold.common.blocks import blocks, line_products

FLOATS = 2**24  # numbers of a block of kinships: 128 MB
SAMPLED = 1000  # training lines whose nearest relative tells what is near
FAR_QUANTILE = 0.01
NEAREST = 10


@dataclasses.dataclass(frozen=True)
class Relatives:
    """What a line's kinship to a training set comes to.

    Attributes
    ----------
    highest, mean : ndarray (m,)
        To the closest training line, and to the `NEAREST` closest ones, in the mean; the line
        itself is passed over. NaN without any. (The mean over all lines of a panel that is
        centred by its own frequencies is 0 for every line, and tells nothing.)
    nearest : ndarray (m,) int
        Row of the panel of the closest one; -1 without any.
    """

    highest: np.ndarray
    mean: np.ndarray
    nearest: np.ndarray


class Panel:
    """Lines that others are compared with, by VanRaden's first kinship.

    k_ij = sum over SNPs of (x_i - 2p)(x_j - 2p) / (2 sum p (1 - p)), x a count of ALT and p its
    frequency in the panel (VanRaden 2008, doi:10.3168/jds.2007-0980). Unrelated lines are near 0,
    a non-inbred line with itself near 1, an inbred one near 2.

    Parameters
    ----------
    dosage : ndarray (n, L) int8
        May be memory-mapped.
    frequency : ndarray (L,)
        Of ALT.
    """

    def __init__(self, dosage, frequency):
        self.dosage = dosage
        self.centre = 2 * np.asarray(frequency, dtype=np.float64)
        self.scale = float(self.centre @ (1 - self.centre / 2))
        self.own = self._at_centre(dosage)

    def _at_centre(self, dosage):
        return np.concatenate([dosage[rows] @ self.centre for rows in blocks(len(dosage))])

    def kinship(self, dosage):
        """Kinship (m, n) of lines (m, L) to all of the panel."""
        products = line_products(dosage, self.dosage).astype(np.float64)
        products -= self._at_centre(dosage)[:, None]
        products -= self.own
        products += self.centre @ self.centre
        products /= self.scale
        return products

    def relatives(self, dosage, itself, sets):
        """Relatives of lines among one or several sets of the panel's lines, in blocks.

        Parameters
        ----------
        dosage : ndarray (m, L) int8
        itself : ndarray (m,) int
            Row of the panel that is the line itself, which is passed over; -1 for a new one.
        sets : dict of str to ndarray (n,) of bool
            Which of the panel's lines count.

        Returns
        -------
        dict of str to Relatives
        """
        m = len(dosage)
        found = {
            name: Relatives(np.full(m, np.nan), np.full(m, np.nan), np.full(m, -1)) for name in sets
        }
        step = max(1, FLOATS // max(1, len(self.dosage)))
        for start in range(0, m, step):
            rows = slice(start, start + step)
            kinship = self.kinship(dosage[rows])
            own = itself[rows]
            kinship[np.flatnonzero(own >= 0), own[own >= 0]] = np.nan
            for name, members in sets.items():
                _summarise(kinship, members, found[name], rows)
        return found


def _summarise(kinship, members, found, rows):
    """Enter a block's kinships (b, n), NaN with the line itself, into `found` at `rows`."""
    columns = np.flatnonzero(members)
    part = kinship[:, columns]
    known = ~np.isnan(part)
    some = known.any(axis=1)
    part, known = part[some], known[some]
    if not len(part):
        return
    place = rows.start + np.flatnonzero(some)
    ranked = np.where(known, part, -np.inf)
    best = ranked.argmax(axis=1)
    found.highest[place] = part[np.arange(len(part)), best]
    found.nearest[place] = columns[best]
    top = np.partition(ranked, -min(NEAREST, len(columns)), axis=1)[:, -NEAREST:]
    found.mean[place] = np.where(np.isfinite(top), top, 0.0).sum(axis=1) / np.isfinite(top).sum(1)


def far_below(panel, sets):
    """Kinship to the nearest training line that all but 1 % of the training lines themselves have.

    Of up to `SAMPLED` training lines of each set, drawn by a fixed seed.

    Parameters
    ----------
    panel : Panel
    sets : dict of str to ndarray (n,) of bool

    Returns
    -------
    dict of str to float
    """
    limits = {}
    for name, members in sets.items():
        rows = np.flatnonzero(members)
        if len(rows) > SAMPLED:
            rows = np.sort(np.random.default_rng(0).choice(rows, SAMPLED, replace=False))
        found = panel.relatives(panel.dosage[rows], rows, {name: members})[name]
        limits[name] = float(np.nanquantile(found.highest, FAR_QUANTILE))
    return limits
