"""Networks on loci that don't copy each other: the SNPs of a fit, told by its training lines."""

import dataclasses

import numpy as np

from soyfold.common.errors import UserError
from soyfold.common.logs import log
from soyfold.models.chosen_loci import independent_loci


def kept_snps(block, dosage, snp_chromosome):
    """SNPs that a model takes by its parameter `independent_loci`.

    Parameters
    ----------
    block : dict
        The model's entry of the registry.
    dosage : ndarray (n, L) int8
        Of the training lines.
    snp_chromosome : ndarray (L,)

    Returns
    -------
    ndarray (L,) of bool, or None
        None for a model that takes all.

    Raises
    ------
    UserError
        If no SNP varies among the lines.
    """
    bound = block["parameters"].get("independent_loci")
    if bound is None:
        return None
    kept = independent_loci(dosage, snp_chromosome, bound=bound)
    if not kept.any():
        raise UserError(
            "no SNP that varies among the training lines", mend="loosen the filters of the config"
        )
    log.info("%d of %d SNPs are no copies (|r| above %g)", kept.sum(), len(kept), bound)
    return kept


def thin(block, task, cohort):
    """A fit's task and cohort on the SNPs that its model takes.

    They are chosen by the training part alone, once for all that the fit trains.

    Parameters
    ----------
    block : dict
    task : soyfold.training.tasks.Task
    cohort : soyfold.training.cohorts.Cohort

    Returns
    -------
    task, cohort
        Where SNPs were left out, `cohort.kept` tells which of the study's are left.
    """
    kept = kept_snps(block, task.dosage[task.rows("train")], cohort.snp_chromosome)
    if kept is None:
        return task, cohort
    groups = cohort.groups
    if groups is not None:
        groups = dataclasses.replace(groups, members=groups.members[np.flatnonzero(kept)])
    few = {"snp_chromosome": cohort.snp_chromosome[kept], "groups": groups, "kept": kept}
    if cohort.position is not None:
        few["position"] = cohort.position[kept]
    if cohort.classes is not None:
        few["classes"] = cohort.classes[kept]
    dosage = np.ascontiguousarray(task.dosage[:, kept])
    return dataclasses.replace(task, dosage=dosage), dataclasses.replace(cohort, **few)
