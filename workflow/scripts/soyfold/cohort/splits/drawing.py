"""From a scheme's name to a split of it."""

import importlib

from soyfold.common.files import read_sheet_rows, read_table

# What schemes draw from beside the samples.
TABLES = ("splits", "values", "families", "clusters", "cells")
_TEXT = dict.fromkeys(("sample", "environment", "family", "cluster"), str)


def read_tables(inputs):
    """Read what a scheme draws from.

    Parameters
    ----------
    inputs : dict of str to path-like
        Those of `TABLES` that the scheme needs; others are passed over.

    Returns
    -------
    dict of str to DataFrame
    """
    return {
        name: read_sheet_rows(inputs[name])
        if name == "splits"
        else read_table(inputs[name], dtype=_TEXT)
        for name in TABLES
        if name in inputs
    }


def draw_split(samples, settings, *, seed, **tables):
    """One split by its scheme.

    Parameters
    ----------
    samples : DataFrame
        sample, kept, reason (`samples.read_samples`).
    settings : dict
        scheme, and its options (`schemes.OPTIONS`).
    seed : int
        Number of the split.
    **tables : DataFrame
        What the scheme draws from: `splits` (the user's), `values` (sample, value of the trait to
        stratify by), `families` (sample, family), `clusters` (sample, cluster), `cells` (sample,
        environment, value).

    Returns
    -------
    parts : DataFrame
        sample, part; a scheme of environments: sample, environment, part, value.
    lost : DataFrame
        sample, why: those that are left out.

    Raises
    ------
    UserError
        If the scheme can't be drawn from these samples.
    """
    # By name at run time, so that each scheme's source digest stays its own.
    module = importlib.import_module(f"soyfold.cohort.splits.{settings['scheme']}")
    return module.draw(samples, settings, seed=seed, **tables)
