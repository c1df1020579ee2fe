"""Learned contact kernel: a variance for every chromosome and for every pair of them.

y = mu + sum over g of a_g + sum over g < h of e_gh + noise. a_g has the covariance A_g K_g,
K_g = Z_g Z_g' of the centred dosages of chromosome g; e_gh, a product of two SNPs for every pair
of SNPs on g and h, has M_gh K_g o K_h. The contact kernel takes the CIM at its word; here every
variance is learned, with a prior (`kernels.learned_weights`): M starts at the contacts, raised to a
power that is learned too, and a pair departs from them as far as the likelihood pays for it. So
pairs that interact are found with and without Hi-C, and whether the CIM is right shows in
`log_posterior`, held against that of permuted CIMs, rather than in predictions.

With `snps: sparse` half of each SNP's weight in the K_g is what a sparse linear fit gives it
(`sparse_effects`): products then are those of SNPs that matter. These weights come from the same
lines as the likelihood, which then is no longer one to be held against GBLUP's.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from soyfold.common.blocks import blocks
from soyfold.models.kernels.beside import profile, take_off
from soyfold.models.kernels.certainty import LineErrors, collect, rows_beside
from soyfold.models.kernels.learned_weights import Posterior, climb, tabulate_pairs
from soyfold.models.kernels.likelihood import fit_by_reml, fit_weighted
from soyfold.models.kernels.names import ADDITIVE
from soyfold.models.kernels.pairs import FLOATS, chromosome_kernels, cross_products
from soyfold.models.kernels.shared import own_kernels
from soyfold.models.kernels.stacked import stack_kernels
from soyfold.models.kernels.weights import pair_weights
from soyfold.models.linear import project, refuse_unusable, weighted_means
from soyfold.models.parameters import resolve
from soyfold.models.sparse_effects import kernel_weights

DECLARATION = {
    "label": "Learned contact kernel",
    "meaning": "A variance for every chromosome and pair of them, learned from what contacts say.",
    "kind": "direct",
    "gpu": 1,
    "needs": ["cim"],
    "weights": True,
    "covariates": True,
    "kernels": ["additive"],
    "pairs": True,
    "reliability": True,
    "seeds_per_job": "all",
    "parameters": {
        "contacts": {"default": "observed_expected", "enum": ["observed_expected", "cim", "size"],
                     "description": "What pairs start from: observed / expected contacts computed "
                                    "from the CIM, the CIM itself, or their size alone."},
        "snps": {"default": "all", "enum": ["all", "sparse"],
                 "description": "Whether all SNPs weigh the same in the kernels, or half of their "
                                "weight is a sparse linear fit's."},
        "pairs": {"default": "learned", "enum": ["learned", "fixed"],
                  "description": "Whether a pair may depart from what its contacts say."},
        "tau": {"default": None, "type": ["number", "null"], "minimum": 0, "maximum": 15,
                "description": "Half the exponent of the contacts; null lets the likelihood "
                               "choose."},
        "chromosome_variance": {"default": 1.0, "type": "number", "exclusiveMinimum": 0,
                                "description": "Prior variance of a chromosome's log variance."},
        "pair_variance": {"default": 1.0, "type": "number", "exclusiveMinimum": 0,
                          "description": "Prior variance of a pair's departure, on that scale."},
        "iterations": {"default": 60, "type": "integer", "minimum": 1,
                       "description": "The most steps towards the maximum."},
    },
    "citations": [
        {"what": "products of SNPs",
         "citation": "Jiang Y, Reif JC (2015) Modeling epistasis in genomic selection. Genetics "
                     "201:759-768",
         "doi": "10.1534/genetics.115.177907"},
    ],
}  # fmt: skip


@dataclass(frozen=True)
class LearnedModel:
    """A fitted learned contact kernel.

    Attributes
    ----------
    intercept : float
        Value of a line with the mean dosages.
    centre : ndarray (L,)
        Training means of the dosages.
    dual : ndarray (n,)
        V^-1 (y - mu), in 1 / trait units.
    lines : ndarray (n, L) int8
        Dosages of the training lines.
    snp_weights : ndarray (L,)
        Of the SNPs in the kernels, whose sum has a mean diagonal of 1.
    snp_chromosome : ndarray (L,) int
        Row of `pairs`.
    chromosomes : ndarray (G,)
        A, in squared trait units.
    pairs : ndarray (G, G)
        M, likewise; symmetric with a diagonal of 0.
    noise : float
        s_e, likewise.
    contacts : ndarray (G, G)
        H, with a mean of 1 over the pairs.
    sizes : ndarray (G, G)
        What K_g o K_h adds to the lines' variance.
    figures : dict
        What `summary` gives.
    weights : ndarray (n,) or None
        Of the training lines' values, where they weigh differently: the noise is over them.
    beside : ndarray (n, p) or None
        Their covariates, where the model was fitted with some.
    """

    intercept: float
    centre: np.ndarray
    dual: np.ndarray
    lines: np.ndarray
    snp_weights: np.ndarray
    snp_chromosome: np.ndarray
    chromosomes: np.ndarray
    pairs: np.ndarray
    noise: float
    contacts: np.ndarray
    sizes: np.ndarray
    figures: dict = field(repr=False)
    weights: np.ndarray | None = field(default=None, repr=False)
    beside: np.ndarray | None = field(default=None, repr=False)

    def predict(self, dosage):
        """Predicted values in trait units: dosage (m, L) counts of ALT -> (m,) float64."""
        weights = self.chromosomes[self.snp_chromosome] * self.snp_weights
        effects = weights * project(self.lines, self.centre, self.dual)
        values = np.full(len(dosage), self.intercept)
        for rows in blocks(len(dosage)):
            values[rows] += (dosage[rows] - self.centre) @ effects
        if self.pairs.any():
            for rows, products in cross_products(
                dosage, self.lines, self.centre, self.snp_chromosome, self.pairs, self.snp_weights
            ):
                values[rows] += products @ self.dual
        return values

    def reliability(self, dosage):
        """Share of a line's genetic variance that its prediction catches, given the variances.

        1 - PEV / prior variance = k' P k / k_0: k the line's covariances with the training lines,
        k_0 its own prior variance, and P = V^-1 - V^-1 1 1' V^-1 / 1' V^-1 1, which allows for the
        mean being estimated.

        Parameters
        ----------
        dosage : ndarray (m, L)

        Returns
        -------
        ndarray (m,)
            NaN for a line without prior variance: one with the mean dosages.
        """
        return self.errors(dosage)[0]

    @cached_property
    def _errors(self):
        stack = stack_kernels(self.lines, *self._place)
        noise = self.noise if self.weights is None else self.noise / self.weights
        covariance = stack.covariance(self.chromosomes, self.pairs, noise)
        return LineErrors(covariance, noise, self.beside)

    @property
    def _place(self):
        return self.centre, self.snp_chromosome, len(self.pairs), self.snp_weights

    def errors(self, dosage, rows=None, beside=None):
        """Reliability of each line, and the sd of its error (trait units).

        Parameters
        ----------
        dosage : ndarray (m, L)
        rows
            Not used: the study has no products by chromosome.
        beside : ndarray (m, p), optional
            Their covariates; at the mean without.

        Returns
        -------
        reliability, sd : ndarray (m,)
        """

        def told():
            step = max(16, FLOATS // (len(self.pairs) * len(self.lines)))
            for start in range(0, len(dosage), step):
                part = slice(start, start + step)
                kernels = chromosome_kernels(dosage[part], self.lines, *self._place)
                own = self._covariance(self._own(dosage[part]))
                yield (
                    part,
                    self._errors.of(self._covariance(kernels), own, rows_beside(beside)(part)),
                )

        return collect(len(dosage), told())

    def without(self, groups, residuals):
        """Errors of the training lines, each predicted without its group, and their sd.

        See `kernels.certainty.LineErrors.without`.
        """
        return self._errors.without(groups, residuals)

    def without_lines(self):
        """The model itself: it predicts by its training lines."""
        return self

    def _covariance(self, kernels):
        """Of lines' genetic values from all chromosomes' kernels: (G, ...) to (...)."""
        met = np.tensordot(self.pairs / 2, kernels, axes=1)
        met += self.chromosomes.reshape(-1, *[1] * (kernels.ndim - 1))
        return np.einsum("g...,g...->...", met, kernels)

    def _own(self, dosage):
        """The K_g of lines with themselves, (G, m); NaN where all are 0."""
        squares = np.square(dosage - self.centre) * self.snp_weights
        own = np.stack(
            [squares[:, self.snp_chromosome == g].sum(1) for g in range(len(self.pairs))]
        )
        own[:, ~own.any(0)] = np.nan
        return own

    def pair_weights(self):
        """What was learned of the pairs of chromosomes.

        Returns
        -------
        DataFrame
            chromosome, chromosome_2 (rows of the CIM), contacts (H, mean 1), weight (M, mean 1: of
            a product of two SNPs), share (of the genetic variance); of pairs with SNPs that differ.
            Weights are 0 where the fit has no pairs.
        """
        genetic = self.figures["variance_genetic"]
        return tabulate_pairs(self.pairs, self.sizes, self.contacts, genetic)

    def state(self):
        """All that predicts, as named arrays; the training dosages are the bulk (n L bytes)."""
        told = [name for name in KNOWN if getattr(self, name) is not None]
        told = {name: np.asarray(getattr(self, name)) for name in (*ARRAYS, *SCALARS, *told)}
        return told | {"variance_genetic": np.array(self.figures["variance_genetic"])}

    def summary(self):
        """Variances, share of the pairs, tau, log-likelihood, gains: `learned_weights.climb`."""
        return dict(self.figures)


SCALARS = ("intercept", "noise")
KNOWN = ("weights", "beside")  # where there are any
ARRAYS = (
    "centre", "dual", "lines", "snp_weights", "snp_chromosome", "chromosomes", "pairs", "contacts",
    "sizes",
)  # fmt: skip


def from_state(arrays):
    """The model that `LearnedModel.state` wrote: it predicts as before."""
    scalars = {name: float(arrays[name]) for name in SCALARS}
    figures = {"variance_genetic": float(arrays["variance_genetic"])}
    kept = {name: arrays[name] for name in ARRAYS}
    told = {name: arrays.get(name) for name in KNOWN}
    return LearnedModel(**scalars, **kept, figures=figures, **told)


def _stack(*lines, gpu):
    """`stack_kernels` of lines, in a GPU's memory where one is asked for and there is one."""
    if not gpu:
        return stack_kernels(*lines)
    # PyTorch takes two seconds, which those pay who ask.
    from soyfold.models.kernels.stacked_on_gpu import stack_on_gpu

    return stack_on_gpu(*lines)


