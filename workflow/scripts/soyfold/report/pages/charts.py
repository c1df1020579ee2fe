"""Interactive figures of the report, as Vega-Lite specifications."""

import altair as alt
import numpy as np
import pandas as pd

from soyfold.common.decimals import decimals
from soyfold.common.files import read_table
from soyfold.evaluation.comparisons import HIGHER_IS_BETTER
from soyfold.metrics import pearson
from soyfold.report.figures.forest import NARROWEST, panel_ends
from soyfold.report.pages.pages import Chart
from soyfold.report.pages.results import compared_rows

BETTER, WORSE, OPEN = "#2f6fa8", "#b3261e", "#8a949e"
MOST_POINTS = 10_000
ROW = 22  # of the forest plot, pixels a model
SIDE = 430  # of the scatter plot, pixels


def _select(name, options, *, label, labels=None):
    """A parameter bound to a list of choices; the first one is chosen."""
    names = {"labels": labels} if labels else {}
    return alt.param(
        name=name,
        value=options[0],
        bind=alt.binding_select(options=options, name=f"{label} ", **names),
    )


def _options(values):
    """Distinct values in their order; metrics in that of `HIGHER_IS_BETTER`."""
    known = list(dict.fromkeys(values))
    return sorted(known, key=lambda name: [*HIGHER_IS_BETTER, name].index(name))


def inlined(data, *texts):
    """A table as CSV inside the specification: a third of what JSON records take."""
    kinds = dict.fromkeys(texts, "string")
    return alt.InlineData(
        values=data.to_csv(index=False, lineterminator="\n", na_rep=""),
        format=alt.CsvDataFormat(type="csv", parse=kinds),
    )


def _limits(rows, key):
    """Axis ends by key as the object literal of a Vega expression: near and whole."""
    groups = list(rows.groupby(key, sort=False))
    near = {name: panel_ends(group, group.gain > 0) for name, group in groups}
    whole = {
        name: (float(group[["low", "difference"]].min(axis=None)) - NARROWEST,
               float(group[["high", "difference"]].max(axis=None)) + NARROWEST)
        for name, group in groups
    }  # fmt: skip
    return near, whole


def forest_chart(comparisons):
    """Forest plot of the comparisons with a choice of scheme, trait, metric and reference.

    Parameters
    ----------
    comparisons : DataFrame
        comparisons.tsv.

    Returns
    -------
    Chart
    """
    rows, left_out = compared_rows(comparisons)
    rows = rows.copy()
    sign = rows.metric.map({name: 1 if up else -1 for name, up in HIGHER_IS_BETTER.items()})
    rows["gain"] = sign * rows.difference
    ends = np.sort(np.stack([sign * rows.low, sign * rows.high]), axis=0)
    rows["verdict"] = np.select([ends[0] > 0, ends[1] < 0], ["better", "worse"], "open")
    rows["panel"] = rows.trait + "|" + rows.metric
    near, whole = _limits(rows, "panel")
    choices = {
        name: _select(name, _options(rows[column]), label=name)
        for name, column in (
            ("trait", "trait"), ("scheme", "scheme"), ("metric", "metric"),
            ("reference", "reference_label"),
        )
    }  # fmt: skip
    far = alt.param(name="far", value=False, bind=alt.binding_checkbox(name="whole range "))
    end = [
        f"(far ? {dict_literal(whole, k)} : {dict_literal(near, k)})[trait + '|' + metric]"
        for k in (0, 1)
    ]
    return Chart("Forest plot", _forest(rows, choices, far, end), note=(
        "Mean paired difference and 95 % interval, best model on top; hover for the numbers. Blue:"
        " better, red: worse, grey: the interval holds 0; filled: Holm's p below 0.05. A mark at"
        f" the edge lies beyond: tick the whole range.{left_out}"
    ))  # fmt: skip


def dict_literal(ends, k):
    """An object literal of Vega's expression language: key to the low (0) or high (1) end."""
    return "{" + ",".join(f"{name!r}: {pair[k]:.6g}" for name, pair in ends.items()) + "}"


