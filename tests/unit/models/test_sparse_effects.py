"""Noise as SNPs see it, and the sparse effects that stand out of it, against literal forms."""

import numpy as np
import pytest

from soyfold.common.errors import UserError
from soyfold.models import gblup
from soyfold.models.kernels.shared import own_kernels
from soyfold.models.noise import LEAST_SHARE, largest_scores, measure_noise
from soyfold.models.sparse_effects import snp_weights, sparse_effects

LINES, SNPS = 150, 240


def make_case(seed=0, *, effects=((10, 1.0), (200, -1.0)), noise=1.0):
    """Dosages of neighbours alike, and a trait of few effects and noise."""
    rng = np.random.default_rng(seed)
    founders = rng.integers(0, 2, (8, SNPS))
    mosaic = founders[rng.integers(0, 8, (LINES, SNPS // 6)).repeat(6, axis=1), np.arange(SNPS)]
    dosage = (2 * mosaic).astype(np.int8)
    y = sum((effect * dosage[:, snp] for snp, effect in effects), np.zeros(LINES))
    return dosage, 50 + y + noise * rng.standard_normal(LINES)


def measured(dosage, y):
    return measure_noise(dosage, y, model="a test")


def test_residuals_are_those_of_lines_left_out():
    dosage, y = make_case()
    noise = measured(dosage, y)
    literal = []
    for left_out in range(LINES):
        kept = np.delete(np.arange(LINES), left_out)
        model = gblup.fit(dosage[kept], y[kept], parameters={"ridge_lambda": noise.ridge}, seed=0)
        literal.append(y[left_out] - model.predict(dosage[[left_out]])[0])
    literal = np.array(literal) - np.mean(literal)
    assert np.corrcoef(literal, noise.residuals)[0, 1] == pytest.approx(1, abs=1e-9)
    figures = gblup.fit(dosage, y, parameters={}, seed=0).summary()
    share = figures["variance_residual"] / y.var()
    assert noise.residuals.var() == pytest.approx(share, rel=1e-6)
    ratio = figures["variance_residual"] / figures["variance_genetic"]
    assert noise.ratio == pytest.approx(ratio, rel=1e-6)


def test_a_trait_without_noise_is_given_some():
    dosage, _ = make_case()
    noise = measured(dosage, dosage.astype(float) @ np.linspace(-1, 1, SNPS))
    assert noise.ratio == pytest.approx(LEAST_SHARE / (1 - LEAST_SHARE))
    assert noise.residuals.std() > 0


def test_largest_score_of_a_known_case():
    x = np.array([[1, 0], [-1, 3], [0, -3]], np.float32)
    noise = np.array([[2, 1, 0], [0, 1, -1], [0, 0, 0.5]], np.float32)
    # |x'e|: (1, 3), (1, 6), (0, 1.5).
    assert largest_scores(x, noise) == 3


def test_the_minimum_of_the_whole_loss_in_both_effects():
    dosage, y = make_case()
    x, beta = sparse_effects(dosage, y, seed=3)
    x, z, noise = x.astype(float), (y - y.mean()) / y.std(), measured(dosage, y)
    assert (x**2).sum() == pytest.approx(x.size) and np.abs(x.mean(0)).max() < 1e-6
    ridge = 10 * noise.ratio * SNPS
    theta = np.linalg.solve(x.T @ x + ridge * np.eye(SNPS), x.T @ (z - x @ beta))
    gradient = x.T @ (z - x @ (theta + beta))
    penalty = 0.3 * largest_scores(x, noise.shuffled(3))
    np.testing.assert_allclose(gradient, ridge * theta, rtol=1e-3, atol=1e-3)
    chosen = beta != 0
    assert 2 <= chosen.sum() < SNPS / 3
    np.testing.assert_allclose(gradient[chosen], penalty * np.sign(beta[chosen]), rtol=0.03)
    assert np.abs(gradient[~chosen]).max() < 1.03 * penalty


def test_weights_find_what_was_planted_and_keep_the_kernels_trace():
    dosage, y = make_case()
    weights = snp_weights(dosage, y, seed=0)
    variance = dosage.var(0)
    assert weights.dtype == np.float64 and weights.shape == (SNPS,) and weights.min() == 0
    assert weights @ variance == pytest.approx(variance.sum(), rel=1e-5)
    for snp in (10, 200):
        assert np.sum((weights * variance)[snp - 5 : snp + 6]) > 0.2 * variance.sum()
    np.testing.assert_array_equal(weights, snp_weights(dosage, y, seed=0))
    given = snp_weights(dosage, 3 - 7 * y, seed=0, kernels=own_kernels(dosage))
    np.testing.assert_allclose(given, weights, rtol=1e-3, atol=1e-3)


def test_copies_of_a_snp_share_its_weight():
    dosage, y = make_case()
    dosage[:, 11] = dosage[:, 10]
    weights = snp_weights(dosage, y, seed=0)
    assert weights[10] > 1 and weights[10] == pytest.approx(weights[11], rel=1e-3)


@pytest.mark.parametrize("seed", range(3))
def test_noise_alone_leaves_no_effect_at_its_own_height(seed):
    dosage, y = make_case(seed, effects=(), noise=2.0)
    _, beta = sparse_effects(dosage, y, seed=seed, share=1.3)
    assert not beta.any()


def test_without_an_effect_all_snps_weigh_the_same():
    dosage, y = make_case(effects=())
    np.testing.assert_array_equal(snp_weights(dosage, y, seed=0, share=1.3), np.ones(SNPS))


def test_lines_without_variance_are_refused():
    dosage, _ = make_case()
    with pytest.raises(UserError, match="sparse effects"):
        snp_weights(dosage, np.ones(LINES), seed=0)
