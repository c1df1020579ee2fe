"""Which pairs of chromosomes interact by more than chance finds: the null of a learned kernel.

A kernel that learns a variance for every pair finds some for pairs that do nothing. What it finds
so is told by traits in which no pair does anything: main effects as GBLUP fits them, and
covariates' beside them, plus its residuals shuffled among the lines. The largest share over all
pairs of such a trait is what a pair has to beat, step by step (maxT), so that the p values hold for
all pairs together: Holm's adjustment of p values by pair would take 20 times as many shuffles as
there are pairs to say anything at 0.05. Where some shuffles have beaten the strongest pair, no more
are drawn: p is (1 + beaten) / (1 + drawn), and no pair's is below the strongest one's.

References
----------
Westfall PH, Young SS (1993) Resampling-based multiple testing. Wiley. Algorithm 4.1.
Besag J, Clifford P (1991) Sequential Monte Carlo p-values. Biometrika 78:301-304.
"""

import numpy as np

from soyfold.common.errors import UserError
from soyfold.common.logs import log
from soyfold.training.covariates import base_of, shift_of
from soyfold.training.direct_fits import learner, predict_rows
from soyfold.training.tasks import Task

BEATEN = 3  # shuffles that say enough: with 20 of them p is 0.19 at least
MAIN_EFFECTS = {"name": "gblup", "module": "gblup", "parameters": {}}


def step_down(found, shuffled):
    """Adjusted p values of several statistics whose null was drawn together.

    Parameters
    ----------
    found : ndarray (m,)
        Larger says more.
    shuffled : ndarray (b, m)
        The same under the null.

    Returns
    -------
    ndarray (m,)
        In the order of `found`; at least 1 / (1 + b). That a single one is below alpha where no
        null is false has a probability of at most alpha.
    """
    order = np.argsort(-found, kind="stable")
    # The largest among this one and all that say less.
    least_first = shuffled[:, order[::-1]]
    largest = np.maximum.accumulate(least_first, axis=1)[:, ::-1]
    p = (1 + (largest >= found[order]).sum(0)) / (1 + len(shuffled))
    adjusted = np.empty(len(found))
    adjusted[order] = np.maximum.accumulate(p)
    return adjusted


def all_lines(cohort):
    """The task of a fit on all lines that have a value."""
    rows = cohort.lines["row"].to_numpy()
    families = cohort.lines["family"].fillna("") if "family" in cohort.lines else None
    beside, shift, every = cohort.covariates, None, np.ones(len(rows), dtype=bool)
    if beside is not None:
        shift = shift_of(base_of(beside, every), cohort.values, every)
    return Task(
        sample=cohort.lines["sample"].to_numpy(dtype=str),
        part=np.full(len(rows), "train"),
        y=cohort.values if shift is None else cohort.values - shift,
        dosage=np.ascontiguousarray(cohort.dosage[rows]),
        row=rows,
        seed=0,
        families=None if families is None else families.to_numpy(dtype=str),
        covariates=beside,
        shift=shift,
    )


def permute_pairs(block, cohort, *, permutations, seed):
    """What each pair adds to a trait, and to traits in which no pair does anything.

    Parameters
    ----------
    block : dict
        The registry's entry of a direct model that learns `pair_weights()`.
    cohort : soyfold.training.cohorts.Cohort
        Of one trait; all its lines are fitted.
    permutations, seed : int, keyword only
        Shuffles at most, and the seed of their order.

    Returns
    -------
    DataFrame
        chromosome, chromosome_2 (names), share (of the genetic variance, all lines fitted),
        share_null (its mean over the shuffles), p (`step_down`), permutations (those drawn).

    Raises
    ------
    UserError
        For traits learnt together, and for what the model refuses.
    """
    if cohort.traits:
        raise UserError("several traits learnt together", allowed="one", mend="name a direct model")
    task = all_lines(cohort)
    rows = np.arange(len(task.y))
    learn = learner(block, task, cohort, rows)
    gblup = learner(MAIN_EFFECTS, task, cohort, rows)(task.y)
    main = predict_rows(gblup, MAIN_EFFECTS, task, rows, rows)
    table = learn(task.y).pair_weights()
    rng = np.random.default_rng(seed)
    found, shuffled, beaten = table["share"].to_numpy(), [], 0
    while len(shuffled) < permutations and beaten < BEATEN:
        log.info("shuffle %d of %d", len(shuffled) + 1, permutations)
        drawn = learn(main + rng.permutation(task.y - main)).pair_weights()["share"]
        shuffled.append(drawn.to_numpy())
        beaten += shuffled[-1].max() >= found.max()
    shuffled = np.array(shuffled)
    names = np.array(cohort.chromosomes)
    return table.assign(
        chromosome=names[table["chromosome"]],
        chromosome_2=names[table["chromosome_2"]],
        share_null=shuffled.mean(0),
        p=step_down(found, shuffled),
        permutations=len(shuffled),
    ).drop(columns=["contacts", "weight"])