def _forest(rows, choices, far, end):
    """The specification: a zero line, intervals, marks."""
    texts = ["trait", "scheme", "metric", "reference", "label", "verdict"]
    numbers = ["difference", "low", "high", "p_holm", "wins", "splits", "gain"]
    data = rows.assign(reference=rows.reference_label)[texts + numbers]
    data = data.assign(**{name: significant_digits(data[name], 4) for name in numbers})
    scale = alt.Scale(
        domainMin=alt.ExprRef(end[0]), domainMax=alt.ExprRef(end[1]), clamp=True, nice=False
    )
    colours = alt.Scale(domain=["better", "worse", "open"], range=[BETTER, WORSE, OPEN])
    order = alt.EncodingSortField(field="gain", op="mean", order="descending")
    base = (
        alt.Chart(inlined(data, *texts))
        .transform_filter(
            "datum.trait === trait && datum.scheme === scheme && datum.metric === metric"
            " && datum.reference === reference"
        )
        .encode(
            y=alt.Y("label:N", title=None, axis=alt.Axis(labelLimit=220), sort=order),
            color=alt.Color("verdict:N", legend=None, scale=colours),
        )
    )
    axis = alt.Axis(tickCount=7)
    x = alt.X("difference:Q", title="difference to the reference", scale=scale, axis=axis)
    shown = [alt.Tooltip("label:N", title="model"), *(
        alt.Tooltip(f"{name}:Q", format=".4f") for name in ("difference", "low", "high")
    ), alt.Tooltip("p_holm:Q", title="p Holm", format=".2g"), "wins:Q", "splits:Q"]  # fmt: skip
    zero = alt.Chart(pd.DataFrame({"at": [0]})).mark_rule(color="#333").encode(x="at:Q")
    bars = base.mark_rule(size=2.5).encode(
        x=alt.X("low:Q", scale=scale, axis=axis), x2="high:Q", tooltip=shown
    )
    filled = alt.condition(
        "datum.p_holm < 0.05", "verdict:N", alt.value("white"), legend=None, scale=colours
    )
    dots = base.mark_point(size=70, strokeWidth=2, opacity=1).encode(
        x=x, fill=filled, tooltip=shown
    )
    chart = alt.layer(zero, bars, dots).add_params(*choices.values(), far)
    return chart.properties(width="container", height=ROW * rows.label.nunique()).to_dict()


def thin_predictions(predictions, *, most=MOST_POINTS):
    """As many test lines as a browser draws at ease, the same ones for every model.

    Parameters
    ----------
    predictions : dict of str to DataFrame
        Model's label to its test rows: sample, observed, predicted, seed.
    most : int, keyword only
        Points of all models together.

    Returns
    -------
    dict of str to DataFrame
    said : str
        What was left out; empty if nothing was.
    """
    total = sum(len(table) for table in predictions.values())
    if total <= most:
        return predictions, ""
    share = most // len(predictions)
    seeds = sorted(set.union(*(set(table.seed) for table in predictions.values())))
    largest = max(predictions.values(), key=len)
    lines = largest.groupby("seed").size()
    kept = seeds[: max(1, int((lines.cumsum() <= share).sum()))]
    samples = pd.unique(largest["sample"][largest.seed.isin(kept)])
    if lines[kept].sum() > share:
        samples = np.random.default_rng(0).permutation(samples)[:share]
    thinned = {
        label: table[table.seed.isin(kept) & table["sample"].isin(samples)]
        for label, table in predictions.items()
    }
    left = sum(len(table) for table in thinned.values())
    said = (
        f" Shown: {left:,} of {total:,} points, the same lines for every model (splits"
        f" {', '.join(map(str, kept))}); the static figure has all."
    )
    return thinned, said


def half_widths(path):
    """Half width of each fit's prediction intervals: Series by (model, seed), trait units."""
    table = read_table(path, required=("model", "seed", "low", "high"), dtype={"model": str})
    return ((table.high - table.low) / 2).groupby([table.model, table.seed]).first()


