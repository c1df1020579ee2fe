"""REML of several kernels: 200 traits against a dense optimiser, bounds, and an honest end."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from soyfold.models.family_gblup import same_family
from soyfold.models.kernels import several
from soyfold.models.kernels.several import NOISE, estimate, evaluate, meets_bound


def make_kernels(n=150, snps=300, families=5, seed=0):
    """G, and G within families, of lines whose families have their own allele frequencies."""
    random = np.random.default_rng(seed)
    family = np.arange(n) % families
    frequency = random.uniform(0.1, 0.9, (families, snps))
    z = 2.0 * (random.random((n, snps)) < frequency[family])
    z -= z.mean(0)
    kernel = z @ z.T / (np.square(z).sum() / n)
    return [kernel, kernel * same_family(family.astype(str))]


def make_traits(kernels, count, seed=1):
    """Traits (count, n) of all mixtures of the three components, each genetic one often absent."""
    random = np.random.default_rng(seed)
    n = len(kernels[0])
    roots = [np.linalg.cholesky(kernel + 1e-8 * np.eye(n)) for kernel in kernels] + [np.eye(n)]
    traits = np.zeros((count, n))
    for y in traits:
        shares = random.dirichlet(np.ones(len(roots)))
        shares[:-1] *= random.random(len(kernels)) < 0.75
        for share, root in zip(shares, roots, strict=True):
            y += np.sqrt(share) * root @ random.standard_normal(n)
    return traits


def literal(kernels, y, variances):
    """REML written out, -1/2 (log|V| + log|1'V^-1 1| + y'Py), and its gradient."""
    parts, one = [*kernels, np.eye(len(y))], np.ones(len(y))
    V = sum(variance * part for variance, part in zip(variances, parts, strict=True))
    inverse = np.linalg.inv(V)
    total = one @ inverse @ one
    P = inverse - np.outer(inverse @ one, one @ inverse) / total
    height = -0.5 * (np.linalg.slogdet(V)[1] + np.log(total) + y @ P @ y)
    return height, np.array([-0.5 * (np.vdot(P, K) - y @ P @ K @ P @ y) for K in parts])


def dense_maximum(kernels, y, starts):
    """The highest end of L-BFGS-B from `starts`, variances over y's: value, variances."""

    def depth(shares):
        height, gradient = literal(kernels, y, shares * y.var())
        return -height, -gradient * y.var()

    bounds = [(0, None)] * len(kernels) + [(NOISE, None)]
    options = {"ftol": 1e-10, "gtol": 1e-3}
    ends = [minimize(depth, s, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
            for s in starts]  # fmt: skip
    best = min(ends, key=lambda end: end.fun)
    return -best.fun, best.x * y.var()


def best_of_grid(kernels, traits, step=0.125):
    """By trait the likeliest shares (k + 1,) of a grid of them, in units of y's variance."""
    grid = np.arange(0, 1, step)
    shares = [(a, b, 1 - a - b) for a in grid for b in grid if a + b < 1 - step / 2]
    shares += [(a, 0.99 - a, 0.01) for a in grid]
    heights = []
    for a, b, noise in shares:
        V = a * kernels[0] + b * kernels[1] + noise * np.eye(len(kernels[0]))
        inverse = np.linalg.inv(V)
        sums = inverse.sum(0)
        quadratic = np.einsum("ti,ti->t", traits @ inverse, traits)
        quadratic -= (traits @ sums) ** 2 / sums.sum()
        scale = quadratic / (len(V) - 1)  # the likeliest multiple of these shares
        constant = np.linalg.slogdet(V)[1] + np.log(sums.sum())
        heights.append(-0.5 * (constant + (len(V) - 1) * np.log(scale)))
    return np.array(shares)[np.argmax(heights, axis=0)]


def test_two_hundred_traits_end_where_a_dense_optimiser_does():
    kernels = make_kernels()
    traits = make_traits(kernels, 200)
    empty = 0
    for y, start in zip(traits, best_of_grid(kernels, traits), strict=True):
        variances, point, converged = estimate(kernels, y)
        highest, _ = dense_maximum(kernels, y, [start])
        height, _ = literal(kernels, y, variances)
        assert converged and height == pytest.approx(point.log_likelihood, abs=1e-7)
        assert abs(highest - height) < 1e-3
        empty += (variances == 0).any()
    assert empty > 50  # it is at the bounds that a step is hard


@pytest.mark.parametrize(("n", "families"), [(30, 3), (40, 20), (60, 1)])
def test_few_lines_and_odd_families_have_no_higher_point_either(n, families):
    kernels = make_kernels(n, 100, families)
    starts = [(1 / 3, 1 / 3, 1 / 3), (0.6, 0, 0.4), (0, 0.6, 0.4), (0, 0, 1), (0.5, 0.45, 0.05)]
    for y in 50 + 10 * make_traits(kernels, 10, seed=n):
        variances, _, converged = estimate(kernels, y)
        highest, _ = dense_maximum(kernels, y, starts)
        assert converged and literal(kernels, y, variances)[0] > highest - 0.01


def test_the_likelihood_is_the_literal_one_and_the_gradient_its_slope():
    kernels = make_kernels(60)
    y, at = 3 * make_traits(kernels, 1)[0], np.array([2.0, 3.0, 0.5])
    point = evaluate(kernels, y, at)
    height, gradient = literal(kernels, y, at)
    assert point.log_likelihood == pytest.approx(height)
    np.testing.assert_allclose(point.gradient, gradient, rtol=1e-8)
    for k, step in enumerate(1e-5 * np.eye(3)):
        slope = literal(kernels, y, at + step)[0] - literal(kernels, y, at - step)[0]
        assert point.gradient[k] == pytest.approx(slope / 2e-5, rel=1e-5)


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.floats(1e-3, 1e3), st.floats(-1e3, 1e3))
def test_the_traits_unit_and_the_order_of_kernels_change_nothing(seed, unit, shift):
    kernels = make_kernels(40)
    y = make_traits(kernels, 1, seed)[0]
    _, point, converged = estimate(kernels, y)
    scaled, _, _ = estimate(kernels, unit * y + shift)
    turned, _, _ = estimate(kernels[::-1], y)
    heights = [literal(kernels, y, there)[0] for there in (scaled / unit**2, turned[[1, 0, 2]])]
    assert converged
    np.testing.assert_allclose(heights, point.log_likelihood, atol=1e-4)


