"""One model on one trait, for one seed or several: from the cohort's files to a fit's outputs."""

import time
from pathlib import Path

import yaml

from soyfold.common.errors import UserError
from soyfold.common.logs import log
from soyfold.models.parameters import resolve
from soyfold.training.direct_fits import fit_direct
from soyfold.training.outputs import write_fit
from soyfold.training.tasks import draw_task, read_cohort


def _fit_and_write(block, task, cohort, folder, **resuming):
    """Fit a model of either kind and write its outputs; a killed network's fit is resumed."""
    started = time.perf_counter()
    if block["kind"] == "direct":
        write_fit(folder, task, fit_direct(block, task, cohort), started=started)
        return
    # Imports torch: 3 s that direct models save.
    from soyfold.training.network_fits import ResumeFiles, fit_network

    resume = ResumeFiles(folder, block, task, cohort, **resuming)
    write_fit(folder, task, fit_network(block, task, cohort, resume=resume), started=started)
    resume.remove()


def with_tuned(block, path):
    """Lay the mapping `parameters` of a YAML file over the parameters of a model.

    Parameters
    ----------
    block : dict
        The model's entry of the registry.
    path : path-like or None
        Without one the block stays as it is.

    Returns
    -------
    dict
        A new block.

    Raises
    ------
    UserError
        If the file is no such mapping, or says what `resolve` refuses.
    """
    if path is None:
        return block
    content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    tuned = content.get("parameters") if isinstance(content, dict) else None
    if not isinstance(tuned, dict):
        raise UserError("no mapping `parameters`", file=path, mend="delete it, and tune again")
    parameters = {**block["parameters"], **tuned}
    resolve(parameters, block["module"], model=block["name"], file=path)  # refuses what is wrong
    return {**block, "parameters": parameters}


def fit(
    block,
    *,
    seeds,
    splits,
    folders,
    dosage,
    samples,
    variants,
    phenotypes,
    cim=None,
    tuned=None,
    products=None,
    kernels=(),
    threads=1,
    **resuming,
):
    """Fit a model on a trait, or on several together, once a split; write each fit's folder.

    Parameters
    ----------
    block : dict
        The model's entry of the registry.
    seeds : sequence of int
    splits : sequence of path-like
        The split (sample, part) of each seed.
    folders : sequence of path-like
        Where each seed's predictions, history, metrics, cost, checkpoint and, for attention
        models, attention go.
    dosage, samples, variants : path-like
        Files of the cohort storey.
    phenotypes : path-like, or dict of str to path-like
        The trait's values; of traits learnt together those of each, by name.
    cim : path-like, optional
        The CIM that the model takes, or the reference of AAS.
    tuned : path-like, optional
        YAML with a mapping `parameters`, laid over the model's.
    products : path-like, optional
        Products of all lines, for models that need kernels.
    kernels : sequence of path-like
        Decompositions that the fits of a split share.
    threads : int
        CPU threads of a network.
    **resuming
        `seconds` from one write of a network's resume file to the next.

    Raises
    ------
    UserError
        For input that doesn't fit together, too few lines in a part, a loss that is no number or
        diverges, or too little memory.
    """
    block = with_tuned(block, tuned)
    cohort = read_cohort(
        dosage=dosage,
        samples=samples,
        variants=variants,
        phenotypes=phenotypes,
        cim=cim,
        products=products,
        kernels=kernels,
    )
    if block["kind"] != "direct":
        import torch

        torch.set_num_threads(threads)
    for seed, split, folder in zip(seeds, splits, folders, strict=True):
        task = draw_task(cohort, split, seed)
        counts = ", ".join(f"{len(task.rows(part))} {part}" for part in task.parts)
        log.info(
            "%s, seed %d: %s lines, %d SNPs", block["name"], seed, counts, task.dosage.shape[1]
        )
        _fit_and_write(block, task, cohort, folder, **resuming)
