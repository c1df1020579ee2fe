"""The heat map of the CIM (Figure 3 of Chen et al. 2026)."""

import textwrap

import matplotlib as mpl
import numpy as np
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure

from soyfold.common.files import staged
from soyfold.contacts.cim import NORMALISATIONS


def _colours(values, method):
    """Colour map and scale: sequential, or diverging around 1 for observed / expected."""
    if method != "observed_expected":
        return {"cmap": "viridis", "vmin": 0.0, "vmax": values.max() or 1.0}
    spread = max(np.abs(values[values > 0] - 1.0).max(initial=0.0), 0.05)
    norm = TwoSlopeNorm(1.0, vmin=max(1.0 - spread, 0.0), vmax=1.0 + spread)
    return {"cmap": "RdBu_r", "norm": norm}


def plot_cim(cim, *, method, title, source, files):
    """Draw the CIM with chromosome names on both axes.

    Parameters
    ----------
    cim : DataFrame (G, G)
    method : str, keyword only
        Normalisation, which gives the colour bar its unit.
    title, source : str, keyword only
        The study, and where the contacts come from; the figure's two title lines.
    files : iterable of path-like, keyword only
        What to write; the suffix is the format (.png, .svg).
    """
    n = len(cim)
    side = 3.6 + 0.24 * n
    figure = Figure(figsize=(side + 0.9, side), layout="constrained")
    axes = figure.add_subplot()
    image = axes.imshow(cim.to_numpy(), interpolation="nearest", **_colours(cim.to_numpy(), method))
    axes.set_xticks(range(n), cim.columns, rotation=90, fontsize=9)
    axes.set_yticks(range(n), cim.index, fontsize=9)
    axes.set_xticks(np.arange(0.5, n - 1), minor=True)
    axes.set_yticks(np.arange(0.5, n - 1), minor=True)
    axes.grid(which="minor", color="white", linewidth=0.5)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
    lines = [title, f"Chromosome interaction matrix: {source}"]
    lines = [textwrap.fill(line, width=int(10 * side)) for line in lines]
    axes.set_title("\n".join(lines), fontsize=11, loc="left")
    bar = figure.colorbar(image, ax=axes, shrink=0.8, aspect=28, pad=0.02)
    bar.set_label(NORMALISATIONS[method])
    bar.outline.set_visible(False)
    for file in files:
        # The same figure has the same bytes on every run.
        with staged(file) as path, mpl.rc_context({"svg.hashsalt": "soyfold"}):
            metadata = {"Date": None} if path.suffix == ".svg" else {}
            figure.savefig(path, dpi=200, metadata=metadata)