def fit(
    dosage, y, *, parameters, seed, cim, snp_chromosome, kernels=None, weights=None, beside=None,
    gpu=0,
):  # fmt: skip
    """Fit the learned contact kernel.

    Parameters
    ----------
    dosage : ndarray (n, L) int8
        Counts of ALT of the training lines.
    y : ndarray (n,) float64
        Training values in trait units.
    parameters : dict
        As declared.
    seed : int
        Of the sparse fit, where there is one.
    cim : ndarray (G, G)
        One without contacts between chromosomes leaves no pairs; a constant one is no guide.
    snp_chromosome : ndarray (L,) int
        The chromosome of each SNP: row of `cim`.
    kernels : soyfold.models.kernels.shared.LineKernels, optional
        Of these lines; computed from their dosages where it isn't given.
    weights : ndarray (n,), optional
        How much each value counts: its noise is over them.
    beside : ndarray (n, p), optional
        X of fixed effects beside the mean, as for GBLUP.
    gpu : int
        Whether a GPU is to do the work, where there is one.

    Returns
    -------
    LearnedModel

    Raises
    ------
    UserError
        For fewer than 3 lines, a trait or SNPs without variance, or an offending parameter.
    """
    p = resolve(parameters, __name__)
    y = np.asarray(y, dtype=np.float64)
    refuse_unusable(dosage, y, model="learned_contact_kernel")
    kernels = kernels or own_kernels(dosage)
    if weights is None:
        _, alone = fit_by_reml(kernels.kernel(ADDITIVE), y - y.mean(), beside)
    else:
        _, alone, _ = fit_weighted(kernels.matrix(ADDITIVE)[0], y, weights, beside=beside)
    known, (beside, y) = beside, take_off(beside, y, weights)
    centre, scale = weighted_means(dosage, weights), y.std()
    uneven = 1.0 if weights is None else 1 / weights
    contacts = pair_weights(cim, contacts=p["contacts"], power=1)
    own = kernel_weights(
        dosage, y, centre, sparse=p["snps"] == "sparse", seed=seed, kernels=kernels, weights=weights
    )
    codes = np.asarray(snp_chromosome)
    stack = _stack(dosage, centre, codes, len(cim), own, gpu=gpu)
    posterior = Posterior(
        stack, (y - y.mean()) / scale, contacts,
        prior=(p["chromosome_variance"], p["pair_variance"]), uneven=uneven, beside=beside,
    )  # fmt: skip
    now, figures = climb(
        posterior, alone, scale,
        tau=p["tau"], free=p["pairs"] == "learned", iterations=p["iterations"],
    )  # fmt: skip
    factor = stack.factor(now.chromosomes, now.pairs, now.noise * uneven)
    solved = profile(factor.solve, posterior.values, beside)
    return LearnedModel(
        intercept=float(y.mean() + solved.mean * scale),
        centre=centre,
        dual=solved.dual / scale,
        lines=np.array(dosage),
        snp_weights=own,
        snp_chromosome=codes,
        chromosomes=now.chromosomes * scale**2,
        pairs=now.pairs * scale**2,
        noise=now.noise * scale**2,
        contacts=contacts,
        sizes=posterior.sizes,
        figures=figures,
        weights=weights,
        beside=known,
    )
