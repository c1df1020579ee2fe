"""How well a trait is learnt from few labels of its own: alone, and beside traits known of all.

m lines have a value of the target, all training lines their values of the other traits of its
group; or of one trait m lines in an environment, and all in the others. The m are nested, and the
tested lines are the same at every m. Nothing is standardised by lines that aren't trained on at
that m, and what is tested stays in the trait's units.
"""

import dataclasses

import numpy as np
import pandas as pd

from soyfold.common.errors import UserError
from soyfold.common.files import read_table
from soyfold.common.logs import log
from soyfold.metrics import all_metrics
from soyfold.training.cohorts import read_cohort
from soyfold.training.fits import files_of
from soyfold.training.tasks import FEWEST, draw_task
from soyfold.training.thinning import thin

ALONE, JOINT = "alone", "joint"
SCORES = ["trait", "model", "arm", "lines", "seed", "metric", "value"]
FITTED = ("train", "val")
NOT_TAKEN = ("tuned", "kernels")  # of what other fits of a trait are given


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
    cohort : soyfold.training.cohorts.Cohort
    target : str
    lines : set of str
        Those that keep their value, tested ones among them.

    Returns
    -------
    soyfold.training.cohorts.Cohort
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
    columns = task.environments or task.traits
    column = columns.index(target) if columns else 0
    observed, predicted = (
        task.restored(values).reshape(len(task.y), -1)[task.rows("test"), column]
        for values in (task.y, fit.predicted)
    )
    tested = ~np.isnan(observed)
    return all_metrics(observed[tested], predicted[tested], kind)


def inputs_of(inputs, traits):
    """The files that `transfer_trait` takes, from a job's inputs; values of `traits` by name."""
    files = files_of({**inputs, **{key: [] for key in NOT_TAKEN}}, traits)
    return {name: path for name, path in files.items() if name not in NOT_TAKEN}


def by_environment(cohort, cells):
    """A trait's cohort with a column for each environment in place of its lines' values.

    Parameters
    ----------
    cohort : soyfold.training.cohorts.Cohort
    cells : path-like
        sample, environment, value (trait units).

    Returns
    -------
    soyfold.training.cohorts.Cohort
        `traits` are the environments.
    """
    table = read_table(cells, dtype=dict.fromkeys(("sample", "environment"), str))
    wide = table.pivot(index="sample", columns="environment", values="value")
    values = wide.reindex(cohort.lines["sample"]).to_numpy(dtype=np.float64)
    return dataclasses.replace(
        cohort, values=values, noise=None, weights="off", traits=tuple(wide), kind="quantitative"
    )


def alone_in(cohort, target, kind):
    """A cohort of several columns that knows one of them, and the lines that have a value of it."""
    column = cohort.traits.index(target)
    noise = None if cohort.noise is None else cohort.noise[:, column]
    lone = dataclasses.replace(
        cohort, values=cohort.values[:, column], noise=noise, traits=(), kind=kind
    )
    return with_labels(lone, target, set(cohort.lines["sample"]))


def arms_of(block, cohort, alone):
    """Cohorts of the arms that a model has.

    One that learns no columns together has no joint arm, and a direct model of lines in
    environments none in one of them alone, which tells it nothing.
    """
    units = block.get("unit", "line") == "environment"
    arms = {} if units and block["kind"] == "direct" else {ALONE: alone}
    return arms | ({JOINT: cohort} if units or block["joint"] else {})


def _fit_arm(block, learn, cohort, split, seed):
    """Task and fit; columns are environments to a model of lines in these."""
    task = draw_task(cohort, split, seed)
    if cohort.traits and block.get("unit", "line") == "environment":
        named = {"traits": (), "environments": cohort.traits}
        task, cohort = (dataclasses.replace(each, **named) for each in (task, cohort))
    task, cohort = thin(block, task, cohort)
    return task, learn(block, task, cohort)


