"""Heritabilities of a study's traits, and correlations between them, by REML of all lines.

A trait's heritability is that of its values, additive and as far as the SNPs tell it: of means over
many plots it is higher than of single ones. Each rests on all lines with a value of the trait, the
correlations of two traits on all lines with a value of both: two traits at a time, with a
covariance matrix of genes and one of the rest (`models.kernels.covariances`). Values count alike.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
import pandas as pd

from soyfold.common.files import read_table
from soyfold.common.logs import log
from soyfold.interpretation.parameter_tables import CORRELATIONS, PARAMETERS
from soyfold.models.kernels.covariances import estimate
from soyfold.models.kernels.matrices import decompose_kernel, select
from soyfold.models.kernels.names import ADDITIVE
from soyfold.models.kernels.shared import SHARED
from soyfold.models.kernels.traits import traits_likelihood

FEWEST = 30  # lines
ALIKE = 1e-6  # what two traits' correlation leaves to 1 at least
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


def estimate_parameters(*, products, samples, phenotypes):
    """Heritabilities and correlations of all traits.

    Parameters
    ----------
    products : path-like, keyword only
        X X' of all lines (`matrices.write_products`).
    samples : path-like, keyword only
        Table: sample, row.
    phenotypes : dict of str to path-like, keyword only
        Trait to its table: sample, value.

    Returns
    -------
    parameters, correlations : DataFrame
        Columns `PARAMETERS`, a row a trait, and `CORRELATIONS`, a row for each two traits. What
        isn't known is missing, and `remark` says why.
    """
    table = read_table(samples, required=("sample", "row"), dtype={"sample": str})
    values = pd.DataFrame({trait: _read_values(path) for trait, path in phenotypes.items()})
    values = values.reindex(table["sample"]).set_axis(table["row"]).dropna(how="all").sort_index()
    found = _estimate_all(Lines(np.load(products, mmap_mode="r"), values.index.to_numpy()), values)
    lone = [_parameters(trait, *found[trait,]) for trait in values]
    pairs = [_correlations(pair, *found[pair]) for pair in combinations(values, 2)]
    return pd.DataFrame(lone, columns=PARAMETERS), pd.DataFrame(pairs, columns=CORRELATIONS)


def _read_values(path):
    table = read_table(path, required=("sample", "value"), dtype={"sample": str})
    return table.set_index("sample", verify_integrity=True)["value"].astype(np.float64)


def _estimate_all(lines, values):
    """Of each trait and each two: the number of lines, and an `Estimate` or why there is none."""
    wanted = [(trait,) for trait in values] + list(combinations(values, 2))
    together = {}
    for traits in wanted:
        chosen = values[list(traits)].notna().all(axis=1).to_numpy()
        together.setdefault(chosen.tobytes(), (chosen, []))[1].append(traits)
    found = {}
    for chosen, asked in together.values():
        count = int(chosen.sum())
        if count < FEWEST:
            found |= dict.fromkeys(asked, (count, f"{FEWEST} lines needed"))
            continue
        names = list(dict.fromkeys(name for traits in asked for name in traits))
        own = values.loc[chosen, names]
        told = _estimate_some(lines.kernel(chosen), own, asked)
        found |= {traits: (count, one) for traits, one in told.items()}
        log.info("%d lines: %s", count, ", ".join(" and ".join(traits) for traits in asked))
    return found


def _estimate_some(kernel, values, asked):
    """`Estimate`, or why there is none, of traits that the same lines have, by their names."""
    varied = values.columns[values.std().to_numpy() > 0]
    if not kernel.spread > 0:
        return dict.fromkeys(asked, "lines that don't differ")
    likelihood = traits_likelihood(kernel, values[varied].to_numpy()) if len(varied) else None
    found = {}
    for traits in asked:
        if not set(traits) <= set(varied):
            found[traits] = "values that don't differ"
            continue
        some = likelihood.of(varied.get_indexer(traits))
        alike = len(traits) == 2 and 1 - abs(some.phenotypic[0, 1]) < ALIKE
        found[traits] = "values that follow from each other" if alike else estimate(some)
    return found


def _remarks(traits, told):
    """What of an estimate lies at its bound."""
    own = np.diag(told.at_bound)
    for trait, value in zip(np.array(traits)[own], told.heritability[own], strict=True):
        yield f"heritability of {trait} at {value:.0f}"
    if told.at_bound.any() and not own.any():
        yield f"genetic correlation at {told.figures[0, 0, 1]:+.0f}"
    if not told.converged:
        yield "not converged"


def _parameters(trait, count, told):
    if isinstance(told, str):
        return {"trait": trait, "lines": count, "remark": told}
    return {
        "trait": trait, "lines": count,
        "heritability": told.heritability[0], "heritability_se": told.errors[0, 0, 0],
        "genetic_variance": told.genetic[0, 0], "residual_variance": told.residual[0, 0],
        "remark": ", ".join(_remarks([trait], told)),
    }  # fmt: skip


def _correlations(traits, count, told):
    row = {"trait": traits[0], "trait_2": traits[1], "lines": count}
    if isinstance(told, str):
        return row | {"remark": told}
    for kind, figures, errors in zip(KINDS, told.figures, told.errors, strict=True):
        row[f"{kind}_correlation"] = figures[0, 1]
        row[f"{kind}_correlation_se"] = errors[0, 1]
    return row | {"remark": ", ".join(_remarks(traits, told))}
