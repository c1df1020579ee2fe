"""Importance of SNPs to linear models: what a typical change of the dosage moves the prediction."""

import numpy as np

from soyfold.common.blocks import blocks
from soyfold.common.errors import UserError
from soyfold.training.checkpoints import read_checkpoint


def dosage_sd(dosage):
    """Standard deviation of each SNP over lines.

    Parameters
    ----------
    dosage : ndarray (n, L) int8
        May be memory-mapped: it is read a block of lines at a time.

    Returns
    -------
    ndarray (L,) float64
        Population form, divided by n.
    """
    sums, squares = np.zeros((2, dosage.shape[1]), dtype=np.int64)
    for rows in blocks(len(dosage)):
        block = np.asarray(dosage[rows])
        sums += block.sum(0, dtype=np.int64)
        squares += (block * block).sum(0, dtype=np.int64)  # int8 holds the square of a dosage
    mean = sums / len(dosage)
    return np.sqrt(np.maximum(squares / len(dosage) - mean**2, 0.0))


def read_effects(path, snps):
    """SNP effects of a fitted linear model.

    Parameters
    ----------
    path : path-like
        Its checkpoint.
    snps : int
        L.

    Returns
    -------
    ndarray (L,) float64
        Trait units per copy of ALT; of family GBLUP those that all families share.

    Raises
    ------
    UserError
        If the checkpoint holds no effects, or those of other SNPs.
    """
    arrays, _ = read_checkpoint(path)
    effects = arrays.get("effects")
    if effects is None or effects.shape != (snps,):
        found = "no effects" if effects is None else f"effects of shape {effects.shape}"
        raise UserError(
            found, file=path, allowed=f"one of each of {snps} SNPs", mend="fit the model anew"
        )
    return effects.astype(np.float64)


def explain_effects(checkpoints, dosage):
    """Importance |beta| sd(dosage) of each SNP, fit by fit.

    Parameters
    ----------
    checkpoints : sequence of path-like
        One a seed.
    dosage : ndarray (n, L) int8
        All lines of the study.

    Returns
    -------
    importance : ndarray (S, L) float64
        Trait units: what one standard deviation of the dosage moves the prediction.
    effects : ndarray (S, L) float64
        beta, trait units per copy of ALT.
    """
    effects = np.stack([read_effects(path, dosage.shape[1]) for path in checkpoints])
    return np.abs(effects) * dosage_sd(dosage), effects
