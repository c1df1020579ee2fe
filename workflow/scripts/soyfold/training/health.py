"""Whether a fit's attention says anything: the one rule, from figures that the fit wrote."""

import pandas as pd

from soyfold.common.files import read_table

UNIFORM = "uniform attention"
TOLERANCE = 0.1


def is_uniform(figures):
    """Whether attention is uniform, so that NAE, AAS and maps tell of the tokens' places alone.

    It is where entropy lies within a tenth of uniform attention's (NAE >= 0.9 NAE_uniform) and
    alignment with the CIM does not rise by a tenth of what uniform attention leaves to be gained:
    (AAS - AAS_uniform) / (1 - AAS_uniform) <= 0.1. Attention in proportion to an even CIM has a
    high entropy too, but an AAS of 1: it isn't uniform.

    Parameters
    ----------
    figures : mapping of str to float
        NAE, AAS and their floors as `soyfold.training.attention.measure_attention` names them, or
        means of them over fits.

    Returns
    -------
    bool
        False where there is no NAE.
    """
    nae, aas = figures.get("NAE"), figures.get("AAS")
    if nae is None or pd.isna(nae):
        return False
    if nae < (1 - TOLERANCE) * figures.get("NAE_uniform", 1.0):
        return False
    floor = figures.get("AAS_uniform")
    known = not any(value is None or pd.isna(value) for value in (aas, floor))
    return not (known and floor < 1 and (aas - floor) / (1 - floor) > TOLERANCE)


def read_figures(paths):
    """Means over fits of what they say of themselves on lines: metric to value.

    Parameters
    ----------
    paths : iterable of path-like
        estimates.tsv of fits of one trait and model.

    Returns
    -------
    dict of str to float
    """
    tables = [read_table(path, required=("part", "metric", "value")) for path in paths]
    return pd.concat(tables).dropna(subset="part").groupby("metric")["value"].mean().to_dict()
