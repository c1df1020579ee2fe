"""GBLUP of single values: means of environments, and line effects that are the same in all.

y_ie = mu_e + z_i' u + e, u ~ N(0, s_u^2 I), for the values of lines i in environments e: `gblup`
where a line has as many values as it was grown in environments, not one over all. mu are fixed.
"""

from dataclasses import dataclass, field
from functools import partial

import numpy as np

from soyfold.common.logs import log
from soyfold.models.kernels.cells import Cells
from soyfold.models.kernels.names import ADDITIVE
from soyfold.models.kernels.several import climb, meets_bound
from soyfold.models.kernels.shared import own_kernels
from soyfold.models.linear import project, refuse_unusable
from soyfold.models.parameters import resolve

DECLARATION = {
    "label": "Environment GBLUP",
    "meaning": "GBLUP of single values: means of environments, line effects that are the same in "
               "all.",
    "kind": "direct",
    "unit": "environment",
    "kernels": [],
    "parameters": {
        "reml_lines": {"default": 2000, "type": "integer", "minimum": 30,
                       "description": "Most lines whose likelihood is maximised; effects come "
                                      "from all."},
    },
    "citations": [
        {"what": "GBLUP",
         "citation": "Habier D, Fernando RL, Dekkers JCM (2007) The impact of genetic "
                     "relationship information on genome-assisted breeding values. Genetics "
                     "177:2389-2397",
         "doi": "10.1534/genetics.107.081190"},
    ],
}  # fmt: skip
PROMISE = 1e-8  # of log-likelihood, below which REML ends


@dataclass(frozen=True)
class EnvironmentModel:
    """SNP effects in each environment, in trait units per copy of ALT.

    Attributes
    ----------
    means : ndarray (E,)
        Value of a line of the mean dosages in each environment; of an unknown one the mean over
        the others.
    centre : ndarray (L,)
        Training means of the dosages.
    common : ndarray (L,)
        Effects that are the same in all environments.
    departures : ndarray (E, L)
        What effects in an environment differ from those; no row where all are the same.
    figures : dict
        What `summary` gives.
    """

    means: np.ndarray
    centre: np.ndarray
    common: np.ndarray
    departures: np.ndarray
    figures: dict = field(repr=False)

    def predict(self, dosage):
        """Values in trait units: dosage (m, L) counts of ALT -> (m, E) float64."""
        effects = np.vstack([self.common, self.departures]).T
        step, told = max(16, 2**24 // dosage.shape[1]), []
        for start in range(0, len(dosage), step):
            told.append(dosage[start : start + step].astype(np.float64) @ effects)
        told = np.concatenate(told) - self.centre @ effects
        return self.means + told[:, :1] + (told[:, 1:] if len(self.departures) else 0.0)

    def state(self):
        """All that predicts, as named arrays."""
        names = ("means", "centre", "common", "departures")
        return {name: getattr(self, name) for name in names}

    def summary(self):
        """Variances and what they share out."""
        return dict(self.figures)


def from_state(arrays):
    """The model that `EnvironmentModel.state` wrote."""
    names = ("means", "centre", "common", "departures")
    return EnvironmentModel(*(arrays[name] for name in names), {})


def scaled_kernel(dosage, values, kernels, *, model):
    """Z Z' of the lines with a diagonal of 1 in the mean, and what it was divided by.

    Raises
    ------
    UserError
        For values or SNPs without variance.
    """
    told = values[:, ~np.isnan(values).all(0)]
    refuse_unusable(dosage, np.nanmean(told - np.nanmean(told, axis=0), axis=1), model=model)
    kernel = (kernels or own_kernels(dosage)).centred(ADDITIVE)
    scale = np.trace(kernel) / len(kernel)
    kernel /= scale
    return kernel, scale


def estimate_cells(cells_of, kernel, values, names, *, most, seed):
    """REML of the variances of values in environments, of up to `most` lines drawn at random.

    Parameters
    ----------
    cells_of : callable
        Kernel and values of some lines to `soyfold.models.kernels.cells.Cells` or `DenseCells`.
    kernel : ndarray (n, n)
    values : ndarray (n, E)
    names : sequence of str
        Of the variances but the noise's.
    most, seed : int, keyword only

    Returns
    -------
    variances : ndarray (k + 1,)
    figures : dict
        variance_<name> and variance_residual (squared trait units, of a line of the mean
        diagonal), heritability (of a value, by all variances but the noise's), reml_lines,
        log_likelihood (REML, of these lines), converged, at_bound.
    """
    chosen = np.arange(len(values))
    if len(chosen) > most:
        chosen = np.sort(np.random.default_rng(seed).choice(len(chosen), most, replace=False))
    cells = cells_of(kernel[np.ix_(chosen, chosen)], values[chosen])
    variance = cells.y.var()
    variances, point, converged = climb(cells.evaluate, variance, len(names), tolerance=PROMISE)
    if not converged:
        log.warning("WARNING REML of values in environments hasn't converged")
    freedom = len(cells.y) - cells.design.shape[1]
    # As of y less the means, in any orthonormal basis.
    constant = np.log(cells.design.sum(0)).sum() - freedom * np.log(2 * np.pi)
    named = zip(names, variances[:-1], strict=True)
    return variances, {
        **{f"variance_{name}": float(value) for name, value in named},
        "variance_residual": float(variances[-1]),
        "heritability": float(variances[:-1].sum() / variances.sum()),
        "reml_lines": len(chosen),
        "log_likelihood": float(point.log_likelihood + 0.5 * constant),
        "converged": converged,
        "at_bound": meets_bound(variances, cells.y),
    }


def effects_of(dosage, cells, variances, scale):
    """Means of environments, and SNP effects of each environment's values per unit of variance.

    Returns
    -------
    means : ndarray (E,)
        Of an environment without values the mean over the others.
    centre : ndarray (L,)
    told : ndarray (E, L)
        Z' of P y in each environment, over the kernel's scale.
    """
    means, dual = cells.blup(variances)
    means = np.where(np.isnan(means), np.nanmean(means), means)
    centre = dosage.mean(0, dtype=np.float64)
    return means, centre, project(dosage, centre, dual).T / scale


def fit(dosage, y, *, parameters, seed, environments=(), kernels=None):
    """Fit GBLUP of single values.

    Parameters
    ----------
    dosage : ndarray (n, L) int8
        Counts of ALT of the training lines.
    y : ndarray (n, E) float64, or (n,) of a lone environment
        Training values in trait units; NaN where a line has no value in an environment.
    parameters : dict
        reml_lines: most lines whose likelihood is maximised; effects come from all.
    seed : int
        Of the draw of those lines.
    environments : sequence of str
        Not used: columns go by their place.
    kernels : soyfold.models.kernels.shared.LineKernels, optional
        Of these lines; computed from their dosages where it isn't given.

    Returns
    -------
    EnvironmentModel

    Raises
    ------
    UserError
        For fewer than 3 values, values or SNPs without variance.
    """
    most = resolve(parameters, __name__)["reml_lines"]
    y = np.asarray(y, dtype=np.float64).reshape(len(y), -1)
    kernel, scale = scaled_kernel(dosage, y, kernels, model="environment_gblup")
    cells_of = partial(Cells, interaction=False)
    variances, figures = estimate_cells(cells_of, kernel, y, ["genetic"], most=most, seed=seed)
    means, centre, told = effects_of(dosage, cells_of(kernel, y), variances, scale)
    return EnvironmentModel(
        means, centre, variances[0] * told.sum(0), np.empty((0, len(centre))), figures
    )
