"""Attention between chromosomes beside the CIM, and their difference."""

import matplotlib.pyplot as plt
import numpy as np

from soyfold.common.decimals import decimals
from soyfold.common.files import read_cim
from soyfold.report.figures.curves import STYLE, save_figure
from soyfold.training.health import UNIFORM, is_uniform, read_figures


def proportional_attention(cim, counts):
    """Attention between chromosomes if every token were attended to in proportion to the CIM.

    Row c: H[c, g] m_g / sum over g of H[c, g] m_g, with m_g SNPs on chromosome g.

    Parameters
    ----------
    cim : DataFrame (G, G)
    counts : Series (G,)
        m_g by chromosome; chromosomes without SNPs count 0.

    Returns
    -------
    DataFrame (G, G)
        Rows sum to 1; a row that is all 0 is NaN.
    """
    weight = cim * counts.reindex(cim.columns, fill_value=0)
    return weight.div(weight.sum(axis=1).replace(0, np.nan), axis=0)


def mean_attention(paths):
    """Mean over fits of the attention between chromosomes (attention.tsv), G x G."""
    tables = [read_cim(path) for path in paths]
    return sum(tables) / len(tables)


def read_attention(fits):
    """Mean attention by label from fits: dicts with label and `attention`, a path."""
    paths = {}
    for fit in fits:
        paths.setdefault(fit["label"], []).append(fit["attention"])
    return {label: mean_attention(files) for label, files in paths.items()}


def uniform_models(fits):
    """Labels whose attention says nothing, from fits: dicts with label and `estimates`, a path."""
    paths = {}
    for fit in fits:
        paths.setdefault(fit["label"], []).append(fit["estimates"])
    return {label for label, files in paths.items() if is_uniform(read_figures(files))}


def _say_uniform(axes):
    """A sentence on grey in place of what a model's maps seem to show."""
    for axis in axes:
        axis.images[0].set_visible(False)
        axis.set_facecolor("0.88")
        axis.text(
            0.5, 0.5, f"{UNIFORM}:\nthis map says nothing", ha="center", va="center", fontsize=8,
            transform=axis.transAxes,
        )  # fmt: skip


def _label_axes(axis, names, *, rows):
    axis.set_xticks(range(len(names)), names, rotation=90, fontsize=6)
    axis.set_yticks(range(len(names)), names if rows else [], fontsize=6)
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)


def agreement_with_cim(attention, expected, counts):
    """Pearson correlation of attention with the CIM's, both as multiples of uniform attention.

    Large chromosomes get more attention from any model; dividing by m_g / sum(m) takes that out.

    Parameters
    ----------
    attention, expected : DataFrame (G, G)
        Learned, and as `proportional_attention` gives it.
    counts : Series (G,)
        m_g.

    Returns
    -------
    float
        NaN if either is the same everywhere, as uniform attention is.
    """
    uniform = counts.reindex(expected.columns, fill_value=0) / counts.sum()
    pair = np.stack([(t / uniform).to_numpy().ravel() for t in (attention, expected)])
    pair = pair[:, np.isfinite(pair).all(axis=0)]
    if pair.shape[1] < 2 or (np.ptp(pair, axis=1) < 1e-9).any():
        return float("nan")
    return float(np.corrcoef(pair)[0, 1])


def _in_words(r):
    return "" if np.isnan(r) else f" (r = {decimals(r, 2)})"


def plot_attention(attention, cim, counts, *, trait, paths, uniform=()):
    """For each model: the CIM as attention, the attention learned, and the difference.

    Parameters
    ----------
    attention : dict of str to DataFrame (G, G)
        Model's label to its mean attention of a chromosome's queries (rows) on each chromosome.
    cim : DataFrame (G, G)
    counts : Series (G,)
        SNPs a chromosome.
    trait : str, keyword only
    paths : iterable of path-like, keyword only
    uniform : set of str, keyword only
        Labels whose attention says nothing (`uniform_models`): their maps are covered.
    """
    expected = proportional_attention(cim, counts)
    fits = {
        label: "" if label in uniform else _in_words(agreement_with_cim(t, expected, counts))
        for label, t in attention.items()
    }
    differences = {label: table - expected for label, table in attention.items()}
    names = list(cim)
    most = np.nanmax([expected.max().max(), *(t.max().max() for t in attention.values())])
    bound = max(np.nanmax(np.abs(t.to_numpy())) for t in differences.values()) or 1e-9
    side = 1.6 + 0.09 * len(names)
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            len(attention), 3, figsize=(3 * side + 1.6, len(attention) * side + 0.8),
            layout="constrained", squeeze=False,
        )  # fmt: skip
        for line, (label, table) in zip(axes, attention.items(), strict=True):
            for axis, values in zip(line, (expected, table), strict=False):
                shown = axis.imshow(values, cmap="viridis", vmin=0, vmax=most)
            changed = line[2].imshow(differences[label], cmap="RdBu_r", vmin=-bound, vmax=bound)
            titles = "attention proportional to the CIM", label + fits[label], f"{label} minus CIM"
            for axis, title in zip(line, titles, strict=True):
                axis.set_title(title)
                _label_axes(axis, names, rows=axis is line[0])
            if label in uniform:
                _say_uniform(line[1:])
        options = {"shrink": min(1.0, 1.4 / len(attention)), "aspect": 25, "pad": 0.01}
        figure.colorbar(shown, ax=axes[:, 1], label="attention", **options)
        figure.colorbar(changed, ax=axes[:, 2], label="difference", **options)
        figure.supylabel("queries on chromosome", fontsize=8)
        figure.supxlabel(
            "attention on chromosome (rows sum to 1)\n"
            "r: correlation with the CIM, both divided by what uniform attention would give",
            fontsize=8,
        )
        figure.suptitle(f"{trait}: attention of the last layer, mean over test lines and seeds")
        save_figure(figure, paths)
