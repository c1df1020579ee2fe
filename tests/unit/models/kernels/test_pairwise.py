"""G and R of many traits from ones and twos: covariance matrices whatever the pairs say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soyfold.common.blocks import line_products
from soyfold.models.kernels.covariances import estimate
from soyfold.models.kernels.matrices import decompose_kernel
from soyfold.models.kernels.pairwise import LEAST, bend, estimate_pairs, put_together
from soyfold.models.kernels.traits import traits_likelihood


@given(st.integers(1, 6), st.integers(0, 10**6))
def test_bent_correlations_are_correlations_and_good_ones_stay(traits, seed):
    random = np.random.default_rng(seed)
    odd = np.eye(traits) + np.tril(random.uniform(-1, 1, (traits, traits)), -1)
    odd = odd + odd.T - np.eye(traits)
    bent = bend(odd)
    np.testing.assert_allclose(np.diag(bent), 1)
    assert np.linalg.eigvalsh(bent)[0] > LEAST / (1 + traits) and np.abs(bent).max() < 1 + 1e-12
    mild = np.eye(traits) + (odd - np.eye(traits)) / (2 * traits)
    assert bend(mild) is mild


@settings(max_examples=20)
@given(st.integers(0, 10**6))
def test_the_canonical_transformation_makes_traits_independent(seed):
    random = np.random.default_rng(seed)
    n, snps = 60, 40
    dosage = random.binomial(2, 0.5, (n, snps)).astype(np.int8)
    products = line_products(dosage, dosage)
    values = dosage[:, :3] + random.standard_normal((n, 3))
    values[: n // 3, 1] = np.nan

    def kernel_of(chosen):
        return decompose_kernel(products, np.flatnonzero(chosen), "additive")

    found = estimate_pairs(values, kernel_of, fewest=10)
    assert found[0, 2].lines == n and found[0, 1].lines == found[1,].lines == n - n // 3
    covariances = put_together(found, 3)
    turn, ratios = covariances.canonical
    np.testing.assert_allclose(turn @ covariances.residual @ turn.T, np.eye(3), atol=1e-8)
    diagonal = turn @ covariances.genetic @ turn.T
    np.testing.assert_allclose(diagonal, np.diag(ratios), atol=1e-8 * (1 + ratios.max()))
    alone = estimate(traits_likelihood(kernel_of(~np.isnan(values[:, 0])), values[:, :1]))
    two = {traits: told for traits, told in found.items() if 2 not in traits}  # too few to pool
    shares = put_together(two, 2).heritability
    assert shares[0] == pytest.approx(alone.heritability[0], abs=1e-5)


def test_pairs_of_too_few_lines_count_as_uncorrelated():
    random = np.random.default_rng(3)
    dosage = random.binomial(2, 0.5, (60, 40)).astype(np.int8)
    products = line_products(dosage, dosage)
    values = np.repeat(dosage[:, [0]], 2, axis=1) + random.standard_normal((60, 2))
    values[:30, 0] = values[32:, 1] = np.nan

    def kernel_of(chosen):
        return decompose_kernel(products, np.flatnonzero(chosen), "additive")

    found = estimate_pairs(values, kernel_of, fewest=10)
    assert found[0, 1].estimate is None and found[0, 1].remark == "10 lines needed"
    covariances = put_together(found, 2)
    assert covariances.genetic[0, 1] == covariances.residual[0, 1] == 0 and not covariances.bent


def test_only_what_is_new_to_a_process_is_estimated():
    random = np.random.default_rng(4)
    dosage = random.binomial(2, 0.5, (60, 40)).astype(np.int8)
    products = line_products(dosage, dosage)
    values = dosage[:, :3] + random.standard_normal((60, 3))
    decomposed, earlier = [], {}

    def estimated(values, dosage=dosage):
        decomposed.clear()

        def kernel_of(chosen):
            decomposed.append(int(chosen.sum()))
            return decompose_kernel(products, np.flatnonzero(chosen), "additive")

        return estimate_pairs(values, kernel_of, fewest=10, kept=(dosage, earlier))

    first = estimated(values)
    assert decomposed == [60] and len(earlier) == 6
    again = estimated(values)
    assert not decomposed and all(again[traits] is first[traits] for traits in first)
    fewer = values.copy()
    fewer[:20, 2] = np.nan
    found = estimated(fewer)
    assert decomposed == [40] and found[0, 1] is first[0, 1] and found[0, 2].lines == 40
    estimated(values, dosage[::-1])  # other lines of the same values
    assert decomposed == [60]


def test_a_variance_of_few_lines_takes_what_another_trait_says_of_them():
    """Anderson 1957: s_tt + b^2 (sigma_uu - s_uu), b of the lines that have both."""
    random = np.random.default_rng(5)
    dosage = random.binomial(2, 0.5, (300, 40)).astype(np.int8)
    products, heritable = line_products(dosage, dosage), dosage @ random.standard_normal((40, 1))
    full = heritable + heritable.std() * (0.3 * random.standard_normal((300, 2)))
    few = np.argsort(-np.abs(full[:, 0] - full[:, 0].mean()))[:40]  # those that differ most
    values = full.copy()
    values[np.setdiff1d(np.arange(300), few), 1] = np.nan

    def kernel_of(chosen):
        return decompose_kernel(products, np.flatnonzero(chosen), "additive")

    found = estimate_pairs(values, kernel_of, fewest=10)
    covariances = put_together(found, 2)
    spread = np.array([found[0,].spread, found[1,].spread])
    total = np.diag(covariances.genetic) * spread + np.diag(covariances.residual)
    told = [found[key].estimate for key in ((0,), (1,), (0, 1))]
    variances = [one.genetic + one.residual for one in told]
    slope = variances[2][0, 1] / variances[2][0, 0]
    grown = variances[0][0, 0] - variances[2][0, 0]
    assert total[0] == pytest.approx(variances[0][0, 0], rel=1e-6)
    assert total[1] == pytest.approx(variances[1][0, 0] + slope**2 * grown, rel=1e-2)
    true = np.var(full[:, 1], ddof=1)
    assert abs(total[1] / true - 1) < 0.5 * abs(variances[1][0, 0] / true - 1), (total, true)
