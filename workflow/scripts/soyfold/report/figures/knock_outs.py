"""The figure of the knock-outs: which groups a fitted hypothesis can't do without."""

import matplotlib.pyplot as plt
import numpy as np

from soyfold.report.figures.curves import STYLE, save_figure

SHOWN = 15  # groups of a panel, those whose loss is largest
LONGEST = 44  # of a group's name
KEYS = ("trait", "hypothesis", "model")
CAPTION = (
    "change of test R2 (the mean put back) with the group's dosages at their training means, on\n"
    "the first split; in a network no other group attends to it either.\n"
    "Red: the group; grey: as many SNPs elsewhere on the same chromosomes, as close together\n"
    "(least to largest of the draws, and their mean).\n"
    f"The {SHOWN} groups whose loss exceeds that of the others by most."
)


def _short(row):
    name = row.group if len(row.group) <= LONGEST else f"{row.group[: LONGEST - 1]}\u2026"
    return f"{name} ({row.snps:,})"


def largest_losses(rows):
    """The groups that a panel shows, the largest loss beside random SNPs first."""
    excess = rows.R2_change - rows.R2_change_random
    return rows.loc[excess.sort_values().index[:SHOWN]]


def _draw_panel(axis, rows):
    heights = np.arange(len(rows))
    axis.hlines(heights, rows.R2_change_random_low, rows.R2_change_random_high, color="0.7", lw=4)
    axis.plot(rows.R2_change_random, heights, "|", color="0.35", ms=8)
    axis.plot(rows.R2_change, heights, "D", color="C3", ms=5)
    axis.axvline(0, color="0.6", lw=0.8, ls=":", zorder=0)
    axis.set_yticks(heights, [_short(row) for row in rows.itertuples()])
    axis.set_ylim(len(rows) - 0.4, -0.6)
    axis.tick_params(axis="y", length=0)
    axis.grid(axis="x", color="0.92")
    axis.locator_params(axis="x", nbins=5)
    axis.set_title(", ".join(rows[list(KEYS)].iloc[0]))


def plot_knock_outs(table, *, paths):
    """Loss of R2 with each group, a panel for each trait, hypothesis and model.

    Parameters
    ----------
    table : DataFrame
        knock_outs.tsv, as `interpretation.knock_outs.knock_out_groups` makes it.
    paths : iterable of path-like
    """
    traits = list(dict.fromkeys(table.trait))
    tried = list(dict.fromkeys(zip(table.hypothesis, table.model, strict=True)))
    most = min(SHOWN, table.groupby(list(KEYS)).size().max())
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            len(traits), len(tried), layout="constrained", squeeze=False,
            figsize=(6.4 * len(tried), (0.22 * most + 0.8) * len(traits) + 0.9),
        )  # fmt: skip
        for line, trait in zip(axes, traits, strict=True):
            for axis, (hypothesis, model) in zip(line, tried, strict=True):
                own = (table.trait == trait) & (table.hypothesis == hypothesis)
                rows = table[own & (table.model == model)]
                if rows.empty:
                    axis.set_axis_off()
                else:
                    _draw_panel(axis, largest_losses(rows))
        figure.supxlabel(CAPTION, fontsize=8)
        figure.suptitle("Groups knocked out, beside random SNPs")
        save_figure(figure, paths)
