"""Which traits of a network's are learnt by a loss of their own, and why others aren't.

Binary and ordered traits are (`loop.links`), unless the model's `loss` is squared, its penalties
are measured against squared errors, or values were moved off the classes.
"""

from soyfold.common.logs import log
from soyfold.models.parameters import training_options
from soyfold.training.classes import are_shares, classes_of
from soyfold.training.loop.links import Links

MOST = 20  # classes of an ordered trait


def own_losses(network, block, task, cohort):
    """Columns of y that have a loss of their own.

    Parameters
    ----------
    network : nn.Module
    block : dict
        The model's entry of the registry.
    task : soyfold.training.tasks.Task
    cohort : soyfold.training.cohorts.Cohort

    Returns
    -------
    columns : list of int
    refused : list of str
        Why other binary and ordered traits have none, a sentence each.
    """
    kinds = dict(enumerate(cohort.kinds))
    asked = {number: kind for number, kind in kinds.items() if kind != "quantitative"}
    if not asked or training_options(block["parameters"])["loss"] == "squared":
        return [], []
    if getattr(network, "measure", None) is not None:
        return [], ["the model's penalties are measured against squared errors"]
    if task.environments:
        return [], ["lines in environments are learnt around these"]
    fitted = task.y.reshape(len(task.y), -1)[task.rows("train", "val")]
    columns, refused = [], []
    for number, kind in asked.items():
        y, name = fitted[:, number], (task.traits or ("the trait",))[number]
        count = len(classes_of(y))
        if kind == "binary" and not are_shares(y):
            refused.append(f"{name} has values beyond 0 and 1, by environments or covariates")
        elif count > MOST:
            refused.append(f"{name} has {count} classes, more than {MOST}")
        else:
            columns.append(number)
    return columns, refused


def tell(columns, refused, cohort):
    """Say in the log which losses are taken."""
    if columns:
        names = cohort.traits or ("the trait",)
        told = [f"{names[number]} ({cohort.kinds[number]})" for number in columns]
        log.info("learnt by cross-entropy: %s", ", ".join(told))
    for reason in refused:
        log.info("learnt by squared error: %s", reason)


def link(network, columns, y):
    """Give a network links for the columns of training values that have a loss of their own."""
    if columns:
        network.links = Links.start(y, columns)
