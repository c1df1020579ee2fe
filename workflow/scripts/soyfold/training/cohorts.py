"""The genotypes of a study, and the values of one trait or of several learnt together."""

import dataclasses

import numpy as np
import pandas as pd

from soyfold.common.errors import UserError
from soyfold.common.files import read_cim, read_table
from soyfold.common.groups import read_groups
from soyfold.training.covariates import read_covariates
from soyfold.training.line_weights import noise_of


@dataclasses.dataclass(frozen=True)
class Cohort:
    """The genotypes of a study and the values of one trait, or of several learnt together.

    Attributes
    ----------
    dosage : ndarray (all samples, L) int8
        Count of ALT, memory-mapped.
    lines : DataFrame
        sample, row (of dosage), family where a model takes families: the samples that have a
        value of some trait.
    values : ndarray (lines,), or (lines, T) of traits learnt together
        Trait units; NaN where a line has no value of one of T traits.
    snp_chromosome : ndarray (L,) of str
    position : ndarray (L,) of int
        bp of each SNP; None where the table of variants has none.
    classes : ndarray (L,) of str, or None
        Of the variants, for models that read them.
    cim : DataFrame or None
        G x G, names in genome order on both axes.
    traits : tuple of str
        Names of the traits learnt together; empty where the task is one trait's.
    products : path-like, or None
        Products of all lines; without them models that need kernels compute their own.
    kernels : tuple of path-like
        Decompositions that the fits of a split share (`shared.write_kernel`).
    weights : {'off', 'records', 'variance'}
        What values weigh by; `noise` (of the shape of `values`) then is their error variance, NaN
        where there is no value, else None.
    groups : soyfold.common.groups.Groups, or None
        Of a hypothesis whose groups are tokens.
    covariates : DataFrame or None
        Of the lines (`covariates.read_covariates`).
    kind : {'quantitative', 'ordinal', 'binary'}, or a sequence of these
        Of a lone trait; of each that is learnt together.
    environments : tuple of str
        Of a split whose lines are learnt in each of them (`environment_tasks`); else empty.
    conditions : path-like, or None
        Covariates of environments (`common.conditions`).
    kept : ndarray of bool, or None
        Which of the study's SNPs are left, where a fit has left out copies (`thinning.thin`).
    """

    dosage: np.ndarray
    lines: pd.DataFrame
    values: np.ndarray
    snp_chromosome: np.ndarray
    cim: pd.DataFrame | None
    traits: tuple = ()
    products: object = None
    kernels: tuple = ()
    weights: str = "off"
    noise: np.ndarray | None = None
    groups: object = None
    covariates: pd.DataFrame | None = None
    kind: str = "quantitative"
    position: np.ndarray | None = None
    classes: np.ndarray | None = None
    environments: tuple = ()
    conditions: object = None
    kept: np.ndarray | None = None

    @property
    def outputs(self):
        """How many values a line has: one for each environment, or trait learnt together."""
        return max(1, len(self.environments or self.traits))

    @property
    def kinds(self):
        """The kind of each value that a line has."""
        return (self.kind,) * self.outputs if isinstance(self.kind, str) else tuple(self.kind)

    @property
    def chromosomes(self):
        """Names in genome order: the CIM's, else as the variants come."""
        return list(dict.fromkeys(self.snp_chromosome)) if self.cim is None else list(self.cim)


