"""Ask the fits of a network, seed by seed, what their test lines' predictions owe to each SNP."""

import numpy as np
import pandas as pd
import torch

from soyfold.common.logs import log
from soyfold.interpretation.gradients import explain_network
from soyfold.interpretation.importance import FITS, read_test_lines


def explain_fits(
    checkpoints, predictions, *, seeds, dosage, samples, model, trait, lines, steps, tolerance,
    threads,
):  # fmt: skip
    """Integrated gradients of each seed's fit.

    Parameters
    ----------
    checkpoints, predictions : sequence of path-like
        Of each seed's fit.
    seeds : sequence of int, keyword only
    dosage, samples : path-like, keyword only
        Files of the cohort storey.
    model, trait : str, keyword only
    lines : int, keyword only
        Test lines a seed at most; more are drawn from, by the seed.
    steps, tolerance, keyword only
        As for `gradients.attribute`.
    threads : int, keyword only

    Returns
    -------
    importance, effects : ndarray (S, L)
        As `gradients.Attribution` has them.
    fits : DataFrame (S rows)
        trait, model, seed, method, lines, steps, completeness_error.
    """
    torch.set_num_threads(threads)
    matrix, found, rows = np.load(dosage, mmap_mode="r"), [], []
    for seed, checkpoint, told in zip(seeds, checkpoints, predictions, strict=True):
        chosen = read_test_lines(told, samples, trait=trait, most=lines, seed=seed)
        found.append(
            explain_network(
                checkpoint, matrix[chosen], trait=trait, steps=steps, tolerance=tolerance
            )
        )
        steps_taken, error = found[-1].steps, found[-1].completeness_error
        rows.append((trait, model, seed, "gradients", len(chosen), steps_taken, error))
        log.info("seed %d: %d lines, %d steps, completeness error %.2g", seed, *rows[-1][4:])
    return (
        np.stack([item.importance for item in found]),
        np.stack([item.effect for item in found]),
        pd.DataFrame(rows, columns=FITS[:-1]),
    )
