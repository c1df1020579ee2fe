"""Kernels, samplers and the rest, where values weigh differently: literal forms and copies."""

import numpy as np
import pytest

from soyfold.models import (
    bayesb,
    bayescpi,
    bayesian_lasso,
    contact_kernel,
    elastic_net,
    family_gblup,
    family_mean,
    learned_contact_kernel,
    mean,
    nonadditive_gblup,
    principal_components,
    rkhs,
    svr,
)
from soyfold.models.gibbs_sweeps import GramForm, ResidualForm
from soyfold.models.kernels.learned_weights import Posterior
from soyfold.models.kernels.several import estimate
from soyfold.models.kernels.stacked import stack_kernels
from soyfold.models.noise import measure_noise
from soyfold.models.sparse_effects import snp_weights

N, NEW, SNPS = 60, 15, 80
CHROMOSOME = np.repeat([0, 1, 2], [30, 30, 20])
CIM = np.array([[1.0, 0.5, 0.2], [0.5, 0.8, 0.4], [0.2, 0.4, 0.6]])


def draw(seed=0):
    """Dosages of N training and NEW other lines, values and weights of the former, families."""
    rng = np.random.default_rng(seed)
    dosage = rng.binomial(2, rng.uniform(0.2, 0.8, SNPS), (N + NEW, SNPS)).astype(np.int8)
    weights = rng.uniform(0.2, 3, N)
    weights /= weights.mean()
    y = 40 + dosage[:N] @ rng.normal(size=SNPS) + 5 * rng.normal(size=N) / np.sqrt(weights)
    return dosage, y, weights, np.array([f"f{i % 4}" for i in range(N + NEW)])


def literal(kernel, own, noise, y):
    """BLUP of new lines by its formula, and the sd of its error.

    kernel (N + NEW, N) and own (N + NEW,) are covariances of genetic values, noise (N,).
    """
    inverse = np.linalg.inv(kernel[:N] + np.diag(noise))
    weight = inverse.sum()
    mu = inverse.sum(0) @ y / weight
    told = mu + kernel @ inverse @ (y - mu)
    missed = np.einsum("ij,jk,ik->i", kernel, inverse, kernel)
    return told, np.sqrt(own - missed + (1 - kernel @ inverse.sum(0)) ** 2 / weight)


def height(kernel, noise, y):
    """REML log-likelihood of values, of any sizes of the variances, without a constant."""
    inverse = np.linalg.inv(kernel + np.diag(noise))
    sums = inverse.sum(0)
    projected = inverse - np.outer(sums, sums) / sums.sum()
    return 0.5 * (np.linalg.slogdet(inverse)[1] - np.log(sums.sum()) - y @ projected @ y)


def gaussian(dosage, width):
    squares = np.square(dosage[:, None].astype(float) - dosage[None, :N]).sum(2)
    return np.exp(-squares / width)


def test_rkhs_is_literal_and_the_likeliest():
    dosage, y, weights, _ = draw()
    told = {"parameters": {"bandwidths": [1, 4]}, "seed": 0, "weights": weights}
    model = rkhs.fit(dosage[:N], y, **told)
    genetic, noise = model.variances
    kernel = genetic * gaussian(dosage, model.width)
    expected, _ = literal(kernel, np.full(N + NEW, genetic), noise / weights, y)
    np.testing.assert_allclose(model.predict(dosage), expected, rtol=1e-8)
    again = rkhs.from_state(model.state())
    np.testing.assert_array_equal(again.errors(dosage), model.errors(dosage))
    names = np.array([f"{k % 3}" for k in range(N)])
    errors, _ = model.without(names, y - model.predict(dosage[:N]))
    kept = names != "0"
    v = kernel[:N][np.ix_(kept, kept)] + np.diag(noise / weights[kept])
    ones, solved = np.linalg.solve(v, np.column_stack([np.ones(kept.sum()), y[kept]])).T
    mu = solved.sum() / ones.sum()
    blind = mu + kernel[:N][np.ix_(~kept, kept)] @ (solved - mu * ones)
    np.testing.assert_allclose(y[~kept] - errors[~kept], blind, rtol=1e-7)
    own = height(kernel[:N], noise / weights, y)
    for factor in (0.8, 1.25):
        assert height(factor * kernel[:N], noise / weights, y) <= own + 1e-9
        assert height(kernel[:N], factor * noise / weights, y) <= own + 1e-9
    for bandwidth in (1, 4):
        one = rkhs.fit(dosage[:N], y, **told | {"parameters": {"bandwidths": [bandwidth]}})
        assert one.summary()["log_likelihood"] <= model.summary()["log_likelihood"]


