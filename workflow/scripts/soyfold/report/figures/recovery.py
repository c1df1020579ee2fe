"""How many published QTL the models' top loci find again, beside chance."""

import matplotlib.pyplot as plt

from soyfold.interpretation.recovery import ALL, SHARED
from soyfold.report.figures.curves import STYLE, save_figure

TITLES = {ALL: "all traits that a model has", SHARED: "traits that every model has"}


def _draw_scope(axis, rows, labels):
    """One line a model: what chance finds as bars, what the model finds as a dot."""
    for line, row in enumerate(rows.itertuples()):
        axis.plot([row.shifted_low, row.shifted_high], [line] * 2, color="0.75", lw=9,
                  solid_capstyle="butt", zorder=1)  # fmt: skip
        axis.plot(row.shifted, line, "|", color="0.35", ms=9, zorder=2)
        axis.plot([row.uniform_low, row.uniform_high], [line - 0.28] * 2, color="C1", lw=3,
                  solid_capstyle="butt", alpha=0.7, zorder=1)  # fmt: skip
        axis.plot(row.share, line, "D", color="C3", ms=6, zorder=3)
        axis.annotate(f"p = {row.shifted_p:.2g}, {row.uniform_p:.2g}", (row.share, line),
                      xytext=(7, 4), textcoords="offset points", fontsize=7)  # fmt: skip
    traits, qtl = rows["traits"], rows["qtl"]
    names = [
        f"{labels.get(model, model)} ({t}: {q} QTL)"
        for model, t, q in zip(rows["model"], traits, qtl, strict=True)
    ]
    axis.set_yticks(range(len(rows)), names)
    axis.set_ylim(len(rows) - 0.5, -0.7)
    axis.set_xlim(0, 1)


def plot_recovery(table, *, labels, top, distance_kb, paths):
    """Share of QTL with a top locus near them, model by model, with the ranges of chance.

    Parameters
    ----------
    table : DataFrame
        As `interpretation.recovery.recovery_table` gives it.
    labels : dict of str to str, keyword only
        By model.
    top, distance_kb : float, keyword only
        Share of SNPs that are top loci; how near, kb.
    paths : iterable of path-like, keyword only
    """
    scopes = {scope: table[table["trait"] == scope] for scope in TITLES}
    scopes = {scope: rows for scope, rows in scopes.items() if len(rows)}
    most = max((len(rows) for rows in scopes.values()), default=1)
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            1, max(1, len(scopes)), figsize=(5.2 * max(1, len(scopes)), 1.5 + 0.5 * most),
            layout="constrained", squeeze=False,
        )  # fmt: skip
        if not scopes:
            axes[0, 0].text(0.5, 0.5, "no QTL of this study's traits", ha="center")
            axes[0, 0].set_axis_off()
        for axis, (scope, rows) in zip(axes[0], scopes.items(), strict=False):
            _draw_scope(axis, rows, labels)
            axis.set_title(TITLES[scope])
        figure.supxlabel(
            f"share of QTL within {distance_kb:g} kb of a top {100 * top:g} % SNP (red)\n"
            "grey: 95 % of the circular shifts of the same loci (bar: their mean), orange: of as"
            " many SNPs drawn anywhere; p against each",
            fontsize=8,
        )
        save_figure(figure, paths)
