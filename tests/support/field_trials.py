"""A trait of the tiny study's lines in several environments, and its splits as files."""

import numpy as np
import pandas as pd
from tiny_study import CODES, planted_lines, write_cohort

from soyfold.cohort.splits.cells import final_values, value_parts
from soyfold.cohort.splits.drawing import draw_split

PLACES = ["east", "north", "south", "west"]


def grow(n=120, *, interaction=0.0, noise=1.0, lost=0.3, seed=1):
    """Values by line and environment: the planted trait, means of places, their own SNP effects.

    Parameters
    ----------
    n : int
    interaction, noise : float
        Sd of the effects that a SNP has in one place alone, and of a value's error.
    lost : float
        Share of the values that aren't there.

    Returns
    -------
    DataFrame
        sample, environment, value.
    """
    random = np.random.default_rng(seed)
    dosage, y = planted_lines(n, noise=0.0)
    own = interaction * random.standard_normal((len(CODES), len(PLACES)))
    values = y[:, None] + (dosage - dosage.mean(0)) @ own + np.array([0.0, 5.0, -3.0, 8.0])
    values += noise * random.standard_normal(values.shape)
    values[random.random(values.shape) < lost] = np.nan
    table = pd.DataFrame(values, columns=PLACES).assign(sample=[f"PI{k:06d}" for k in range(n)])
    return table.melt("sample", var_name="environment").dropna().reset_index(drop=True)


def write_trials(folder, scheme, *, n=120, seed=0, **growing):
    """Write the tiny study with a split of a scheme; a fit's inputs, and the split's rows.

    Returns
    -------
    lines, cells : dict
        Inputs of a fit of a model of lines, and of one of lines in environments; without the CIM.
    rows : DataFrame
        The split as models of lines see it.
    """
    cells = grow(n, **growing)
    names = pd.unique(cells["sample"])
    samples = pd.DataFrame({"sample": names, "kept": True, "reason": None})
    inputs = write_cohort(folder, n=n)
    inputs.pop("cim")
    if scheme == "final":
        rows, _ = draw_split(samples, {"scheme": scheme, "validation": 0.1}, seed=seed)
        values = final_values(cells, rows)
    else:
        settings = {"scheme": scheme, "ratio": (7, 1, 2)}
        rows, _ = draw_split(samples, settings, seed=seed, cells=cells)
        values = value_parts(cells, rows)
    for name, table in (("rows", rows), ("cells", values)):
        table.to_csv(folder / f"{name}.tsv", sep="\t", index=False, na_rep="NA")
    lines, cells = ({**inputs, "splits": [folder / f"{name}.tsv"]} for name in ("rows", "cells"))
    return lines, cells, rows
