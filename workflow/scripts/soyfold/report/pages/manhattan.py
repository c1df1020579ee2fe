"""An association scan, SNP by SNP on hover."""

import altair as alt
import numpy as np

from soyfold.common.files import read_table
from soyfold.report.pages.charts import BETTER, OPEN, inlined, significant_digits
from soyfold.report.pages.pages import Chart

MOST_POINTS = 8000
KEPT_ABOVE = 3.0  # -log10 p from which no SNP is left out
HEIGHT = 300


def thin_scan(scan, *, most=MOST_POINTS):
    """All SNPs with something to tell, and every k-th of the others, in genome order.

    Parameters
    ----------
    scan : DataFrame
        minus_log10_p and others, in genome order.
    most : int, keyword only
        Points wanted; exceeded where more SNPs than that lie above `KEPT_ABOVE`.

    Returns
    -------
    DataFrame
    """
    telling = (scan.minus_log10_p >= KEPT_ABOVE).to_numpy()
    quiet = np.flatnonzero(~telling)
    room = max(most - telling.sum(), 1)
    kept = telling.copy()
    kept[quiet[:: -(-len(quiet) // room) or 1]] = True
    return scan[kept]


def manhattan_chart(scan_file, summary_file, *, chromosomes):
    """Manhattan plot with a SNP's name, place, effect and p on hover.

    Parameters
    ----------
    scan_file, summary_file : path-like
        interpretation/gwas/<trait>.tsv and its summary, which has the threshold.
    chromosomes : dict of str to int, keyword only
        Length (bp) by chromosome in genome order.

    Returns
    -------
    Chart
    """
    names = {"variant": str, "chromosome": str}
    scan = read_table(scan_file, required=("minus_log10_p",), dtype=names)
    tested = scan.dropna(subset="minus_log10_p")
    threshold = float(read_table(summary_file, required=("threshold",)).threshold.iloc[0])
    shown = thin_scan(tested)
    order = list(chromosomes)
    starts = dict(zip(order, np.cumsum([0, *chromosomes.values()])[:-1], strict=True))
    shown = shown.assign(
        at=(shown.chromosome.map(starts) + shown.position) / 1e6,
        shade=shown.chromosome.map(order.index) % 2,
        minus_log10_p=significant_digits(shown.minus_log10_p),
        beta=significant_digits(shown.beta),
    )
    columns = ["variant", "chromosome", "position", "beta", "minus_log10_p", "at", "shade"]
    said = "" if len(shown) == len(tested) else (
        f" Shown: all SNPs of -log10 p from {KEPT_ABOVE:g} on, and {len(shown):,} of"
        f" {len(tested):,} in all; the static figure has every one."
    )  # fmt: skip
    note = (
        "Hover for a SNP's name, place and effect; drag to move, scroll to zoom. Line: the"
        f" threshold, p = {threshold:.2g}.{said}"
    )
    middles = {starts[name] / 1e6 + chromosomes[name] / 2e6: name for name in order}
    return Chart(
        "Association scan", _specification(shown[columns], middles, -np.log10(threshold)), note=note
    )


def _specification(data, middles, threshold):
    """Dots in the colours of alternating chromosomes, the threshold, names at their middles."""
    ticks = ", ".join(f"'{at:.3f}': {name!r}" for at, name in middles.items())
    axis = alt.Axis(
        values=[round(at, 3) for at in middles], labelAngle=-60, grid=False, title="chromosome",
        labelOverlap=False,  # or Vega leaves out those of short chromosomes
        labelExpr=f"({{{ticks}}})[format(datum.value, '.3f')]",
    )  # fmt: skip
    dots = (
        alt.Chart(inlined(data, "variant", "chromosome"))
        .mark_circle(size=26, opacity=0.75, clip=True)
        .encode(
            x=alt.X("at:Q", axis=axis, scale=alt.Scale(nice=False, zero=False)),
            y=alt.Y("minus_log10_p:Q", title="-log10 p"),
            color=alt.Color("shade:N", legend=None, scale=alt.Scale(range=[BETTER, OPEN])),
            tooltip=[
                "variant:N", "chromosome:N", alt.Tooltip("position:Q", format=","),
                alt.Tooltip("beta:Q", title="effect of ALT"), "minus_log10_p:Q",
            ],
        )
    )  # fmt: skip
    line = alt.Chart(alt.InlineData(values=[{"y": float(threshold)}]))
    rule = line.mark_rule(color="#b3261e", strokeDash=[4, 3]).encode(y="y:Q")
    chart = alt.layer(dots.interactive(bind_y=False), rule)
    return chart.properties(width="container", height=HEIGHT).to_dict()
