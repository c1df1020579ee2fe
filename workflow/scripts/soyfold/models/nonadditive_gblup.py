"""GBLUP with a second kernel: dominance, or additive by additive over all or chosen pairs of SNPs.

y = mu + a + d + e, a ~ N(0, s_a K), d ~ N(0, s_d D), e ~ N(0, s_e I), all variances by REML. K is
GBLUP's kernel of mean diagonal 1. Additive by additive, D is K o K, the product by entries: a
product of two SNPs for every pair of them, wherever they lie (Henderson 1985,
doi:10.2527/jas1985.601111x). Dominance, D is H H' of departures from additivity that are orthogonal
to it at Hardy-Weinberg proportions: -2q^2, 2pq, -2p^2 for two, one and no copy of the allele of
frequency p (Vitezica, Varona and Legarra 2013, doi:10.1534/genetics.113.155176); among inbred lines
there is next to none to be seen. Pairwise, D has a product for every pair of loci that stand out on
the training lines (`chosen_loci`, by the size of GBLUP's effects in the lines' spread), X X' o X X'
without what a locus has with itself, over 2: ridge regression on all SNPs and on these products.
"""

from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import numpy as np
from scipy.linalg import cho_factor

from soyfold.common.blocks import blocks
from soyfold.common.logs import log
from soyfold.models import gblup
from soyfold.models.chosen_loci import choose_loci
from soyfold.models.kernels.beside import part_of, solve_beside, take_off
from soyfold.models.kernels.certainty import LineErrors, collect, rows_beside
from soyfold.models.kernels.several import covariance, estimate, meets_bound
from soyfold.models.kernels.training_lines import TrainingLines
from soyfold.models.linear import refuse_unusable
from soyfold.models.parameters import resolve

DECLARATION = {
    "label": "Nonadditive GBLUP",
    "meaning": "GBLUP with a second kernel: dominance, or products of pairs of SNPs.",
    "kind": "direct",
    "reliability": True,
    "weights": True,
    "covariates": True,
    "kernels": [],
    "parameters": {
        "kernel": {"default": "additive_by_additive",
                   "enum": ["additive_by_additive", "dominance", "pairwise"],
                   "description": "The second kernel, beside the additive one: products of all "
                                  "pairs of SNPs, dominance, or products of chosen loci."},
        "loci": {"default": 300, "type": "integer", "minimum": 2,
                 "description": "With kernel: pairwise, most loci that are chosen."},
        "independence": {"default": 0.94, "type": "number", "minimum": 0, "maximum": 1,
                         "description": "|r| above which a SNP is a copy of a chosen locus and "
                                        "left out."},
        # Each of some ten steps inverts n x n.
        "reml_lines": {"default": 1500, "type": "integer", "minimum": 30,
                       "description": "Most lines whose likelihood is maximised; predictions "
                                      "come from all."},
    },
    "citations": [
        {"what": "additive by additive",
         "citation": "Henderson CR (1985) Best linear unbiased prediction of nonadditive genetic "
                     "merits in noninbred populations. Journal of Animal Science 60:111-117",
         "doi": "10.2527/jas1985.601111x"},
        {"what": "dominance",
         "citation": "Vitezica ZG, Varona L, Legarra A (2013) On the additive and dominant "
                     "variance and covariance of individuals within the genomic selection scope. "
                     "Genetics 195:1223-1230",
         "doi": "10.1534/genetics.113.155176"},
    ],
}  # fmt: skip


def departures(dosage, frequency):
    """H (m, L) of lines' counts (m, L) of an allele of this frequency (L,)."""
    p, q = frequency, 1 - frequency
    return np.where(dosage == 1, 2 * p * q, np.where(dosage == 0, -2 * p**2, -2 * q**2))


