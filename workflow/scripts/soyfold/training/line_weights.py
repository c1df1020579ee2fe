"""What values weigh by: their error variances, and the part of lines that no plots lessen."""

import numpy as np

from soyfold.common.errors import UserError

LEAST_GENETIC = 0.05  # of the values' variance, where their errors would explain it all


def noise_of(table, weights, file):
    """Error variances of values (n,), squared trait units.

    Parameters
    ----------
    table : DataFrame
        value; records, error_variance, as far as they are known.
    weights : {'records', 'variance'}
        variance: as the table has them. records: those of values that differ in their number of
        records alone. A record's is the median that the error variances tell; where none is known
        it is as large as the genetic variance of lines.
    file : path-like
        For messages.

    Raises
    ------
    UserError
        If the table lacks what the values are to weigh by.
    """
    column = {"records": "records", "variance": "error_variance"}[weights]
    told = _numbers(table, column)
    if not (told > 0).all():
        raise UserError(
            f"{np.count_nonzero(~(told > 0))} of {len(told)} values without {column}",
            file=file,
            at=f"key training.weights: {weights}",
            allowed="values from records, some lines with several in comparable environments",
            mend="weights: records" if weights == "variance" else "weights: off",
        )
    if weights == "variance":
        return told
    by_record = told * _numbers(table, "error_variance")
    by_record = by_record[by_record > 0]
    if not len(by_record):
        by_record = table["value"].to_numpy(np.float64).var() / (1 + (1 / told).mean())
    return np.median(by_record) / told


def _numbers(table, column):
    """A column as numbers (n,), NaN without it."""
    return table[column].to_numpy(np.float64) if column in table else np.full(len(table), np.nan)


def value_weights(noise, y, rows, untold):
    """Weights of all values, by those of the lines `rows`; None where these weigh the same.

    What a model leaves of a value is the error of the value, v, and the part of the line's genetic
    value that the model can't tell, which no number of plots lessens: weights are
    1 / (untold s_g^2 + v), as of deregressed proofs (Garrick, Taylor and Fernando 2009,
    doi:10.1186/1297-9686-41-55, where `untold` is c). s_g^2 is what the values' variance has beyond
    the mean of v.

    Parameters
    ----------
    noise : ndarray of y's shape
        v, squared trait units; NaN where it isn't known.
    y : ndarray (n,), or (n, T) of traits learnt together
        NaN where a line has no value of a trait.
    rows : ndarray of int
        Lines that are fitted to.
    untold : float
        Share of the genetic variance.

    Returns
    -------
    ndarray of y's shape, or None
        With a mean of 1 over the known values of `rows`, of each trait; 1 where v isn't known.
    """
    found = np.ones((len(y), noise.size // len(y)))
    by_trait = (x.reshape(found.shape).T for x in (noise, y))
    for own, v, values in zip(found.T, *by_trait, strict=True):
        fitted = rows[~np.isnan(values[rows])]
        if np.ptp(v[fitted]) > 0:
            variance = values[fitted].var(ddof=1)
            genetic = max(variance - v[fitted].mean(), LEAST_GENETIC * variance)
            known = ~np.isnan(v)
            own[known] = 1 / (untold * genetic + v[known])
            own[known] /= own[fitted].mean()
    return None if (found == 1).all() else found.reshape(y.shape)
