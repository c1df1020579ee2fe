"""GBLUP plus products of SNPs whose groups go together, as a hypothesis of the study says.

y = mu + a + e + noise. a has GBLUP's covariance Z Z' (Z: centred dosages); e holds a product of two
SNPs for each pair of their groups that the hypothesis weighs, E = sum over groups of w_ab K_a o K_b
(`kernels.groups`): the kernel in which hypotheses are tried against their copies, as a model that
predicts. SNPs in no group have no products. All three variances are REML's; where the products have
none the fit is GBLUP's.
"""

from dataclasses import dataclass, field

import numpy as np

from soyfold.common.blocks import blocks
from soyfold.common.errors import UserError
from soyfold.common.groups import group_arrays, groups_of
from soyfold.common.logs import log
from soyfold.models.group_kernel import fit_kernels
from soyfold.models.kernels.groups import group_products
from soyfold.models.linear import refuse_unusable
from soyfold.models.parameters import resolve

DECLARATION = {
    "label": "GBLUP + groups",
    "meaning": "GBLUP plus products of SNPs whose groups go together, by a hypothesis.",
    "kind": "direct",
    "needs": ["groups"],
    "covariates": True,
    "weights": True,
    "parameters": {
        "hypothesis": {"default": None, "type": ["string", "null"],
                       "description": "Its name in hypotheses.tsv, which the model can't do "
                                      "without."},
    },
    "citations": [
        {"what": "products of SNPs",
         "citation": "Jiang Y, Reif JC (2015) Modeling epistasis in genomic selection. Genetics "
                     "201:759-768",
         "doi": "10.1534/genetics.115.177907"},
    ],
}  # fmt: skip


@dataclass(frozen=True)
class GroupModel:
    """GBLUP with products of groups, fitted.

    Attributes
    ----------
    intercept : float
        mu, in trait units.
    centre : ndarray (L,)
        Training means of the dosages.
    scale : float
        What centred dosages are divided by in the products.
    effects : ndarray (L,)
        Additive SNP effects in trait units per copy of ALT.
    pull : ndarray (n,)
        What a unit of the product kernel with a training line adds, in trait units.
    lines : ndarray (n, L) int8
        Dosages of the training lines; none where the products have no share.
    groups : soyfold.common.groups.Groups
    figures : dict
        What `summary` gives.
    """

    intercept: float
    centre: np.ndarray
    scale: float
    effects: np.ndarray
    pull: np.ndarray
    lines: np.ndarray
    groups: object
    figures: dict = field(repr=False)

    def predict(self, dosage):
        """Predicted values in trait units: dosage (m, L) counts of ALT -> (m,) float64."""
        values = np.full(len(dosage), self.intercept)
        known = _standardised(self.lines, self.centre, self.scale)
        for rows in blocks(len(dosage)):
            values[rows] += (dosage[rows] - self.centre) @ self.effects
            if len(known):
                z = _standardised(dosage[rows], self.centre, self.scale)
                values[rows] += group_products(z, self.groups, known) @ self.pull
        return values

    def state(self):
        """All that predicts, as named arrays; the training dosages are the bulk (n L bytes)."""
        numbers = {name: np.array(getattr(self, name)) for name in ("intercept", "scale")}
        arrays = {name: getattr(self, name) for name in ("centre", "effects", "pull", "lines")}
        return {**numbers, **arrays, **group_arrays(self.groups)}

    def summary(self):
        """Variance of the noise, share of the products, log-likelihood, its gain over GBLUP's."""
        return dict(self.figures)


def from_state(arrays):
    """The model that `GroupModel.state` wrote: it predicts as before."""
    numbers = {name: float(arrays[name]) for name in ("intercept", "scale")}
    own = {name: arrays[name] for name in ("centre", "effects", "pull", "lines")}
    return GroupModel(**numbers, **own, groups=groups_of(arrays), figures={})


def _standardised(dosage, centre, scale):
    """Dosages (m, L) float32 as the products take them."""
    return (dosage - centre.astype(np.float32)) / np.float32(scale)


def fit(dosage, y, *, parameters, seed, groups, weights=None, beside=None):
    """Fit GBLUP with products of groups.

    Parameters
    ----------
    dosage : ndarray (n, L) int8
        Counts of ALT of the training lines.
    y : ndarray (n,) float64
        Training values in trait units.
    parameters : dict
        hypothesis: whose groups these are.
    seed : int
        Not used: there is nothing random.
    groups : soyfold.common.groups.Groups
        Of the SNPs.
    weights : ndarray (n,), optional
        How much each value counts: its noise is over them.
    beside : ndarray (n, p), optional
        X of fixed effects beside the mean, as for GBLUP.

    Returns
    -------
    GroupModel

    Raises
    ------
    UserError
        For fewer than 3 lines, a trait or SNPs without variance, or groups of other SNPs.
    """
    resolve(parameters, __name__)
    y = np.asarray(y, dtype=np.float64)
    refuse_unusable(dosage, y, model="group_gblup")
    if groups.members.shape[0] != dosage.shape[1]:
        raise UserError(
            f"groups of {groups.members.shape[0]} SNPs", allowed=f"{dosage.shape[1]}",
            mend="delete cohort/hypotheses in the results, and run again",
        )  # fmt: skip
    centre = dosage.mean(0, dtype=np.float64)
    scale = float(np.sqrt(dosage.var(0, dtype=np.float64).sum()))
    z = _standardised(dosage, centre, scale)
    kernels = [kernel.astype(np.float64) for kernel in (z @ z.T, group_products(z, groups))]
    found, alone = (fit_kernels(some, y, beside, weights) for some in (kernels, kernels[:1]))
    if not found.converged:
        log.warning("WARNING REML of %d lines has not converged", len(y))
    additive, products, noise = found.variances
    return GroupModel(
        intercept=found.mean,
        centre=centre,
        scale=scale,
        effects=additive / scale * (z.astype(np.float64).T @ found.dual),
        pull=products * (found.dual if products else found.dual[:0]),
        lines=np.array(dosage if products else dosage[:0]),
        groups=groups,
        figures={
            "variance_residual": float(noise),
            "share": found.share,
            "log_likelihood": found.log_likelihood,
            "gain": found.log_likelihood - alone.log_likelihood,
        },
    )