def test_likelihoods_are_of_the_values_themselves():
    """Weights of another scale are another noise variance, and not another likelihood."""
    dosage, y, weights, _ = draw(1)
    told = {"parameters": {}, "seed": 0}
    one, other = (
        rkhs.fit(dosage[:N], y, **told, weights=scale * weights).summary() for scale in (1, 5)
    )
    assert other["log_likelihood"] == pytest.approx(one["log_likelihood"], abs=1e-6)
    assert other["variance_residual"] == pytest.approx(5 * one["variance_residual"], rel=1e-4)


def test_reml_of_several_kernels_is_the_top_of_the_literal_likelihood():
    dosage, y, weights, _ = draw(2)
    z = dosage[:N] - dosage[:N].mean(0)
    kernels = [z @ z.T / SNPS, np.square(z @ z.T / SNPS)]
    variances, point, converged = estimate(kernels, y, uneven=1 / weights)

    def at(s):
        return height(s[0] * kernels[0] + s[1] * kernels[1], s[2] / weights, y)

    assert converged and point.log_likelihood == pytest.approx(at(variances), abs=1e-6)
    for place in range(3):
        for factor in (0.9, 1.1):
            moved = variances.copy()
            moved[place] = moved[place] * factor + 1e-3
            assert at(moved) <= at(variances) + 1e-6
    plain = estimate(kernels, y)[0]
    np.testing.assert_array_equal(estimate(kernels, y, uneven=np.ones(N))[0], plain)


def test_family_gblup_is_literal():
    dosage, y, weights, families = draw(3)
    told = {"parameters": {}, "seed": 0}
    model = family_gblup.fit(dosage[:N], y, **told, families=families[:N], weights=weights)
    common, family, noise = model.variances
    z = dosage - dosage[:N].mean(0)
    scale = common + family * (families[:, None] == families[:N])
    own = (common + family) * np.square(z).sum(1)
    expected, sd = literal(scale * (z @ z[:N].T), own, noise / weights, y)
    np.testing.assert_allclose(model.predict(dosage, families), expected, rtol=1e-8)
    np.testing.assert_allclose(model.errors(dosage, families)[1], sd, rtol=1e-7)
    again = family_gblup.from_state(model.state())
    np.testing.assert_allclose(again.errors(dosage, families)[1], sd, rtol=1e-7)


@pytest.mark.parametrize("kernel", ["additive_by_additive", "dominance"])
def test_second_kernels_are_literal(kernel):
    dosage, y, weights, _ = draw(4)
    model = nonadditive_gblup.fit(
        dosage[:N], y, parameters={"kernel": kernel}, seed=0, weights=weights
    )
    z = dosage - dosage[:N].mean(0)
    additive = z @ z.T / model.scales[0]
    second = np.square(additive)
    if kernel == "dominance":
        h = nonadditive_gblup.departures(dosage, dosage[:N].mean(0) / 2)
        second = h @ h.T
    a, d, noise = model.variances
    whole = a * additive + d * second / model.scales[1]
    expected, sd = literal(whole[:, :N], np.diag(whole), noise / weights, y)
    np.testing.assert_allclose(model.predict(dosage), expected, rtol=1e-8)
    again = nonadditive_gblup.from_state(model.state())
    np.testing.assert_allclose(again.errors(dosage)[1], sd, rtol=1e-7)


