"""The figure of the hypotheses: is it these groups, or any groups of their size?"""

import matplotlib.pyplot as plt

from soyfold.common.groups import KERNEL
from soyfold.evaluation.controls import is_permuted
from soyfold.evaluation.hypotheses import HELPS, METRICS
from soyfold.report.figures.controls import ordinal
from soyfold.report.figures.curves import STYLE, save_figure

REAL, SHUFFLED, OTHER = "C3", "0.55", "C0"
MARKS = {"random": ("s", OTHER), "diagonal": ("v", OTHER)}
CAPTION = (
    "log density of a test line (nats), mean over lines, splits, minus that without a hypothesis:"
    " all pairs of SNPs alike\n(of a network: all pairs of its groups). Red: the hypothesis, with"
    " its 95 % interval; grey: the same groups,\nholding other SNPs; square: random SNPs;"
    " triangle: groups with themselves alone; black line: no products of SNPs."
)


def _draw_hypothesis(axis, y, row, arms):
    """One hypothesis: its copies, then itself."""
    shuffled = arms[[is_permuted(name) for name in arms.index]]
    axis.plot(shuffled - row.none, [y] * len(shuffled), "o", color=SHUFFLED, ms=5, alpha=0.6, mew=0)
    for name, (mark, colour) in MARKS.items():
        if name in arms.index:
            axis.plot(arms[name] - row.none, y, mark, color=colour, ms=6)
    axis.plot([row.low, row.high], [y, y], color=REAL, lw=2, solid_capstyle="butt", alpha=0.7)
    axis.plot(row.difference, y, "D", color=REAL, ms=7, zorder=3)


def _label(row):
    place = f"{ordinal(int(row['rank']))} of {int(row.permutations) + 1}"
    model = "" if row.model == KERNEL else f", {row.model}"
    return f"{row.hypothesis}{model}\n{place}{', helps' if row.verdict == HELPS else ''}"


def plot_hypotheses(table, scores, *, paths):
    """Held-out log-likelihood of each hypothesis and its copies, a panel a trait.

    Parameters
    ----------
    table : DataFrame
        hypotheses.tsv, as `evaluation.hypotheses.compare_hypotheses` returns it.
    scores : DataFrame
        What it was made of.
    paths : iterable of path-like
    """
    rows, told = (part[part.metric == METRICS[0]] for part in (table, scores))
    means = told.groupby(["trait", "hypothesis", "model", "arm"])["value"].mean()
    traits = list(dict.fromkeys(rows.trait))
    tried = rows.groupby("trait").size().max()
    columns = min(2, len(traits))
    lines = -(-len(traits) // columns)
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            lines, columns, figsize=(5.6 * columns, (0.55 * tried + 1.0) * lines + 0.9),
            layout="constrained", squeeze=False,
        )  # fmt: skip
        for axis, trait in zip(axes.flat, traits, strict=False):
            own = rows[rows.trait == trait]
            for y, row in enumerate(own.itertuples()):
                _draw_hypothesis(axis, y, row, means[trait, row.hypothesis, row.model])
            axis.axvline(0, color="0.6", lw=0.8, ls=":", zorder=0)
            additive = (own.additive - own.none).iloc[0]  # kernels stand first
            axis.axvline(additive, color="0.2", lw=1.2, zorder=0)
            axis.set_yticks(range(len(own)), [_label(row) for _, row in own.iterrows()])
            axis.set_ylim(len(own) - 0.4, -0.6)
            axis.tick_params(axis="y", length=0)
            axis.grid(axis="x", color="0.92")
            axis.locator_params(axis="x", nbins=5)
            axis.set_title(trait)
        for axis in axes.flat[len(traits) :]:
            axis.set_axis_off()
        figure.supxlabel(CAPTION, fontsize=8)
        figure.suptitle("Hypotheses of SNPs that act together, beside shuffled copies of them")
        save_figure(figure, paths)
