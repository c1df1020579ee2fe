"""Intervals of lines of unknown families, by models that don't know how they err there."""

import dataclasses
import json

import numpy as np

from soyfold.evaluation.conformal import conformal_half_width


@dataclasses.dataclass(frozen=True)
class Guide:
    """A model that knows it, by which others widen their intervals.

    Attributes
    ----------
    label : str
    ratio : float
        Half width of its intervals by training lines told without their family, over that by lines
        with sisters; at least 1.
    """

    label: str
    ratio: float


def find_guides(models, level):
    """The first model of each trait that can tell lines without their family.

    Others are supposed to err there as much more than it does: they learn from the same lines.

    Parameters
    ----------
    models : sequence of path-like
        Saved models, of which calibrations alone are read.
    level : float
        Coverage wanted of the intervals.

    Returns
    -------
    dict of str to Guide
        By trait; none where no model can tell.
    """
    guides = {}
    for path in models:
        with np.load(path, allow_pickle=False) as stored:
            facts = json.loads(str(stored["facts"]))
            for number, trait in enumerate(facts["traits"]):
                names = f"apart/{number}", f"residuals/{number}"
                if trait in guides or not all(name in stored.files for name in names):
                    continue
                apart, known = (conformal_half_width(stored[name], level) for name in names)
                if np.isfinite(apart) and known > 0:  # an infinite one is of too few lines
                    guides[trait] = Guide(facts["label"], max(1.0, apart / known))
    return guides
