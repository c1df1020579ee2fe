"""Scheme `kfold`: every line is tested once, again and again with other folds."""

import numpy as np

from soyfold.cohort.splits.parts import (
    PARTS,
    as_tables,
    draw_parts,
    generator,
    kept_names,
    refuse_empty,
    shuffled,
)
from soyfold.cohort.splits.random import strata_of
from soyfold.common.errors import UserError


def kfold_split(samples, *, folds, ratio, seed, strata=None):
    """Parts of split `seed`: fold `seed % folds` of repeat `seed // folds` is tested.

    Parameters
    ----------
    samples : sequence of str, length n
        Distinct names. The draw depends on the names, not on their order.
    folds : int
        Of nearly equal size.
    ratio : sequence of three numbers
        The first two part the other lines into train and val.
    seed : int
    strata : array_like of int, length n, optional
        Folds and parts are dealt evenly within every stratum.

    Returns
    -------
    ndarray (n,) of str

    Raises
    ------
    UserError
        If there are fewer lines than folds, or a part would be empty.
    """
    samples = np.asarray(samples, dtype=object)
    if len(samples) < folds:
        raise UserError(
            f"{len(samples)} samples for {folds} folds",
            at="key splits.folds",
            allowed="at least one sample in each fold",
        )
    repeat, tested = divmod(seed, folds)
    order = shuffled(samples, generator(repeat))
    if strata is not None:
        order = order[np.argsort(np.asarray(strata)[order], kind="stable")]
    fold = np.empty(len(samples), dtype=np.int64)
    fold[order] = np.arange(len(samples)) % folds
    rest = fold != tested
    part = np.full(len(samples), PARTS[2], dtype=object)
    # Two numbers: this draw is another than that of the folds of repeat `seed`.
    part[rest] = draw_parts(
        samples[rest], ratio[:2], generator(seed, folds),
        strata=None if strata is None else np.asarray(strata)[rest],
    )  # fmt: skip
    refuse_empty(part, ratio)
    return part


def draw(samples, settings, *, seed, values=None):
    """One split, and no line lost; `values` (sample, value) where `stratify` names a trait."""
    names = kept_names(samples)
    strata = strata_of(names, settings["stratify"], values)
    part = kfold_split(
        names, folds=settings["folds"], ratio=settings["ratio"], seed=seed, strata=strata
    )
    return as_tables(names, part)
