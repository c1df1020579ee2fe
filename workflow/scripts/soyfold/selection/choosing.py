"""Lines to advance: the best by index, of which none is nearly another or too closely related."""

import dataclasses

import numpy as np

WINDOW = 256  # candidates whose relatives are looked at together


@dataclasses.dataclass(frozen=True)
class Chosen:
    """What became of the candidates.

    Attributes
    ----------
    rows : ndarray (k,) int
        The chosen, best first.
    passed_over : dict of int to int
        Candidate to the chosen line that kept it out.
    """

    rows: np.ndarray
    passed_over: dict


def choose_lines(values, count, alike):
    """Choose from the best down, and pass over what is too like a line that is chosen already.

    Parameters
    ----------
    values : ndarray (n,)
        Index of each candidate; missing ones are never chosen.
    count : int
        Lines wanted; fewer come where the candidates run out.
    alike : callable
        Of two arrays of candidates (a,), (b,): an array (a, b) of bool, which of them are too like.

    Returns
    -------
    Chosen
    """
    order = np.argsort(-values, kind="stable")
    order = order[np.isfinite(values[order])]
    chosen, passed = [], {}
    for start in range(0, len(order), WINDOW):
        window = order[start : start + WINDOW]
        inside = alike(window, window)
        before = alike(window, np.array(chosen, dtype=int))
        accepted = []
        for place, candidate in enumerate(window):
            if len(chosen) == count:
                return Chosen(np.array(chosen, dtype=int), passed)
            blocked = np.flatnonzero(before[place])
            within = [one for one in accepted if inside[place, one]]
            if len(blocked) or within:
                passed[candidate] = chosen[blocked[0]] if len(blocked) else window[within[0]]
                continue
            accepted.append(place)
            chosen.append(candidate)
    return Chosen(np.array(chosen, dtype=int), passed)


def equal_calls(dosage, others):
    """Share of SNPs at which lines have the same genotype: (a, L), (b, L) int8 -> (a, b)."""
    same = np.zeros((len(dosage), len(others)))
    for genotype in (0, 1, 2):
        same += (dosage == genotype).astype(np.float32) @ (others == genotype).astype(np.float32).T
    return same / dosage.shape[1]
