"""Epistasis planted between chromosomes of high or low contact, on real genotypes.

The positive control of every claim about the 3D genome (contact_high: a model that uses the CIM
should gain by it) and its negative controls (contact_low, additive_only: it should not). All
traits of a study share the additive QTL and the draw of the noise.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from soyfold.common.errors import UserError
from soyfold.contacts.cim import expected_between
from soyfold.simulation.options import Seeded
from soyfold.simulation.traits import design, draw_qtl

TRAITS = {"high": "contact_high", "low": "contact_low", "none": "additive_only"}


@dataclass(frozen=True)
class Planting(Seeded):
    """What to plant.

    Attributes
    ----------
    heritability : float
        Genetic share of the variance.
    epistasis : float
        Share of the products in the genetic variance of contact_high and contact_low.
    pairs : int
        Chromosome pairs with products.
    products : int
        Products of two QTL for each pair.
    additive : int
        Additive QTL, shared out over the chromosomes.
    seed : int
    """

    heritability: float = 0.8
    epistasis: float = 0.5
    pairs: int = 6
    products: int = 4
    additive: int = 20
    seed: int = 1

    LIMITS: ClassVar = {
        "heritability": (0, 1),
        "epistasis": (0, 1),
        "pairs": (1, 10**6),
        "products": (1, 10**6),
        "additive": (0, 10**6),
        "seed": (0, 2**32 - 1),
    }


def rank_pairs(sums):
    """Chromosome pairs from the most to the least observed / expected contact.

    Parameters
    ----------
    sums : ndarray (G, G)
        Contacts summed by chromosome pair.

    Returns
    -------
    pairs : ndarray (G (G - 1) / 2, 2) int64
    ratio : ndarray (G (G - 1) / 2,)
        Observed / expected, descending.
    """
    first, second = np.triu_indices(len(sums), 1)
    ratio = (sums / expected_between(sums))[first, second]
    order = np.argsort(-ratio, kind="stable")
    return np.stack([first, second], axis=1)[order], ratio[order]


def choose_pairs(sums, contacts, count):
    """The `count` pairs of most (contacts `high`) or least (`low`) contact; `none`: no pair.

    Returns
    -------
    pairs : ndarray (count, 2) int64
    ratio : ndarray (count,)
        Observed / expected.

    Raises
    ------
    UserError
        If high and low would share a pair.
    """
    pairs, ratio = rank_pairs(sums)
    if 2 * count > len(pairs):
        raise UserError(f"{count}", at="--pairs", allowed=f"1 to {len(pairs) // 2}, half of all")
    chosen = {"high": slice(count), "low": slice(len(pairs) - count, None), "none": slice(0)}
    return pairs[chosen[contacts]], ratio[chosen[contacts]]


def plant_trait(dosage, sums, contacts, planting):
    """Plant a trait of variance 1.

    Parameters
    ----------
    dosage : list of ndarray (L_c, n) int8
        Count of ALT, for each chromosome.
    sums : ndarray (G, G)
        Contacts summed by chromosome pair.
    contacts : str
        high | low | none.
    planting : Planting

    Returns
    -------
    value : ndarray (n,)
        Genetic value plus noise; both have exactly the shares asked for in these lines.
    truth : DataFrame
        As `draw_qtl` returns it, with effect (trait units for each unit of the column) and
        observed_expected (of products).

    Raises
    ------
    UserError
        If there are too many pairs, or nothing genetic is left to plant.
    """
    pairs, ratio = choose_pairs(sums, contacts, planting.pairs)
    value, qtl = plant_pairs(dosage, pairs, planting)
    contact = dict(zip(map(tuple, pairs.tolist()), ratio, strict=True))
    met = [contact.get(pair) for pair in zip(qtl.chromosome, qtl.chromosome_2, strict=True)]
    return value, qtl.assign(observed_expected=np.array(met, dtype=float))


def plant_pairs(dosage, pairs, planting):
    """Plant a trait of variance 1 whose products are those of given pairs of chromosomes.

    Parameters
    ----------
    dosage : list of ndarray (L_c, n) int8
        Count of ALT, for each chromosome.
    pairs : ndarray (T, 2) int64
        Rows of `dosage`; none for a trait without products.
    planting : Planting
        Its `products` are for each of them.

    Returns
    -------
    value : ndarray (n,)
        Genetic value plus noise; both have exactly the shares asked for in these lines.
    truth : DataFrame
        As `draw_qtl` returns it, with effect (trait units for each unit of the column).
    """
    epistasis = planting.epistasis if len(pairs) else 0.0
    qtl = draw_qtl(
        [len(counts) for counts in dosage],
        additive=planting.additive,
        touching=pairs,
        per_touch=planting.products,
        rng=planting.generator(1),
    )
    lines = np.ones(dosage[0].shape[1], dtype=bool)
    columns = design(qtl, dosage, lines)
    columns -= columns.mean(0)
    effects = planting.generator(2).standard_normal(len(qtl))
    product = (qtl.kind == "product").to_numpy()
    for rows, share in ((product, epistasis), (~product, 1 - epistasis)):
        effects[rows] *= _factor(columns[:, rows] @ effects[rows], share)
    # By chance the two parts correlate a little: what is asked for is the variance of their sum.
    effects *= _factor(columns @ effects, planting.heritability)
    noise = planting.generator(3).standard_normal(len(lines))
    genetic = columns @ effects
    # Noise with no chance correlation, so that the shares hold exactly.
    noise -= noise.mean()
    if genetic.any():
        noise -= genetic * (genetic @ noise) / (genetic @ genetic)
    value = genetic + noise * _factor(noise, 1 - planting.heritability)
    return value, qtl.assign(effect=effects)


def _factor(column, variance):
    """What `column` has to be multiplied with to vary by `variance`; 0 if it doesn't vary."""
    spread = column.var() if column.size else 0.0
    return np.sqrt(variance / spread) if spread > 0 else 0.0