def test_it_says_so_when_it_has_not_converged(monkeypatch):
    kernels = make_kernels(60)
    y = make_traits(kernels, 1)[0]
    monkeypatch.setattr(several, "STEPS", 1)
    assert not estimate(kernels, y)[2]
    monkeypatch.undo()
    # Nor where no step goes up although the gradient says that one should.
    monkeypatch.setattr(several, "HALVINGS", 0)
    assert not estimate(kernels, y)[2]


def test_what_is_all_noise_or_none_meets_a_bound():
    kernel = make_kernels(60)[0]
    _, vectors = np.linalg.eigh(kernel)
    rough, smooth = vectors[:, 1:11].sum(1), vectors[:, -10:].sum(1)  # [:, 0] is the intercept
    for y, bound in ((rough, True), (smooth, True), (rough + smooth, False)):
        variances, _, converged = estimate([kernel], y)
        assert converged and meets_bound(variances, y) == bound
    assert estimate([kernel], rough)[0][0] == 0


def test_a_kernel_twice_shares_its_variance():
    kernel = make_kernels(60)[0]
    y = make_traits([kernel, kernel], 1)[0]
    (once, noise), _, _ = estimate([kernel], y)
    twice, _, converged = estimate([kernel, kernel], y)
    assert converged
    np.testing.assert_allclose([twice[:2].sum(), twice[2]], [once, noise], rtol=0.02)
