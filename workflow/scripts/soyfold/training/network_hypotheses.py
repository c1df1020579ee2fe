"""Hypotheses tried in a network whose tokens are groups: its arms on the same splits and budget."""

import dataclasses

import numpy as np
import pandas as pd
import torch

from soyfold.common.logs import log
from soyfold.metrics import pearson, r2
from soyfold.models.kernels.groups import copies_of
from soyfold.training.cohorts import read_cohort
from soyfold.training.fits import with_tuned
from soyfold.training.hypotheses import NONE, SCORES
from soyfold.training.network_fits import fit_network
from soyfold.training.tasks import draw_task
from soyfold.training.thinning import thin

PERMUTED = "permuted"


def arm_of(block, groups, arm):
    """Model and groups of an arm, which all have the same parameters to learn.

    Parameters
    ----------
    block : dict
        The model's entry of the registry.
    groups : soyfold.common.groups.Groups
    arm : str
        none: the hypothesis' groups attend to each other freely; others as of
        `models.kernels.groups.copies_of`.
    """
    if arm == NONE:
        return block | {"parameters": block["parameters"] | {"group_weights": False}}, groups
    permuted = int(arm.removeprefix(PERMUTED)) if arm.startswith(PERMUTED) else 0
    # Groups that go with themselves alone are their own diagonal.
    return block, dict(copies_of(groups, permuted)).get(arm, groups)


def measure_network(fit, task):
    """Metrics of a fit on its tested lines, as `hypotheses.measure_arm` has them of kernels.

    The predictive Gaussian's variance is the mean square error on validation lines, by the fit
    that hasn't seen them.
    """
    val, test = task.rows("val"), task.rows("test")
    variance = np.mean(np.square(task.y[val] - fit.held_out[val]))
    y, mean = task.y[test], fit.predicted[test]
    density = -0.5 * (np.log(2 * np.pi * variance) + np.square(y - mean) / variance)
    return {"log_likelihood": density.mean(), "PCC": pearson(y, mean), "R2": r2(y, mean)}


def try_arm(block, *, trait, arm, seeds, splits, tuned=None, threads=1, **files):
    """Scores of one arm of a network's hypothesis, on every split.

    Parameters
    ----------
    block : dict
        The model's entry of the registry.
    trait, arm : str, keyword only
        As for `arm_of`.
    seeds, splits, tuned, keyword only
        As for `soyfold.training.fits.fit`.
    threads : int, keyword only
    **files
        As for `soyfold.training.cohorts.read_cohort`.

    Returns
    -------
    DataFrame
        trait, hypothesis, model, arm, seed, metric, value.
    """
    torch.set_num_threads(threads)
    cohort = read_cohort(**files)
    own, groups = arm_of(with_tuned(block, tuned), cohort.groups, arm)
    cohort = dataclasses.replace(cohort, groups=groups)
    keys, rows = (trait, block["parameters"]["hypothesis"], block["name"], arm), []
    for seed, split in zip(seeds, splits, strict=True):
        task, thinned = thin(own, draw_task(cohort, split, seed), cohort)
        told = measure_network(fit_network(own, task, thinned), task)
        rows += [(*keys, seed, name, float(value)) for name, value in told.items()]
        log.info("seed %d: %s", seed, told)
    return pd.DataFrame(rows, columns=SCORES)