@pytest.mark.parametrize("share", [None, 0.4])
def test_contact_kernel_is_literal(share):
    dosage, y, weights, _ = draw(5)
    model = contact_kernel.fit(
        dosage[:N], y, parameters={"share": share, "power": 1.0}, seed=0, cim=CIM,
        snp_chromosome=CHROMOSOME, weights=weights,
    )  # fmt: skip
    z = dosage - weights @ dosage[:N] / weights.sum()
    own = [z[:, g == CHROMOSOME] @ z[:N, g == CHROMOSOME].T for g in range(3)]
    products = sum(model.weights[g, h] * own[g] * own[h] for g in range(3) for h in range(g))
    # Scaled to a mean diagonal of 1 once the weighted means are off.
    off = np.eye(N) - np.outer(np.ones(N), weights / weights.sum())
    scales = [np.trace(off @ k[:N] @ off.T) / (N - 1) for k in (sum(own), products)]
    found = model.summary()["share"]
    kernel = (1 - found) * sum(own) / scales[0] + found * products / scales[1]
    spread = weights @ np.diag(off @ kernel[:N] @ off.T) / (N - 1)
    kernel *= model.summary()["variance_genetic"] / spread
    noise = model.summary()["variance_residual"] / weights
    expected, _ = literal(kernel, np.full(N + NEW, np.inf), noise, y)
    np.testing.assert_allclose(model.predict(dosage), expected, rtol=1e-6)
    if share is None:
        plain = {"share": 0.0, "power": 1.0}
        alone = contact_kernel.fit(
            dosage[:N], y, parameters=plain, seed=0, cim=CIM, snp_chromosome=CHROMOSOME,
            weights=weights,
        )  # fmt: skip
        gain = model.summary()["log_likelihood"] - alone.summary()["log_likelihood"]
        assert model.summary()["gain"] == pytest.approx(gain, abs=1e-6) and gain > -1e-6


def test_learned_contact_kernel_climbs_the_literal_likelihood():
    dosage, y, weights, _ = draw(6)
    values = (y - y.mean()) / y.std()
    centre = weights @ dosage[:N] / weights.sum()
    own = np.full(SNPS, 1 / np.square(dosage[:N] - centre).sum(0).mean() / SNPS * N)
    stack = stack_kernels(dosage[:N], centre, CHROMOSOME, 3, own, kind=np.float64)
    posterior = Posterior(stack, values, CIM, uneven=1 / weights)
    theta = np.random.default_rng(0).normal(0, 0.3, 4 + 3 + 3)
    theta[3] = 0.7
    told, gradient, _ = posterior.evaluate(theta)
    now = posterior.variances(theta)
    z = [(dosage[:N] - centre)[:, g == CHROMOSOME] for g in range(3)]
    kernels = [own[0] * each @ each.T for each in z]
    kernel = sum(a * k for a, k in zip(now.chromosomes, kernels, strict=True))
    kernel = kernel + sum(
        now.pairs[g, h] * kernels[g] * kernels[h] for g in range(3) for h in range(g)
    )
    expected = height(kernel, now.noise / weights, values) + posterior.log_prior(theta)
    constant = -0.5 * ((N - 1) * np.log(2 * np.pi) - np.log(N))
    assert told == pytest.approx(expected + constant, abs=1e-8)
    for place in range(len(theta)):
        step = np.zeros(len(theta))
        step[place] = 1e-5
        ends = [posterior.evaluate(theta + sign * step)[0] for sign in (1, -1)]
        assert gradient[place] == pytest.approx((ends[0] - ends[1]) / 2e-5, abs=1e-4)


def test_learned_contact_kernel_is_literal():
    dosage, y, weights, _ = draw(7)
    model = learned_contact_kernel.fit(
        dosage[:N], y, parameters={}, seed=0, cim=CIM, snp_chromosome=CHROMOSOME, weights=weights
    )
    z = dosage - model.centre
    kernels = [
        (z * model.snp_weights)[:, g == CHROMOSOME] @ z[:, g == CHROMOSOME].T for g in range(3)
    ]
    whole = sum(a * k for a, k in zip(model.chromosomes, kernels, strict=True))
    whole = whole + sum(
        model.pairs[g, h] * kernels[g] * kernels[h] for g in range(3) for h in range(g)
    )
    expected, sd = literal(whole[:, :N], np.diag(whole), model.noise / weights, y)
    np.testing.assert_allclose(model.predict(dosage), expected, rtol=1e-4)
    again = learned_contact_kernel.from_state(model.state())
    np.testing.assert_allclose(again.errors(dosage)[1], sd, rtol=1e-3)
    with_gblup = model.summary()["gain"]
    assert -30 < with_gblup < 30, "both likelihoods are of the same values"