def cross_lines(dosage, chromosome, position, *, crosses, morgans_per_mb, rng):
    """Haploid recombinants of random pairs of lines, in silico.

    Crossovers without interference (Haldane 1919): between neighbouring SNPs d Morgans apart the
    parent changes with probability (1 - exp(-2 d)) / 2, between chromosomes with 1/2.

    Parameters
    ----------
    dosage : ndarray (n, L) int8
        Of lines that breed true; what is heterozygous goes to the offspring as it is.
    chromosome : ndarray (L,)
    position : ndarray (L,)
        bp, ascending within each chromosome; a chromosome's SNPs stand together.
    crosses : int, keyword only
        Number of offspring, one of each pair.
    morgans_per_mb : float, keyword only
    rng : numpy.random.Generator, keyword only

    Returns
    -------
    offspring : ndarray (crosses, L) int8
    parents : ndarray (crosses, 2) int64
        Rows of `dosage`; two different ones.
    """
    n = len(dosage)
    if n < 2:
        raise UserError(f"{n} lines", at="--crosses", allowed="2 or more to cross")
    first = rng.integers(n, size=crosses)
    second = (first + rng.integers(1, n, size=crosses)) % n
    distance = np.diff(np.asarray(position, dtype=np.float64)) / 1e6 * morgans_per_mb
    change = -np.expm1(-2 * distance) / 2
    change[chromosome[1:] != chromosome[:-1]] = 0.5
    change = np.concatenate([[0.5], change]).astype(np.float32)
    offspring = np.empty((crosses, dosage.shape[1]), dtype=np.int8)
    for start in range(0, crosses, 1000):  # 1000 lines of random numbers at a time
        rows = slice(start, start + 1000)
        drawn = rng.random((len(first[rows]), len(change)), dtype=np.float32) < change
        turned = np.logical_xor.accumulate(drawn, axis=1)
        offspring[rows] = np.where(turned, dosage[second[rows]], dosage[first[rows]])
    return offspring, np.stack([first, second], axis=1)


def name_crosses(samples, parents):
    """Ids of offspring that name both founders: mother x father, then a number."""
    return [f"{samples[a]}x{samples[b]}_{k}" for k, (a, b) in enumerate(parents.tolist(), 1)]


def truth_table(truths, variants, chromosomes):
    """What was planted, all traits under each other.

    Parameters
    ----------
    truths : dict of str to DataFrame
        By trait, as `plant_trait` returns them.
    variants : list of DataFrame
        Each chromosome's variant and position, in the order of its dosages.
    chromosomes : list of str

    Returns
    -------
    DataFrame
        trait, kind (additive | product), chromosome, position, variant, chromosome_2, position_2,
        variant_2, effect, observed_expected.
    """
    place = pd.concat(dict(enumerate(variants)), names=["code", "snp"])[["position", "variant"]]
    place["chromosome"] = [chromosomes[code] for code in place.index.get_level_values("code")]
    table = pd.concat(truths, names=["trait", "row"]).reset_index()
    columns = ["trait", "kind"]
    for suffix in ("", "_2"):
        keys = pd.MultiIndex.from_arrays([table[f"chromosome{suffix}"], table[f"snp{suffix}"]])
        found = place.reindex(keys).reset_index(drop=True)
        for name in ("chromosome", "position", "variant"):
            table[f"{name}{suffix}"] = found[name]
            columns.append(f"{name}{suffix}")
    table = table.astype({"position": "Int64", "position_2": "Int64"})
    return table[[*columns, "effect", "observed_expected"]]
