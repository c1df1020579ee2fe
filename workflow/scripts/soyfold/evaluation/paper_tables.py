"""The paper's tables 4 to 6: a model with its parts taken away or its gamma changed."""

import re

import pandas as pd

from soyfold.common.errors import UserError
from soyfold.evaluation.scores import FURTHER_METRICS, PAPER_METRICS, floors_of, mean_over_seeds
from soyfold.training.health import UNIFORM, is_uniform

# Share of rows with s_i < 0, whose bias by the CIM is turned round: the last layer's, then each's.
COUPLING = re.compile(r"negative_coupling(_layer\d+)?")


def _metrics_of(columns):
    """The paper's five metrics, then ours, then the share of turned rows of each layer."""
    coupling = [name for name in columns if COUPLING.fullmatch(name)]
    coupling.sort(key=lambda name: (len(name), name))
    return [
        *(name for name in PAPER_METRICS + FURTHER_METRICS if name in columns),
        *coupling,
        *(["parameters"] if "parameters" in columns else []),
    ]


def _variant_rows(variant, group, printed):
    """Rows of one trait's variant, a metric each; `printed` is the paper's value by metric."""
    values = group.pivot(index="seed", columns="metric", values="value")
    first = group.iloc[0]
    guards = UNIFORM if is_uniform(values.mean()) else None
    for metric in _metrics_of(values.columns):
        mean, sd = mean_over_seeds(values[metric])
        yield {
            "trait": first.trait,
            "variant": variant,
            "metric": metric,
            "mean": mean,
            "sd": sd,
            "seeds": len(values),
            "paper": printed.get(metric),
            **floors_of(values, metric),
            "model": first.model,
            "cim": first.cim,
            "preset": first.preset,
            "guards": guards,
        }


def variant_table(scores, variants, *, number, paper):
    """One of the paper's tables 4 (CSAFM), 5 (CISEM) and 6 (gamma), for every trait that has it.

    Parameters
    ----------
    scores : DataFrame
        As `scores.collect_scores` returns it.
    variants : dict of str to str
        The table's row labels, as printed, to the models that they stand for.
    number : int, keyword only
        Which table of the paper: 4, 5 or 6.
    paper : DataFrame, keyword only
        The printed tables: table, trait, model, metric, value.

    Returns
    -------
    DataFrame
        trait, variant, metric, mean, sd, seeds, paper, uniform, within_chromosome, model, cim,
        preset, guards (uniform attention, if it is): the floors `uniform` and `within_chromosome`
        as in `scores.trait_table`.
        Metrics that count are among them: parameters, and negative_coupling (the last layer) and
        negative_coupling_layer1, ... (share of rows with s_i < 0).

    Raises
    ------
    UserError
        If no trait has all the variants.
    """
    fits = scores[scores.model.isin(variants.values())]
    models = fits.groupby("trait", sort=False).model.agg(set)
    whole = [trait for trait, found in models.items() if found == set(variants.values())]
    if not whole:
        raise UserError(
            f"no trait with scores of all of {', '.join(variants.values())}",
            allowed="at least one",
            mend="add those models to training.models",
        )
    rows = []
    for trait in whole:
        for variant, model in variants.items():
            group = fits[(fits.trait == trait) & (fits.model == model)]
            here = (paper.table == number) & (paper.trait == trait) & (paper.model == variant)
            printed = paper[here].set_index("metric").value
            rows.extend(_variant_rows(variant, group, printed))
    table = pd.DataFrame(rows)
    return table.astype({"paper": float})