def test_noise_by_leaving_out_is_that_of_the_literal_fit():
    dosage, y, weights, _ = draw(8)
    found = measure_noise(dosage[:N], y, model="test", weights=weights)
    z = dosage[:N] - dosage[:N].mean(0)
    left = np.empty(N)
    for line in range(N):
        kept = np.arange(N) != line
        v = z[kept] @ z[kept].T + found.ridge * np.diag(1 / weights[kept])
        ones, solved = np.linalg.solve(v, np.column_stack([np.ones(N - 1), y[kept]])).T
        mu = solved.sum() / ones.sum()
        left[line] = y[line] - mu - z[line] @ z[kept].T @ (solved - mu * ones)
    left *= np.sqrt(weights)
    assert np.corrcoef(left, found.residuals)[0, 1] == pytest.approx(1, abs=1e-8)


def test_sparse_effects_follow_the_lines_that_weigh():
    rng = np.random.default_rng(9)
    dosage = (2 * rng.integers(0, 2, (160, 30))).astype(np.int8)
    heavy = np.arange(160) < 80
    y = np.where(heavy, dosage[:, 0], dosage[:, 1]) + 0.3 * rng.normal(size=160)
    for group, best in ((heavy, 0), (~heavy, 1)):
        told = snp_weights(dosage, y, seed=0, weights=np.where(group, 1.9, 0.1))
        assert np.argmax(told) == best and told[best] > 3 * told[1 - best]


@pytest.mark.parametrize("form", [GramForm, ResidualForm])
def test_samplers_draw_as_of_values_and_dosages_times_the_weights_roots(form):
    dosage, y, weights, _ = draw(10)
    centre, roots = weights @ dosage[:N] / weights.sum(), np.sqrt(weights)
    z, values = roots[:, None] * (dosage[:N] - centre), y - np.average(y, weights=weights)
    built = form(dosage[:N], values, chains=1, weights=weights)
    np.testing.assert_allclose(built.diagonal, np.square(z).sum(0), rtol=1e-5)
    rng, effects = np.random.default_rng(0), np.zeros(SNPS)
    for _ in range(4):
        gain, cut, shrink = 0.1 * np.ones(SNPS), rng.normal(size=SNPS), rng.uniform(0, 0.02, SNPS)
        noise = 0.1 * rng.normal(size=SNPS)
        built.sweep(*(x[None] for x in (gain, cut, shrink, noise)))
        for j in range(SNPS):
            w = z[:, j] @ (roots * values - z @ effects + z[:, j] * effects[j])
            effects[j] = w * shrink[j] + noise[j] if gain[j] * w * w > cut[j] else 0.0
    np.testing.assert_allclose(built.effects[0], effects, atol=1e-4)
    left, told = built.squares()
    assert left[0] == pytest.approx(np.square(roots * values - z @ effects).sum(), rel=1e-3)
    assert told[0] == pytest.approx(np.square(z @ effects).sum(), rel=1e-3)


def test_samplers_weigh_lines_by_precision():
    gains = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        dosage = rng.binomial(2, 0.5, (240, 30)).astype(np.int8)
        true = dosage @ rng.normal(size=30)
        records = rng.choice([1, 25], 120)
        y = true[:120] + rng.normal(size=120) * 12 / np.sqrt(records)
        options = {"parameters": {"iterations": 150, "burn_in": 50}, "seed": 0}
        for module in (bayesb, bayescpi, bayesian_lasso):
            fits = [
                module.fit(dosage[:120], y, **options, weights=weights)
                for weights in (None, records / records.mean())
            ]
            plain, weighed = (np.corrcoef(m.predict(dosage[120:]), true[120:])[0, 1] for m in fits)
            gains.append(weighed - plain)
    assert np.mean(gains) > 0.03 and np.mean(np.array(gains) > 0) > 0.8


WHOLE = np.random.default_rng(12).integers(1, 4, N)


def copies(values):
    return np.repeat(values, WHOLE, axis=0)