def read_cohort(
    *,
    dosage,
    samples,
    variants,
    phenotypes,
    families=None,
    cim=None,
    products=None,
    weights="off",
    groups=None,
    covariates=None,
    conditions=None,
    kind="quantitative",
    classes=None,
):
    """Read a study's dosage matrix (memory-mapped) with the values of traits and a CIM.

    Parameters
    ----------
    dosage, samples, variants, cim : path-like
        Files of the cohort and contacts storeys.
    phenotypes : path-like, or dict of str to path-like
        The values of one trait; or those of the traits learnt together, by name.
    families : path-like, optional
        TSV with sample, family, for models that take them.
    products : path-like, optional
        Products of all lines, from which models that need kernels take them.
    weights : {'off', 'records', 'variance'}
        What values weigh by: their records, or 1 over their error variance.
    groups : path-like, optional
        Of a hypothesis (`common.groups.write_groups`), for models whose tokens they are.
    covariates : path-like, optional
        Of all lines, whose effects are taken off the values (`draw_task`).
    conditions : path-like, optional
        The user's table of environments, for models that take it.
    kind : {'quantitative', 'ordinal', 'binary'}, or a sequence of these
        Of a lone trait; of each of those learnt together.
    classes : path-like, optional
        Of the variants, for models that read them.

    Returns
    -------
    Cohort

    Raises
    ------
    UserError
        If the tables don't fit the matrix, or the CIM lacks a chromosome of the variants.
    """
    matrix = np.load(dosage, mmap_mode="r")
    rows = read_table(samples, required=("sample", "row"), dtype={"sample": str})
    snps = read_table(variants, required=("chromosome", "column"), dtype={"chromosome": str})
    if matrix.shape != (len(rows), len(snps)):
        raise UserError(
            f"a matrix of {matrix.shape[0]} x {matrix.shape[1]}",
            file=dosage,
            allowed=f"{len(rows)} samples x {len(snps)} variants, as the tables beside it say",
        )
    snps = snps.sort_values("column")
    chromosome = snps.chromosome.to_numpy()
    table = None if cim is None else read_cim(cim)
    missing = [] if table is None else sorted(set(chromosome) - set(table.columns))
    if missing:
        raise UserError(
            f"no chromosome {', '.join(missing)}", file=cim, allowed="all of the variants'"
        )
    lines = rows[["sample", "row"]].sort_values("row")
    if families is not None:
        named = read_table(families, required=("sample", "family"), dtype=str)
        lines["family"] = lines["sample"].map(named.set_index("sample")["family"])
    joint = isinstance(phenotypes, dict)
    values = _side_by_side(_read_values(path, lines["sample"]) for path in _files(phenotypes))
    noise = None if weights == "off" else _side_by_side(
        _read_noise(path, lines["sample"], weights) for path in _files(phenotypes)
    )  # fmt: skip
    if not joint:
        values, noise = values[:, 0], None if noise is None else noise[:, 0]
    known = ~np.isnan(values.reshape(len(lines), -1)).all(axis=1)
    return Cohort(
        dosage=matrix,
        lines=lines[known].reset_index(drop=True),
        values=values[known],
        snp_chromosome=chromosome,
        cim=table,
        traits=tuple(phenotypes) if joint else (),
        products=products,
        weights=weights,
        noise=None if noise is None else noise[known],
        groups=None if groups is None else read_groups(groups),
        covariates=covariates and read_covariates(covariates, lines["sample"][known]),
        conditions=conditions,
        kind=kind,
        position=snps["position"].to_numpy() if "position" in snps else None,
        classes=None if classes is None else _read_classes(classes, snps),
    )


def _read_classes(path, snps):
    """Class of each SNP (str), whose rows of the table may come in another order."""
    keys = ["variant", "chromosome", "position", "ref", "alt"]
    table = read_table(path, required=(*keys, "class"), dtype=str).set_index(keys)
    found = table["class"].reindex(pd.MultiIndex.from_frame(snps[keys].astype(str)))
    if found.isna().any():
        raise UserError(
            f"no class of {int(found.isna().sum())} variants, first {found.index[0][0]}",
            file=path, allowed="all variants of the dosage matrix", mend="delete it, and run again",
        )  # fmt: skip
    return found.to_numpy()


def _read_noise(path, samples, weights):
    """Error variances of a trait's values (float64) of samples; NaN for those without a value."""
    table = read_table(path, required=("sample", "value"), dtype={"sample": str})
    noise = pd.Series(noise_of(table, weights, path), index=table["sample"])
    return noise.reindex(samples).to_numpy()


def _side_by_side(columns):
    return np.stack(list(columns), axis=1)


def _files(phenotypes):
    return phenotypes.values() if isinstance(phenotypes, dict) else [phenotypes]


def _read_values(path, samples):
    """A trait's values (float64) of samples in their order; NaN for those without."""
    table = read_table(path, required=("sample", "value"), dtype={"sample": str})
    values = table.set_index("sample", verify_integrity=True).value
    return values.reindex(samples).to_numpy(dtype=np.float64)
