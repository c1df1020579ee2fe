"""Knock-outs: what a fitted hypothesis loses with each of its groups, beside random SNPs."""

import numpy as np
import pandas as pd

from soyfold.common.files import read_table
from soyfold.common.groups import KERNEL, read_groups
from soyfold.common.logs import log
from soyfold.metrics import pearson, r2
from soyfold.training.cohorts import read_cohort
from soyfold.training.hypotheses import fit_hypothesis
from soyfold.training.tasks import draw_task

CHANGES = ("mean_change", "spread_change", "moved", "PCC_change", "R2_change")
COLUMNS = [
    "trait", "hypothesis", "model", "group", "snps",
    *(f"{name}{end}" for name in CHANGES for end in ("", "_random", "_random_low", "_random_high")),
]  # fmt: skip


def measure_changes(observed, before, after):
    """What a knock-out does to predictions.

    Parameters
    ----------
    observed, before, after : ndarray (m,)
        Of tested lines.

    Returns
    -------
    list of float
        As `CHANGES`: of their mean (trait units); of their standard deviation, as a share of it;
        root mean square of single lines' changes, over that standard deviation; of PCC; of R2,
        the mean put back: a network that no longer attends to a token may shift as a whole, which
        random SNPs, whose tokens stay, don't make it.
    """
    spread, shift = before.std(), after.mean() - before.mean()
    return [
        shift,
        after.std() / spread - 1,
        np.sqrt(np.mean(np.square(after - before))) / spread,
        pearson(observed, after) - pearson(observed, before),
        r2(observed, after - shift) - r2(observed, before),
    ]


def draw_alike(snps, chromosome, rng):
    """As many random SNPs on the same chromosomes, as close together: the group's, moved along.

    Each chromosome's are moved by a random number of SNPs, what leaves its end coming in at its
    start. Single random SNPs would have neighbours left that say the same, which a gene's haven't.

    Parameters
    ----------
    snps : ndarray of int
    chromosome : ndarray (L,) of int
        Those of a chromosome stand together.
    rng : numpy.random.Generator
    """
    codes, first, sizes = np.unique(chromosome, return_index=True, return_counts=True)
    at = np.searchsorted(codes, chromosome[snps])
    shift = 1 + rng.integers(0, np.maximum(sizes - 1, 1))[at]
    return first[at] + (snps - first[at] + shift) % sizes[at]


def knock_out_each(observed, before, *, groups, without, chromosome, draws, seed):
    """Changes by each group without its SNPs, beside random SNPs without them.

    Parameters
    ----------
    observed, before : ndarray (m,)
        Of tested lines, and as predicted from all.
    groups : soyfold.common.groups.Groups, keyword only
    without : callable, keyword only
        Maps SNPs and the number of their group (None: of no group) to predictions (m,).
    chromosome : ndarray (L,) of int, keyword only
        Of each SNP.
    draws, seed : int, keyword only
        Of random SNPs.

    Yields
    ------
    list
        group, snps, and figures as `COLUMNS` has them.
    """
    rng = np.random.default_rng(seed)
    for number, (group, snps) in enumerate(zip(groups.names, groups.snps(), strict=True)):
        if not len(snps):
            continue
        left = [without(snps, number)]
        left += [without(draw_alike(snps, chromosome, rng), None) for _ in range(draws)]
        told = np.array([measure_changes(observed, before, after) for after in left])
        random = told[1:]
        figures = np.stack([told[0], random.mean(0), random.min(0), random.max(0)], 1)
        yield [group, len(snps), *figures.ravel()]


def knock_out_groups(
    hypotheses, *, trait, seed, split, draws, dosage, samples, variants, phenotypes,
    covariates=None,
):  # fmt: skip
    """Knock out each group of each hypothesis in its fit on one split.

    Parameters
    ----------
    hypotheses : dict of str to (path-like, path-like)
        Groups and kernels of each.
    trait : str, keyword only
    seed : int, keyword only
        Of the split; of the draws too.
    split, dosage, samples, variants, phenotypes, covariates : path-like, keyword only
        Files of the cohort storey.
    draws : int, keyword only

    Returns
    -------
    DataFrame
        trait, hypothesis, model, group, snps; each of `CHANGES`, and of random SNPs
        (`draw_alike`) its mean, low and high (least and largest).
    """
    cohort = read_cohort(
        dosage=dosage, samples=samples, variants=variants, phenotypes=phenotypes,
        covariates=covariates,
    )  # fmt: skip
    task, chromosome = draw_task(cohort, split, seed), pd.factorize(cohort.snp_chromosome)[0]
    rows = []
    for name, (file, products) in hypotheses.items():
        groups = read_groups(file)
        fitted = fit_hypothesis(products, groups, cohort.dosage, task)
        if fitted.predicted.std() == 0:
            log.warning("WARNING %s, %s: constant predictions, nothing to knock out", trait, name)
            continue
        found = knock_out_each(
            task.y[task.rows("test")], fitted.predicted, groups=groups, draws=draws, seed=seed,
            chromosome=chromosome, without=lambda snps, _, fitted=fitted: fitted.without(snps),
        )  # fmt: skip
        rows += [(trait, name, KERNEL, *row) for row in found]
        log.info("%s: %d groups knocked out", name, len(groups.names))
    return pd.DataFrame(rows, columns=COLUMNS)


def read_knock_outs(paths):
    """Tables of knock-outs of several traits and models, as one."""
    text = dict.fromkeys(("trait", "hypothesis", "model", "group"), str)
    return pd.concat([read_table(path, required=COLUMNS, dtype=text) for path in paths])
