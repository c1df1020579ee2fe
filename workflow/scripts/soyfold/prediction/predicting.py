"""Predictions of untested lines: every saved model's, with intervals and kinship to its lines."""

import dataclasses

import numpy as np
import pandas as pd

from soyfold.cohort.families import find_families
from soyfold.common.errors import UserError
from soyfold.common.files import read_table, write_table
from soyfold.common.logs import log
from soyfold.prediction.kinship import Panel, far_below
from soyfold.prediction.new_lines import write_new_dosage
from soyfold.prediction.panel import read_panel, refuse_other_variants
from soyfold.prediction.saved_models import load_model
from soyfold.prediction.summary import describe_run
from soyfold.prediction.unknown_families import find_guides

COLUMNS = [
    "line", "trait", "environment", "unit", "model", "prediction", "lower", "upper", "reliability",
    "ensemble_sd", "kinship_max", "kinship_mean10", "nearest_line", "family_lines", "call_rate",
    "in_training",
]  # fmt: skip


@dataclasses.dataclass(frozen=True)
class NewLines:
    """Lines to predict.

    Attributes
    ----------
    names : ndarray (m,) of str
    dosage : ndarray (m, L) int8
        Counts of the model's ALT, without a missing call.
    families : ndarray (m,) of str, or None
        An empty string for a line of none; None lets each model read them off the names.
    call_rate : ndarray (m,)
        Share of the model's variants that a line's own calls know.
    """

    names: np.ndarray
    dosage: np.ndarray
    families: np.ndarray | None
    call_rate: np.ndarray


def training_sets(split, phenotypes, samples):
    """Which lines of the panel each trait's final fit learnt from.

    Parameters
    ----------
    split : path-like
        The final split.
    phenotypes : dict of str to path-like
        Values by trait.
    samples : sequence of str, length n
        The panel's lines.

    Returns
    -------
    dict of str to ndarray (n,) of bool
    """
    text = {"sample": str, "part": str}
    parts = read_table(split, required=tuple(text), dtype=text)["sample"]
    sets = {}
    for trait, path in phenotypes.items():
        values = read_table(path, required=("sample", "value"), dtype={"sample": str})
        learnt = values.loc[values["value"].notna(), "sample"]
        sets[trait] = np.isin(samples, np.intersect1d(parts, learnt))
    return sets


def count_family_lines(lines, samples, sets, families):
    """Training lines of each new line's family; families without one are told.

    Parameters
    ----------
    lines : NewLines
    samples : ndarray (n,) of str
        The study's lines.
    sets : dict of str to ndarray (n,) of bool
        By trait: the training lines among them.
    families : dict or None
        `traits.families` of the study; nothing in it, or None, where it has none.

    Returns
    -------
    dict of str to Series (m,) of Int64
        By trait; missing for a line of no family, and without families in the study.
    """
    if not families:
        return dict.fromkeys(sets, pd.Series(pd.NA, index=range(len(lines.names)), dtype="Int64"))
    known, own = find_families(samples, **families), pd.Series(lines.families)
    tables = {}
    for trait, learnt in sets.items():
        counts = own.map(known[learnt].value_counts()).fillna(0).astype("Int64")
        tables[trait] = counts.mask(own == "")
        new = own[tables[trait].eq(0).fillna(False)]
        if len(new):
            log.warning(
                "WARNING %s: %d of %d lines are of families without a training line (%s): they are"
                " predicted less surely than others",
                trait, len(new), len(own), ", ".join(new.unique()[:5]),
            )  # fmt: skip
    return tables


