"""Forest plots of the comparisons: who is better than each reference, and by how much."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import TwoSlopeNorm

from soyfold.common.decimals import decimals
from soyfold.evaluation.comparisons import ALL, HIGHER_IS_BETTER
from soyfold.report.figures.curves import STYLE, save_figure
from soyfold.report.figures.forest import NARROWEST, REACH, panel_ends

BETTER, WORSE, OPEN = "C0", "C3", "0.55"
# Above so many traits a panel each would be unreadable: one panel for all, and a map.
MOST_PANELS = 4
ROW, LEFT, WIDTH = 0.19, 1.6, 3.1  # inches: a model's line, its label, a panel
CAPTION = (
    "Dots: mean over splits of the paired difference; bars: 95 % interval, corrected for splits"
    " that share training lines.\nBlue: better, red: worse, grey: the interval holds 0. Filled:"
    " Holm's p below 0.05. Right: splits (traits) in which the model is better."
)


def _order(rows, metric):
    """Labels from best to worst by the difference to the first reference, which is among them.

    Not by means: a model that was fitted for some of the traits has its mean over these alone.
    """
    first = rows[rows.reference == rows.reference.iloc[0]]
    means = first.set_index("label").difference
    means[first.reference_label.iloc[0]] = 0.0
    means = means.sort_values(ascending=not HIGHER_IS_BETTER[metric], kind="stable")
    others = [*rows.label, *rows.reference_label]  # undefined against the first reference
    return list(dict.fromkeys([*means.index, *others]))


def _colours(rows, metric):
    """Colour of each row, and whether its mark is filled."""
    sign = 1 if HIGHER_IS_BETTER[metric] else -1
    above, below = (rows.low > 0), (rows.high < 0)
    up, down = (above, below) if sign > 0 else (below, above)
    return np.select([up, down], [BETTER, WORSE], OPEN), (rows.p_holm < 0.05).to_numpy()


def _won(row):
    """What stands at the right of a line: splits won, and traits where there are several."""
    text = f"{row.wins:.0f}/{row.splits:.0f}"
    if pd.isna(row.traits):
        return text
    return f"{text} ({row.better_traits:.0f}/{row.traits:.0f})"


def _draw_line(axis, row, y, *, colour, filled, limits):
    """One model: its mark and interval, or an arrow and the number where it is out of the panel."""
    low, high = limits
    if not low <= row.difference <= high:
        edge, arrow = (low, "<") if row.difference < low else (high, ">")
        axis.plot(edge, y, arrow, color=colour, ms=5, clip_on=False)
        beside = (
            {"ha": "left", "xytext": (6, 0)} if arrow == "<" else {"ha": "right", "xytext": (-6, 0)}
        )
        axis.annotate(
            decimals(row.difference, 2, sign=True), (edge, y), textcoords="offset points",
            va="center", fontsize=7, color=colour, **beside,
        )  # fmt: skip
    else:
        axis.plot(np.clip([row.low, row.high], low, high), [y, y], color=colour, lw=1.6)
        axis.plot(
            row.difference, y, "o", color=colour, ms=4.5, mfc=colour if filled else "white", mew=1.2
        )
    axis.annotate(
        _won(row), (1.02, y), xycoords=("axes fraction", "data"), va="center", fontsize=7,
        color="0.35",
    )  # fmt: skip


def _draw_panel(axis, rows, order, *, metric, labelled):
    """Every model against one reference, from best to worst."""
    rows = rows.dropna(subset="difference")
    reference = rows.reference_label.iloc[0] if len(rows) else None
    if len(rows):
        better = rows.difference > 0 if HIGHER_IS_BETTER[metric] else rows.difference < 0
        limits = panel_ends(rows, better)
        axis.set_xlim(limits)
        colours, filled = _colours(rows, metric)
        for row, colour, full in zip(rows.itertuples(), colours, filled, strict=True):
            y = order.index(row.label)
            _draw_line(axis, row, y, colour=colour, filled=full, limits=limits)
    axis.axvline(0, color="0.2", lw=0.8, zorder=0)
    if reference in order:
        axis.plot(0, order.index(reference), "D", color="0.2", ms=5)
    axis.set_ylim(len(order) - 0.4, -0.6)
    axis.set_yticks(range(len(order)), order if labelled else [])
    axis.tick_params(axis="y", length=0)
    axis.locator_params(axis="x", nbins=5)
    axis.grid(axis="x", color="0.92")
    axis.set_axisbelow(True)


def _draw_map(axis, rows, order, traits, *, metric):
    """Models x traits: the difference to one reference as colour, a dot where Holm's p says so."""
    wide = rows.pivot(index="label", columns="trait", values="difference")
    wide = wide.reindex(index=[name for name in order if name in wide.index], columns=traits)
    p = rows.pivot(index="label", columns="trait", values="p_holm").reindex_like(wide)
    sign = 1 if HIGHER_IS_BETTER[metric] else -1
    reach = max(NARROWEST, REACH * float(np.nanmedian(wide.abs())))
    image = axis.imshow(
        sign * wide, cmap="RdBu", norm=TwoSlopeNorm(0, -reach, reach), aspect="auto",
        interpolation="nearest",
    )  # fmt: skip
    y, x = np.nonzero((p < 0.05).to_numpy())
    axis.plot(x, y, "o", color="black", ms=2.5)
    axis.set_facecolor("0.8")
    axis.set_xticks(range(len(traits)), traits, rotation=90)
    axis.set_yticks(range(len(wide)), wide.index)
    axis.tick_params(length=0)
    bar = axis.figure.colorbar(image, ax=axis, extend="both", fraction=0.03, pad=0.02)
    bar.set_label(f"better by, {metric} (grey: not fitted)", fontsize=8)
    axis.set_title(f"each trait, against {rows.reference_label.iloc[0]} (dot: Holm's p below 0.05)")