def test_whole_weights_are_copies_of_lines_in_an_elastic_net():
    dosage, y, _, _ = draw(13)
    one = elastic_net.Descent(dosage[:N], y, WHOLE.astype(float))
    other = elastic_net.Descent(copies(dosage[:N]), copies(y))
    penalty = 0.05 * one.largest_penalty(0.5)
    assert one.largest_penalty(0.5) == pytest.approx(other.largest_penalty(0.5))
    found = [each.model(each.solve(penalty, 0.5)[0]).predict(dosage) for each in (one, other)]
    np.testing.assert_allclose(*found, atol=0.02 * y.std())
    with pytest.raises(AssertionError):
        plain = elastic_net.Descent(dosage[:N], y)
        plain = plain.model(plain.solve(penalty, 0.5)[0]).predict(dosage)
        np.testing.assert_allclose(plain, found[1], atol=0.02 * y.std())


def test_whole_weights_are_copies_of_lines_for_support_vectors():
    dosage, y, _, _ = draw(14)
    z = (y - y.mean()) / y.std()
    told = []
    for lines, values, weights in (
        (dosage[:N], z, WHOLE.astype(float)), (copies(dosage[:N]), copies(z), None),
    ):  # fmt: skip
        kernel = np.exp(-svr.squared_distances(lines, lines) / 40.0)
        rows, pull, intercept = svr._support(kernel, values, weights, 2.0, 0.3)
        told.append(np.exp(-svr.squared_distances(dosage, lines[rows]) / 40.0) @ pull + intercept)
    np.testing.assert_allclose(*told, atol=5e-3)


def test_whole_weights_are_copies_of_lines_in_least_squares_on_components():
    dosage, y, _, _ = draw(15)
    val = dosage[N:], np.linspace(30, 50, NEW)
    told = {"parameters": {"components": 5, "refit": False}, "seed": 0, "validation": val}
    one = principal_components.fit(
        dosage[:N], y, **told, weights=WHOLE / WHOLE.mean(), validation_weights=np.ones(NEW)
    )
    other = principal_components.fit(copies(dosage[:N]), copies(y), **told)
    np.testing.assert_allclose(one.predict(dosage), other.predict(dosage), rtol=1e-8)


def test_family_means_are_the_mixed_models():
    dosage, y, weights, families = draw(16)
    y = y + 3 * (families[:N] == "f1")
    model = family_mean.fit(
        dosage[:N], y, parameters={}, seed=0, families=families[:N], weights=weights
    )
    figures = model.summary()
    between, noise = figures["variance_families"], figures["variance_residual"]
    same = families[:, None] == families[:N]
    expected, _ = literal(between * same, np.full(N + NEW, between), noise / weights, y)
    np.testing.assert_allclose(model.predict(dosage, families=families), expected, rtol=1e-8)
    top = height(between * same[:N], noise / weights, y)
    for factor in (0.8, 1.25):
        assert height(factor * between * same[:N], noise / weights, y) <= top + 1e-9
        assert height(between * same[:N], factor * noise / weights, y) <= top + 1e-9


def test_the_mean_is_weighted():
    dosage, y, weights, _ = draw(17)
    model = mean.fit(dosage[:N], y, parameters={}, seed=0, weights=weights)
    assert model.mean == pytest.approx(np.average(y, weights=weights))


@pytest.mark.parametrize("module", [svr, elastic_net, principal_components])
def test_choices_by_validation_lines_count_them_by_weight(module):
    """Two halves of the validation lines want other choices: those that weigh get theirs."""
    dosage, y, _, _ = draw(18)
    rng = np.random.default_rng(18)
    judged = np.vstack([dosage[N:]] * 2)
    smooth = module.fit(
        dosage[:N], y, parameters={"refit": False}, seed=0, validation=(dosage[:N], y)
    ).predict(dosage[N:])
    observed = np.concatenate([smooth, np.full(NEW, y.mean()) + 1e-3 * rng.normal(size=NEW)])
    fits = [
        module.fit(
            dosage[:N], y, parameters={"refit": False}, seed=0, validation=(judged, observed),
            weights=np.ones(N), validation_weights=np.repeat(pair, NEW),
        )
        for pair in ([1.0, 1e-6], [1e-6, 1.0])
    ]  # fmt: skip
    spread = [fit.held_out[:NEW].std() for fit in fits]
    assert spread[0] > 1.5 * spread[1]
