"""How well a trait is learnt from few labels of its own: alone, and beside traits known of all.

m lines have a value of the target, all training lines their values of the other traits of its
group. The m are nested, and the tested lines are the same at every m. Nothing is standardised by
lines that aren't trained on at that m, and what is tested stays in the trait's units.
"""

import dataclasses

import numpy as np
import pandas as pd

from soyfold.common.errors import UserError
from soyfold.common.files import read_table
from soyfold.common.logs import log
from soyfold.metrics import all_metrics
from soyfold.training.fits import files_of
from soyfold.training.tasks import FEWEST, draw_task, read_cohort

ALONE, JOINT = "alone", "joint"
SCORES = ["trait", "model", "arm", "lines", "seed", "metric", "value"]
FITTED = ("train", "val")


def label_counts(most, *, points, fewest):
    """Numbers of labelled lines, evenly on a log scale: `fewest` first, `most` last, each once."""
    return np.unique(np.geomspace(fewest, most, points).round().astype(int)).tolist()


def order_lines(parts, known, seed):
    """Training and validation lines with a value of the target, each in an order of their own.

    Parameters
    ----------
    parts : dict of str to str
        Part by sample.
    known : sequence of str
        Samples with a value.
    seed : int

    Returns
    -------
    dict of str to list of str
        By part: its first lines are those that are labelled first.
    """
    rng, found = np.random.default_rng([seed, 23]), {}
    for part in FITTED:
        own = np.array([name for name in known if parts.get(name) == part], dtype=object)
        found[part] = rng.permutation(own).tolist()
    return found


def labelled(order, count):
    """The first `count` lines of an order, of each part its share: a set, nested in larger ones."""
    sizes = {part: len(lines) for part, lines in order.items()}
    judged = max(FEWEST["val"], round(count * sizes["val"] / sum(sizes.values())))
    return {*order["train"][: count - judged], *order["val"][:judged]}


def with_labels(cohort, target, lines):
    """A cohort that knows a target's values of some lines alone, and no line without any value.

    Parameters
    ----------
    cohort : soyfold.training.tasks.Cohort
    target : str
    lines : set of str
        Those that keep their value, tested ones among them.

    Returns
    -------
    soyfold.training.tasks.Cohort
    """
    lost = ~cohort.lines["sample"].isin(lines).to_numpy()
    column = cohort.traits.index(target) if cohort.traits else 0
    shape = cohort.values.shape
    values, noise = (
        None if each is None else each.reshape(len(lost), -1).copy()
        for each in (cohort.values, cohort.noise)
    )
    values[lost, column] = np.nan
    if noise is not None:
        noise[lost, column] = np.nan
    kept = ~np.isnan(values).all(axis=1)
    beside = cohort.covariates
    return dataclasses.replace(
        cohort,
        lines=cohort.lines[kept].reset_index(drop=True),
        values=values[kept].reshape(-1, *shape[1:]),
        noise=None if noise is None else noise[kept].reshape(-1, *shape[1:]),
        covariates=None if beside is None else beside[kept].reset_index(drop=True),
    )


def score_target(task, fit, target, kind):
    """Metrics of the tested lines' values of the target, in its units: dict of str to float."""
    column = task.traits.index(target) if task.traits else 0
    observed, predicted = (
        task.restored(values).reshape(len(task.y), -1)[task.rows("test"), column]
        for values in (task.y, fit.predicted)
    )
    tested = ~np.isnan(observed)
    return all_metrics(observed[tested], predicted[tested], kind)


def inputs_of(inputs, traits):
    """The files that `transfer_trait` takes, from a job's inputs; values of `traits` by name."""
    files = files_of({**inputs, "tuned": [], "kernels": []}, traits)
    return {name: path for name, path in files.items() if name not in ("tuned", "kernels")}


def transfer_trait(
    block, learn, *, target, seeds, splits, points, fewest, phenotypes, kind="quantitative",
    **inputs,
):  # fmt: skip
    """Scores of a model over the number of lines with a value of the target.

    Parameters
    ----------
    block : dict
        The model's entry of the registry: one that is `joint` is fitted alone and jointly.
    learn : callable
        `direct_fits.fit_direct` or `network_fits.fit_network`.
    target : str, keyword only
    seeds, splits : keyword only
        As for `soyfold.training.fits.fit`.
    points, fewest : int, keyword only
        Of `label_counts`; the most lines are those that every split has.
    phenotypes : dict of str to path-like, keyword only
        Values of the traits of the target's group, by name.
    kind : {'quantitative', 'ordinal', 'binary'}
        Of the target.
    **inputs
        Of `soyfold.training.tasks.read_cohort`.

    Returns
    -------
    DataFrame
        trait, model, arm (alone: the target's values and no others; joint), lines (with a value of
        the target, of train and val), seed, metric, value.

    Raises
    ------
    UserError
        If no more than `fewest` training lines have a value, or a fit fails.
    """
    arms = {ALONE: read_cohort(phenotypes=phenotypes[target], kind=kind, **inputs)}
    if block["joint"]:
        arms[JOINT] = read_cohort(phenotypes=phenotypes, **inputs)
    known = arms[ALONE].lines["sample"]
    tables = [read_table(split, dtype={"sample": str}) for split in splits]
    parts = [dict(zip(table["sample"], table["part"], strict=True)) for table in tables]
    orders = [order_lines(own, known, seed) for own, seed in zip(parts, seeds, strict=True)]
    most = min(sum(map(len, order.values())) for order in orders)
    if most <= fewest:
        raise UserError(
            f"{most} training lines with a value of {target}",
            at="key evaluation.transfer.fewest",
            allowed=f"more than {fewest}, the least of the curve",
        )
    rows = []
    for seed, split, own, order in zip(seeds, splits, parts, orders, strict=True):
        tested = {name for name in known if own.get(name) == "test"}
        for count in label_counts(most, points=points, fewest=fewest):
            lines = labelled(order, count) | tested
            for arm, cohort in arms.items():
                cohort = with_labels(cohort, target, lines)
                task = draw_task(cohort, split, seed)
                told = score_target(task, learn(block, task, cohort), target, kind)
                place = (target, block["name"], arm, count, seed)
                rows += [(*place, name, value) for name, value in told.items()]
                log.info("%s, %s, %d lines, seed %d: R2 %.3f", *place[1:], told["R2"])
    return pd.DataFrame(rows, columns=SCORES)
