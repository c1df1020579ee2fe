"""Crosses to make: what the inbred progeny of each pair of parents is expected to be."""

import numpy as np
import pandas as pd

from soyfold.common.chromosomes import read_chromosomes
from soyfold.common.files import read_table, write_table
from soyfold.common.logs import log
from soyfold.prediction.panel import read_panel
from soyfold.selection.candidates import find_lines, read_models, read_names, snp_effects
from soyfold.selection.choosing import equal_calls
from soyfold.selection.genetic_map import place_snps, read_map
from soyfold.selection.index import SIGNS
from soyfold.selection.intensity import intensity, share_above
from soyfold.selection.progeny import progeny_sd
from soyfold.selection.uncertainty import added_variance, effect_covariance

INDEX = "index"
TEXT = {"line": str, "nearest_advanced": str, "instead": str}
BESIDE = ["rank", "parent_1", "parent_2", "differing_snps", "heterozygous"]


def cross_parents(
    values, dosage, effects, *, chromosome, morgans, kind, share, better, checks=None, own=None,
    added=None,
):  # fmt: skip
    """Mean, standard deviation and usefulness of all crosses between some parents.

    The usefulness mean + i h sd (Schnell and Utz 1975) is the mean of the best `share` of the
    progeny, chosen by values that are known without error, h = 1: what the predictions themselves
    don't know of the progeny is in no figure here.

    Parameters
    ----------
    values : DataFrame (P, K), its index the parents' names
        Predicted value of each trait, and of the index.
    dosage : ndarray (P, L) int8
        Counts of ALT.
    effects : ndarray (K, L)
        Of a copy of ALT, a row a column of `values`.
    chromosome, morgans, kind
        As for `progeny.progeny_sd`.
    share : float, keyword only
        Of the progeny, that will be chosen.
    better : dict of str to {'high', 'low'}, keyword only
        By column of `values`.
    checks : DataFrame (C, K), optional, keyword only
        Predicted values of the checks: the best one is what progeny have to exceed.
    own : DataFrame (P, K), optional, keyword only
        The parents' own, observed values.
    added : dict of str to ndarray (P, P), optional, keyword only
        By column: the variance that the effects' uncertainty adds.

    Returns
    -------
    DataFrame
        `BESIDE`, and for each column: mean_, sd_, usefulness_, above_check_ (share of the progeny
        on the better side of the best check; missing without checks), mid_parent_ (of the own
        values; missing where a parent has none), and where it is known sd_uncertain_ (with what the
        effects' uncertainty adds). The most useful first, by the
        last column of `values`, whose own columns stand before the others'.
    """
    first, second = np.triu_indices(len(values), k=1)
    sd = progeny_sd(dosage, effects, chromosome, morgans, kind=kind)[:, first, second]
    heterozygous = (np.asarray(dosage) == 1).mean(1)
    table = pd.DataFrame(
        {
            "parent_1": values.index[first],
            "parent_2": values.index[second],
            "differing_snps": 1 - equal_calls(dosage, dosage)[first, second],
            "heterozygous": np.maximum(heterozygous[first], heterozygous[second]),
        }
    )
    for k, name in enumerate(values):
        column, sign = values[name].to_numpy(), SIGNS[better[name]]
        mean = (column[first] + column[second]) / 2
        table[f"mean_{name}"], table[f"sd_{name}"] = mean, sd[k]
        if name in (added or {}):
            table[f"sd_uncertain_{name}"] = np.sqrt(sd[k] ** 2 + added[name][first, second])
        table[f"usefulness_{name}"] = mean + sign * intensity(share) * sd[k]
        best = np.nan if checks is None or checks.empty else (sign * checks[name]).max()
        table[f"above_check_{name}"] = share_above(sign * mean, sd[k], best)
        if own is not None:
            column = own[name].to_numpy(dtype=np.float64)
            table[f"mid_parent_{name}"] = (column[first] + column[second]) / 2
    last = f"usefulness_{values.columns[-1]}"
    table = table.sort_values(last, ascending=False, kind="stable", ignore_index=True)
    table.insert(0, "rank", np.arange(1, len(table) + 1))
    front = [*BESIDE, *(name for name in table if name.endswith(f"_{values.columns[-1]}"))]
    return table[[*front, *(name for name in table if name not in front)]]