def curve(block, learn, cohort, target, *, seeds, splits, points, fewest, kind):
    """Scores of a model over the number of lines with a value of one column of a cohort.

    Parameters
    ----------
    block, learn, seeds, splits, points, fewest
        As for `transfer_trait`.
    cohort : soyfold.training.cohorts.Cohort
        All columns.
    target : str
        Of `cohort.traits`.
    kind : {'quantitative', 'ordinal', 'binary'}
        Of the target.

    Yields
    ------
    arm : str
    lines, seed : int
    metric : str
    value : float
    """
    alone = alone_in(cohort, target, kind)
    known = alone.lines["sample"]
    tables = [read_table(split, dtype={"sample": str}) for split in splits]
    parts = [dict(zip(table["sample"], table["part"], strict=True)) for table in tables]
    orders = [order_lines(part, known, seed) for part, seed in zip(parts, seeds, strict=True)]
    most = min(sum(map(len, order.values())) for order in orders)
    if most < fewest:
        raise UserError(
            f"{most} training lines with a value of {target}",
            at="key evaluation.transfer.fewest",
            allowed=f"{fewest} or more, the least of the curve",
        )
    for seed, split, part, order in zip(seeds, splits, parts, orders, strict=True):
        tested = {line for line in known if part.get(line) == "test"}
        for count in label_counts(most, points=points, fewest=fewest):
            lines = labelled(order, count) | tested
            for arm, whole in arms_of(block, cohort, alone).items():
                few = with_labels(whole, target, lines)
                found = score_target(*_fit_arm(block, learn, few, split, seed), target, kind)
                log.info("%s, %s, %d lines, seed %d: R2 %.3f", target, arm, count, seed,
                         found["R2"])  # fmt: skip
                yield from ((arm, count, seed, metric, value) for metric, value in found.items())


def transfer_trait(
    block, learn, *, target, seeds, splits, points, fewest, phenotypes, kinds=None,
    environments=(), cells=None, **inputs,
):  # fmt: skip
    """Scores of a model over the number of lines with a value of the target.

    Parameters
    ----------
    block : dict
        The model's entry of the registry; its arms: `arms_of`.
    learn : callable
        `direct_fits.fit_direct` or `network_fits.fit_network`.
    target : str, keyword only
        A trait.
    seeds, splits : keyword only
        As for `soyfold.training.fits.fit`.
    points, fewest : int, keyword only
        Of `label_counts`; the most lines are those that every split has.
    phenotypes : dict of str to path-like, keyword only
        Values of the traits of the target's group, by name.
    kinds : dict of str to {'quantitative', 'ordinal', 'binary'}, optional
        Of traits that aren't quantitative, by name.
    environments : sequence of str
        Those in which few lines have a value of the target, while all have theirs in the others:
        in place of the traits of its group.
    cells : path-like, optional
        Values of the target by environment (sample, environment, value).
    **inputs
        Of `soyfold.training.cohorts.read_cohort`.

    Returns
    -------
    DataFrame
        trait (of environments: trait, environment), model, arm (alone: the target's values and no
        others; joint), lines (with a value of the target, of train and val), seed, metric, value.

    Raises
    ------
    UserError
        If fewer than `fewest` training lines have a value, an environment has none, or a fit
        fails.
    """
    together = phenotypes if block["joint"] and not environments else [target]
    kind = [(kinds or {}).get(name, "quantitative") for name in together]
    files = {name: phenotypes[name] for name in together}
    cohort = read_cohort(phenotypes=files, kind=kind, **inputs)
    if environments:
        cohort = by_environment(cohort, cells)
    rows = []
    for name in environments or [target]:
        if name not in cohort.traits:
            raise UserError(
                f"environment {name!r}, in which {target} has no value",
                at="key evaluation.transfer.environments",
                allowed=", ".join(cohort.traits),
            )
        label = f"{target}, {name}" if environments else name
        told = curve(
            block, learn, cohort, name,
            seeds=seeds, splits=splits, points=points, fewest=fewest,
            kind=kind[list(together).index(target)],
        )  # fmt: skip
        rows += [(label, block["name"], *row) for row in told]
    return pd.DataFrame(rows, columns=SCORES)
