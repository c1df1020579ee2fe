"""One model on one trait, for one seed or several: from the cohort's files to a fit's outputs."""

import dataclasses
from pathlib import Path

import numpy as np
import yaml

from soyfold.common.errors import UserError
from soyfold.common.logs import log
from soyfold.models.parameters import resolve
from soyfold.training.cohorts import read_cohort
from soyfold.training.environment_tasks import task_of
from soyfold.training.thinning import thin


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
    learn,
    *,
    seeds,
    splits,
    folders,
    dosage,
    samples,
    variants,
    phenotypes,
    families=None,
    cim=None,
    tuned=None,
    products=None,
    kernels=(),
    weights="off",
    groups=None,
    covariates=None,
    conditions=None,
    kind="quantitative",
    classes=None,
):
    """Fit a model on a trait, or on several together, once a split; write each fit's folder.

    Parameters
    ----------
    block : dict
        The model's entry of the registry.
    learn : callable
        What fits a model of its kind and writes a folder, `(block, task, cohort, folder)`:
        `direct_fits.fit_and_write` or `network_fits.fit_and_write`.
    seeds : sequence of int
    splits : sequence of path-like
        The split (sample, part) of each seed; of a model whose unit is a line in an environment
        the values by environment (sample, environment, part, value).
    folders : sequence of path-like
        Where each seed's predictions, history, metrics, cost, checkpoint and, for attention
        models, attention go.
    dosage, samples, variants : path-like
        Files of the cohort storey.
    phenotypes : path-like, or dict of str to path-like
        The trait's values; of traits learnt together those of each, by name.
    families : path-like, optional
        TSV with sample, family, for models that need families.
    cim : path-like, optional
        The CIM that the model takes, or the reference of AAS.
    tuned : path-like, optional
        YAML with a mapping `parameters`, laid over the model's.
    products : path-like, optional
        Products of all lines, for models that need kernels.
    kernels : sequence of path-like
        Decompositions that the fits of a split share: split by split, as many of each.
    weights : {'off', 'records', 'variance'}
        What a trait's values weigh by, for a model that takes weights.
    groups : path-like, optional
        Groups of SNPs, for models whose tokens they are.
    covariates, conditions : path-like, optional
        Of the lines; of the environments.
    kind : {'quantitative', 'ordinal', 'binary'}, or a sequence of these
        Of the trait, or of each that is learnt together, for a model that has losses of their own.
    classes : path-like, optional
        Of the variants, for models that read them.

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
        families=families,
        cim=cim,
        products=products,
        weights=weights,
        groups=groups,
        covariates=covariates,
        conditions=conditions,
        kind=kind,
        classes=classes,
    )
    own = np.array_split(np.array(kernels, dtype=object), len(splits))
    for seed, split, folder, shared in zip(seeds, splits, folders, own, strict=True):
        cohort = dataclasses.replace(cohort, kernels=tuple(shared))
        task = task_of(block, cohort, split, seed)
        cohort = dataclasses.replace(cohort, environments=task.environments)
        counts = ", ".join(f"{len(task.rows(part))} {part}" for part in task.parts)
        log.info(
            "%s, seed %d: %s lines, %d SNPs", block["name"], seed, counts, task.dosage.shape[1]
        )
        learn(block, *thin(block, task, cohort), folder)


def files_of(inputs, together=()):
    """The files that `fit` takes, from a job's inputs.

    Parameters
    ----------
    inputs : mapping of str to path-like or list of path-like
        What only some models take is a list of none or one file.
    together : sequence of str
        The traits that a joint model learns; none for a lone trait's fit.

    Returns
    -------
    dict
    """
    optional = ("families", "cim", "tuned", "products", "groups", "covariates", "conditions")
    files = {name: next(iter(inputs[name]), None) for name in (*optional, "classes")}
    files |= {name: inputs[name] for name in ("dosage", "samples", "variants", "splits", "kernels")}
    values = inputs["phenotypes"]
    phenotypes = dict(zip(together, values, strict=True)) if together else values[0]
    return files | {"phenotypes": phenotypes}