def cross_study(
    models, *, traits, dosage, samples, panel, tables, chromosomes, genetic_map, settings, better,
    path,
):  # fmt: skip
    """Cross the parents that a study names, or its best lines, and write what is to be expected.

    Parameters
    ----------
    models : sequence of path-like
        A saved model a trait.
    traits : sequence of str, keyword only
    dosage, samples, panel : path-like, keyword only
        Of the candidates, and the variants of the models.
    tables : dict of str to path-like, keyword only
        lines and index, as `advancing.advance_study` wrote them.
    chromosomes : path-like, keyword only
        The chromosome table.
    genetic_map : path-like or None, keyword only
    settings : dict, keyword only
        parents, best, progeny, share, cm_per_mb, checks.
    better : dict of str to {'high', 'low'}, keyword only
    path : path-like, keyword only
        Where to.

    Raises
    ------
    UserError
        For a parent or check that is no candidate.
    """
    variants, names = read_panel(panel), read_names(samples)
    saved = read_models(traits, models, variants)
    lines = read_table(tables["lines"], required=("line", "index"), dtype=TEXT).set_index("line")
    index = read_table(tables["index"], required=("trait", "coefficient", "mean"))
    coefficients = index["coefficient"].to_numpy()
    values = lines[[f"gebv_{trait}" for trait in traits] + [INDEX]].loc[names]
    values.columns = [*traits, INDEX]
    own = lines[[f"value_{trait}" for trait in traits]].loc[names].set_axis(traits, axis=1)
    own[INDEX] = (own - index["mean"].to_numpy()) @ coefficients
    parents = _parents(lines, names, settings)
    checks = find_lines(settings["checks"], names, key="key selection.checks")
    effects = snp_effects(saved)
    known = genetic_map and read_map(genetic_map, read_chromosomes(chromosomes).aliases)
    chromosome = variants["chromosome"].to_numpy(dtype=str)
    morgans = place_snps(
        chromosome, variants["position"], rate=settings["cm_per_mb"],
        genetic_map=known, file=genetic_map,
    )  # fmt: skip
    crossed = np.load(dosage, mmap_mode="r")[parents]
    added = _uncertainty(saved, coefficients, crossed, chromosome, morgans, settings["progeny"])
    table = cross_parents(
        values.iloc[parents], crossed, np.vstack([effects, coefficients @ effects]),
        chromosome=chromosome, morgans=morgans,
        kind=settings["progeny"], share=settings["share"], better={**better, INDEX: "high"},
        checks=values.iloc[checks], own=own.iloc[parents], added=added,
    )  # fmt: skip
    told = f"the map {genetic_map}" if genetic_map else f"{settings['cm_per_mb']} cM/Mb"
    log.info("%d crosses between %d parents, %s, recombination by %s", len(table), len(parents),
             settings["progeny"], told)  # fmt: skip
    write_table(table, path)


def _uncertainty(models, coefficients, dosage, chromosome, morgans, kind):
    """What uncertain effects add to each trait's variance, and to the index's where all know it.

    Traits are taken as independent of each other: their models were fitted one by one.
    """
    added = {}
    for trait, saved in models.items():
        if covariance := effect_covariance(saved):
            found = added_variance(dosage, covariance, chromosome, morgans, kind=kind)
            added |= {trait: found} if np.isfinite(found).all() else {}
    if len(added) == len(models):
        added[INDEX] = sum(b**2 * added[t] for b, t in zip(coefficients, models, strict=True))
    return added


def _parents(lines, names, settings):
    """Rows of the parents: those that are named, or the best of the lines to advance."""
    if settings["parents"]:
        return find_lines(settings["parents"], names, key="key selection.crosses.parents")
    ranked = lines[lines["advance"] == "yes"].index
    if len(ranked) < 2:
        ranked = lines.index  # of a small study a tenth may be one line
    return pd.Index(names).get_indexer(ranked[: settings["best"]])
