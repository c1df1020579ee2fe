"""The lines to phenotype next: those whose values tell most of all candidates.

With P the covariance of the candidates' genetic values given what is known already, in units of
the genetic variance, and lambda the ratio of error to genetic variance of a line's value, a value
of line j leaves P - P_j P_j' / (P_jj + lambda). Lines are taken one by one, each time the one that
lowers most

- pevmean: the mean prediction error variance, mean P_ii;
- cdmean: the mean of P_ii / K_ii, that is raises most the mean reliability 1 - P_ii / K_ii

(Rincent et al. 2012, doi:10.1534/genetics.112.141473, by exchange; taking the best one at a time is
exact in each step and has no random start).
"""

import numpy as np
import pandas as pd
from scipy.linalg import cho_factor, cho_solve

from soyfold.common.blocks import blocks, line_products
from soyfold.common.errors import UserError
from soyfold.common.files import read_table, write_table
from soyfold.common.logs import log
from soyfold.prediction.panel import read_panel
from soyfold.prediction.predicting import training_sets
from soyfold.selection.candidates import read_names

MOST_CANDIDATES = 8000  # a matrix of 512 MB
CRITERIA = ("cdmean", "pevmean")


def kinship(left, right, frequency):
    """VanRaden's kinship of lines (m, L), (n, L) by the frequencies of ALT, over 2: (m, n).

    Half of it, so that an inbred line has about 1 with itself and the genetic variance is that
    between inbred lines.
    """
    centre = 2 * np.asarray(frequency, dtype=np.float64)
    scale = 2 * float(centre @ (1 - centre / 2))
    at_left, at_right = (
        np.concatenate([lines[rows] @ centre for rows in blocks(len(lines))])
        for lines in (left, right)
    )
    products = line_products(left, right).astype(np.float64)
    products -= at_left[:, None] + at_right - centre @ centre
    return products / scale


def known_already(between, trained, ridge):
    """What lines in training tell of candidates: K_ct (K_tt + lambda I)^-1 K_tc.

    Parameters
    ----------
    between : ndarray (c, t)
    trained : ndarray (t, t)
        Overwritten.
    ridge : float
        lambda.

    Returns
    -------
    ndarray (c, c)
    """
    trained[np.diag_indices_from(trained)] += ridge
    factor = cho_factor(trained, lower=True, overwrite_a=True, check_finite=False)
    return between @ cho_solve(factor, between.T, check_finite=False)


def choose_training(covariance, prior, ridge, count, *, criterion):
    """Lines to phenotype, one after the other.

    Parameters
    ----------
    covariance : ndarray (n, n)
        P of the candidates; overwritten by what remains.
    prior : ndarray (n,)
        K_ii.
    ridge : float
        lambda > 0.
    count : int
    criterion : {'cdmean', 'pevmean'}, keyword only

    Returns
    -------
    rows : ndarray (count,) int
        In the order of choice.
    reliability : ndarray (1 + count,)
        Mean over the candidates of 1 - P_ii / K_ii, before and after each.
    """
    weights = 1 / prior if criterion == "cdmean" else np.ones(len(prior))
    taken = np.zeros(len(prior), dtype=bool)
    told = [1 - np.mean(np.diag(covariance) / prior)]
    rows = []
    gains = np.square(covariance).T @ weights
    for _ in range(count):
        worth = np.where(taken, -np.inf, gains / (np.diag(covariance) + ridge))
        best = int(worth.argmax())
        column = covariance[:, best].copy()
        covariance -= np.outer(column / (column[best] + ridge), column)
        taken[best] = True
        rows.append(best)
        told.append(1 - np.mean(np.diag(covariance) / prior))
        # All columns' squares anew: the update of P is of rank one, that of its squares is not.
        gains = np.einsum("ij,ij,i->j", covariance, covariance, weights)
    return np.array(rows, dtype=int), np.array(told)


def refuse_too_many(candidates, count):
    """Raise `UserError` for a choice that memory or the candidates don't allow."""
    where = {"at": "key selection.training_set.lines"}
    if candidates > MOST_CANDIDATES:
        raise UserError(
            f"{candidates} candidates", allowed=f"{MOST_CANDIDATES} at most",
            mend="name a part of them as new_genotypes", **where,
        )  # fmt: skip
    if candidates < count:
        raise UserError(
            f"{count} lines to phenotype among {candidates} without a value", **where,
            allowed="as many as there are at most", mend="ask for fewer, or name new_genotypes",
        )  # fmt: skip


def read_heritability(path, trait):
    """Heritability that a fit of a linear model estimated.

    Raises
    ------
    UserError
        If it has none.
    """
    table = read_table(path, required=("metric", "value"), dtype={"metric": str, "trait": str})
    told = table.loc[table["metric"] == "heritability", "value"]
    if told.empty or not 0 < float(told.iloc[0]) < 1:
        raise UserError(
            f"no heritability of {trait} above 0", file=path, allowed="a number between 0 and 1",
            mend="fill in the column heritability of the traits sheet",
        )  # fmt: skip
    return float(told.iloc[0])


def choose_study(
    *, study, candidates, panel, split, phenotypes, trait, heritability, estimates, lines,
    criterion, path,
):  # fmt: skip
    """Choose lines to phenotype from the files of a study, and write them.

    Parameters
    ----------
    study, candidates : dict of str to path-like, keyword only
        dosage and samples of the study's lines, and of those to choose from.
    panel, split, phenotypes : path-like, keyword only
        The models' variants, the final split, the trait's values.
    trait : str, keyword only
    heritability : float or None, keyword only
        Of a line's value; None takes that of `estimates`, the final fit's.
    lines : int, keyword only
        To choose.
    criterion, path, keyword only
        See `choose_training`; where to.
    """
    frequency = read_panel(panel)["frequency"].to_numpy()
    samples, names = read_names(study["samples"]), read_names(candidates["samples"])
    learnt = np.flatnonzero(training_sets(split, {trait: phenotypes}, samples)[trait])
    free = np.flatnonzero(~np.isin(names, samples[learnt]))
    refuse_too_many(len(free), lines)
    h2 = heritability or read_heritability(estimates, trait)
    trained = np.load(study["dosage"], mmap_mode="r")[learnt]
    own = np.load(candidates["dosage"], mmap_mode="r")[free]
    inner, covariance = (kinship(one, one, frequency) for one in (trained, own))
    ridge = (1 - h2) / h2 * float(np.mean(np.diag(inner)))
    prior = np.diag(covariance).copy()
    covariance -= known_already(kinship(own, trained, frequency), inner, ridge)
    rows, told = choose_training(covariance, prior, ridge, lines, criterion=criterion)
    table = pd.DataFrame(
        {
            "order": np.arange(1, len(rows) + 1),
            "line": names[free[rows]],
            "mean_reliability": told[1:],
        }
    )
    log.info("%s of %d candidates: mean reliability %.3f by %d lines in training, %.3f with these"
             " %d", trait, len(free), told[0], len(learnt), told[-1], len(rows))  # fmt: skip
    write_table(table, path)
