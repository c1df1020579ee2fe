"""Contact kernel: GBLUP plus products of chromosomes, weighted by the CIM: CSAFM's kernel twin.

y = mu + a + e + noise. a has GBLUP's covariance K = Z Z' (Z: centred dosages). e holds a product
of two SNPs for every pair of SNPs on different chromosomes, whose effects vary by w_cd for the
chromosomes c and d; its covariance is E = sum over c < d of w_cd K_c o K_d, K_c = Z_c Z_c' and o
the product by entries (Henderson 1985, doi:10.2527/jas1985.601111x; Jiang and Reif 2015,
doi:10.1534/genetics.115.177907). As CSAFM does, it knows beforehand which chromosomes meet and
nothing of SNPs; but it has three variances where CSAFM has thousands of weights, and an exact
likelihood.

K_c isn't divided by the chromosome's size, so that with w = 1 every pair of SNPs counts the same:
a CIM's sizes are in E already, and what w has to add is observed / expected contact. Both kernels
are centred, so that mu is the training mean; the share of E and the noise are REML's. At a given
share there is but one kernel, so that REML is GBLUP's, and without a share the fit is GBLUP's.
"""

from dataclasses import dataclass, field

import numpy as np

from soyfold.common.logs import log
from soyfold.models.kernels import matrices
from soyfold.models.kernels.beside import take_off
from soyfold.models.kernels.likelihood import fit_by_reml, fit_weighted
from soyfold.models.kernels.names import ADDITIVE
from soyfold.models.kernels.pairs import cross_products, pair_products
from soyfold.models.kernels.several import estimate
from soyfold.models.kernels.shared import own_kernels
from soyfold.models.kernels.weights import pair_weights
from soyfold.models.linear import project, refuse_unusable, weighted_means
from soyfold.models.parameters import resolve

DECLARATION = {
    "label": "Contact kernel",
    "meaning": "GBLUP plus products of chromosomes, weighted by contacts: CSAFM's twin.",
    "kind": "direct",
    "needs": ["cim"],
    "weights": True,
    "covariates": True,
    "kernels": ["additive"],
    "seeds_per_job": "all",
    "parameters": {
        "contacts": {"default": "observed_expected", "enum": ["observed_expected", "cim", "size"],
                     "description": "Weights of chromosome pairs: observed / expected contacts "
                                    "computed from the CIM, the CIM itself, or their size alone."},
        "power": {"default": None, "type": ["number", "null"], "minimum": 0, "maximum": 100,
                  "description": "Exponent of the weights; null takes the likeliest of 1, 4 and "
                                 "16."},
        "share": {"default": None, "type": ["number", "null"], "minimum": 0, "maximum": 1,
                  "description": "Share of the products in the genetic variance; null lets REML "
                                 "choose, 0 is GBLUP."},
    },
    "citations": [
        {"what": "products of SNPs",
         "citation": "Jiang Y, Reif JC (2015) Modeling epistasis in genomic selection. Genetics "
                     "201:759-768",
         "doi": "10.1534/genetics.115.177907"},
    ],
}  # fmt: skip
# From the contacts as measured to little but the highest: yeast's vary from 0.7 to 1.7.
POWERS = (1.0, 4.0, 16.0)


@dataclass(frozen=True)
class KernelModel:
    """A fitted contact kernel.

    Attributes
    ----------
    intercept : float
        Value of a line with the training lines' mean kernel.
    centre : ndarray (L,)
        Training means of the dosages.
    effects : ndarray (L,)
        Additive SNP effects in trait units per copy of ALT.
    pull : ndarray (n,)
        What a training line's product kernel with a new line adds, in trait units.
    lines : ndarray (n, L) int8
        Dosages of the training lines; none where the products have no share.
    weights : ndarray (G, G)
        w, symmetric with a diagonal of 0.
    snp_chromosome : ndarray (L,) int
        Row of `weights`.
    figures : dict
        What `summary` gives.
    """

    intercept: float
    centre: np.ndarray
    effects: np.ndarray
    pull: np.ndarray
    lines: np.ndarray
    weights: np.ndarray
    snp_chromosome: np.ndarray
    figures: dict = field(repr=False)

    def predict(self, dosage):
        """Predicted values in trait units: dosage (m, L) counts of ALT -> (m,) float64."""
        values = np.full(len(dosage), self.intercept)
        blocks = cross_products(dosage, self.lines, self.centre, self.snp_chromosome, self.weights)
        for rows, products in blocks:
            values[rows] += (dosage[rows] - self.centre) @ self.effects
            values[rows] += products @ self.pull
        return values

    def state(self):
        """All that predicts, as named arrays; the training dosages are the bulk (n L bytes)."""
        names = ("centre", "effects", "pull", "lines", "weights", "snp_chromosome")
        return {"intercept": np.array(self.intercept), **{n: getattr(self, n) for n in names}}

    def summary(self):
        """Variances, share of the products, log-likelihood and its gain over GBLUP's."""
        return dict(self.figures)


