"""Detection from the table of `make bench-power`: who sees the planted pairs, and by which CIM.

    python benchmarks/power/judge_power.py --tables results/benchmark_power.tsv \\
        --out detection.tsv --figure power.png

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


def draw(found, path):
    """PCC by share of epistasis, and how often the real CIM is first; at the most lines asked."""
    lines = found.groupby("lines").share.nunique().idxmax()
    at = found[(found.lines == lines) & (found.topology == "contact")]
    figure, axes = plt.subplots(1, 2, figsize=(10, 4.6), layout="constrained")
    for number, (model, rows) in enumerate(at.groupby("model")):
        colour = COLOURS[number % len(COLOURS)]
        rows = rows.sort_values("share")
        axes[0].plot(rows.share, rows.pcc, "o-", color=colour, label=model)
        axes[0].plot(rows.share, rows.pcc_permuted, "x--", color=colour)
        rows = rows[rows.permuted >= FEWEST]
        for name, sign in (("first_loglik", "o-"), ("first_pcc", "s:")):
            if rows[name].notna().any():
                axes[1].plot(rows.share, rows[name], sign, color=colour, label=f"{model}, {name}")
    axes[0].set(ylabel="PCC of test lines", title=f"{lines} lines; dashed: permuted CIMs")
    axes[1].set(ylabel="share of draws", title="the real CIM is first of all", ylim=(-0.05, 1.05))
    axes[1].axhline(1 / (1 + ENOUGH), color="grey", linewidth=0.8)
    for ax in axes:
        ax.set_xlabel("share of products in the genetic variance")
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
    parser.add_argument("--figure")
    given = parser.parse_args(arguments)
    found = detection(pd.concat([read_table(path) for path in given.tables]).drop_duplicates())
    write_table(found, given.out)
    if given.figure:
        draw(found, given.figure)


if __name__ == "__main__":
    main()