def compare_kinship(lines, panel, samples, sets):
    """Kinship of new lines to each trait's training lines; lines that are far from them are told.

    Parameters
    ----------
    lines : NewLines
    panel : soyfold.prediction.kinship.Panel
    samples : ndarray (n,) of str
        The panel's lines.
    sets : dict of str to ndarray (n,) of bool

    Returns
    -------
    dict of str to DataFrame
        By trait, a row a line: kinship_max, kinship_mean10, nearest_line, in_training, far.
    """
    itself = pd.Index(samples).get_indexer(lines.names)
    relatives, limits = panel.relatives(lines.dosage, itself, sets), far_below(panel, sets)
    tables = {}
    for trait, found in relatives.items():
        nearest = np.where(found.nearest >= 0, samples[found.nearest], None)
        far = found.highest < limits[trait]
        tables[trait] = pd.DataFrame(
            {
                "kinship_max": found.highest,
                "kinship_mean10": found.mean,
                "nearest_line": nearest,
                "in_training": (itself >= 0) & sets[trait][itself],
                "far": far,
            }
        )
        if far.any():
            log.warning(
                "WARNING %s: %d of %d lines have no relative in training above %.3g, which 99 %% of"
                " the training lines have: take their predictions and intervals with care",
                trait, far.sum(), len(far), limits[trait],
            )  # fmt: skip
    return tables


def predict_model(path, lines, panel, kinship, *, level, guides):
    """What one saved model says of new lines.

    Parameters
    ----------
    path : path-like
        As `saved_models.save_model` wrote it.
    lines : NewLines
    panel : DataFrame
        The variants that the lines are aligned to.
    kinship : dict of str to DataFrame
        As `compare_kinship` gives it.
    level : float
        Coverage wanted of the intervals.
    guides : dict of str to soyfold.prediction.unknown_families.Guide
        By trait: how much wider a model that can't tell makes its intervals of new families.

    Returns
    -------
    DataFrame
        `COLUMNS`, a row a trait and line, and of a model of environments further ones for each
        line in each of these, whose name the first rows lack; lower and upper are missing for a
        model without held-out residuals, or with too few for the level. A line of a family without
        a training line has them by training lines that are told without their family, where the
        model can.

    Raises
    ------
    UserError
        If the model has other variants.
    """
    saved = load_model(path)
    refuse_other_variants(saved.variants, panel, file=path)
    values, sd = saved.predict(lines.dosage, lines.names, lines.families)
    if not np.isfinite(values).all():
        raise UserError("predictions that are no numbers", file=path, mend="fit the model anew")
    reliability, error_sd = saved.errors(lines.dosage, lines.names, lines.families)
    tables = []
    for column, trait in enumerate(saved.traits):
        new = kinship[trait]["family_lines"].eq(0).fillna(False).to_numpy(dtype=bool)
        half = saved.half_widths(trait, level, error_sd[:, column], new)
        unsure = new if not len(saved.apart[trait].residuals) else np.zeros_like(new)
        if trait in guides:
            half[unsure] *= guides[trait].ratio
        _warn_of_intervals(saved, trait, half, unsure, guides.get(trait))
        table = kinship[trait].assign(
            line=lines.names,
            trait=trait,
            environment=None,
            unit=saved.facts["units"][column],
            model=saved.name,
            prediction=values[:, column],
            lower=values[:, column] - half,
            upper=values[:, column] + half,
            reliability=reliability[:, column],
            ensemble_sd=sd[:, column],
            call_rate=lines.call_rate,
        )
        tables += [table, *_in_environments(saved, table, lines, trait, level)]
        log.info(
            "%s of %s: %d lines, interval +- %.4g in the mean",
            saved.name, trait, len(table), half.mean() if len(half) else np.nan,
        )  # fmt: skip
    return pd.concat(tables, ignore_index=True)[COLUMNS]


def _in_environments(saved, table, lines, trait, level):
    """The rows of a model's lines again, once for each environment that it knows."""
    if not saved.environments:
        return
    values = saved.predict_environments(lines.dosage, lines.names, lines.families)
    unsure, old = np.full(len(values), np.nan), np.zeros(len(values), dtype=bool)
    half = saved.half_widths(trait, level, unsure, old, within=True)
    for environment, told in zip(saved.environments, values.T, strict=True):
        yield table.assign(
            environment=environment, prediction=told, lower=told - half, upper=told + half
        )


