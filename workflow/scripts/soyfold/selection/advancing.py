"""Lines to advance, the index that ranks them, and how it was put together."""

import numpy as np
import pandas as pd

from soyfold.common.files import read_table, write_table
from soyfold.common.logs import log
from soyfold.prediction.kinship import Panel
from soyfold.prediction.panel import read_panel
from soyfold.selection.candidates import predict_candidates, read_models, read_names
from soyfold.selection.choosing import choose_lines, equal_calls
from soyfold.selection.index import covariance, expected_response, index_coefficients

TEXT = ("line", "trait", "model", "unit", "nearest_line")


def describe_index(values, *, index, better, units, share):
    """The index over some candidates.

    Parameters
    ----------
    values : DataFrame (n, T)
        Predictions.
    index, better
        As for `index.index_coefficients`.
    units : dict of str to str or None, keyword only
    share : float, keyword only

    Returns
    -------
    DataFrame (T rows)
        trait, unit, coefficient (per unit of the trait), mean, sd (of the predictions),
        expected_response (trait units; of the best `share`, were the index normal).
    """
    traits, spread = list(values), covariance(values.to_numpy())
    coefficients = index_coefficients(index, traits, better, spread)
    return pd.DataFrame(
        {
            "trait": traits,
            "unit": [units[trait] for trait in traits],
            "coefficient": coefficients,
            "mean": values.mean().to_numpy(),
            "sd": np.sqrt(np.diag(spread)),
            "expected_response": expected_response(coefficients, spread, share),
        }
    )


def index_values(values, described):
    """Index of each line, 0 for one with the candidates' mean predictions: (n,)."""
    return (values.to_numpy() - described["mean"].to_numpy()) @ described["coefficient"].to_numpy()


def advance_lines(candidates, values, frequency, *, share, max_identity, max_kinship, told=None):
    """Rank candidates and choose those to advance.

    Parameters
    ----------
    candidates : candidates.Candidates
    values : ndarray (n,)
        Their index.
    frequency : ndarray (L,)
        Of ALT in the study, which kinship is measured against.
    share : float, keyword only
        Of the candidates to choose.
    max_identity, max_kinship : float or None, keyword only
        Of two chosen lines: share of equal calls; kinship on the scale where an inbred line has
        about 2 with itself.
    told : DataFrame, optional, keyword only
        Further columns by line, such as reliability.

    Returns
    -------
    DataFrame
        rank, line, advance (yes, no), index, gebv_<trait>, kinship_to_advanced (the highest, of a
        line to another that is advanced), nearest_advanced, instead (the line that it is too like),
        and what is told, such as own values; the best first.
    """
    dosage = candidates.dosage

    def alike(left, right):
        if not len(right):
            return np.zeros((len(left), 0), dtype=bool)
        found = np.zeros((len(left), len(right)), dtype=bool)
        if max_identity is not None:
            found |= equal_calls(dosage[left], dosage[right]) > max_identity
        if max_kinship is not None:
            found |= Panel(dosage[right], frequency).kinship(dosage[left]) > max_kinship
        return found

    count = max(1, round(share * len(values)))
    chosen = choose_lines(values, count, alike)
    if len(chosen.rows) < count:
        log.warning("WARNING %d of %d lines to advance: the others are too like these",
                    len(chosen.rows), count)  # fmt: skip
    nearest, kinship = _nearest(dosage, chosen.rows, frequency)
    names = candidates.names
    table = pd.DataFrame(
        {
            "line": names,
            "advance": np.where(np.isin(np.arange(len(names)), chosen.rows), "yes", "no"),
            "index": values,
            **{f"gebv_{trait}": column for trait, column in candidates.values.items()},
            "kinship_to_advanced": kinship,
            "nearest_advanced": np.where(nearest >= 0, names[nearest], None),
            "instead": pd.Series({row: names[by] for row, by in chosen.passed_over.items()},
                                 dtype=object).reindex(range(len(names))).to_numpy(),
        }
    )  # fmt: skip
    if told is not None:
        table = table.merge(told, on="line", how="left")
    table = table.sort_values("index", ascending=False, kind="stable", ignore_index=True)
    table.insert(0, "rank", np.arange(1, len(table) + 1))
    log.info("%d of %d lines to advance, %d passed over as too like one of them",
             len(chosen.rows), len(table), len(chosen.passed_over))  # fmt: skip
    return table


