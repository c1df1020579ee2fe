"""Standardisation of dosages and of traits, fitted on training rows only."""

from dataclasses import dataclass

import numpy as np

from soyfold.common.errors import UserError

FEWEST = 10  # values of an environment, from which on they tell its scale


@dataclass(frozen=True)
class Scaler:
    """What turns dosages and trait values into a network's numbers, and back.

    Dosages are centred SNP by SNP and divided by one number, the root of the mean variance over
    SNPs: dividing each SNP by its own would give rare alleles the weight of common ones.

    Attributes
    ----------
    centre : ndarray (L,) float32
        Mean dosage of each SNP.
    scale : float
        Root of the mean variance.
    mean, sd : float, or ndarray (T,) of traits learnt together
        Of the trait, in its units.
    kept : ndarray of bool, or None
        Which of a study's SNPs these L are, of a network that was fitted on some of them.
    """

    centre: np.ndarray
    scale: float
    mean: float | np.ndarray
    sd: float | np.ndarray
    kept: np.ndarray | None = None

    @property
    def n_columns(self):
        """SNPs of a study's dosage matrix."""
        return len(self.centre if self.kept is None else self.kept)

    def columns(self, dosage):
        """The SNPs (n, L) of a study's dosage matrix that the network takes."""
        return dosage if self.kept is None else dosage[:, self.kept]

    def standardise(self, y):
        """Trait values (n,) or (n, T) to z-scores, float32; NaN stays NaN."""
        return ((np.asarray(y, dtype=np.float64) - self.mean) / self.sd).astype(np.float32)

    def restore(self, z):
        """z-scores to trait values, float64."""
        return np.asarray(z, dtype=np.float64) * self.sd + self.mean


def fit_scaler(dosage, y, *, alike=False):
    """Fit a `Scaler` on training rows.

    Parameters
    ----------
    dosage : ndarray (n, L) int8
        Count of ALT.
    y : ndarray (n,) or (n, T) float
        Trait units; NaN where a line has no value of one of T traits.
    alike : bool, keyword only
        Whether the columns are of one trait: one of too few values to tell its scale has that of
        all, and one without a value their mean too.

    Raises
    ------
    UserError
        If no SNP or not the trait varies among these rows.
    """
    n = len(dosage)
    centre = dosage.sum(0, dtype=np.int64) / n
    # int8 holds the square of a dosage; float64 copies of the matrix would be eight times as large.
    squares = (dosage * dosage).sum(0, dtype=np.int64) / n
    variance = float(np.mean(squares - centre**2))
    if variance <= 0:
        raise UserError(
            "no SNP that varies among the training lines", mend="loosen the filters of the config"
        )
    columns = np.atleast_2d(np.asarray(y, dtype=np.float64).T)
    if alike:
        moments = _moments_alike(columns)
    else:
        moments = np.array([_moments(column) for column in columns])
    mean, sd = moments.T if np.ndim(y) == 2 else moments[0].tolist()
    return Scaler(centre.astype(np.float32), variance**0.5, mean, sd)


def _moments_alike(columns):
    """Mean and sd of each column (T, n); of one of fewer than `FEWEST` values that of all."""
    mean, sd = _moments(columns)
    found = np.array([[mean, sd]] * len(columns))
    for own, column in zip(found, columns, strict=True):
        known = column[~np.isnan(column)]
        if len(known):
            own[0] = known.mean()
        if len(known) >= FEWEST and known.std() > 0:
            own[1] = known.std()
    return found


def _moments(y):
    """Mean and sd of the known values of a trait."""
    y = y[~np.isnan(y)].astype(np.float64)
    if not y.std() > 0:
        raise UserError(
            f"one single value of the trait, {y[0]:g}, among the {len(y)} training lines",
            allowed="at least two values",
            mend="drop the trait, or give splits whose training part varies",
        )
    return y.mean(), y.std()
