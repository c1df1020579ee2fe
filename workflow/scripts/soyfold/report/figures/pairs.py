"""What models learned of pairs of chromosomes, beside the contacts that they started from."""

import matplotlib.pyplot as plt
import numpy as np

from soyfold.report.figures.curves import STYLE, save_figure

PANELS = {
    "contacts": "contacts (mean 1)",
    "weight": "learned weight (mean 1)",
    "share": "share of genetic variance (%)",
}
ALPHA = 0.05  # of all pairs of a trait together


def square(table, column, names):
    """A column of the table as a symmetric matrix (G, G); NaN on the diagonal, and for no pair."""
    matrix = np.full((len(names), len(names)), np.nan)
    place = {name: number for number, name in enumerate(names)}
    rows, columns = (table[key].map(place).to_numpy() for key in ("chromosome", "chromosome_2"))
    matrix[rows, columns] = matrix[columns, rows] = table[column]
    return matrix


def plot_pairs(table, *, labels, trait, paths):
    """For each model: the contacts, what it learned of them, and what each pair adds.

    Parameters
    ----------
    table : DataFrame
        The trait's rows, as `interpretation.pairs.pairs_table` gives them.
    labels : dict of str to str, keyword only
        By model, in their order.
    trait : str, keyword only
    paths : iterable of path-like, keyword only
    """
    # In genome order: each name first comes up as a pair's first, but the last.
    names = list(dict.fromkeys([*table["chromosome"], *table["chromosome_2"]]))
    side = 1.8 + 0.09 * len(names)
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            len(labels), len(PANELS), figsize=(len(PANELS) * side + 1, len(labels) * side + 0.6),
            layout="constrained", squeeze=False,
        )  # fmt: skip
        for line, (model, label) in zip(axes, labels.items(), strict=True):
            own = table[table["model"] == model]
            for axis, (column, title) in zip(line, PANELS.items(), strict=True):
                matrix = square(own, column, names) * (100 if column == "share" else 1)
                most = np.nanmax(matrix, initial=1e-9)
                shown = axis.imshow(matrix, cmap="viridis", vmin=0, vmax=most)
                figure.colorbar(shown, ax=axis, shrink=0.8, aspect=25, pad=0.02)
                axis.set_title(title)
                if column == "share" and "p" in own:
                    told = square(own.assign(told=own["p"] <= ALPHA), "told", names)
                    places = np.argwhere(told == 1)
                    axis.plot(places[:, 1], places[:, 0], "o", mfc="none", mec="C3", ms=5)
                axis.set_xticks(range(len(names)), names, rotation=90, fontsize=6)
                axis.set_yticks(range(len(names)), names, fontsize=6)
                axis.tick_params(length=0)
                axis.spines[:].set_visible(False)
            line[0].set_ylabel(label)
        tested = "p" in table and table["p"].notna().any()
        ringed = f"; ringed: beyond shuffled traits (p <= {ALPHA})" if tested else ""
        figure.suptitle(f"{trait}: pairs of chromosomes, mean over splits{ringed}")
        save_figure(figure, paths)
