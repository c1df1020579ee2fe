"""Knock-outs: what a fitted hypothesis loses with each of its groups, beside random SNPs."""

import numpy as np
import pandas as pd

from soyfold.common.files import read_table
from soyfold.common.groups import read_groups
from soyfold.common.logs import log
from soyfold.metrics import pearson, r2
from soyfold.training.hypotheses import fit_hypothesis
from soyfold.training.tasks import draw_task, read_cohort

CHANGES = ("mean_change", "spread_change", "moved", "PCC_change", "R2_change")
COLUMNS = [
    "trait", "hypothesis", "group", "snps",
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
        root mean square of single lines' changes, over that standard deviation; of PCC; of R2.
    """
    spread = before.std()
    return [
        after.mean() - before.mean(),
        after.std() / spread - 1,
        np.sqrt(np.mean(np.square(after - before))) / spread,
        pearson(observed, after) - pearson(observed, before),
        r2(observed, after) - r2(observed, before),
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
        trait, hypothesis, group, snps; each of `CHANGES`, and of random SNPs (`draw_alike`) its
        mean, low and high (least and largest).
    """
    cohort = read_cohort(
        dosage=dosage, samples=samples, variants=variants, phenotypes=phenotypes,
        covariates=covariates,
    )  # fmt: skip
    task, chromosome = draw_task(cohort, split, seed), pd.factorize(cohort.snp_chromosome)[0]
    observed, rows = task.y[task.rows("test")], []
    for name, (file, products) in hypotheses.items():
        groups, rng = read_groups(file), np.random.default_rng(seed)
        fitted = fit_hypothesis(products, groups, cohort.dosage, task)
        if fitted.predicted.std() == 0:
            log.warning("WARNING %s, %s: constant predictions, nothing to knock out", trait, name)
            continue
        for group, snps in zip(groups.names, groups.snps(), strict=True):
            if not len(snps):
                continue
            sets = [snps, *(draw_alike(snps, chromosome, rng) for _ in range(draws))]
            told = np.array(
                [measure_changes(observed, fitted.predicted, fitted.without(s)) for s in sets]
            )
            random = told[1:]
            figures = np.stack([told[0], random.mean(0), random.min(0), random.max(0)], 1)
            rows.append((trait, name, group, len(snps), *figures.ravel()))
        log.info("%s: %d groups knocked out", name, len(groups.names))
    return pd.DataFrame(rows, columns=COLUMNS)


def read_knock_outs(paths):
    """Tables of `knock_out_groups` of several traits, as one."""
    text = dict.fromkeys(("trait", "hypothesis", "group"), str)
    return pd.concat([read_table(path, required=COLUMNS, dtype=text) for path in paths])