def _nearest(dosage, chosen, frequency, step=1024):
    """The closest other chosen line of each, and the kinship to it: (n,) int, (n,); -1, NaN."""
    nearest, highest = np.full(len(dosage), -1), np.full(len(dosage), np.nan)
    panel = Panel(dosage[chosen], frequency)
    for start in range(0, len(dosage), step):
        rows = np.arange(start, min(start + step, len(dosage)))
        kinship = panel.kinship(dosage[rows])
        kinship[rows[:, None] == chosen] = -np.inf
        best = kinship.argmax(1)
        found = np.isfinite(kinship[np.arange(len(rows)), best])
        nearest[rows[found]] = chosen[best[found]]
        highest[rows[found]] = kinship[np.flatnonzero(found), best[found]]
    return nearest, highest


def advance_study(
    models, *, traits, dosage, samples, panel, phenotypes, settings, better, units, outputs,
    predictions=None,
):  # fmt: skip
    """Choose lines from the files of a study, and write what came of it.

    Parameters
    ----------
    models : sequence of path-like
        A saved model a trait.
    traits : sequence of str, keyword only
    dosage, samples, panel : path-like, keyword only
        Of the candidates, and the variants of the models.
    phenotypes : sequence of path-like, keyword only
        Line values of each trait.
    settings : dict, keyword only
        share, index, max_identity, max_kinship.
    better, units : dict of str, keyword only
        By trait.
    outputs : dict of str to path-like, keyword only
        Writes lines and index.
    predictions : path-like, optional, keyword only
        Of new lines: where their reliability, kinship to training and interval are read.
    """
    variants = read_panel(panel)
    saved = read_models(traits, models, variants)
    matrix = np.load(dosage, mmap_mode="r")
    candidates = predict_candidates(saved, matrix, read_names(samples))
    described = describe_index(
        candidates.values, index=settings["index"], better=better, units=units,
        share=settings["share"],
    )  # fmt: skip
    values = index_values(candidates.values, described)
    further = (
        told_of_lines(predictions, saved)
        if predictions
        else reliabilities(saved, matrix, candidates.names)
    )
    told = read_values(phenotypes, traits).merge(further, on="line", how="outer")
    table = advance_lines(
        candidates, values, variants["frequency"].to_numpy(), share=settings["share"],
        max_identity=settings["max_identity"] or None,
        max_kinship=None if settings["max_kinship"] is False else settings["max_kinship"],
        told=told,
    )  # fmt: skip
    write_table(table, outputs["lines"])
    chosen = table.loc[table["advance"] == "yes", [f"gebv_{trait}" for trait in traits]]
    described["advanced_response"] = chosen.mean().to_numpy() - described["mean"].to_numpy()
    write_table(described, outputs["index"])


def read_values(phenotypes, traits):
    """Own values of the study's lines: line, value_<trait> (trait units; missing without one)."""
    columns = [
        read_table(path, required=("sample", "value"), dtype={"sample": str})
        .set_index("sample")["value"]
        .rename(f"value_{trait}")
        for trait, path in zip(traits, phenotypes, strict=True)
    ]
    return pd.concat(columns, axis=1).rename_axis("line").reset_index()


def reliabilities(models, dosage, names):
    """Reliability of the study's own lines' predictions, of the models that know it.

    Parameters
    ----------
    models : dict of str to SavedModel
        By trait.
    dosage : ndarray (n, L) int8
    names : ndarray (n,) of str

    Returns
    -------
    DataFrame
        line; reliability_<trait>.
    """
    table = pd.DataFrame({"line": names})
    for trait, saved in models.items():
        told = saved.reliability(dosage, names)[:, saved.traits.index(trait)]
        if np.isfinite(told).any():
            table[f"reliability_{trait}"] = told
    return table


def told_of_lines(path, models):
    """What predictions.tsv knows of lines: reliability, kinship to training, call rate.

    Parameters
    ----------
    path : path-like
        predictions.tsv of new lines.
    models : dict of str to SavedModel
        By trait.

    Returns
    -------
    DataFrame
        line; reliability_<trait> where it is known; kinship_max (the lowest over the traits'
        training lines), call_rate, in_training.
    """
    table = read_table(path, required=("line", "trait", "model"), dtype=dict.fromkeys(TEXT, str))
    own = table[table["model"] == table["trait"].map({t: s.name for t, s in models.items()})]
    told = own.groupby("line", sort=False).agg(
        kinship_max=("kinship_max", "min"), call_rate=("call_rate", "first"),
        in_training=("in_training", "any"),
    )  # fmt: skip
    if "reliability" in own and own["reliability"].notna().any():
        told = told.join(own.pivot(index="line", columns="trait", values="reliability")
                         [list(models)].add_prefix("reliability_"))  # fmt: skip
    return told.reset_index()
