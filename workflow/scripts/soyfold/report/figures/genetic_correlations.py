"""Heritabilities and correlations of traits, as breeders write them: one matrix."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from soyfold.common.decimals import decimals
from soyfold.report.figures.curves import STYLE, save_figure

TOLD = 16  # traits, up to which each cell has its numbers
DARK = 0.6  # from which on text is white
HEADS = "Diagonal: heritability; above: genetic correlation; below: phenotypic correlation"


def matrices(parameters, correlations):
    """Values and standard errors, (T, T) each, in the order of the traits.

    Parameters
    ----------
    parameters, correlations : DataFrame
        As `interpretation.genetic_parameters.estimate_parameters` returns them.

    Returns
    -------
    ndarray (2, T, T)
        Heritabilities in the diagonal, genetic correlations above, phenotypic ones below it.
    """
    place = {trait: number for number, trait in enumerate(parameters["trait"])}
    found = np.full((2, len(place), len(place)), np.nan)
    first, second = (correlations[name].map(place).to_numpy() for name in ("trait", "trait_2"))
    low, high = np.minimum(first, second), np.maximum(first, second)
    for matrix, error in zip(found, ("", "_se"), strict=True):
        np.fill_diagonal(matrix, parameters[f"heritability{error}"])
        matrix[low, high] = correlations[f"genetic_correlation{error}"]
        matrix[high, low] = correlations[f"phenotypic_correlation{error}"]
    return found


def _write(axis, row, column, value, error):
    """A cell's value, and its standard error beneath; of an estimate at its bound the value."""
    if np.isnan(value):
        text = "NA"
    else:
        text = decimals(value, 2) + (f"\n({decimals(error, 2)})" if np.isfinite(error) else "\n(-)")
    colour = "white" if abs(value) > DARK else "black"
    axis.text(column, row, text, ha="center", va="center", fontsize=7, color=colour)


def plot_genetic_correlations(parameters, correlations, *, paths):
    """Draw one matrix of all traits.

    Parameters
    ----------
    parameters, correlations : DataFrame
        As of `matrices`.
    paths : iterable of path-like, keyword only
    """
    values, errors = matrices(parameters, correlations)
    names, count = list(parameters["trait"]), len(parameters)
    side = 1.6 + (0.55 if count <= TOLD else 0.24) * count
    with plt.rc_context(STYLE):
        figure, axis = plt.subplots(
            figsize=(max(5.2, side + 1.4), side + 0.8), layout="constrained"
        )
        axis.set_facecolor("0.9")
        shown = axis.imshow(values, cmap="RdBu_r", vmin=-1, vmax=1)
        figure.colorbar(shown, ax=axis, shrink=0.8, aspect=25, pad=0.02)
        for number in range(count):
            place = (number - 0.5, number - 0.5)
            axis.add_patch(Rectangle(place, 1, 1, fill=False, edgecolor="0.2", lw=1.2))
        if count <= TOLD:
            for row, column in np.ndindex(values.shape):
                _write(axis, row, column, values[row, column], errors[row, column])
        axis.set_xticks(range(count), names, rotation=45, ha="right", rotation_mode="anchor")
        axis.set_yticks(range(count), names)
        axis.tick_params(length=0)
        axis.spines[:].set_visible(False)
        told = "; standard errors in brackets, (-) at a bound" if count <= TOLD else ""
        figure.supxlabel(f"{HEADS}\n(REML of all lines{told})", fontsize=8)
        figure.suptitle("What the traits inherit, and what they share")
        save_figure(figure, paths)
