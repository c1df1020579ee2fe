"""What a network may bring beside its weights: penalties set by its lines, choices by validation.

A network that is calibrated has `measure(dosage, y, kernels)`, which looks at the training lines
once for all members of a fit (with `weights=` where their values weigh differently), and
`calibrate(g, measured, seed)`, which sets its penalties on their standardised dosages. One with
`choices`, values of a setting, is told each by `choose(value)` and trained with it; `choice` is the
one that it has. `loop` says what else it may bring along.
"""

import copy
import dataclasses
from functools import partial

import numpy as np
import torch

from soyfold.common.logs import log
from soyfold.training.shared_kernels import kernels_of_lines, weights_for


def measure_lines(network, block, task, cohort, *parts):
    """What a network that is calibrated has to know of the lines of these parts, or None."""
    measure, rows = getattr(network, "measure", None), task.rows(*parts)
    if measure is None:
        return None
    kernels = partial(kernels_of_lines, block, task, cohort)
    weights = weights_for(block["module"], task, rows)
    told = {} if weights is None else {"weights": weights[rows]}
    return measure(task.dosage[rows], task.y[rows], lambda known: kernels(rows[known]), **told)


def calibrate(network, task, rows, scaler, measured, seed):
    """Let a network set its penalties by what was measured of its training lines."""
    if measured is not None:
        g = (task.dosage[rows] - scaler.centre) / np.float32(scaler.scale)
        network.calibrate(torch.from_numpy(g), measured, seed)


def learn_best(network, choices, learn, resume):
    """Train with each choice, from the same weights, and leave those of the least validation loss.

    Parameters
    ----------
    network : nn.Module
    choices : sequence, or None
        None for a network that has none, which is trained once.
    learn : callable
        Trains it, with a resume file or None; `first` says whether it is the first time.
    resume : callable or None
        Makes the file of a choice: see `network_fits.ResumeFiles`.

    Returns
    -------
    soyfold.training.loop.Trained
        Of the choice that is left; seconds are those of all.
    """
    if choices is None:
        return learn(resume and resume())
    start, tried = copy.deepcopy(network.state_dict()), []
    for number, choice in enumerate(choices):
        network.load_state_dict(start)
        network.choose(choice)
        file = resume and resume(number, more=number + 1 < len(choices))
        trained = learn(file, first=number == 0)
        loss = min((row["val_loss"] for row in trained.history), default=0.0)
        if len(choices) > 1:
            log.info("choice %g: validation loss %.4f", choice, loss)
        tried.append((loss, number, trained, copy.deepcopy(network.state_dict())))
    _, number, trained, state = min(tried, key=lambda each: each[:2])
    network.choose(choices[number])
    network.load_state_dict(state)
    costs = [each.cost for _, _, each, _ in tried]
    summed = {name: sum(cost[name] for cost in costs) for name in ("train_seconds", "resumed")}
    return dataclasses.replace(trained, cost={**trained.cost, **summed})
