"""What no honest fit shows, and what says that a fit has learned nothing: flags in every table."""

from statistics import NormalDist

import numpy as np
import pandas as pd

from soyfold.training.health import UNIFORM, is_uniform

MAE_TOLERANCE = 1.05
SLOPES = (0.3, 3.0)  # of observed on predicted: outside of it predictions have another scale
BOUND = 1e-4  # heritabilities as close to 0 or 1 are where REML's search ends
CONSTANT = "constant output"
NOTHING_LEARNED = (
    CONSTANT,
    "variance at its bound",
    f"calibration slope outside {SLOPES[0]:g} to {SLOPES[1]:g}",
    "PCC whose interval holds 0 or lies below it",
)


def pcc_interval(values, level=0.95):
    """Interval of a mean PCC over splits, on Fisher's scale z = artanh(PCC).

    Its standard error is s sqrt(1/J + n_test/n_train) over J splits that share lines (Nadeau and
    Bengio 2003), s the larger of what sampling n test lines brings, 1 / sqrt(n - 3), and the
    spread over the splits; of a single split s alone. One split so has an interval, and two that
    happen to agree, none of width 0.

    Parameters
    ----------
    values : DataFrame
        Splits x metrics: PCC, and where they are measured test_lines and test_share.
    level : float

    Returns
    -------
    low, high : float
        NaN where a PCC is undefined, or where there are neither counts nor several splits.
    """
    z = np.arctanh(np.clip(values["PCC"].to_numpy(dtype=float), -1 + 1e-12, 1 - 1e-12))
    lines = values["test_lines"].mean() if "test_lines" in values else np.nan
    share = values["test_share"].mean() if "test_share" in values and len(z) > 1 else 0.0
    sampled = 1 / np.sqrt(lines - 3) if lines > 3 else np.nan
    spread = z.std(ddof=1) if len(z) > 1 else np.nan
    if np.isnan(z).any() or np.isnan([sampled, spread]).all():
        return np.nan, np.nan
    half = NormalDist().inv_cdf((1 + level) / 2) * np.nanmax([sampled, spread])
    half *= np.sqrt(1 / len(z) + share)
    return tuple(np.tanh(z.mean() + np.array([-half, half])))


def _at_bound(values):
    """Whether a fit reports a variance at the end of what REML searches."""
    share = values["heritability"] if "heritability" in values else pd.Series(dtype=float)
    told = "at_bound" in values and (values["at_bound"] == 1).any()
    return told or ((share < BOUND) | (share > 1 - BOUND)).any()


def guards_of(values, *, mean_mae=None, heritability=None):
    """Guards that fire on one model's fits.

    Parameters
    ----------
    values : DataFrame
        Splits x metrics.
    mean_mae : Series, optional, keyword only
        The mean predictor's MAE by split.
    heritability : float, optional, keyword only
        Of line means, h2: a correlation with line means is at most sqrt(h2), that of the true
        genotypic values, but for sampling.

    Returns
    -------
    str or None
        Joined by ", "; those of `NOTHING_LEARNED` forbid to name the model best.
    """
    slope = values["calibration_slope"].mean() if "calibration_slope" in values else 1.0
    nothing = (
        values.PCC.isna().any(),
        _at_bound(values),
        slope < SLOPES[0] or slope > SLOPES[1],
        pcc_interval(values)[0] <= 0,
    )
    fired = [name for name, found in zip(NOTHING_LEARNED, nothing, strict=True) if found]
    if ((values.CI > values.PCC) & (values.PCC > 0)).any():
        fired.append("CI above PCC")
    if mean_mae is not None and values.MAE.mean() > MAE_TOLERANCE * mean_mae.mean():
        fired.append("MAE above mean predictor")
    if heritability is not None and values.PCC.mean() > np.sqrt(heritability):
        fired.append(f"PCC above the heritability ceiling of {np.sqrt(heritability):.2f}")
    if is_uniform(values.mean(numeric_only=True)):
        fired.append(UNIFORM)
    return ", ".join(fired) or None


def has_learned(guards):
    """Whether none of a model's guards says that it has learned nothing.

    Parameters
    ----------
    guards : str or missing
        As `guards_of` gives them.
    """
    return not set(NOTHING_LEARNED) & set(guards.split(", ") if isinstance(guards, str) else ())
