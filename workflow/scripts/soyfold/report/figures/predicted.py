"""Figure of the predictions of untested lines."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize

from soyfold.evaluation.conformal import level_percent
from soyfold.report.figures.curves import STYLE, save_figure

COLUMNS = 3
MANY = 200  # lines, above which single points would hide one another
NAMED = 40  # lines at most that are all named
ENDS = 5  # of more lines, those named at either end


def _draw_model(axis, table, norm):
    """One model's lines in the order of their predictions; returns the coloured points."""
    table = table.sort_values("prediction", ignore_index=True)
    crowded = len(table) > MANY
    colours = plt.get_cmap("viridis")(norm(table["kinship_max"].to_numpy(dtype=float)))
    if table["lower"].notna().any():
        bars = [
            [(x, low), (x, high)]
            for x, (low, high) in enumerate(table[["lower", "upper"]].to_numpy())
        ]
        width = 0.5 if crowded else 1.2
        axis.add_collection(LineCollection(bars, colors=colours, linewidths=width, alpha=0.45))
    points = axis.scatter(
        np.arange(len(table)), table["prediction"], c=table["kinship_max"], norm=norm,
        cmap="viridis", s=4 if crowded else 14, lw=0, zorder=3,
    )  # fmt: skip
    axis.set_xlim(-0.02 * len(table) - 0.5, 1.02 * len(table) - 0.5)
    _name_lines(axis, table)
    return points


def _name_lines(axis, table):
    """Every line's name beneath it; where they are many, those of the highest and the lowest."""
    names = table["line"].to_list()
    if len(names) <= NAMED:
        axis.set_xticks(range(len(names)), names, rotation=90, fontsize=min(8, 240 / len(names)))
        axis.tick_params(axis="x", length=2)
        return
    axis.set_xticks([])
    ends = {
        "highest": (names[: -ENDS - 1 : -1], 0.02, 0.98, "left", "top"),
        "lowest": (names[:ENDS][::-1], 0.98, 0.02, "right", "bottom"),
    }  # the corners that a rising curve leaves free
    for title, (few, x, y, ha, va) in ends.items():
        text = "\n".join([f"{title}:", *few])
        axis.text(x, y, text, ha=ha, va=va, fontsize=6, transform=axis.transAxes)


def plot_predicted(predictions, *, trait, labels, level, paths):
    """Predictions of one trait in their order, with intervals, coloured by kinship to training.

    Parameters
    ----------
    predictions : DataFrame
        Rows of predictions.tsv of the trait: line, environment (if any), unit, model, prediction,
        lower, upper, kinship_max.
    trait : str
    labels : dict of str to str
        Label of each model.
    level : float
        Of the intervals.
    paths : iterable of path-like
    """
    if "environment" in predictions:  # of lines in environments the mean over these
        predictions = predictions[predictions["environment"].isna()]
    models = list(dict.fromkeys(predictions["model"]))
    columns = min(COLUMNS, len(models))
    rows = -(-len(models) // columns)
    kinship = predictions["kinship_max"]
    norm = Normalize(*(kinship.min(), kinship.max()) if kinship.notna().any() else (0, 1))
    unit = predictions["unit"].iloc[0]
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            rows, columns, figsize=(3.6 * columns + 1.2, 2.8 * rows + 0.7), sharey=True,
            layout="constrained", squeeze=False,
        )  # fmt: skip
        for axis, model in zip(axes.flat, models, strict=False):
            points = _draw_model(axis, predictions[predictions["model"] == model], norm)
            axis.set_title(labels.get(model, model))
        for axis in axes.flat[len(models) :]:
            axis.set_axis_off()
        figure.colorbar(points, ax=axes, label="kinship to the nearest training line", aspect=30)
        figure.supxlabel(f"{predictions['line'].nunique()} lines, by prediction")
        figure.supylabel(f"predicted {trait} ({unit})" if pd.notna(unit) else f"predicted {trait}")
        figure.suptitle(f"{trait}: untested lines, {level_percent(level)} % intervals")
        save_figure(figure, paths)
