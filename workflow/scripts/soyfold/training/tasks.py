"""What a fit works on: the cohort's files, values of one trait or several, one seed's parts."""

import dataclasses

import numpy as np
import pandas as pd

from soyfold.common.errors import UserError
from soyfold.common.files import read_cim, read_table
from soyfold.common.groups import read_groups
from soyfold.training.covariates import base_of, read_covariates, shift_of
from soyfold.training.line_weights import noise_of, value_weights

PARTS = ("train", "val", "test")
FEWEST = {"train": 10, "val": 3, "test": 3}
HISTORY = ("epoch", "train_loss", "val_loss", "val_pcc")


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


@dataclasses.dataclass(frozen=True)
class Task:
    """One seed's lines: what a model is fitted on and what it predicts.

    Attributes
    ----------
    sample, part : ndarray (n,) of str
    y : ndarray (n,) float64, or (n, T) of traits learnt together
        Trait units; NaN where a line has no value of one of T traits. Less `shift`.
    dosage : ndarray (n, L) int8
    row : ndarray (n,) int
        The lines' rows of the study's dosage matrix.
    seed : int
    families : ndarray (n,) of str, or None
        None where the model takes none; an empty string for a line of no family.
    environment : ndarray (n,) of str, or None
        Where a value is of; an empty string for a line's value over all of them. None where values
        aren't parted by environment. A line then may stand in several rows.
    traits : tuple of str
        Names of the traits learnt together; empty where y is one trait's.
    noise : ndarray of y's shape, or None
        Error variances of the values (squared trait units), NaN where they aren't known; None where
        all values weigh the same.
    covariates : DataFrame (n rows), or None
    shift : ndarray of y's shape, or None
        What covariates add to the values, as the training lines tell it by least squares: it is
        taken off y, and added to all that is written (`restored`).
    environments : tuple of str
        Of a model whose unit is a line in an environment: those that y has a column for, and no
        traits; see `environment_tasks`. Else empty.
    """

    sample: np.ndarray
    part: np.ndarray
    y: np.ndarray
    dosage: np.ndarray
    row: np.ndarray
    seed: int
    families: np.ndarray | None = None
    environment: np.ndarray | None = None
    traits: tuple = ()
    noise: np.ndarray | None = None
    covariates: pd.DataFrame | None = None
    shift: np.ndarray | None = None
    environments: tuple = ()

    def restored(self, values):
        """Values of y's shape with what covariates add."""
        return values if self.shift is None else values + self.shift

    def weights(self, rows, *, untold):
        """Weights of all values, by those of the lines `rows`: see `line_weights.value_weights`."""
        return None if self.noise is None else value_weights(self.noise, self.y, rows, untold)

    @property
    def parts(self):
        """Names of the parts that have lines, in the order of `PARTS`; a final fit has no test."""
        return [name for name in PARTS if (self.part == name).any()]

    def rows(self, *parts):
        """Row numbers of one or several parts."""
        return np.flatnonzero(np.isin(self.part, parts))

    def by_trait(self, *columns):
        """Walk over the columns of y: name, its lines, each column's values there.

        Parameters
        ----------
        *columns : ndarray of y's shape

        Yields
        ------
        trait : str or None
            Of a trait, None for a lone one; or of an environment.
        known : ndarray (n,) of bool
            Lines that have a value.
        values : list of ndarray
            Of `columns`, at those lines.
        """
        known = ~np.isnan(self.y.reshape(len(self.y), -1))
        wide = [np.reshape(column, known.shape) for column in columns]
        for number, trait in enumerate(self.environments or self.traits or (None,)):
            lines = known[:, number]
            yield trait, lines, [column[lines, number] for column in wide]


@dataclasses.dataclass
class Fit:
    """What a fitted model leaves behind: predictions in trait units, tables, a saver.

    `predicted` has the shape of the task's y, and so has `held_out`: predictions of the validation
    lines by a fit that hasn't seen them, NaN for all other lines. `certainty` has by name what a
    model knows of its errors, each of y's shape and NaN for other lines, of the test lines, in a
    final fit of all: reliability; error_sd, of the genetic value's error (trait units);
    held_out_sd, of the validation lines by the fit that hasn't seen them; and of training lines of
    which no more than other families are known without_family, what the fit tells of them then, and
    without_family_sd.
    """

    predicted: np.ndarray
    held_out: np.ndarray
    history: pd.DataFrame
    extra: list
    cost: dict
    save: object
    attention: pd.DataFrame | None = None
    certainty: dict = dataclasses.field(default_factory=dict)


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


def draw_task(cohort, split, seed):
    """One seed's lines with a value and a part.

    Raises
    ------
    UserError
        If a part has too few lines of a trait.
    """
    text = dict.fromkeys(("sample", "part", "environment"), str)
    parts = read_table(split, required=("sample", "part"), dtype=text)
    own = "value" in parts  # as the scheme has estimated it, in place of the cohort's
    if own and cohort.traits:
        raise UserError(
            f"one trait's values for {', '.join(cohort.traits)} learnt together",
            file=split,
            allowed="models of one trait on schemes of environments",
            mend="take the model out of this scheme's models",
        )
    lines = cohort.lines.assign(place=np.arange(len(cohort.lines)))
    lines = lines.merge(parts, on="sample", validate="one_to_many" if own else "one_to_one")
    lines = lines[lines.part.isin(PARTS)]
    y = lines.value.to_numpy() if own else cohort.values[lines.place.to_numpy()]
    beside, shift = None, None
    if cohort.covariates is not None:
        beside = cohort.covariates.iloc[lines.place.to_numpy()].reset_index(drop=True)
        train = (lines.part == "train").to_numpy()
        shift = shift_of(base_of(beside, train), y, train)
    task = Task(
        sample=lines["sample"].to_numpy(dtype=str),
        part=lines["part"].to_numpy(dtype=str),
        y=y if shift is None else y - shift,
        dosage=np.ascontiguousarray(cohort.dosage[lines.row.to_numpy()]),
        row=lines.row.to_numpy(),
        seed=seed,
        families=lines.family.fillna("").to_numpy(dtype=str) if "family" in lines else None,
        environment=lines.environment.fillna("").to_numpy(dtype=str) if own else None,
        traits=cohort.traits,
        noise=_noise(cohort, lines, own, split),
        covariates=beside,
        shift=shift,
    )
    # Splits that are to judge models are refused without test lines where they are drawn.
    tested = (parts.part == "test").any()
    _refuse_small_parts(task, split, PARTS if tested else PARTS[:2])
    return task


def _noise(cohort, lines, own, split):
    """Error variances of a task's values: of tested values nothing is asked."""
    if cohort.noise is None:
        return None
    if not own:
        return cohort.noise[lines.place.to_numpy()]
    found, fitted = np.full(len(lines), np.nan), (lines.part != "test").to_numpy()
    found[fitted] = noise_of(lines[fitted], cohort.weights, split)
    return found


def _refuse_small_parts(task, split, parts):
    for trait, known, _ in task.by_trait():
        for name in parts:
            fewest = FEWEST[name]
            count = int((task.part[known] == name).sum())
            if count < fewest:
                what = "a value" if trait is None else f"a value of {trait}"
                raise UserError(
                    f"{count} lines with {what} in part {name}",
                    file=split,
                    allowed=f"at least {fewest}",
                    mend="more phenotyped lines, or another splits.ratio",
                )
