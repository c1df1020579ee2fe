"""What attention learned of pairs of classes of variants: its table, with the sd over splits."""

import matplotlib.pyplot as plt
import numpy as np

from soyfold.report.figures.curves import STYLE, save_figure

LEAST = 1e-3  # of a logit: a scale below it would show noise as colour


def plot_motif_bias(table, *, labels, paths):
    """A panel for each trait and model; a cell a pair of classes, mean over sd.

    Parameters
    ----------
    table : DataFrame
        As `interpretation.motif_bias.tabulate_motif_bias` gives it.
    labels : dict of str to str, keyword only
        By model.
    paths : iterable of path-like, keyword only
    """
    panels = list(table.groupby(["trait", "model"], sort=False))
    classes = list(dict.fromkeys(table["class"]))
    side = 1.6 + 0.55 * len(classes)
    columns = min(3, len(panels))
    rows = -(-len(panels) // columns)
    most = max(LEAST, table["bias"].abs().max())
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            rows, columns, figsize=(columns * side + 0.6, rows * side + 0.6),
            layout="constrained", squeeze=False,
        )  # fmt: skip
        for axis in axes.flat[len(panels) :]:
            axis.set_visible(False)
        for axis, ((trait, model), own) in zip(axes.flat, panels, strict=False):
            shown = _draw(axis, own, classes, most)
            axis.set_title(f"{trait}, {labels.get(model, model)}")
        figure.colorbar(shown, ax=axes, shrink=0.6, aspect=25, label="added to the logit")
        splits = table["splits"].max()
        figure.suptitle(f"Pairs of classes of variants: mean over {splits} splits, sd below")
        save_figure(figure, paths)


def _draw(axis, table, classes, most):
    """One panel; what it shows, for the scale."""
    square = {
        column: table.pivot(index="class", columns="class_2", values=column).reindex(
            index=classes, columns=classes
        )
        for column in ("bias", "bias_sd")
    }
    mean = square["bias"].to_numpy(float)
    shown = axis.imshow(mean, cmap="RdBu_r", vmin=-most, vmax=most)
    for row, column in np.argwhere(np.isfinite(mean)):
        sd = square["bias_sd"].iloc[row, column]
        text = f"{mean[row, column]:.2g}" + (f"\n{sd:.2g}" if np.isfinite(sd) else "")
        dark = abs(mean[row, column]) > 0.6 * most
        axis.text(column, row, text, ha="center", va="center", fontsize=6,
                  color="white" if dark else "black")  # fmt: skip
    names = [name.replace("_", " ") for name in classes]
    axis.set_xticks(range(len(names)), names, rotation=90)
    axis.set_yticks(range(len(names)), names)
    axis.set(xlabel="key's class", ylabel="query's class")
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    return shown
