"""RKHS regression: GBLUP with a Gaussian kernel, its bandwidth and variances by REML.

y = mu + g + e, g ~ N(0, s_g^2 K), K_ij = exp(-d_ij^2 / (h median d^2)) (Gianola and van Kaam 2008,
doi:10.1534/genetics.107.084285). The likeliest h of a few is taken for each trait, and its noise by
REML (Endelman 2011, doi:10.3835/plantgenome2011.08.0024, does so with a continuous scale). A new
line's value is mu + sum over training lines of K(line, i) dual_i.
"""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from soyfold.common.blocks import blocks, line_products
from soyfold.models.kernels.certainty import FLOATS, LineErrors, collect, rows_beside
from soyfold.models.kernels.likelihood import fit_by_reml, fit_weighted
from soyfold.models.kernels.matrices import centre
from soyfold.models.kernels.names import kernels_taken
from soyfold.models.kernels.shared import own_kernels
from soyfold.models.linear import refuse_unusable
from soyfold.models.parameters import resolve

DECLARATION = {
    "label": "RKHS",
    "meaning": "GBLUP with a Gaussian kernel between lines, its bandwidth by REML.",
    "kind": "direct",
    "reliability": True,
    "weights": True,
    "covariates": True,
    "kernels": {"kernel": {"gaussian": ["gaussian{bandwidths}"], "linear": ["additive"]}},
    "parameters": {
        "kernel": {"default": "gaussian", "enum": ["gaussian", "linear"],
                   "description": "linear is GBLUP."},
        # Yeast's traits are likeliest at 1 to 8, SoyNAM's at 8 (training lines); below 1 none is.
        "bandwidths": {"default": [1, 2, 4, 8], "type": "array",
                       "items": {"type": "number", "exclusiveMinimum": 0}, "minItems": 1,
                       "uniqueItems": True,
                       "description": "The h of exp(-d^2 / (h median d^2)) among which REML "
                                      "chooses."},
    },
    "citations": [
        {"what": "RKHS",
         "citation": "Gianola D, van Kaam JBCHM (2008) Reproducing kernel Hilbert spaces "
                     "regression methods for genomic assisted prediction of quantitative traits. "
                     "Genetics 178:2289-2303",
         "doi": "10.1534/genetics.107.084285"},
    ],
}  # fmt: skip


def own_products(dosage):
    """Sum over the SNPs of the squared dosage of each line: (n,) float64."""
    values = np.empty(len(dosage))
    for rows in blocks(len(dosage)):
        values[rows] = np.square(dosage[rows], dtype=np.float32).sum(1, dtype=np.float64)
    return values


