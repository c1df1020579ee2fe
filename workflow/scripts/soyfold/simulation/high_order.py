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
TEMPERATURES = (23, 25, 27, 30, 33, 35, 37, 38)  # degrees Celsius
MIDDLE, SPAN = 30, 8  # all are within SPAN of MIDDLE, so that all parts of a coefficient count


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

    def draw_coefficients(self, count, *stream):
        """Coefficients (count,) of one term."""
        rng = self.generator(*stream)
        if self.coefficients == "exponential":
            return rng.exponential(size=count)
        return rng.normal(0.5, 0.5, size=count)

    @property
    def mean_coefficient(self):
        """Expectation of a coefficient."""
        return 1.0 if self.coefficients == "exponential" else 0.5


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


def _terms(x, eps, planting, single, joint):
    """The additive term and the products, with their weights, for columns of coefficients.

    Parameters
    ----------
    x : ndarray (n, planting.loci)
    eps : float
    planting : HighOrder
    single, joint : ndarray (planting.loci, k), (planting.products, k)

    Returns
    -------
    additive, products : ndarray (n, k)
    """
    x = np.asarray(x, dtype=np.float64)
    additive = eps * (x @ single) / planting.loci
    fours = x[:, draw_products(planting)].prod(axis=2)
    return additive, (1 - eps) * (fours @ joint) / planting.products


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
    single = planting.draw_coefficients(planting.loci, 2)[:, None]
    joint = planting.draw_coefficients(planting.products, 3)[:, None]
    additive, products = (term[:, 0] for term in _terms(x, eps, planting, single, joint))
    genetic = additive + products
    noise = planting.generator(4).standard_normal(len(x))
    return genetic + planting.noise * genetic.std() * noise, additive, products


def plant_temperatures(x, eps, planting, temperatures=TEMPERATURES):
    """Plant a trait in environments that differ by their temperature.

    Each coefficient is a quadratic function of it, c_0 + c_1 t + c_2 t^2 with t = (T - 30) / 8: c_0
    is that of `plant_high_order`, c_1 and c_2 are draws of the same distribution about 0 (the paper
    tells the form alone). At 30 degrees the trait is that of `plant_high_order`, noise apart.

    Parameters
    ----------
    x, eps, planting
        As for `plant_high_order`.
    temperatures : sequence of float
        Degrees Celsius.

    Returns
    -------
    ndarray (n, T)
        Each with a noise of its own, of `planting.noise` times its genetic standard deviation.
    """
    t = (np.asarray(temperatures, dtype=np.float64) - MIDDLE) / SPAN
    powers = np.stack([np.ones_like(t), t, t**2])
    drawn = []
    for count, stream in ((planting.loci, 2), (planting.products, 3)):
        parts = [planting.draw_coefficients(count, stream)]
        for power in (1, 2):
            part = planting.draw_coefficients(count, stream, power)
            parts.append(part - planting.mean_coefficient)
        drawn.append(np.stack(parts, axis=1) @ powers)
    genetic = sum(_terms(x, eps, planting, *drawn))
    noise = planting.generator(4, 1).standard_normal(genetic.shape)
    return genetic + planting.noise * genetic.std(axis=0) * noise
