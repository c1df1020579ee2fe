"""Scores of all fits in one tidy table, and the paper's tables 1 and 2 from it."""

import numpy as np
import pandas as pd

from soyfold.common.errors import UserError
from soyfold.common.files import read_table
from soyfold.evaluation.guards import guards_of, pcc_interval
from soyfold.evaluation.measures import KEYS, MEASURES
from soyfold.evaluation.printed import PRINTED_AS

PAPER_METRICS = ["MAE", "PCC", "CI", "NAE", "AAS"]
FURTHER_METRICS = [
    "AAS_learned", "NAE_headmean", "AAS_headmean", "AAS_learned_headmean", "R2", "RMSE", "Spearman",
    "calibration_slope", "calibration_intercept", "selection_overlap", "selection_gain",
    "selection_efficiency", "AUC", "Brier", "concordance",
]  # fmt: skip
# Further ones whose names say the level of the intervals, or what the lines are grouped by.
NAMED_METRICS = ("coverage", "interval_width", "PCC_within_")
FLOORS = {
    f"{name}{end}": floors
    for end in ("", "_headmean")
    for name, floors in {
        "NAE": ("NAE_uniform", None),
        "AAS": ("AAS_uniform", "AAS_within_chromosome"),
        "AAS_learned": ("AAS_learned_uniform", "AAS_learned_within_chromosome"),
    }.items()
}
TRAIT_COLUMNS = [
    "metric", "model", "mean", "sd", "low", "high", "seeds", "paper", "uniform",
    "within_chromosome", "cim", "preset", "guards",
]  # fmt: skip
# What scores.tsv says of a fit's model, beside the keys of a row.
FACTS = ("label", "preset", "cim", "role", "base", "control")


def collect_scores(fits, measures=()):
    """Test metrics of every fit, one row each.

    Parameters
    ----------
    fits : iterable of dict
        trait, model, label, scheme, seed, preset, cim, role, base, control and `file`, the fit's
        estimates.tsv: what the model says of itself.
    measures : iterable of path-like
        What was measured on the fits' predictions, as `measures.measure_trait` returns it.

    Returns
    -------
    DataFrame
        trait, model, scheme, seed, metric, value, and label, preset, cim, role (model | variant |
        control), base, control of the model. Counts that belong to no part, such as the number
        of trainable parameters, are among the metrics.
    """
    frames, fits = [], list(fits)
    for fit in fits:
        table = _of_test(read_table(fit["file"], required=("part", "metric", "value")))
        frames.append(
            pd.DataFrame(
                {
                    "trait": fit["trait"],
                    "model": fit["model"],
                    "scheme": fit["scheme"],
                    "seed": fit["seed"],
                    "metric": table.metric,
                    "value": table.value,
                    **{name: fit[name] for name in FACTS},
                }
            )
        )
    facts = pd.DataFrame(fits)[[*KEYS, *FACTS]]
    for path in measures:
        table = _of_test(
            read_table(path, required=MEASURES, dtype=dict.fromkeys(KEYS[:3], str))
        ).drop(columns="part")
        frames.append(table.merge(facts, on=KEYS, validate="many_to_one"))
    scores = pd.concat(frames, ignore_index=True)
    return pd.concat([scores, _on_liability(scores)], ignore_index=True)


def _on_liability(scores):
    """Rows heritability_liability of fits to 0 and 1 that tell a heritability.

    What a threshold makes 0 and 1 of has on its own scale h2 K (1 - K) / z^2, with K the share of 1
    and z the normal density at the threshold (Dempster and Lerner 1950,
    doi:10.1093/genetics/35.2.212): the linear model of 0 and 1 is an approximation.
    """
    share = scores[scores.metric == "prevalence"].set_index(KEYS).value
    rows = scores[scores.metric == "heritability"].join(share.rename("share"), on=KEYS)
    rows = rows[rows.share.between(0, 1, inclusive="neither")]
    if rows.empty:
        return rows[scores.columns]
    from scipy.stats import norm  # which other traits don't need

    density = norm.pdf(norm.ppf(rows.share))
    value = rows.value * rows.share * (1 - rows.share) / density**2
    return rows.assign(metric="heritability_liability", value=value)[scores.columns]


def _of_test(table):
    """Rows of the test part, and of no part."""
    return table[table.part.isin(["test"]) | table.part.isna()]


def metrics_in(columns):
    """Those metrics of `columns` that tables show, in their order: the paper's first."""
    named = [name for name in columns if name.startswith(NAMED_METRICS)]
    return [name for name in PAPER_METRICS + FURTHER_METRICS if name in columns] + sorted(named)


