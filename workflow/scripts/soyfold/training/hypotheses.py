"""Hypotheses tried on a trait: each, its copies and none, on the same splits and lines."""

import zipfile

import numpy as np
import pandas as pd

from soyfold.common.files import staged
from soyfold.common.groups import read_groups
from soyfold.common.logs import log
from soyfold.metrics import pearson, r2
from soyfold.models.group_kernel import fit_kernels
from soyfold.models.kernels.groups import copies_of, group_products
from soyfold.training.tasks import draw_task, read_cohort

ADDITIVE, NONE, REAL = "additive", "none", "real"
SCORES = ["trait", "hypothesis", "arm", "seed", "metric", "value"]
FITTED = ("train", "val")  # nothing is chosen


def centred(dosage):
    """Dosages (n, L) float32 without their means over all lines, and with a mean variance of 1."""
    z = np.array(dosage, dtype=np.float32)
    z -= z.mean(0, dtype=np.float64).astype(np.float32)
    return z / np.float32(np.sqrt(np.square(z).mean() * z.shape[1]))


def multiply_groups(path, dosage, groups, *, permuted):
    """Write the kernels of a hypothesis and its copies, among all lines.

    Parameters
    ----------
    path : path-like
        .npz with `additive`, GBLUP's kernel, and a kernel for each of `copies_of`: (n, n) float32.
        They hang on genotypes alone, so that traits and splits share them.
    dosage : ndarray (n, L) int8
    groups : path-like
        As `common.groups.write_groups` wrote it.
    permuted : int, keyword only
    """
    z, groups = centred(dosage), read_groups(groups)
    with staged(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:

        def write(name, kernel):
            # One after the other: all at once would take their number times 4 n^2 bytes.
            with archive.open(f"{name}.npy", "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, kernel, allow_pickle=False)

        write(ADDITIVE, z @ z.T)
        for name, copy in copies_of(groups, permuted):
            write(name, group_products(z, copy))
            log.info("%s: products of %d groups", name, len(copy.names) - 1)


def measure_arm(kernels, tasks):
    """Fit kernels on each task, and score their tested lines.

    Parameters
    ----------
    kernels : list of ndarray (N, N)
        Among all lines of the study.
    tasks : list of soyfold.training.tasks.Task

    Returns
    -------
    list of (int, str, float)
        Seed, metric, value: log_likelihood (mean over tested lines of the log density of their
        predictive Gaussians, trait units), PCC, R2; of the fit itself share (of products in the
        genetic variance), reml (its log-likelihood), at_bound, converged.
    """
    rows = []
    for task in tasks:
        train, test = task.rows(*FITTED), task.rows("test")
        lines = task.row[train]
        among = [kernel[np.ix_(lines, lines)].astype(np.float64) for kernel in kernels]
        fit = fit_kernels(among, task.y[train])
        between = [kernel[np.ix_(task.row[test], lines)] for kernel in kernels]
        own = [np.diag(kernel)[task.row[test]] for kernel in kernels]
        mean, variance = fit.predict(between, own)
        y = task.y[test]
        density = -0.5 * (np.log(2 * np.pi * variance) + np.square(y - mean) / variance)
        told = {
            "log_likelihood": density.mean(), "PCC": pearson(y, mean), "R2": r2(y, mean),
            "share": fit.share, "reml": fit.log_likelihood, "at_bound": float(fit.at_bound),
            "converged": float(fit.converged),
        }  # fmt: skip
        rows += [(task.seed, name, float(value)) for name, value in told.items()]
    return rows


def try_hypotheses(
    products, *, trait, seeds, splits, dosage, samples, variants, phenotypes
):  # fmt: skip
    """Scores of every hypothesis, its copies and none.

    Parameters
    ----------
    products : dict of str to path-like
        Of each hypothesis, as `multiply_groups` wrote them.
    trait : str, keyword only
    seeds, splits, dosage, samples, variants, phenotypes
        As for `soyfold.training.fits.fit`.

    Returns
    -------
    DataFrame
        trait, hypothesis, arm, seed, metric, value: metrics as of `measure_arm`. Arms: those of
        `copies_of`; of hypothesis `none` the arms none (all pairs of SNPs alike) and additive
        (no products).
    """
    cohort = read_cohort(dosage=dosage, samples=samples, variants=variants, phenotypes=phenotypes)
    tasks = [draw_task(cohort, split, seed) for seed, split in zip(seeds, splits, strict=True)]
    with np.load(next(iter(products.values()))) as stored:
        additive = stored[ADDITIVE]
    arms = [(NONE, NONE, [additive, additive**2]), (NONE, ADDITIVE, [additive])]
    rows = [(name, arm, *row) for name, arm, own in arms for row in measure_arm(own, tasks)]
    for name, path in products.items():
        with np.load(path) as stored:
            for arm in stored.files:
                if arm != ADDITIVE:
                    found = measure_arm([additive, stored[arm]], tasks)
                    rows += [(name, arm, *row) for row in found]
                    log.info("%s, %s: %s", name, arm, dict(row[1:] for row in found[:4]))
    table = pd.DataFrame(rows, columns=SCORES[1:])
    table.insert(0, "trait", trait)
    return table