def from_state(arrays):
    """The model that `KernelModel.state` wrote: it predicts as before."""
    return KernelModel(**{**arrays, "intercept": float(arrays["intercept"])}, figures={})


def _scaled(kernel):
    """A centred kernel scaled in place to a mean diagonal of 1 (over n - 1), and its scale."""
    scale = np.trace(kernel) / (len(kernel) - 1)
    if scale > 0:
        kernel /= scale
    return kernel, scale


def _likeliest_share(additive, products, values, weights, beside):
    """The share of the products that REML of both kernels finds."""
    uneven = 1.0 if weights is None else 1 / weights
    found = estimate([additive, products], values, uneven=uneven, beside=beside)
    variances, _, converged = found
    if not converged:
        log.warning("WARNING REML of %d lines has not converged", len(values))
    genetic = variances[:-1].sum()
    return float(variances[1] / genetic) if genetic > 0 else 0.0


def _fit(kernel, values, weights, beside):
    """REML of one kernel (n, n), centred and overwritten: dual and figures."""
    if weights is None:
        return fit_by_reml(matrices.whole(kernel), values, beside)
    return fit_weighted(kernel, values, weights, beside=beside)[:2]


def _with_products(products, additive, values, weights, beside, share, without):
    """REML at a share of the products, or (None) at the likeliest; `without` where they have none.

    Returns
    -------
    figures : dict
    dual : ndarray (n,)
        Of the additive kernel, scaled.
    pull : ndarray (n,)
        Of the products, neither centred nor scaled.
    shift : float
        What their centring takes off: the dual sums to zero, so that only column means stay.
    """
    means = matrices.centre(products, weights)
    products, scale = _scaled(products)
    if scale > 0 and share is None:
        profiled, off = take_off(beside, values, weights)
        share = _likeliest_share(additive, products, off, weights, profiled)
    if not (scale > 0 and share > 0):
        return without
    dual, figures = _fit((1 - share) * additive + share * products, values, weights, beside)
    pull = dual * (share / scale)
    return {**figures, "share": share}, dual * (1 - share), pull, means @ pull


def fit(
    dosage, y, *, parameters, seed, cim, snp_chromosome, kernels=None, weights=None, beside=None
):
    """Fit the contact kernel.

    Parameters
    ----------
    dosage : ndarray (n, L) int8
        Counts of ALT of the training lines.
    y : ndarray (n,) float64
        Training values in trait units.
    parameters : dict
        contacts: where w comes from (`weights.pair_weights`). power: w is raised to it before its
        mean is made 1; None for the likeliest of POWERS (default). share: of the products in the
        genetic variance; None for REML (default), 0 is GBLUP.
    seed : int
        Not used: there is nothing random.
    cim : ndarray (G, G)
    snp_chromosome : ndarray (L,) int
        The chromosome of each SNP: row of `cim`.
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
    refuse_unusable(dosage, y, model="contact_kernel")
    kernels = kernels or own_kernels(dosage)
    centre, mean = weighted_means(dosage, weights), np.average(y, weights=weights)
    values = y - mean
    additive, scale = _scaled(kernels.centred(ADDITIVE, weights))
    if weights is None:
        dual, alone = fit_by_reml(kernels.kernel(ADDITIVE), values, beside)
    else:
        dual, alone, _ = fit_weighted(scale * additive, y, weights, beside=beside)
    without = {**alone, "share": 0.0}, dual * scale, np.zeros(len(y)), 0.0
    flat = p["contacts"] == "size" or p["share"] == 0
    powers = [p["power"]] if p["power"] is not None else [1.0] if flat else POWERS
    ends = [(*without, powers[0])] if p["share"] is None else []
    for power in powers:
        pairs = pair_weights(cim, contacts=p["contacts"], power=power)
        products = pair_products(dosage, centre, snp_chromosome, pairs)
        found = _with_products(products, additive, values, weights, beside, p["share"], without)
        ends.append((*found, power))
    figures, dual, pull, shift, power = max(ends, key=lambda end: end[0]["log_likelihood"])
    figures["gain"] = figures["log_likelihood"] - alone["log_likelihood"]
    del figures["lambda"]  # in units of whichever kernel the share makes
    needed = figures["share"] > 0
    return KernelModel(
        intercept=float(mean - shift),
        centre=centre,
        effects=project(dosage, centre, dual / scale),
        pull=pull if needed else pull[:0],
        lines=np.array(dosage if needed else dosage[:0]),
        weights=pair_weights(cim, contacts=p["contacts"], power=power),
        snp_chromosome=np.asarray(snp_chromosome),
        figures={**figures, "power": power},
    )