@dataclass(frozen=True)
class TwoKernelModel:
    """Weights of the training lines.

    Attributes
    ----------
    intercept : float
        mu, trait units.
    centre : ndarray (L,)
        Training means of the dosages.
    dual : ndarray (n,)
        V^-1 (y - mu), in 1 / trait units.
    lines : ndarray (n, L) int8
        Dosages of the training lines.
    scales : ndarray (2,)
        Mean diagonals of Z Z' and, beside it, of the second kernel (of K o K by K of mean 1).
    variances : ndarray (3,)
        s_a, s_d and s_e, in squared trait units.
    kernel : str
        Which D is: additive_by_additive, dominance or pairwise.
    loci : ndarray (k,) int64
        Whose products they are where it is pairwise; else none.
    figures : dict
        What `summary` gives.
    kernels : soyfold.models.kernels.shared.LineKernels or None
        Of these lines, for errors during the fit; not saved.
    weights : ndarray (n,) or None
        Of these lines' values, where they weigh differently: the noise is over them.
    beside : ndarray (n, p) or None
        Their covariates, where the model was fitted with some.
    """

    intercept: float
    centre: np.ndarray
    dual: np.ndarray
    lines: np.ndarray
    scales: np.ndarray
    variances: np.ndarray
    kernel: str
    loci: np.ndarray
    figures: dict = field(repr=False)
    kernels: object = field(default=None, repr=False)
    weights: np.ndarray | None = field(default=None, repr=False)
    beside: np.ndarray | None = field(default=None, repr=False)

    @cached_property
    def _training(self):
        return TrainingLines(self.lines, self.centre, self.kernels)

    def _covariances(self, dosage, rows=None):
        """Walk over lines: part, covariances with the training lines, prior variances."""
        common, second, _ = self.variances / [*self.scales, 1]
        for part, across, own in self._training.blocks(dosage, rows):
            if self.kernel == "additive_by_additive":
                cross, alone = (np.square(x / self.scales[0]) for x in (across, own))
            else:
                cross, alone = _second(self.kernel, self.loci)(
                    dosage[part], self.lines, self.centre
                )
            yield part, common * across + second * cross, common * own + second * alone

    def predict(self, dosage):
        """Predicted values in trait units: dosage (m, L) counts of ALT -> (m,) float64."""
        values = np.full(len(dosage), self.intercept)
        for part, across, _ in self._covariances(dosage):
            values[part] += across @ self.dual
        return values

    @cached_property
    def _errors(self):
        matrices = _matrices(self._training, self.kernel, self.loci)[0]
        uneven = 1.0 if self.weights is None else 1 / self.weights
        noise = self.variances[-1] * uneven
        return LineErrors(covariance(matrices, self.variances, uneven), noise, self.beside)

    def errors(self, dosage, rows=None, beside=None):
        """Reliability of each line's genetic value, and the sd of its error (trait units).

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
            See `kernels.certainty`.
        """
        walk, x = self._covariances(dosage, rows), rows_beside(beside)
        told = ((part, self._errors.of(across, own, x(part))) for part, across, own in walk)
        return collect(len(dosage), told)

    def without(self, groups, residuals):
        """Errors of the training lines, each predicted without its group, and their sd.

        See `kernels.certainty.LineErrors.without`.
        """
        return self._errors.without(groups, residuals)

    def without_lines(self):
        """The model itself: it predicts by its training lines."""
        return replace(self, kernels=None)

    def state(self):
        """All that predicts, as named arrays; the training dosages are the bulk (n L bytes)."""
        told = [name for name in KNOWN if getattr(self, name) is not None]
        return {name: np.asarray(getattr(self, name)) for name in (*ARRAYS, *SCALARS, *told)}

    def summary(self):
        """Heritability, the second kernel's share of it, variances, and REML's end."""
        return dict(self.figures)


ARRAYS = ("centre", "dual", "lines", "scales", "variances", "loci")
SCALARS = ("intercept", "kernel")
KNOWN = ("weights", "beside")  # where there are any


def from_state(arrays):
    """The model that `TwoKernelModel.state` wrote: it predicts as before."""
    kept = {name: arrays[name] for name in ARRAYS}
    told = {"intercept": float(arrays["intercept"]), "kernel": str(arrays["kernel"])}
    return TwoKernelModel(**kept, **told, figures={}, **{name: arrays.get(name) for name in KNOWN})


def _dominance(dosage, lines, centre):
    """H_new H' (m, n) and the squared lengths (m,) of the rows of H_new."""
    cross, own = np.zeros((len(dosage), len(lines))), np.zeros(len(dosage))
    for columns in blocks(dosage.shape[1]):
        frequency = centre[columns] / 2
        left = departures(dosage[:, columns], frequency)
        cross += left @ departures(lines[:, columns], frequency).T
        own += np.square(left).sum(1)
    return cross, own


