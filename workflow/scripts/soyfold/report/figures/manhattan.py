"""An association scan along the genome, with the models' importance of the same SNPs beneath."""

from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.special import betaincinv

from soyfold.common.files import read_table
from soyfold.interpretation.gwas import read_scan
from soyfold.report.figures.curves import STYLE, save_figure

COLOURS = np.array(["#26547c", "#8fb3d1"])  # neighbouring chromosomes
THRESHOLD = "C3"
LABEL = 16  # characters that a track's height has room for
GAP = 0.005  # between chromosomes, of the genome's length


def read_scanned(scan, summary):
    """A trait's scan and its summary from lists of none or one path; None without a scan."""
    if not scan:
        return None
    return read_scan(scan[0]), read_table(summary[0], required=("threshold",)).iloc[0]


def read_tracks(paths):
    """Tables of importance by label."""
    wanted = ("chromosome", "position", "importance")
    return {
        label: read_table(path, required=wanted, dtype={"chromosome": str})
        for label, path in paths.items()
    }


class Axis:
    """Chromosomes side by side: where a SNP stands, and which colour its chromosome has.

    Parameters
    ----------
    places : DataFrame
        chromosome, position (bp); in genome order.
    """

    def __init__(self, places):
        ends = places.groupby("chromosome", sort=False)["position"].max()
        gap = GAP * ends.sum()
        self.starts = (ends + gap).cumsum() - (ends + gap)
        self.middles = self.starts + ends / 2
        self.end = float(self.starts.iloc[-1] + ends.iloc[-1])
        self.codes = pd.Series(range(len(ends)), index=ends.index)

    def draw(self, axis, table, values, **style):
        """Dots of one value a SNP; rasterised, since there may be a hundred thousand."""
        x = table["position"] + table["chromosome"].map(self.starts)
        colours = COLOURS[table["chromosome"].map(self.codes).to_numpy() % 2]
        axis.scatter(x, values, c=colours, lw=0, rasterized=True, **style)
        axis.set_xlim(-0.01 * self.end, 1.01 * self.end)

    def label(self, axis):
        """Chromosome names under their middles; turned where there are many."""
        names = list(self.middles.index)
        turned = 90 if sum(map(len, names)) > 60 else 0
        axis.set_xticks(self.middles, names, rotation=turned, fontsize=8)
        axis.tick_params(axis="x", length=0)
        axis.set_xlabel("chromosome")


def _draw_scan(axis, genome, scan, summary):
    genome.draw(axis, scan, scan["minus_log10_p"], s=6)
    line = -np.log10(summary.threshold)
    axis.axhline(line, color=THRESHOLD, lw=0.9, ls="--")
    told = f"p = 0.05 / {summary.tested:,.0f} SNPs"
    axis.annotate(
        told, (1, line), xycoords=("axes fraction", "data"), xytext=(-2, 2),
        textcoords="offset points", ha="right", va="bottom", color=THRESHOLD, fontsize=8,
    )  # fmt: skip
    axis.set_ylim(0, max(1.15 * line, 1.08 * scan["minus_log10_p"].max()))
    axis.set_ylabel("association\n" + r"$-\log_{10}p$")


def qq_band(n):
    """Ends of the 95 % band of -log10 of each of n ordered p, where no SNP has an effect."""
    rank = np.arange(1, n + 1)
    return [-np.log10(betaincinv(rank, n - rank + 1, q)) for q in (0.975, 0.025)]


def _draw_qq(axis, scan, summary):
    """Observed against expected -log10 p, with the 95 % band of the order statistics."""
    observed = np.sort(scan["minus_log10_p"].dropna())[::-1]
    n = len(observed)
    expected = -np.log10((np.arange(1, n + 1) - 0.5) / n)
    axis.fill_between(expected, *qq_band(n), color="0.85", lw=0)
    axis.plot(expected, expected, color="0.5", lw=0.8)
    axis.scatter(expected, observed, s=6, lw=0, c=COLOURS[0], rasterized=True)
    axis.set(xlabel=r"expected $-\log_{10}p$", ylabel=r"observed $-\log_{10}p$")
    axis.set_title(rf"QQ: $\lambda_{{GC}}$ = {summary.lambda_gc:.2f}")


def _panels(scanned, tracks):
    """Figure with a row for the scan, if there is one, and one for each model; the QQ's place."""
    rows = (scanned is not None) + max(len(tracks), scanned is None)
    heights = [1.6 if scanned is not None and row == 0 else 1 for row in range(rows)]
    height = 0.9 + 1.35 * sum(heights)
    figure = plt.figure(figsize=(11 if scanned is not None else 9, height), layout="constrained")
    left, right = figure, None
    if scanned is not None:  # a figure of its own, whose labels push no track away
        left, right = figure.subfigures(1, 2, width_ratios=[4, 1.2])
    axes = left.subplots(rows, 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    beside = right and right.add_gridspec(2, 1, height_ratios=[2.6, height - 2.6])
    beside = right and right.add_subplot(beside[0])
    return figure, axes, beside


def plot_manhattan(scanned, tracks, *, trait, unit, paths):
    """Manhattan plot and QQ plot of a scan, and each model's importance along the same genome.

    Parameters
    ----------
    scanned : tuple of DataFrame and Series, or None
        As `interpretation.gwas.scan_trait` gives them; None where there is no scan.
    tracks : dict of str to DataFrame
        Model's label to chromosome, position, importance.
    trait, unit : str, keyword only
    paths : iterable of path-like, keyword only
    """
    with plt.rc_context(STYLE):
        figure, axes, beside = _panels(scanned, tracks)
        first = scanned[0] if scanned is not None else next(iter(tracks.values()), None)
        if first is None:
            axes[0].text(0.5, 0.5, "no scan, and no model that is asked why", ha="center")
            axes[0].set_axis_off()
        else:
            genome = Axis(first)
            if scanned is not None:
                _draw_scan(axes[0], genome, *scanned)
                _draw_qq(beside, *scanned)
            rest = axes[scanned is not None :]
            for axis, (label, table) in zip(rest, tracks.items(), strict=False):
                genome.draw(axis, table, table["importance"], s=4)
                axis.set_ylim(0, 1.08 * (table["importance"].max() or 1))
                told = fill(label, LABEL)
                axis.set_ylabel(f"{told}\n({unit})" if unit else told)
                axis.yaxis.set_major_locator(plt.MaxNLocator(4))
            for axis in axes[:-1]:
                axis.tick_params(axis="x", length=0, labelbottom=False)
            genome.label(axes[-1])
        what = "association of each SNP, and its importance to the models (mean over seeds)"
        figure.suptitle(f"{trait}: {what}" if scanned is not None else f"{trait}: importance")
        save_figure(figure, paths)
