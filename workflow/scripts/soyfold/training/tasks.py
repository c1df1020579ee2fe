"""What a fit works on: the cohort's files, values of one trait or several, one seed's parts."""

import dataclasses

import numpy as np
import pandas as pd

from soyfold.common.errors import UserError
from soyfold.common.files import read_table
from soyfold.training.covariates import base_of, shift_of
from soyfold.training.line_weights import noise_of, value_weights

PARTS = ("train", "val", "test")
FEWEST = {"train": 10, "val": 3, "test": 3}
HISTORY = ("epoch", "train_loss", "val_loss", "val_pcc")


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
