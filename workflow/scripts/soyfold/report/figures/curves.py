"""Figures of the evaluation: learning curves, and observed against predicted."""

from textwrap import fill

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, ScalarFormatter
from PIL import Image

from soyfold.common.decimals import decimals
from soyfold.common.files import read_table, staged
from soyfold.metrics import pearson

COLUMNS = 4
TITLE = 34  # characters that a panel's width has room for
PAD = 0.1  # inches around a figure
# Models that agree would hide each other under one style.
LINES = ["-", "--", "-.", ":"]
STYLE = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9,
    "figure.dpi": 160,
    "savefig.dpi": 160,
    "svg.hashsalt": "soyfold",
    "svg.fonttype": "none",  # text stays text: searchable, and smaller
}


def entitle(name, told, width):
    """A panel's title of so many characters a line: what is told keeps together."""
    title = f"{name}: {told}"
    return title if len(title) <= width else f"{fill(name, width)}:\n{told}"


def save_figure(figure, paths):
    """Save a figure under each path; the suffix names the format. Same data, same bytes.

    A PNG has a palette of 256 colours: a third of the bytes, and the report holds all of them.
    The layout is made once: for each format anew, it took half of a figure's time.
    """
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    box = figure.get_tightbbox().padded(PAD)
    for path in paths:
        drawn = str(path).endswith("svg")
        metadata = {"Date": None} if drawn else {"Software": None}
        with staged(path) as temporary:
            figure.savefig(temporary, bbox_inches=box, metadata=metadata)
            if not drawn:
                with Image.open(temporary) as image:
                    few = image.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE)
                few.save(temporary, "PNG", optimize=True, dpi=2 * (STYLE["savefig.dpi"],))
    plt.close(figure)


def hide_unused(axes, used):
    """Hide the panels of a grid beyond those used; the ticks of what is above them show instead."""
    for axis in axes.flat[used:]:
        axis.set_axis_off()
    for axis in axes.flat[max(0, used - axes.shape[1]) : used]:
        axis.tick_params(labelbottom=True)


def _draw_curves(axis, histories, column, **style):
    """Each seed's curve, thin, and their mean for as long as all of them run."""
    table = pd.concat([h.set_index("epoch")[column] for h in histories], axis=1)
    axis.plot(table.index, table, lw=0.6, alpha=0.3, color=style["color"])
    shared = table.dropna()
    axis.plot(shared.index, shared.mean(axis=1), lw=1.6, **style)


def _spread_losses(axis):
    """Log scale where one model's early losses would flatten all others."""
    values = np.concatenate([line.get_ydata() for line in axis.lines])
    values = values[np.isfinite(values)]
    if len(values) and values.min() > 0 and values.max() > 3 * values.min():
        axis.set_yscale("log")
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5)))
        axis.yaxis.set_major_formatter(ScalarFormatter())
        axis.yaxis.set_minor_formatter(NullFormatter())
        axis.minorticks_off()


def plot_learning_curves(histories, *, trait, paths):
    """Validation loss and PCC by epoch for each network ([C], figures 4 and 5).

    Parameters
    ----------
    histories : dict of str to list of DataFrame
        Model's label to its seeds' histories: epoch, train_loss, val_loss, val_pcc.
    trait : str
    paths : iterable of path-like
    """
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
        names = {"val_loss": "validation loss (mean predictor: 1)", "val_pcc": "validation PCC"}
        for axis, (column, title) in zip(axes, names.items(), strict=True):
            for number, (label, tables) in enumerate(histories.items()):
                style = LINES[number % len(LINES)]
                _draw_curves(axis, tables, column, color=f"C{number}", ls=style, label=label)
            axis.set(xlabel="epoch", title=title)
            axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        _spread_losses(axes[0])
        axes[1].legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
        figure.suptitle(f"{trait}: learning curves (bold: mean over seeds)")
        save_figure(figure, paths)


def plot_predictions(predictions, *, trait, unit, paths):
    """Observed against predicted on the test lines, one panel a model, all seeds.

    Parameters
    ----------
    predictions : dict of str to DataFrame
        Model's label to its test rows: observed, predicted, seed.
    trait, unit : str
    paths : iterable of path-like
    """
    rows = -(-len(predictions) // COLUMNS)
    observed = np.concatenate([table.observed for table in predictions.values()])
    limits = np.quantile(observed, [0, 1]) + np.array([-0.05, 0.05]) * np.ptp(observed)
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            rows, COLUMNS, figsize=(2.6 * COLUMNS, 2.6 * rows + 0.4), sharex=True, sharey=True,
            layout="constrained", squeeze=False,
        )  # fmt: skip
        for axis, (label, table) in zip(axes.flat, predictions.items(), strict=False):
            size = 6 if len(table) < 500 else 2
            axis.scatter(table.predicted, table.observed, s=size, alpha=0.35, lw=0, c="C0")
            axis.plot(limits, limits, color="0.5", lw=0.8, ls=":")
            pcc = np.mean([pearson(p.observed, p.predicted) for _, p in table.groupby("seed")])
            title = "constant" if np.isnan(pcc) else f"PCC {decimals(pcc, 2)}"
            axis.set(xlim=limits, ylim=limits, title=entitle(label, title, TITLE))
            axis.set_aspect("equal")
            axis.xaxis.set_major_locator(MaxNLocator(5))
            axis.yaxis.set_major_locator(MaxNLocator(5))
        hide_unused(axes, len(predictions))
        what = f"{trait} ({unit})" if unit else trait
        figure.supxlabel(f"predicted {what}")
        figure.supylabel(f"observed {what}")
        figure.suptitle(f"{trait}: test lines of all seeds")
        save_figure(figure, paths)


def read_histories(fits):
    """Histories by label from fits: dicts with label and `history`, a path.

    An ensemble has one history a member.
    """
    tables = {}
    for fit in fits:
        table = read_table(fit["history"])
        members = [part for _, part in table.groupby("member")] if "member" in table else [table]
        tables.setdefault(fit["label"], []).extend(members)
    return tables