def read_scores(path, *, scheme=None):
    """Read scores.tsv.

    Parameters
    ----------
    path : path-like
        As `collect_scores` wrote it.
    scheme : str, optional, keyword only
        Only this validation scheme; each table but schemes.tsv is about the main one.

    Returns
    -------
    DataFrame
    """
    names = ("trait", "model", "scheme", "control")
    scores = read_table(path, required=names, dtype=dict.fromkeys(names, str))
    return scores if scheme is None else scores[scores.scheme == scheme].reset_index(drop=True)


def mean_over_seeds(series):
    """Mean and sd (n - 1) over seeds; a metric undefined on some seed has no mean over seeds."""
    values = series.to_numpy(dtype=float)
    if len(values) == 0 or np.isnan(values).any():
        return np.nan, np.nan
    return values.mean(), values.std(ddof=1) if len(values) > 1 else np.nan


def floors_of(values, metric):
    """What attention without any learning reaches: uniform, and uniform within chromosomes.

    Parameters
    ----------
    values : DataFrame
        One model's seeds x metrics.
    metric : str

    Returns
    -------
    dict of str to float
        uniform, within_chromosome: means over seeds; NaN for metrics without such a floor.
    """
    names = zip(("uniform", "within_chromosome"), FLOORS.get(metric, (None, None)), strict=True)
    return {
        key: mean_over_seeds(values[name])[0] if name in values else np.nan for key, name in names
    }


def _summary(values, metric):
    """One metric of one model's seeds: mean, sd, interval of PCC, floors."""
    mean, sd = mean_over_seeds(values[metric])
    low, high = pcc_interval(values) if metric == "PCC" else (np.nan, np.nan)
    return {
        "metric": metric, "mean": mean, "sd": sd, "low": low, "high": high, "seeds": len(values),
        **floors_of(values, metric),
    }  # fmt: skip


def trait_table(scores, trait, paper, *, heritability=None):
    """The paper's Table 1 (oil) or 2 (protein), or its like for another trait.

    The study's models, and csafm_gau, which the paper prints there, if it is fitted: other variants
    have the tables 4 to 6, control CIMs their own.

    Parameters
    ----------
    scores : DataFrame
        As `collect_scores` returns it.
    trait : str
    paper : DataFrame
        The printed tables: table, trait, model, metric, value ([C], tables 1 to 6).
    heritability : float, optional, keyword only
        Of the trait's line means; PCC above its root is flagged.

    Returns
    -------
    DataFrame
        metric, model, mean, sd, low, high, seeds, paper, uniform, within_chromosome, cim, preset,
        guards: one row per metric and model, the paper's five metrics first. low and high are
        PCC's interval (`guards.pcc_interval`); `uniform` and `within_chromosome` the floors that
        attention without any learning would reach.

    Raises
    ------
    UserError
        If no fit of the trait is among the scores.
    """
    named = [name for name, printed in PRINTED_AS.items() if printed]
    shown = (scores.role == "model") | scores.model.isin(named)
    ours = scores[(scores.trait == trait) & shown]
    if ours.empty:
        raise UserError(f"no scores of trait {trait!r}", allowed=", ".join(scores.trait.unique()))
    printed = paper[paper.table.isin([1, 2]) & (paper.trait == trait)]
    printed = printed.set_index(["model", "metric"]).value
    wide = {
        name: group.pivot(index="seed", columns="metric", values="value")
        for name, group in ours.groupby("model", sort=False)
    }
    mean_mae = wide["mean"].MAE if "mean" in wide else None
    facts = {
        row.model: {
            "cim": row.cim,
            "preset": row.preset,
            # A mean predicts one value by design: no guard has anything to say of it.
            "guards": None if row.model == "mean" else guards_of(
                wide[row.model], mean_mae=mean_mae, heritability=heritability
            ),
        }
        for row in ours.drop_duplicates("model").itertuples()
    }  # fmt: skip
    labels = ours.drop_duplicates("model").set_index("model").label
    rows = [
        {
            **_summary(values, metric),
            "model": labels[name],
            "paper": printed.get((PRINTED_AS.get(name, labels[name]), metric), np.nan),
            **facts[name],
        }
        for metric in metrics_in(list(dict.fromkeys(ours.metric)))
        for name, values in wide.items()
        if metric in values
    ]
    return pd.DataFrame(rows)[TRAIT_COLUMNS]
