"""The figure of a search for hyperparameters: its trials in order, and by each parameter."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from soyfold.common.files import read_table
from soyfold.report.figures.curves import STYLE, save_figure

COLUMNS = ["trial", "state", "value", "default", "epochs_run"]
PANELS = 3  # a row
NO_SKILL = 1.2  # loss: the mean predictor has about 1
FEW = 6  # different values that are drawn side by side
LOG_RATIO = 20  # a range this wide is read on a logarithmic scale
MARKS = {
    "complete": {"marker": "o", "s": 24, "color": "C0", "lw": 0, "zorder": 3},
    "pruned": {"marker": "o", "s": 20, "facecolors": "none", "edgecolors": "0.6", "zorder": 2},
    "failed": {"marker": "x", "s": 22, "color": "0.6", "zorder": 2},
    "off the scale": {"marker": "^", "s": 24, "color": "C0", "lw": 0, "zorder": 3},
}
DEFAULT = {"marker": "D", "s": 64, "facecolors": "none", "edgecolors": "C1", "lw": 1.5, "zorder": 4}
BEST = {"marker": "*", "s": 130, "color": "C3", "lw": 0, "zorder": 5}


def read_trials(path):
    """Read the table of trials that `soyfold.training.tuning.tune` writes.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    DataFrame
        trial, state, value, default, epochs_run, then a column a parameter.

    Raises
    ------
    UserError
        If there is no such table.
    """
    return read_table(path, required=COLUMNS)


def best_so_far(trials):
    """Lowest value of the complete trials up to each one; NaN before the first."""
    return np.fmin.accumulate(trials.value.where(trials.state == "complete").to_numpy())


def _limits(trials):
    """Ends of the axis of losses: a trial far off mustn't press the others together."""
    complete = trials.value[trials.state == "complete"]
    low, middle = trials.value.min(), complete.quantile(0.75)
    spread = (middle - low) or 0.1 * (abs(low) or 1.0)
    wanted = max(low + 3 * spread, NO_SKILL)
    top = np.nanmin([wanted, trials.value.max()])
    height = max(top - low, spread)
    return low - 0.08 * height, low + 1.08 * height


def _draw_trials(axis, trials, x, limits):
    """Each trial's mark; one that failed, or whose loss is off the scale, lies at the upper rim."""
    rim = limits[1] - 0.02 * (limits[1] - limits[0])
    y = trials.value.fillna(np.inf).clip(upper=rim).to_numpy()
    off = (trials.state == "complete") & (trials.value > rim)
    states = trials.state.mask(off, "off the scale")
    for state, mark in MARKS.items():
        chosen = (states == state).to_numpy()
        if chosen.any():
            axis.scatter(x[chosen], y[chosen], label=f"{state} ({chosen.sum()})", **mark)
    own = trials.default.to_numpy()
    if own.any():
        axis.scatter(x[own], y[own], label="the model's own", **DEFAULT)
    best = trials.value.where(trials.state == "complete").idxmin()
    place = trials.index.get_loc(best)
    axis.scatter(x[place], y[place], label="best", **BEST)
    axis.set_ylim(limits)


def _places(axis, values):
    """Where the values of a parameter lie on an axis: side by side, logarithmic or linear."""
    different = sorted(values.unique())
    words = values.dtype == object or values.dtype == bool
    if words or (len(different) <= FEW and values.dtype.kind == "i"):
        axis.set_xticks(range(len(different)), [str(value) for value in different])
        axis.set_xlim(-0.5, len(different) - 0.5)
        # Trials of one value beside each other, or they would hide each other.
        shift = np.random.default_rng(0).uniform(-0.16, 0.16, len(values))
        return np.array([different.index(value) for value in values]) + shift
    if different[0] > 0 and different[-1] / different[0] >= LOG_RATIO:
        axis.set_xscale("log")
        axis.xaxis.set_major_locator(LogLocator(numticks=5))
        axis.xaxis.set_minor_formatter(NullFormatter())
    else:
        axis.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    return values.to_numpy()


def plot_tuning(trials, *, label, trait, paths):
    """Draw a search: validation loss of its trials in order, and against each parameter.

    Parameters
    ----------
    trials : DataFrame
        As `read_trials` returns it, with one complete trial at least.
    label : str
        The model's name in figures.
    trait : str
    paths : iterable of path-like
        The suffix is the format.
    """
    parameters = [name for name in trials.columns if name not in COLUMNS]
    columns = min(PANELS, len(parameters))
    rows = -(-len(parameters) // columns)
    limits = _limits(trials)
    with plt.rc_context(STYLE):
        figure = plt.figure(figsize=(4.6 + 2.1 * columns, 1.0 + 2.8 * rows), layout="constrained")
        grid = figure.add_gridspec(rows, columns + 1, width_ratios=[2.2] + [1] * columns)
        order = figure.add_subplot(grid[:, 0])
        _draw_trials(order, trials, trials.trial.to_numpy(), limits)
        order.step(
            trials.trial, best_so_far(trials), where="post", color="C3", lw=1.2, zorder=1,
            label="best so far",
        )  # fmt: skip
        order.set(xlabel="trial", ylabel="validation loss (mean predictor: 1)")
        order.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10], integer=True))
        for number, name in enumerate(parameters):
            axis = figure.add_subplot(grid[number // columns, 1 + number % columns], sharey=order)
            _draw_trials(axis, trials, _places(axis, trials[name]), limits)
            axis.set_xlabel(name)
            axis.tick_params(labelleft=False)
        figure.align_xlabels()
        handles, labels = order.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=7, frameon=False)
        figure.suptitle(f"{trait}: search for the hyperparameters of {label}")
        save_figure(figure, paths)
