"""Heritabilities of a study's traits, and correlations between them, by REML of all lines.

A trait's heritability is that of its values, additive and as far as the SNPs tell it: of means over
many plots it is higher than of single ones. Each rests on all lines with a value of the trait, the
correlations of two traits on all lines with a value of both: two traits at a time, with a
covariance matrix of genes and one of the rest (`models.kernels.pairwise`). Values count alike.
What a study knows of lines beside their SNPs is a fixed effect beside the means: it is in none of
the variances.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
import pandas as pd

from soyfold.common.files import read_table
from soyfold.interpretation.parameter_tables import CORRELATIONS, PARAMETERS
from soyfold.models.kernels.matrices import decompose_kernel, select
from soyfold.models.kernels.names import ADDITIVE
from soyfold.models.kernels.pairwise import estimate_pairs
from soyfold.models.kernels.shared import SHARED
from soyfold.training.covariates import base_of, read_covariates

FEWEST = 30  # lines
KINDS = ("genetic", "residual", "phenotypic")  # as of `Estimate.figures`


@dataclass(frozen=True, eq=False)
class Lines:
    """The lines of a study that have a value, decomposed together where that serves.

    Attributes
    ----------
    products : ndarray (N, N)
        Of all lines of the study.
    rows : ndarray (n,) int
        Rows of `products`, ascending.
    """

    products: np.ndarray
    rows: np.ndarray

    @cached_property
    def _all(self):
        return decompose_kernel(self.products, self.rows, ADDITIVE)

    def kernel(self, chosen):
        """The decomposed kernel between some of them, (n,) of bool."""
        rows = self.rows[chosen]
        if len(self.rows) - len(rows) > len(self.rows) // SHARED:
            return decompose_kernel(self.products, rows, ADDITIVE)
        return select(self._all, self.products, self.rows, rows)


def estimate_parameters(*, products, samples, phenotypes, covariates=None):
    """Heritabilities and correlations of all traits.

    Parameters
    ----------
    products : path-like, keyword only
        X X' of all lines (`matrices.write_products`).
    samples : path-like, keyword only
        Table: sample, row.
    phenotypes : dict of str to path-like, keyword only
        Trait to its table: sample, value.
    covariates : path-like, keyword only, optional
        Of the lines (`join_covariates`).

    Returns
    -------
    parameters, correlations : DataFrame
        Columns `PARAMETERS`, a row a trait, and `CORRELATIONS`, a row for each two traits. What
        isn't known is missing, and `remark` says why.
    """
    table = read_table(samples, required=("sample", "row"), dtype={"sample": str})
    values = pd.DataFrame({trait: _read_values(path) for trait, path in phenotypes.items()})
    values = values.reindex(table["sample"]).set_axis(table["row"]).dropna(how="all").sort_index()
    lines = Lines(np.load(products, mmap_mode="r"), values.index.to_numpy())
    beside = None
    if covariates:
        named = table.set_index("row")["sample"].loc[values.index]
        beside = base_of(read_covariates(covariates, named), np.ones(len(named), dtype=bool))
    found = estimate_pairs(values.to_numpy(), lines.kernel, fewest=FEWEST, beside=beside)
    named = {tuple(values.columns[list(key)]): told for key, told in found.items()}
    lone = [_parameters(trait, named[trait,]) for trait in values]
    pairs = [_correlations(pair, named[pair]) for pair in combinations(values, 2)]
    return pd.DataFrame(lone, columns=PARAMETERS), pd.DataFrame(pairs, columns=CORRELATIONS)


def _read_values(path):
    table = read_table(path, required=("sample", "value"), dtype={"sample": str})
    return table.set_index("sample", verify_integrity=True)["value"].astype(np.float64)


def _remark(traits, told):
    """Why there is no estimate, or what of it lies at its bound."""
    found = told.estimate
    if found is None:
        return told.remark
    own = np.diag(found.at_bound)
    remarks = [
        f"heritability of {trait} at {value:.0f}"
        for trait, value in zip(np.array(traits)[own], found.heritability[own], strict=True)
    ]
    if found.at_bound.any() and not own.any():
        remarks.append(f"genetic correlation at {found.figures[0, 0, 1]:+.0f}")
    return ", ".join(remarks + ([] if found.converged else ["not converged"]))


def _parameters(trait, told):
    row = {"trait": trait, "lines": told.lines, "remark": _remark([trait], told)}
    if (found := told.estimate) is None:
        return row
    return row | {
        "heritability": found.heritability[0], "heritability_se": found.errors[0, 0, 0],
        "genetic_variance": found.genetic[0, 0], "residual_variance": found.residual[0, 0],
    }  # fmt: skip


def _correlations(traits, told):
    row = {"trait": traits[0], "trait_2": traits[1], "lines": told.lines}
    if (found := told.estimate) is not None:
        for kind, figures, errors in zip(KINDS, found.figures, found.errors, strict=True):
            row[f"{kind}_correlation"] = figures[0, 1]
            row[f"{kind}_correlation_se"] = errors[0, 1]
    return row | {"remark": _remark(traits, told)}
