"""Dealing lines to parts."""

import numpy as np
import pandas as pd

from soyfold.common.errors import UserError

PARTS = ("train", "val", "test")
_STREAM = 20240229  # keeps these draws apart from other uses of the same small seeds


def generator(*numbers):
    """A random generator of its own for a split, or for one of the things drawn for it."""
    return np.random.default_rng([_STREAM, *numbers])


def shuffled(names, random):
    """Places of the names, shuffled: the draw depends on the names, not on their order."""
    by_name = np.argsort(np.asarray(names, dtype=str), kind="stable")
    return by_name[random.permutation(len(by_name))]


def deal(n, ratio):
    """Part of each of n seats, such that every stretch of seats has nearly the ratio.

    Seats go to the parts by Webster's method: the j-th seat of a part with share r has priority
    (j - 1/2) / r, and the n lowest are taken. Totals are the ratio's, rounded.

    Parameters
    ----------
    n : int
    ratio : sequence of numbers above 0
        One for each part.

    Returns
    -------
    ndarray (n,) int64
        Numbers of the parts.
    """
    share = np.asarray(ratio, dtype=np.float64) / np.sum(ratio)
    priorities = [(np.arange(int(np.ceil(n * r)) + 1) + 0.5) / r for r in share]
    part = np.repeat(np.arange(len(share)), [len(p) for p in priorities])
    return part[np.argsort(np.concatenate(priorities), kind="stable")[:n]]


def refuse_empty(part, ratio, *, parts=PARTS):
    """Raise `UserError` if a part has no line."""
    if set(parts) - set(part):
        raise UserError(
            f"{len(part)} samples for parts of {':'.join(f'{r:g}' for r in ratio)}",
            at="key splits.ratio",
            allowed="at least one sample in each part",
            mend="give more samples, or a more even ratio",
        )


def draw_parts(names, ratio, random, *, strata=None):
    """Draw the part of every line.

    Parameters
    ----------
    names : sequence of str, length n
        Distinct. The draw depends on the names, not on their order.
    ratio : sequence of numbers
        Shares of train, val and, if there is a third, test.
    random : numpy.random.Generator
    strata : array_like of int, length n, optional, keyword only
        Within every stratum the parts have nearly the ratio.

    Returns
    -------
    ndarray (n,) of str

    Raises
    ------
    UserError
        If there are so few lines that a part would be empty.
    """
    words = np.asarray(PARTS, dtype=object)[deal(len(names), ratio)]
    refuse_empty(words, ratio, parts=PARTS[: len(ratio)])
    order = shuffled(names, random)
    if strata is not None:
        order = order[np.argsort(np.asarray(strata)[order], kind="stable")]
    part = np.empty(len(names), dtype=object)
    part[order] = words
    return part


def kept_names(samples):
    """Names of the samples that passed QC, (n,), in their order."""
    return samples.loc[samples["kept"], "sample"].to_numpy(dtype=object)


def as_tables(names, part):
    """sample, part; and the lines lost (sample, why) of a scheme that leaves nobody out."""
    return pd.DataFrame({"sample": names, "part": part}), pd.DataFrame(columns=["sample", "why"])
