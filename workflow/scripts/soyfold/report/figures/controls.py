"""The figure of the controls: does the real CIM beat what is not the 3D genome?"""

from itertools import zip_longest

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from soyfold.evaluation.controls import LIKELIHOODS, POOLED, is_permuted
from soyfold.report.figures.curves import STYLE, entitle, save_figure

METRIC = "PCC"
TITLE = 62  # characters that a panel's width has room for
REAL, SHUFFLED, OTHER = "C3", "0.55", "C0"
CAPTION = (
    f"test {METRIC}, mean over seeds. Black line: mean of the permuted CIMs.\n"
    "Red bar: 95 % interval of the difference to it; a bar that reaches the line shows no gain."
)
# Differences below a tenth of this say nothing to a breeder: no panel zooms in on them.
NARROWEST = 0.02


def ordinal(number):
    """1st, 2nd, 3rd, 4th, 11th, ..."""
    teens = 10 < number % 100 < 14
    return f"{number}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def _spread(values, width):
    """Heights that part dots of nearly the same value: ranks dealt to both sides in turn."""
    rank = pd.Series(values).rank(method="first", na_option="bottom").to_numpy() - 1
    levels = np.array([0.0, 1.0, -1.0, 0.5, -0.5])
    return width * levels[rank.astype(int) % len(levels)]


def verdict(row):
    """The real CIM's rank in words, from the row `permuted` of controls.tsv."""
    if pd.isna(row["rank"]):
        return "no rank: a constant output"
    place = f"{ordinal(int(row['rank']))} of {int(row.permutations) + 1}"
    return f"{place} (p = {row.permutation_p:.2g})"


def _draw_real(axis, row, pooled):
    """The real CIM: a line through the panel, and the interval around its own mark."""
    axis.axvline(row.real, color=REAL, lw=0.8, alpha=0.6, zorder=1)
    if pooled is not None and pd.notna(pooled.low):
        # The difference's interval, moved to where the permuted mean is its zero.
        ends = [pooled.value + pooled.low, pooled.value + pooled.high]
        axis.plot(ends, [0, 0], color=REAL, lw=2.5, solid_capstyle="butt", zorder=2)
    axis.plot(row.real, 0, "D", color=REAL, ms=7, zorder=3)


def _draw_panel(axis, rows, likelihood):
    """One trait and model: the real CIM on top, then the permuted ones, then the others.

    `likelihood` is the row `permuted` of what a kernel's likelihood says; empty for other models.
    """
    shuffled = rows[[is_permuted(name) for name in rows.control]]
    pooled = rows[rows.control == POOLED]
    pooled = pooled.iloc[0] if len(pooled) else None
    others = [name for name in rows.control if name != POOLED and not is_permuted(name)]
    first = rows.iloc[0]
    _draw_real(axis, first, pooled)
    # A matrix expected from lengths is nobody's real CIM.
    labels = [f"{'own' if first.real_cim == 'expected' else 'real'} ({first.real_cim})"]
    if pooled is not None:
        heights = len(labels) + _spread(shuffled.value, 0.22)
        axis.plot(shuffled.value, heights, "o", color=SHUFFLED, ms=4.5, alpha=0.7, mew=0)
        y = len(labels)
        axis.plot([pooled.value] * 2, [y - 0.38, y + 0.38], color="0.2", lw=1.6)
        axis.axvline(pooled.value, color="0.2", lw=0.8, ls=":", zorder=1)
        labels.append(f"permuted ({len(shuffled)})")
    for name in others:
        axis.plot(rows.value[rows.control == name], len(labels), "s", color=OTHER, ms=5.5)
        labels.append(name)
    low, high = axis.get_xlim()
    room = max(0.0, NARROWEST - (high - low)) / 2
    axis.set_xlim(low - room, high + room)
    axis.locator_params(axis="x", nbins=5)
    axis.set_yticks(range(len(labels)), labels)
    axis.get_yticklabels()[0].set(color=REAL, weight="bold")
    axis.set_ylim(len(labels) - 0.4, -0.6)
    axis.tick_params(axis="y", length=0)
    axis.grid(axis="x", color="0.92")
    axis.set_axisbelow(True)
    title = f"{first.trait}, {first.label}"
    if pooled is not None:
        title = entitle(title, f"{labels[0].split()[0]} CIM {verdict(pooled)}", TITLE)
    if len(likelihood):
        title = f"{title}\nby the kernel's likelihood {verdict(likelihood.iloc[0])}"
    axis.set_title(title)


def plot_controls(table, *, paths):
    """Test PCC with the real CIM and with each control CIM, a panel for each trait and model.

    Parameters
    ----------
    table : DataFrame
        controls.tsv, as `controls.compare_controls` returns it.
    paths : iterable of path-like
    """
    rows = table[table.metric == METRIC]
    judged = table[table.metric.isin(LIKELIHOODS) & (table.control == POOLED)]
    traits, models = list(rows.trait.unique()), list(rows.model.unique())
    places = [(trait, model) for trait in traits for model in models]
    # A column a model; one model's traits stand in several, or 30 would make a strip.
    across = len(models) if len(models) > 1 else min(4, len(traits) // 4 + 1)
    down = -(-len(places) // across)
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            down, across, figsize=(5.2 * across, 2.5 * down + 0.9), layout="constrained",
            squeeze=False,
        )  # fmt: skip
        for axis, place in zip_longest(axes.flat, places):
            panel, likelihood = (
                found[pd.MultiIndex.from_frame(found[["trait", "model"]]).isin([place])]
                for found in (rows, judged)
            )
            if panel.empty:
                axis.set_axis_off()
            else:
                _draw_panel(axis, panel, likelihood)
        figure.supxlabel(CAPTION, fontsize=8)
        figure.suptitle("Does the 3D genome help? The real CIM against controls")
        save_figure(figure, paths)