@dataclass(frozen=True)
class KernelModel:
    """Weights of the training lines.

    Attributes
    ----------
    intercept : float
        Trait units.
    dual : ndarray (n,)
        Weight of each training line's kernel with a new line, in trait units; sums to 0.
    lines : ndarray (n, L) int8
        Dosages of the training lines.
    width : float
        h median d^2 of the Gaussian kernel; NaN for the linear one.
    figures : dict
        What `summary` gives.
    variances : ndarray (2,) or None
        Of the genetic values per unit of the kernel, and of the noise, in squared trait units;
        None of a model that was saved without: nothing is known of its errors then.
    kernels : soyfold.models.kernels.shared.LineKernels or None
        Of these lines, for errors during the fit; not saved.
    weights : ndarray (n,) or None
        Of these lines' values, where they weigh differently: the noise is over them.
    beside : ndarray (n, p) or None
        Their covariates, where the model was fitted with some.
    """

    intercept: float
    dual: np.ndarray
    lines: np.ndarray
    width: float
    figures: dict = field(repr=False)
    variances: np.ndarray | None = None
    kernels: object = field(default=None, repr=False)
    weights: np.ndarray | None = field(default=None, repr=False)
    beside: np.ndarray | None = field(default=None, repr=False)

    def predict(self, dosage):
        """Predicted values in trait units: dosage (m, L) counts of ALT -> (m,) float64."""
        values = np.full(len(dosage), self.intercept)
        for rows in blocks(len(dosage)):
            values[rows] += self._kernel(dosage[rows]) @ self.dual
        return values

    @cached_property
    def _squares(self):
        return own_products(self.lines)

    def _kernel(self, dosage, rows=None):
        """The kernel between lines (m, L) and the training lines, (m, n)."""
        if rows is None or self.kernels is None:
            kernel = line_products(dosage, self.lines).astype(np.float64)
        else:
            kernel = self.kernels.products[rows][:, self.kernels.rows].astype(np.float64)
        if not np.isnan(self.width):
            kernel *= -2.0
            kernel += self._squares
            kernel += own_products(dosage)[:, None]
            kernel /= -self.width
            np.exp(kernel, out=kernel)
        return kernel

    @cached_property
    def _errors(self):
        """`LineErrors`, and the means of the kernel's columns between the training lines."""
        genetic, noise = self.variances
        noise = noise if self.weights is None else noise / self.weights
        kernel = self._kernel(self.lines, None if self.kernels is None else self.kernels.rows)
        means = centre(kernel)
        kernel *= genetic
        kernel[np.diag_indices_from(kernel)] += noise
        return LineErrors(kernel, noise, self.beside), means

    def errors(self, dosage, rows=None, beside=None):
        """Reliability of each line's GEBV, and the sd of its error (trait units).

        Parameters
        ----------
        dosage : ndarray (m, L)
        rows : ndarray (m,) int, optional
            Of the study's products, where the model was fitted with these.
        beside : ndarray (m, p), optional
            Their covariates; at the mean without.

        Returns
        -------
        reliability, sd : ndarray (m,)
            See `kernels.certainty`; genetic values are measured from the training lines' mean.
        """
        if self.variances is None:
            return np.full((2, len(dosage)), np.nan)
        (known, means), genetic, x = self._errors, self.variances[0], rows_beside(beside)

        def told():
            step = max(16, FLOATS // max(self.lines.shape))
            for start in range(0, len(dosage), step):
                part = slice(start, start + step)
                kernel = self._kernel(dosage[part], None if rows is None else rows[part])
                own = own_products(dosage[part]) if np.isnan(self.width) else 1.0
                mean = kernel.mean(1)
                own = own - 2 * mean + means.mean()
                kernel += means.mean() - means - mean[:, None]
                yield part, known.of(genetic * kernel, genetic * own, x(part))

        return collect(len(dosage), told())

    def without(self, groups, residuals):
        """Errors of the training lines, each predicted without its group, and their sd.

        See `kernels.certainty.LineErrors.without`.
        """
        return self._errors[0].without(groups, residuals)

    def without_lines(self):
        """The model itself: it predicts by its training lines."""
        return replace(self, kernels=None)

    def state(self):
        """All that predicts, as named arrays; the training dosages are the bulk (n L bytes)."""
        known = {name: getattr(self, name) for name in ("variances", "weights", "beside")}
        known = {name: array for name, array in known.items() if array is not None}
        return {
            "intercept": np.array(self.intercept),
            "dual": self.dual,
            "lines": self.lines,
            "width": np.array(self.width),
            **known,
        }

    def summary(self):
        """Bandwidth, heritability, lambda, variances, log-likelihood, whether REML met a bound."""
        return dict(self.figures)


def from_state(arrays):
    """The model that `KernelModel.state` wrote: it predicts as before."""
    scalars = {name: float(arrays[name]) for name in ("intercept", "width")}
    return KernelModel(
        **scalars, dual=arrays["dual"], lines=arrays["lines"], figures={},
        variances=arrays.get("variances"), weights=arrays.get("weights"),
        beside=arrays.get("beside"),
    )  # fmt: skip


def _likeliest(kernels, names, y, weights, beside):
    """Of several kernels that under which the trait is likeliest.

    Parameters
    ----------
    kernels : LineKernels
    names : list of str
    y : ndarray (n,)
    weights : ndarray (n,) or None
    beside : ndarray (n, p) or None

    Returns
    -------
    name : str
    means : ndarray (n,)
        Of the kernel's columns, weighted as the values are.
    width : float
    dual : ndarray (n,)
    figures : dict
    """
    best = None
    for name in names:
        if weights is None:
            kernel = kernels.kernel(name)
            found = kernel.means, kernel.width, *fit_by_reml(kernel, y - y.mean(), beside)
        else:
            matrix, width = kernels.matrix(name)
            dual, figures, means = fit_weighted(matrix, y, weights, beside=beside)
            found = means, width, dual, figures
        if best is None or found[-1]["log_likelihood"] > best[-1]["log_likelihood"]:
            best = name, *found
    return best


def fit(dosage, y, *, parameters, seed, kernels=None, weights=None, beside=None):
    """Fit RKHS regression.

    Parameters
    ----------
    dosage : ndarray (n, L) int8
        Counts of ALT of the training lines.
    y : ndarray (n,) float64
        Training values in trait units.
    parameters : dict
        kernel: gaussian (default), or linear, which is GBLUP. bandwidths: the h to choose from, in
        median squared distances between training lines.
    seed : int
        Not used: there is nothing random.
    kernels : soyfold.models.kernels.shared.LineKernels, optional
        Of these lines; computed from their dosages where it isn't given.
    weights : ndarray (n,), optional
        How much each value counts: its noise is over them.
    beside : ndarray (n, p), optional
        X of fixed effects beside the mean, as for GBLUP.

    Returns
    -------
    KernelModel

    Raises
    ------
    UserError
        For fewer than 3 lines, a trait or SNPs without variance, or an offending parameter.
    """
    p = resolve(parameters, __name__)
    y = np.asarray(y, dtype=np.float64)
    refuse_unusable(dosage, y, model="rkhs")
    names = kernels_taken(__name__, p)
    found = _likeliest(kernels or own_kernels(dosage), names, y, weights, beside)
    name, means, width, dual, figures = found
    noise = figures["variance_residual"]
    variances = np.array([noise / figures["lambda"], noise])
    if p["kernel"] == "gaussian":
        figures = {"bandwidth": float(p["bandwidths"][names.index(name)]), **figures}
    # The dual sums to zero, so that of the kernel's centring only the column means stay.
    mean = y.mean() if weights is None else np.average(y, weights=weights)
    intercept = float(mean - means @ dual)
    return KernelModel(
        intercept, dual, np.array(dosage), width, figures, variances, kernels, weights, beside
    )