def _warn_of_intervals(saved, trait, half, unsure, guide):
    """Tell of lines without an interval, and of those whose interval isn't the model's own."""
    if np.isnan(half).any():
        log.warning(
            "WARNING %s of %s: %d lines without an interval, %d residuals of lines that it hadn't"
            " seen", saved.name, trait, np.isnan(half).sum(),
            len(saved.calibration[trait].residuals),
        )  # fmt: skip
    if not unsure.any():
        return
    if guide is not None:
        log.info(
            "%s of %s can't tell how it errs without a line's family: intervals of %d lines of new"
            " families are wider by %.2f, as those of %s are",
            saved.name, trait, unsure.sum(), guide.ratio, guide.label,
        )  # fmt: skip
        return
    log.warning(
        "WARNING %s of %s: it can't tell how it errs without a line's family: the intervals of"
        " %d lines of new families are those of other lines, and too narrow",
        saved.name, trait, unsure.sum(),
    )  # fmt: skip


def predict_lines(models, lines, panel, kinship, *, level):
    """predictions.tsv: all models' predictions, trait by trait.

    Parameters
    ----------
    models : sequence of path-like
        In the order of the study.
    lines, panel, kinship, level
        As for `predict_model`.

    Returns
    -------
    DataFrame
        `COLUMNS`; without environment where no model has any.
    """
    told = {"level": level, "guides": find_guides(models, level)}
    tables = [predict_model(path, lines, panel, kinship, **told) for path in models]
    table = pd.concat(tables, ignore_index=True)
    if table["environment"].isna().all():
        table = table.drop(columns="environment")
    order = {trait: place for place, trait in enumerate(kinship)}
    place = table["trait"].map(order)
    return table.iloc[np.argsort(place.to_numpy(), kind="stable")].reset_index(drop=True)


def predict_study(
    models, *, parts, calls, lines, panel, study, phenotypes, families, level, outputs, counts
):
    """Predict new lines from the files of a study, and write what came of it.

    Parameters
    ----------
    models : sequence of path-like
        Saved models, in the order of the study.
    parts : dict of str to path-like
        The new lines' filled .bed by chromosome.
    calls : sequence of path-like
        What was filled in each.
    lines, panel, counts : path-like
        Tables of `new_lines.align_lines` and `panel.describe_panel`.
    study : dict of str to path-like
        dosage, samples: files of the cohort storey; split: the final one.
    phenotypes : dict of str to path-like
        Values by trait.
    families : dict or None
        `traits.families` of the study.
    level : float
        Coverage wanted of the intervals.
    outputs : dict of str to path-like
        Writes predictions, filled (tables) and dosage (.npy, int8, lines x variants).
    """
    variants = read_panel(panel)
    table = read_table(lines, required=("sample", "call_rate"), dtype={"sample": str})
    write_new_dosage(parts, variants, len(table), path=outputs["dosage"])
    filled = pd.concat([read_table(path) for path in calls], ignore_index=True)
    write_table(filled, outputs["filled"])
    names = table["sample"].to_numpy(dtype=str)
    own = find_families(names, **families).fillna("").to_numpy(dtype=str) if families else None
    new = NewLines(names, np.load(outputs["dosage"], mmap_mode="r"), own, table["call_rate"])
    rows = read_table(study["samples"], required=("sample", "row"), dtype={"sample": str})
    samples = rows.sort_values("row")["sample"].to_numpy(dtype=str)
    sets = training_sets(study["split"], phenotypes, samples)
    dosage = np.load(study["dosage"], mmap_mode="r")
    kinship = compare_kinship(new, Panel(dosage, variants["frequency"]), samples, sets)
    for trait, column in count_family_lines(new, samples, sets, families).items():
        kinship[trait]["family_lines"] = column
    predictions = predict_lines(models, new, variants, kinship, level=level)
    write_table(predictions, outputs["predictions"])
    log.info("\n%s", describe_run(predictions, read_table(counts), filled))
