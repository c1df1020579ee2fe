"""Traits of an additive term and products of four loci, as Rijal et al. 2025 have simulated them.

x_l is -1 or 1. The value is eps / L sum_l a_l x_l + (1 - eps) / M sum_m b_m x_i x_j x_k x_l over M
different products of four of the L loci, plus noise (arXiv:2504.10388): at eps 1 all is additive,
at eps 0 nothing but what loci of both alleles' frequency 1/2 tell in fours alone.
"""

from dataclasses import dataclass
from math import comb
from typing import ClassVar

import numpy as np

from soyfold.common.errors import UserError
from soyfold.simulation.options import Seeded

COEFFICIENTS = ("normal", "exponential")


@dataclass(frozen=True)
class HighOrder(Seeded):
    """What to simulate; the defaults are those of the paper.

    Attributes
    ----------
    loci, products, order : int
        L, M, and loci in a product.
    coefficients : str
        normal: N(0.5, 0.5) with 0.5 as standard deviation; exponential: Exp(1).
    noise : float
        Standard deviation of the noise, over that of the genetic values.
    seed : int
    """

    loci: int = 100
    products: int = 100
    order: int = 4
    coefficients: str = "normal"
    noise: float = 0.2
    seed: int = 1

    LIMITS: ClassVar = {
        "loci": (1, 10**6),
        "products": (1, 10**6),
        "order": (2, 10),
        "noise": (0, 100),
        "seed": (0, 2**32 - 1),
    }

    def draw_coefficients(self, count, stream):
        """Coefficients (count,) of one term."""
        rng = self.generator(stream)
        if self.coefficients == "exponential":
            return rng.exponential(size=count)
        return rng.normal(0.5, 0.5, size=count)


def draw_products(planting):
    """Different sets of `order` loci: ndarray (products, order) int64, ascending in each row.

    Raises
    ------
    UserError
        If there aren't so many.
    """
    most = comb(planting.loci, planting.order)
    if planting.products > most:
        raise UserError(f"{planting.products}", at="--products", allowed=f"1 to {most}")
    rng, found = planting.generator(1), {}
    while len(found) < planting.products:
        drawn = rng.choice(planting.loci, size=planting.order, replace=False)
        found[tuple(sorted(drawn.tolist()))] = None
    return np.array(list(found), dtype=np.int64)


def plant_high_order(x, eps, planting):
    """Plant a trait.

    Loci, products, coefficients and the draw of the noise don't depend on `eps`.

    Parameters
    ----------
    x : ndarray (n, planting.loci)
        Alleles, -1 or 1.
    eps : float
        Weight of the additive term, 0 to 1.
    planting : HighOrder

    Returns
    -------
    value : ndarray (n,)
    additive, products : ndarray (n,)
        The two terms with their weights.
    """
    sets = draw_products(planting)
    single = planting.draw_coefficients(planting.loci, 2)
    joint = planting.draw_coefficients(planting.products, 3)
    x = np.asarray(x, dtype=np.float64)
    additive = eps * (x @ single) / planting.loci
    products = (1 - eps) * (x[:, sets].prod(axis=2) @ joint) / planting.products
    genetic = additive + products
    noise = planting.generator(4).standard_normal(len(x))
    return genetic + planting.noise * genetic.std() * noise, additive, products
