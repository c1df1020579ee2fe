"""Traits of a simulated study: additive QTL, products of QTL on touching chromosomes, noise."""

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Trait:
    """A trait's mean and standard deviation over lines, in `unit`."""

    name: str
    mean: float
    sd: float
    unit: str


# As in the USDA collection; the two pull in opposite directions there (r = -0.65).
TRAITS = (Trait("oil", 19.0, 2.0, "%"), Trait("protein", 42.0, 2.8, "%"))
GENETIC_CORRELATION = -0.75


def draw_qtl(n_usable, *, additive, touching, per_touch, rng):
    """Choose QTL among the usable SNPs of each chromosome.

    Parameters
    ----------
    n_usable : list of int
        Usable SNPs of each chromosome.
    additive : int
        Number of additive QTL, shared out evenly.
    touching : ndarray (T, 2) int64
        Pairs of chromosomes that touch.
    per_touch : int
        Products of QTL for each pair.
    rng : numpy.random.Generator

    Returns
    -------
    pandas.DataFrame
        kind (additive | product), chromosome, snp, chromosome_2, snp_2: numbers of chromosomes
        and of SNPs among the usable ones; -1 where there is no second.
    """
    sizes = np.array(n_usable)
    rows = []
    share = np.diff(np.linspace(0, additive, len(sizes) + 1).round().astype(int))
    for chromosome, wanted in enumerate(np.minimum(share, sizes)):
        chosen = np.sort(rng.choice(sizes[chromosome], size=wanted, replace=False))
        rows += [("additive", chromosome, snp, -1, -1) for snp in chosen.tolist()]
    for a, b in touching.tolist():
        wanted = min(per_touch, sizes[a], sizes[b])
        first = rng.choice(sizes[a], size=wanted, replace=False).tolist()
        second = rng.choice(sizes[b], size=wanted, replace=False).tolist()
        rows += [("product", a, s, b, t) for s, t in zip(first, second, strict=True)]
    columns = ["kind", "chromosome", "snp", "chromosome_2", "snp_2"]
    return pd.DataFrame(rows, columns=columns)


def design(qtl, dosage, kept):
    """Columns of the genetic model: centred dosages, and products of two of them.

    Parameters
    ----------
    qtl : pandas.DataFrame
        As `draw_qtl` returns it.
    dosage : list of ndarray (L_c, n) int8
        Usable SNPs of each chromosome, count of ALT.
    kept : ndarray (n,) bool
        Lines whose mean dosage is taken off.

    Returns
    -------
    ndarray (n, terms) float64
    """

    def centred(chromosomes, snps):
        pairs = zip(chromosomes, snps, strict=True)
        counts = np.array([dosage[c][s] for c, s in pairs], dtype=float).reshape(len(snps), -1)
        return counts.T - counts.T[kept].mean(axis=0)

    columns = centred(qtl.chromosome, qtl.snp)
    product = (qtl.kind == "product").to_numpy()
    if product.any():
        second = qtl[product]
        columns[:, product] *= centred(second.chromosome_2, second.snp_2)
    return columns


def _scaled(effects, columns, kept, variance):
    """Effects of some columns, scaled so that their sum varies by `variance` over kept lines."""
    spread = (columns @ effects)[kept].var()
    return effects * np.sqrt(variance / spread) if spread > 0 else 0.0 * effects


def draw_effects(qtl, columns, kept, *, heritability, epistasis, rng):
    """Draw each trait's effects, negatively correlated between the two traits.

    Parameters
    ----------
    qtl : pandas.DataFrame
    columns : ndarray (n, terms) float64
        As `design` returns them.
    kept : ndarray (n,) bool
    heritability : float
        Genetic share of the variance of one record.
    epistasis : float
        Share of the products in the genetic variance.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray (terms, traits) float64
        In each trait's unit for each unit of the column.
    """
    terms = len(qtl)
    first = rng.standard_normal(terms)
    second = GENETIC_CORRELATION * first
    second += np.sqrt(1 - GENETIC_CORRELATION**2) * rng.standard_normal(terms)
    effects = np.stack([first, second], axis=1)
    product = (qtl.kind == "product").to_numpy()
    if not product.any():
        epistasis = 0.0
    for k, trait in enumerate(TRAITS):
        genetic = heritability * trait.sd**2
        for rows, share in ((product, epistasis), (~product, 1 - epistasis)):
            scaled = _scaled(effects[rows, k], columns[:, rows], kept, share * genetic)
            effects[rows, k] = scaled
    return effects


def truth_table(qtl, effects, records, chromosomes, touching, fold):
    """Table of all that was put into the study, to check a finding against.

    Parameters
    ----------
    qtl : pandas.DataFrame
    effects : ndarray (terms, traits) float64
    records : list of (list of str, ndarray)
        Ids and positions of the usable SNPs of each chromosome.
    chromosomes : list of str
    touching : ndarray (T, 2) int64
    fold : float
        Contacts of touching pairs over those of others.

    Returns
    -------
    pandas.DataFrame
        kind (touch | additive | product), trait, chromosome, position, variant, chromosome_2,
        position_2, variant_2, effect (trait units for each unit of centred ALT dosage or of a
        product of two; for touch the fold of contacts).
    """
    rows = [
        ("touch", None, chromosomes[a], None, None, chromosomes[b], None, None, fold)
        for a, b in touching.tolist()
    ]
    for k, trait in enumerate(TRAITS):
        for term, effect in zip(qtl.itertuples(), effects[:, k].tolist(), strict=True):
            rows.append(
                (
                    term.kind,
                    trait.name,
                    *_place(term.chromosome, term.snp, records, chromosomes),
                    *_place(term.chromosome_2, term.snp_2, records, chromosomes),
                    float(f"{effect:.5g}"),
                )
            )
    columns = "kind trait chromosome position variant chromosome_2 position_2 variant_2 effect"
    table = pd.DataFrame(rows, columns=columns.split())
    return table.astype({"position": "Int64", "position_2": "Int64"})


def _place(chromosome, snp, records, chromosomes):
    """Chromosome, position and id of a usable SNP; three times None where there is none."""
    if chromosome < 0:
        return None, None, None
    ids, positions = records[chromosome]
    return chromosomes[chromosome], int(positions[snp]), ids[snp]
