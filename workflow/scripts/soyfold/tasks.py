"""What a fit works on: the cohort's files, one trait's values, one seed's parts."""

import dataclasses

import numpy as np
import pandas as pd

from soyfold.errors import UserError
from soyfold.files import read_table

PARTS = ("train", "val", "test")
FEWEST = {"train": 10, "val": 3, "test": 3}
HISTORY = ("epoch", "train_loss", "val_loss", "val_pcc")


@dataclasses.dataclass(frozen=True)
class Cohort:
    """The genotypes of a study and one trait's values on them.

    Attributes
    ----------
    dosage : ndarray (all samples, L) int8
        Count of ALT, memory-mapped.
    lines : DataFrame
        sample, value (trait units), row (of dosage), family where the study names families: the
        samples that have a value.
    snp_chromosome : ndarray (L,) of str
    cim : DataFrame or None
        G x G, names in genome order on both axes.
    """

    dosage: np.ndarray
    lines: pd.DataFrame
    snp_chromosome: np.ndarray
    cim: pd.DataFrame | None

    @property
    def chromosomes(self):
        """Names in genome order: the CIM's, else as the variants come."""
        return list(dict.fromkeys(self.snp_chromosome)) if self.cim is None else list(self.cim)


@dataclasses.dataclass(frozen=True)
class Task:
    """One seed's lines: what a model is fitted on and what it predicts.

    Attributes
    ----------
    sample, part : ndarray (n,) of str
    y : ndarray (n,) float64
        Trait units.
    dosage : ndarray (n, L) int8
    seed : int
    families : ndarray (n,) of str, or None
        None where the study names none; an empty string for a line of no family.
    """

    sample: np.ndarray
    part: np.ndarray
    y: np.ndarray
    dosage: np.ndarray
    seed: int
    families: np.ndarray | None = None

    def rows(self, *parts):
        """Row numbers of one or several parts."""
        return np.flatnonzero(np.isin(self.part, parts))


@dataclasses.dataclass
class Fit:
    """What a fitted model leaves behind: predictions (n,) in trait units, tables, a saver.

    `held_out` (n,) are predictions of the validation lines by a fit that hasn't seen them; NaN for
    all other lines.
    """

    predicted: np.ndarray
    held_out: np.ndarray
    history: pd.DataFrame
    extra: list
    cost: dict
    save: object
    attention: pd.DataFrame | None = None


def read_cim(path):
    """Read a CIM table: first column `chromosome`, then one column a chromosome.

    Raises
    ------
    UserError
        If rows and columns don't name the same chromosomes in the same order.
    """
    table = read_table(path, required=("chromosome",)).set_index("chromosome")
    if list(table.index) != list(table.columns):
        raise UserError("rows and columns that differ", file=path, allowed="a G x G table")
    return table


def read_cohort(*, dosage, samples, variants, phenotypes, cim=None):
    """Read a study's dosage matrix (memory-mapped) with one trait's values and a CIM.

    Parameters
    ----------
    dosage, samples, variants, phenotypes, cim : path-like
        Files of the cohort and contacts storeys.

    Returns
    -------
    Cohort

    Raises
    ------
    UserError
        If the tables don't fit the matrix, or the CIM lacks a chromosome of the variants.
    """
    matrix = np.load(dosage, mmap_mode="r")
    rows = read_table(samples, required=("sample", "row"), dtype={"sample": str, "family": str})
    snps = read_table(variants, required=("chromosome", "column"), dtype={"chromosome": str})
    values = read_table(phenotypes, required=("sample", "value"), dtype={"sample": str})
    if matrix.shape != (len(rows), len(snps)):
        raise UserError(
            f"a matrix of {matrix.shape[0]} x {matrix.shape[1]}",
            file=dosage,
            allowed=f"{len(rows)} samples x {len(snps)} variants, as the tables beside it say",
        )
    chromosome = snps.sort_values("column").chromosome.to_numpy()
    table = None if cim is None else read_cim(cim)
    missing = [] if table is None else sorted(set(chromosome) - set(table.columns))
    if missing:
        raise UserError(
            f"no chromosome {', '.join(missing)}", file=cim, allowed="all of the variants'"
        )
    lines = rows.merge(values, on="sample", validate="one_to_one")
    columns = ["sample", "value", "row", *(["family"] if "family" in lines else [])]
    lines = lines.dropna(subset="value").sort_values("row")[columns]
    return Cohort(matrix, lines.reset_index(drop=True), chromosome, table)


def draw_task(cohort, split, seed):
    """One seed's lines with a value and a part.

    Raises
    ------
    UserError
        If a part has too few lines.
    """
    parts = read_table(split, required=("sample", "part"), dtype=str)
    lines = cohort.lines.merge(parts, on="sample", validate="one_to_one")
    lines = lines[lines.part.isin(PARTS)]
    counts = lines.part.value_counts()
    for part, fewest in FEWEST.items():
        if counts.get(part, 0) < fewest:
            raise UserError(
                f"{counts.get(part, 0)} lines with a value in part {part}",
                file=split,
                allowed=f"at least {fewest}",
                mend="more phenotyped lines, or another splits.ratio",
            )
    return Task(
        sample=lines["sample"].to_numpy(dtype=str),
        part=lines["part"].to_numpy(dtype=str),
        y=lines["value"].to_numpy(dtype=np.float64),
        dosage=np.ascontiguousarray(cohort.dosage[lines.row.to_numpy()]),
        seed=seed,
        families=lines.family.fillna("").to_numpy(dtype=str) if "family" in lines else None,
    )
