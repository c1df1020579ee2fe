"""The figure of transfer: accuracy over the lines that have a value of a trait."""

import matplotlib.pyplot as plt

from soyfold.evaluation.transfer import JOINT
from soyfold.report.figures.curves import STYLE, hide_unused, save_figure

METRIC = "R2"


def plot_transfer(table, *, paths):
    """Mean R2 over splits of each model, alone and beside other traits, a panel a trait.

    Parameters
    ----------
    table : DataFrame
        transfer.tsv, as `evaluation.transfer.compare_transfer` returns it.
    paths : iterable of path-like
    """
    rows = table[table.metric == METRIC]
    traits, models = list(dict.fromkeys(rows.trait)), list(dict.fromkeys(rows.model))
    columns = min(3, len(traits))
    height = -(-len(traits) // columns)
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            height, columns, figsize=(3.6 * columns + 1.6, 3.0 * height + 0.5),
            layout="constrained", squeeze=False,
        )  # fmt: skip
        for axis, trait in zip(axes.flat, traits, strict=False):
            own = rows[rows.trait == trait]
            for (model, arm), curve in own.groupby(["model", "arm"], sort=False):
                curve = curve.sort_values("lines")
                joint = arm == JOINT
                axis.errorbar(
                    curve.lines, curve.value, curve.sd.fillna(0), color=f"C{models.index(model)}",
                    ls="-" if joint else "--", marker="o" if joint else "s", ms=4, lw=1.4,
                    elinewidth=0.6, label=f"{curve.label.iloc[0]}, {arm}",
                )  # fmt: skip
            axis.set_xscale("log")
            counts = sorted(set(own.lines))
            axis.set_xticks(counts, counts)
            axis.minorticks_off()
            axis.axhline(0, color="0.8", lw=0.8, zorder=0)
            # A fit of few lines may be far worse than the mean, and would flatten all others.
            axis.set_ylim(bottom=max(axis.get_ylim()[0], -0.5))
            axis.set(title=trait, xlabel="lines with a value of it", ylabel="R2 of test lines")
        hide_unused(axes, len(traits))
        handles, names = axes.flat[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside right upper", frameon=False, fontsize=8)
        save_figure(figure, paths)