def _mean_pcc(predictions):
    """Mean over splits of each model's PCC; NaN for a constant."""
    tables = {label: table.groupby("seed") for label, table in predictions.items()}
    return {
        label: np.mean([pearson(split.observed, split.predicted) for _, split in splits])
        for label, splits in tables.items()
    }


def prediction_chart(predictions, *, models, trait, unit, widths):
    """Observed against predicted with a choice of model; lines by name on hover.

    Parameters
    ----------
    predictions : dict of str to DataFrame
        Model's label to its test rows: sample, observed, predicted, seed.
    models : dict of str to str, keyword only
        Label to model.
    trait, unit : str, keyword only
        `unit` may be None.
    widths : Series, keyword only
        As `half_widths` returns it.

    Returns
    -------
    Chart
    """
    means = _mean_pcc(predictions)
    labels = [
        f"{label} (constant)" if np.isnan(pcc) else f"{label} (PCC {decimals(pcc)})"
        for label, pcc in means.items()
    ]
    thinned, left_out = thin_predictions(predictions)
    data = pd.concat(
        [table.assign(label=label, model=models[label]) for label, table in thinned.items()],
        ignore_index=True,
    )
    half = widths.reindex(pd.MultiIndex.from_frame(data[["model", "seed"]])).to_numpy()
    data = data.assign(low=data.predicted - half, high=data.predicted + half)
    data["residual"] = data.observed - data.predicted
    names = ["label", "sample", "seed", "observed", "predicted", "residual", "low", "high"]
    what = f"{trait} ({unit})" if unit else trait
    best = max(means, key=lambda name: np.nan_to_num(means[name], nan=-2.0))
    model = alt.param(name="model", value=best, bind=alt.binding_select(
        options=list(predictions), labels=labels, name="model "))  # fmt: skip
    spec = _scatter(data[names], model, what=what)
    return Chart("Observed against predicted", spec, width=SIDE + 90, note=(
        "Test lines of all splits; hover for a line's name, its residual and its prediction"
        f" interval, drag to move, scroll to zoom. Dotted: observed = predicted.{left_out}"
    ))  # fmt: skip


def significant_digits(values, digits=5):
    """Numbers rounded to so many significant digits: a page holds thousands."""
    return values.map(lambda value: None if pd.isna(value) else float(f"{value:.{digits}g}"))


def _scatter(data, model, *, what):
    """The specification: the diagonal, and a dot a line."""
    columns = ["observed", "predicted", "residual", "low", "high"]
    data = data.assign(**{name: significant_digits(data[name]) for name in columns})
    ends = [float(data[["observed", "predicted"]].min(axis=None)),
            float(data[["observed", "predicted"]].max(axis=None))]  # fmt: skip
    room = 0.04 * (ends[1] - ends[0])
    scale = alt.Scale(domain=[ends[0] - room, ends[1] + room], nice=False, zero=False)
    line = pd.DataFrame({"a": scale.domain, "b": scale.domain})
    diagonal = alt.Chart(line).mark_line(color="#888", strokeDash=[2, 3], clip=True)
    dots = (
        alt.Chart(inlined(data, "label", "sample", "seed"))
        .transform_filter("datum.label === model")
        .mark_circle(size=34, opacity=0.5, clip=True, color=BETTER)
        .encode(
            x=alt.X("predicted:Q", title=f"predicted {what}", scale=scale),
            y=alt.Y("observed:Q", title=f"observed {what}", scale=scale),
            tooltip=["sample:N", alt.Tooltip("seed:N", title="split"), *(
                alt.Tooltip(f"{name}:Q", format=".4~g") for name in columns)],
        )
    )  # fmt: skip
    chart = alt.layer(diagonal.encode(x="a:Q", y="b:Q"), dots.interactive()).add_params(model)
    return chart.properties(width="container", height=SIDE).to_dict()
