"""Hypotheses tried on a trait: each, its copies and none, on the same splits and lines."""

import zipfile
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from soyfold.common.files import staged
from soyfold.common.groups import KERNEL, read_groups
from soyfold.common.logs import log
from soyfold.metrics import pearson, r2
from soyfold.models.group_kernel import fit_kernels
from soyfold.models.kernels.groups import copies_of, group_products, stack_groups
from soyfold.training.cohorts import read_cohort
from soyfold.training.tasks import draw_task

ADDITIVE, NONE, REAL = "additive", "none", "real"
SCORES = ["trait", "hypothesis", "model", "arm", "seed", "metric", "value"]
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


@dataclass(frozen=True)
class FittedHypothesis:
    """A hypothesis fitted on a task, asked about its tested lines.

    Attributes
    ----------
    predicted : ndarray (m,)
        Of the tested lines, trait units.
    moves : ndarray (m, L) float32
        From the tested lines' dosages, as `centred` gives them, to the training means.
    right : ndarray (n, L) float32
        Dosages of the training lines, likewise.
    pull : ndarray (2, n)
        What each unit of the additive kernel and of the products moves a prediction, by training
        line.
    snps : list of ndarray of int
        Of each group.
    weights : scipy.sparse.csr_array (G, G)
    slopes : list of ndarray (m, L_a) float32
        Of each group a and SNP of it: what a unit more of its dosage moves the predictions through
        K_a, to first order: the pull of 2 sum over b of w_ab K_b o the SNP's products.
    """

    predicted: np.ndarray
    moves: np.ndarray
    right: np.ndarray
    pull: np.ndarray
    snps: list
    weights: object
    slopes: list

    def without(self, snps):
        """Predictions (m,) with the dosages of some SNPs at their training means.

        The K_a of the groups that hold some of them change by D_a, and E by sum over a of
        D_a o (2 sum w_ab K_b + sum w_ab D_b), b among the same groups.
        """
        gone = np.zeros(self.moves.shape[1], bool)
        gone[snps] = True
        changed = self.predicted + self.moves[:, gone] @ self.right[:, gone].T @ self.pull[0]
        steps = {}
        for k, (own, slopes) in enumerate(zip(self.snps, self.slopes, strict=True)):
            if (among := gone[own]).any():
                moves = self.moves[:, own[among]]
                changed = changed + (moves * slopes[:, among]).sum(1)
                steps[k] = moves @ self.right[:, own[among]].T
        for k, step in steps.items():
            row = self.weights[[k]]
            with_own = zip(row.indices, row.data, strict=True)
            met = sum(weight * steps[b] for b, weight in with_own if b in steps)
            changed = changed + (step * met) @ self.pull[1]
        return changed


def fit_hypothesis(products, groups, dosage, task):
    """Fit a hypothesis on a task, so that its groups can be knocked out.

    Parameters
    ----------
    products : path-like
        As `multiply_groups` wrote them.
    groups : soyfold.common.groups.Groups
    dosage : ndarray (N, L) int8
        Of all lines of the study.
    task : soyfold.training.tasks.Task

    Returns
    -------
    FittedHypothesis
    """
    with np.load(products) as stored:
        kernels = [stored[ADDITIVE], stored[REAL]]
    train, test = task.row[task.rows(*FITTED)], task.row[task.rows("test")]
    among = [kernel[np.ix_(train, train)].astype(np.float64) for kernel in kernels]
    fit = fit_kernels(among, task.y[task.rows(*FITTED)])
    between = [kernel[np.ix_(test, train)] for kernel in kernels]
    z, named = centred(dosage), groups.named
    weights = sparse.csr_array(named.weights.astype(np.float32))
    snps, pull = named.snps(), fit.variances[:2, None] * fit.dual
    predicted = fit.mean + sum(k @ own for k, own in zip(between, pull, strict=True))
    stack = stack_groups(z[test], z[train], snps)
    met = (weights @ stack.reshape(len(stack), -1)).reshape(stack.shape)
    met *= 2 * pull[1].astype(np.float32)
    slopes = [k @ z[train][:, own] for k, own in zip(met, snps, strict=True)]
    moves = z[train].mean(0) - z[test]
    return FittedHypothesis(predicted, moves, z[train], pull, snps, weights, slopes)


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
    products, *, trait, seeds, splits, dosage, samples, variants, phenotypes,
    covariates=None,
):  # fmt: skip
    """Scores of every hypothesis, its copies and none.

    Parameters
    ----------
    products : dict of str to path-like
        Of each hypothesis, as `multiply_groups` wrote them.
    trait : str, keyword only
    seeds, splits, dosage, samples, variants, phenotypes, covariates
        As for `soyfold.training.fits.fit`.

    Returns
    -------
    DataFrame
        trait, hypothesis, model, arm, seed, metric, value: metrics as of `measure_arm`. Arms:
        those of `copies_of`; of hypothesis `none` the arms none (all pairs of SNPs alike) and
        additive (no products).
    """
    cohort = read_cohort(
        dosage=dosage, samples=samples, variants=variants, phenotypes=phenotypes,
        covariates=covariates,
    )  # fmt: skip
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
    return pd.DataFrame([(trait, name, KERNEL, *row) for name, *row in rows], columns=SCORES)
