"""Detection from the table of `make bench-power`: who sees the planted pairs, and by which CIM.

    python benchmarks/power/judge_power.py --tables results/benchmark_power.tsv \\
        --out detection.tsv --limits limits.tsv --figure power.png

A draw is one planted trait; splits of it are averaged. What is found: benchmarks/README.md.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow" / "scripts"))

import matplotlib as mpl
import numpy as np
import pandas as pd
from scipy.special import stdtrit

from soyfold.common.files import read_table, write_table

mpl.use("Agg")
from matplotlib import pyplot as plt

POINT = ["model", "lines", "share", "topology"]
COLUMNS = [
    *POINT, "draws", "permuted", "pcc", "pcc_permuted", "pcc_zero", "gain", "gain_low", "gain_high",
    "first_pcc", "first_loglik", "loglik_gain",
]  # fmt: skip
LIMITS = ["model", "lines", "topology", "criterion", "share", "least_asked", "draws"]
CRITERIA = {"first_loglik": "o-", "first_pcc": "s:"}  # and how they are drawn
SHARE = "share of products in the genetic variance"
POWER = 0.8  # of the draws, where a share is called seen
FEWEST = 5  # permuted CIMs with which being the first of all says something
ENOUGH = 19  # permuted CIMs with which the first of all has p = 0.05
COLOURS = [*plt.colormaps["tab20"].colors[::2], *plt.colormaps["tab20"].colors[1::2]]


def by_draw(table):
    """Means over splits: a row a point, CIM and draw."""
    keys = [*POINT, "cim", "draw"]
    return table.groupby(keys, as_index=False)[["pcc", "loglik"]].mean()


def judge(rows):
    """What one point shows: rows of one model, number of lines, share and topology by draw."""
    wide = {name: rows.pivot_table(name, "draw", "cim", dropna=False) for name in ("pcc", "loglik")}
    pcc = wide["pcc"]
    own = "real" if "real" in pcc else "none"
    permuted = [name for name in pcc if name.startswith("permuted")]
    found = {
        "draws": len(pcc), "permuted": len(permuted),
        "pcc": pcc[own].mean(), "pcc_zero": pcc["zero"].mean() if "zero" in pcc else np.nan,
    }  # fmt: skip
    if permuted:
        gains = pcc[own] - pcc[permuted].mean(axis=1)
        half = np.nan
        if len(gains) > 1:
            half = stdtrit(len(gains) - 1, 0.975) * gains.std(ddof=1) / np.sqrt(len(gains))
        found |= {
            "pcc_permuted": np.nanmean(pcc[permuted]),
            "gain": gains.mean(), "gain_low": gains.mean() - half, "gain_high": gains.mean() + half,
            "first_pcc": (pcc[permuted].max(axis=1) < pcc[own]).mean(),
        }  # fmt: skip
        told = wide["loglik"]
        if own in told and told[own].notna().all():
            beaten = told[own] - told[permuted].max(axis=1)
            found |= {"first_loglik": (beaten > 0).mean(), "loglik_gain": beaten.median()}
    return found


def detection(table):
    """`COLUMNS` of all points.

    gain: PCC with the real CIM less the mean over permuted ones, its mean over draws and 95 %
    interval; first_pcc, first_loglik: share of draws in which the real one is first of all, which
    with 19 permuted ones chance does in one of twenty; loglik_gain: median over draws of what it is
    ahead of the best permuted one.
    """
    points = by_draw(table).groupby(POINT)
    rows = [dict(zip(POINT, point, strict=True)) | judge(rows) for point, rows in points]
    return pd.DataFrame(rows, columns=COLUMNS)


def limits(found):
    """`LIMITS`: the least share that each model sees by a criterion, for each number of lines.

    A share is seen where the real CIM is first of at least 20 in `POWER` of the draws, there and at
    all larger shares asked; NA where the largest isn't. least_asked: none below it was measured.
    """
    judged = found[(found.permuted >= ENOUGH) & (found.share > 0)]
    rows = []
    for point, at in judged.groupby(["model", "lines", "topology"]):
        at = at.sort_values("share", ascending=False)
        for criterion in CRITERIA:
            if at[criterion].notna().all():
                seen = at.share[(at[criterion] >= POWER).cummin()]
                draws, least = at.draws.min(), at.share.min()
                rows.append([*point, criterion, seen.min(), least, draws])
    return pd.DataFrame(rows, columns=LIMITS)


def draw_pcc(ax, at, colours):
    """PCC by share of epistasis, with the real CIM and permuted ones."""
    for model, rows in at.groupby("model"):
        rows = rows.sort_values("share")
        ax.plot(rows.share, rows.pcc, "o-", color=colours[model], label=model)
        ax.plot(rows.share, rows.pcc_permuted, "x--", color=colours[model])
    ax.set(ylabel="PCC of test lines", xlabel=SHARE)


def draw_first(ax, at, colours):
    """How often the real CIM is first, by share of epistasis."""
    for model, rows in at[at.permuted >= FEWEST].groupby("model"):
        rows = rows.sort_values("share")
        for name, sign in CRITERIA.items():
            if rows[name].notna().any():
                told = f"{model}, {name}"
                ax.plot(rows.share, rows[name], sign, color=colours[model], label=told)
    ax.set(ylabel="share of draws", title="the real CIM is first of all", ylim=(-0.05, 1.05))
    ax.set(xlabel=SHARE)
    ax.axhline(1 / (1 + ENOUGH), color="grey", linewidth=0.8)


def draw_limits(ax, least, colours):
    """The least share seen over lines; open where no smaller one was asked."""
    least = least[(least.topology == "contact") & least.share.notna()]
    for (model, name), rows in least.groupby(["model", "criterion"]):
        ax.plot(
            rows.lines, rows.share, CRITERIA[name], color=colours[model], label=f"{model}, {name}"
        )
        bound = rows[rows.share == rows.least_asked]
        ax.plot(bound.lines, bound.share, CRITERIA[name][0], color="white", markersize=3)
    ax.set(title=f"least share seen in {POWER:.0%} of the draws", xlabel="lines", ylabel=SHARE)
    if len(least):
        ax.set(xscale="log", yscale="log")
        for axis, ticks in ((ax.xaxis, least.lines), (ax.yaxis, least.share)):
            axis.set_ticks(sorted(set(ticks)), [f"{tick:g}" for tick in sorted(set(ticks))])
            axis.set_minor_locator(mpl.ticker.NullLocator())


def draw(found, path):
    """By share at the most lines asked with several: PCC, and who is first; limits over lines."""
    lines = found.groupby("lines").share.nunique().iloc[::-1].idxmax()
    at = found[(found.lines == lines) & (found.topology == "contact")]
    colours = {model: COLOURS[k % len(COLOURS)] for k, model in enumerate(sorted({*found.model}))}
    figure, axes = plt.subplots(1, 3, figsize=(15, 4.8), layout="constrained")
    draw_pcc(axes[0], at, colours)
    axes[0].set_title(f"{lines} lines; dashed: permuted CIMs")
    draw_first(axes[1], at, colours)
    draw_limits(axes[2], limits(found), colours)
    for ax in axes:
        if ax.lines:
            ax.legend(
                fontsize=7, frameon=False, ncols=2, loc="upper left", bbox_to_anchor=(0, -0.18)
            )
    figure.savefig(path, dpi=150)
    plt.close(figure)


def main(arguments=None):
    """Read tables, write the detection and its figure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tables", nargs="+", required=True, help="of measure_power.py")
    parser.add_argument("--out", required=True)
    parser.add_argument("--limits", help="table of the least share that each model sees")
    parser.add_argument("--figure")
    given = parser.parse_args(arguments)
    found = detection(pd.concat([read_table(path) for path in given.tables]).drop_duplicates())
    write_table(found, given.out)
    if given.limits:
        write_table(limits(found), given.limits)
    if given.figure:
        draw(found, given.figure)


if __name__ == "__main__":
    main()