def _draw_forests(figure, rows, panels, references, metric):
    """A grid of panels: traits down, references across."""
    axes = figure.subplots(len(panels), len(references), squeeze=False, sharex=False)
    for line, trait in zip(axes, panels, strict=True):
        here = rows[rows.trait == trait]
        order = _order(here, metric)
        for column, (axis, reference) in enumerate(zip(line, references, strict=True)):
            theirs = here[here.reference == reference]
            _draw_panel(axis, theirs, order, metric=metric, labelled=column == 0)
            name = "mean over traits" if trait == ALL else trait
            label = rows.reference_label[rows.reference == reference].iloc[0]
            axis.set_title(f"{name}: against {label}")


def plot_comparisons(table, *, scheme, metric, paths):
    """Forest plot of one metric in one scheme: a panel for each trait and reference.

    With more than four traits there is one panel a reference about the mean over the traits, and a
    map of models x traits against the first reference.

    Parameters
    ----------
    table : DataFrame
        comparisons.tsv, as `comparisons.compare_models` returns it.
    scheme, metric : str, keyword only
    paths : iterable of path-like
    """
    rows = table[(table.scheme == scheme) & (table.metric == metric)]
    defined = rows.reference[rows.difference.notna()].unique()
    rows = rows[rows.reference.isin(defined)]
    traits = [trait for trait in dict.fromkeys(rows.trait) if trait != ALL]
    many = len(traits) > MOST_PANELS
    panels = [ALL] if many else traits
    panels = [trait for trait in panels if trait in set(rows.trait)]
    references = list(dict.fromkeys(rows.reference))
    lines = sum(len(_order(rows[rows.trait == trait], metric)) for trait in panels)
    heights = [ROW * lines + 0.6 * len(panels)] if panels else []
    heights += [ROW * rows.model.nunique() + 1.8] if many else []
    with plt.rc_context(STYLE):
        width = LEFT + WIDTH * max(len(references), 2 if many else 1)
        figure = plt.figure(figsize=(width, sum(heights) + 1.2), layout="constrained")
        if heights:
            parts = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
        else:
            figure.text(0.5, 0.5, "no model to compare", ha="center")
        if panels:
            _draw_forests(parts[0], rows, panels, references, metric)
        if many:
            first = rows[(rows.reference == references[0]) & (rows.trait != ALL)]
            order = _order(rows[rows.trait == (ALL if panels else traits[0])], metric)
            rest = [name for name in dict.fromkeys(first.label) if name not in order]
            _draw_map(parts[-1].subplots(), first, order + rest, traits, metric=metric)
        figure.supxlabel(CAPTION, fontsize=8)
        figure.suptitle(f"Difference of test {metric} to the references, scheme {scheme}")
        save_figure(figure, paths)