def _pairwise(loci, dosage, lines, centre):
    """Sums over pairs a < b of loci of x_a x_b times the same of other lines; as `_dominance`."""
    left, right = (x[:, loci] - centre[loci] for x in (dosage, lines))
    cross = np.square(left @ right.T) - np.square(left) @ np.square(right).T
    own = np.square(np.square(left).sum(1)) - (left**4).sum(1)
    return cross / 2, own / 2


def _second(kernel, loci):
    return _dominance if kernel == "dominance" else partial(_pairwise, loci)


def _matrices(training, kernel, loci):
    """Both kernels of the training lines (n, n), scaled, and their scales."""
    additive = training.within()
    scales = [np.trace(additive) / len(additive)]
    additive /= scales[0]
    if kernel == "additive_by_additive":
        second = np.square(additive)
    else:
        second, _ = _second(kernel, loci)(training.dosage, training.dosage, training.centre)
    scales.append(np.trace(second) / len(second) or 1.0)
    second /= scales[1]
    return [additive, second], np.array(scales)


def _choose(dosage, centre, effects, p):
    """Loci of the largest effects in the lines' spread, and how many were left out as copies."""
    squares = np.einsum("nl,nl->l", dosage, dosage, dtype=np.float64) / len(dosage)
    scores = np.abs(effects) * np.sqrt(np.maximum(squares - centre**2, 0))
    loci, copies = choose_loci(dosage, scores, count=p["loci"], independence=p["independence"])
    return loci, {"loci": len(loci), "copies_left_out": copies}


def fit(dosage, y, *, parameters, seed, kernels=None, weights=None, beside=None):
    """Fit GBLUP with a second kernel.

    Parameters
    ----------
    dosage : ndarray (n, L) int8
        Counts of ALT of the training lines.
    y : ndarray (n,) float64
        Training values in trait units.
    parameters : dict
        As declared.
    seed : int
        Of the draw of the lines whose likelihood is maximised.
    kernels : soyfold.models.kernels.shared.LineKernels, optional
        Of these lines; computed from their dosages where it isn't given.
    weights : ndarray (n,), optional
        How much each value counts: its noise is over them.
    beside : ndarray (n, p), optional
        X of fixed effects beside the mean, as for GBLUP.

    Returns
    -------
    TwoKernelModel

    Raises
    ------
    UserError
        For fewer than 3 lines, a trait or SNPs without variance, or an offending parameter.
    """
    p = resolve(parameters, __name__)
    y = np.asarray(y, dtype=np.float64)
    refuse_unusable(dosage, y, model="nonadditive_gblup")
    centre, loci, counts = dosage.mean(0, dtype=np.float64), np.empty(0, np.int64), {}
    if p["kernel"] == "pairwise":
        additive = gblup.fit(
            dosage, y, parameters={}, seed=seed, kernels=kernels, weights=weights, beside=beside
        )
        loci, counts = _choose(dosage, centre, additive.effects, p)
    matrices, scales = _matrices(TrainingLines(dosage, centre, kernels), p["kernel"], loci)
    chosen = np.arange(len(y))
    if len(y) > p["reml_lines"]:
        drawn = np.random.default_rng(seed).choice(len(y), p["reml_lines"], replace=False)
        chosen = np.sort(drawn)
    known, (beside, y) = beside, take_off(beside, y, weights)
    part, uneven = np.ix_(chosen, chosen), np.ones(len(y)) if weights is None else 1 / weights
    variances, _, converged = estimate(
        [matrix[part] for matrix in matrices], y[chosen], uneven=uneven[chosen],
        beside=part_of(beside, chosen),
    )  # fmt: skip
    if not converged:
        log.warning("WARNING REML of %d lines has not converged", len(chosen))
    factor = cho_factor(
        covariance(matrices, variances, uneven), lower=True, overwrite_a=True, check_finite=False
    )
    solved = solve_beside(factor, y, beside)
    genetic = variances[:2].sum()
    figures = {
        "heritability": genetic / variances.sum(),
        "nonadditive_share": variances[1] / genetic if genetic > 0 else np.nan,
        "variance_genetic": genetic,
        "variance_residual": variances[2],
        "reml_lines": len(chosen),
        "converged": converged,
        "at_bound": meets_bound(variances, y[chosen]),
        **counts,
    }
    return TwoKernelModel(
        solved.mean, centre, solved.dual, dosage, scales, variances,
        p["kernel"], loci, figures, kernels, weights, known,
    )  # fmt: skip
