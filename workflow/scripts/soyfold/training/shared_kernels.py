"""What a fit is handed beside its lines: the kernels that a split's fits share, and weights."""

from importlib import import_module

from soyfold.models.declarations import declaration


def kernels_of_lines(block, task, cohort, rows):
    """`LineKernels` of some lines; None for a model that reads none, or where none are shared.

    Parameters
    ----------
    block : dict
        The model's entry of the registry.
    task : soyfold.training.tasks.Task
    cohort : soyfold.training.cohorts.Cohort
    rows : ndarray of int
        Of the task's lines.
    """
    if declaration(block["module"]).kernels is None or cohort.products is None:
        return None
    # By name, as models are: their digests have its code, other models' need not.
    shared = import_module("soyfold.models.kernels.shared")
    return shared.read_shared(cohort.products, cohort.kernels).of(task.row[rows])


def weights_for(module, task, rows):
    """`Task.weights` for a model, by its module; None for one that takes none."""
    declared = declaration(module)
    return task.weights(rows, untold=declared.untold) if declared.weights else None
