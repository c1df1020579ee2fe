"""Traits of products of four loci: their closed form over all genotypes, at every weight."""

from itertools import product
from math import comb

import numpy as np
import pytest

from soyfold.common.errors import UserError
from soyfold.simulation.high_order import (
    TEMPERATURES,
    HighOrder,
    draw_products,
    plant_high_order,
    plant_temperatures,
)

EVERY = np.array(list(product((-1, 1), repeat=7)), dtype=float)  # all genotypes of 7 loci


@pytest.mark.parametrize("coefficients", ["normal", "exponential"])
@pytest.mark.parametrize("eps", [0.0, 0.3, 1.0])
def test_terms_are_orthogonal_with_the_variances_of_their_coefficients(eps, coefficients):
    planting = HighOrder(loci=7, products=20, coefficients=coefficients, noise=0, seed=3)
    value, additive, products = plant_high_order(EVERY, eps, planting)
    single, joint = planting.draw_coefficients(7, 2), planting.draw_coefficients(20, 3)
    assert np.isclose(additive.var(), (eps * single / 7) @ (eps * single / 7))
    assert np.isclose(products.var(), ((1 - eps) / 20) ** 2 * (joint @ joint))
    # Over all genotypes different monomials are orthogonal: none of the products is additive.
    assert np.isclose(additive @ products, 0) and np.allclose(EVERY.T @ products, 0)
    assert np.allclose(value, additive + products)


def test_noise_has_a_fifth_of_the_genetic_spread_and_weights_share_all_else():
    x = np.random.default_rng(0).choice([-1.0, 1.0], (4000, 100))
    planting = HighOrder(seed=5)
    found = [plant_high_order(x, eps, planting) for eps in (0.25, 1.0)]
    for value, additive, products in found:
        genetic = additive + products
        assert np.isclose((value - genetic).std() / genetic.std(), 0.2, rtol=0.05)
    (_, quarter, some), (_, whole, none) = found
    assert np.allclose(4 * quarter, whole) and not none.any() and some.any()


def test_products_are_different_sets_of_different_loci():
    full = HighOrder(loci=9, products=comb(9, 4), seed=1)
    sets = draw_products(full)
    assert len({tuple(row) for row in sets.tolist()}) == comb(9, 4)
    assert (np.diff(sets, axis=1) > 0).all() and sets.min() == 0 and sets.max() == 8
    with pytest.raises(UserError, match="1 to 126"):
        draw_products(HighOrder(loci=9, products=127))


@pytest.mark.parametrize("coefficients", ["normal", "exponential"])
def test_temperatures_bend_each_coefficient_about_the_trait_at_30_degrees(coefficients):
    planting = HighOrder(loci=7, products=20, coefficients=coefficients, noise=0, seed=3)
    values = plant_temperatures(EVERY, 0.4, planting)
    assert np.allclose(values[:, TEMPERATURES.index(30)], plant_high_order(EVERY, 0.4, planting)[0])
    # Regression on a locus tells 0.4 / 7 of its coefficient: a quadratic of the temperature.
    found = EVERY.T @ values / len(EVERY) * 7 / 0.4
    fitted = np.polynomial.polynomial.polyfit(TEMPERATURES, found.T, 2)
    told = np.polynomial.polynomial.polyval(np.array(TEMPERATURES), fitted)
    assert np.allclose(told, found) and not np.allclose(found[:, :1], found)
    assert np.linalg.matrix_rank(values, tol=1e-9) == 3


def test_departures_from_30_degrees_have_mean_zero_and_noise_is_its_temperatures_own():
    planting = HighOrder(loci=40_000, products=1, noise=0.2, seed=2)
    x = np.random.default_rng(1).choice([-1.0, 1.0], (60, planting.loci))
    quiet = HighOrder(loci=40_000, products=1, noise=0, seed=2)
    values, genetic = (plant_temperatures(x, 1, each, (22, 30, 38)) for each in (planting, quiet))
    # t is -1, 0 and 1: the means of the three temperatures' coefficients are 0.5 each.
    means = np.linalg.lstsq(x @ np.ones((planting.loci, 1)) / planting.loci, genetic, rcond=None)[0]
    assert np.allclose(means, 0.5, atol=0.2)
    noise = values - genetic
    assert np.allclose(noise.std(0) / genetic.std(0), 0.2, rtol=0.25)
    assert (np.abs(np.corrcoef(noise.T)[np.triu_indices(3, 1)]) < 0.5).all()
