"""The learned contact kernel against the model written out in dense matrices, and what it finds."""

import numpy as np
import pytest
import torch
from scipy.optimize import check_grad

from soyfold.common import blocks
from soyfold.common.errors import UserError
from soyfold.models import gblup, learned_contact_kernel
from soyfold.models.kernels import pairs as pair_kernels
from soyfold.models.kernels import stacked, stacked_on_gpu
from soyfold.models.kernels.learned_weights import FIRST, Posterior
from soyfold.models.kernels.several import covariance, estimate
from soyfold.models.kernels.stacked import evaluate, stack_kernels
from soyfold.models.kernels.stacked_on_gpu import GpuStack
from soyfold.models.sparse_effects import snp_weights

SIZES = (9, 4, 6, 11)  # SNPs of the chromosomes
CODES = np.repeat(np.arange(len(SIZES)), SIZES)
FIRST_OF, SECOND_OF = np.triu_indices(len(SIZES), 1)


def draw(n, codes=CODES, *, seed=0):
    return np.random.default_rng(seed).binomial(2, 0.4, (n, len(codes))).astype(np.int8)


def draw_contacts():
    contacts = np.random.default_rng(1).uniform(0.5, 2.0, (len(SIZES), len(SIZES)))
    return (contacts + contacts.T) / 2


def make_case(*, seed=0, n=75):
    """Dosages, a trait with products of SNPs on chromosomes 0 and 3, new dosages, a CIM."""
    rng, dosage = np.random.default_rng(seed), draw(n, seed=seed)
    z = dosage - dosage.mean(0)
    y = z @ rng.normal(size=len(CODES)) + 4 * z[:, 1] * z[:, -2] - 4 * z[:, 2] * z[:, -3]
    y = 20 + y + 2 * rng.normal(size=n)
    contacts = draw_contacts()
    contacts[0, 3] = contacts[3, 0] = 4.0
    return dosage[:60], y[:60], dosage[60:], contacts


def fit(dosage, y, cim, codes=CODES, **parameters):
    return learned_contact_kernel.fit(
        dosage, y, parameters=parameters, seed=0, cim=cim, snp_chromosome=codes
    )


def dense_kernels(left, right, centre, weights, codes=CODES):
    """All K_g (G, m, n), and the K_g o K_h of g < h, (P, m, n)."""
    z, other = (left - centre) * weights, right - centre
    own = np.stack([z[:, codes == g] @ other[:, codes == g].T for g in range(codes.max() + 1)])
    first, second = np.triu_indices(len(own), 1)
    return own, own[first] * own[second]


def make_posterior(*, prior=(1.0, 1.0), contacts=None, kind=np.float64):
    dosage, y, _, cim = make_case()
    weights = np.full(len(CODES), 0.03)
    centre = dosage.mean(0)
    stack = stack_kernels(dosage, centre, CODES, len(SIZES), weights, kind=kind)
    y = (y - y.mean()) / y.std()
    posterior = Posterior(stack, y, cim if contacts is None else contacts, prior=prior)
    return posterior, *dense_kernels(dosage, dosage, centre, weights)


def some_point(seed=3):
    theta = np.random.default_rng(seed).normal(size=FIRST + 4 + 6) / 2
    theta[3] = 1.3
    return theta


def dense_log_posterior(theta, posterior, own, products, contacts, prior):
    """The model as it is written down: every matrix n x n, every sum by itself."""
    y, n = posterior.values, len(posterior.values)
    a, t = theta[FIRST : FIRST + 4], theta[FIRST + 4 :]
    margins = np.eye(n) - 1 / n
    sizes = np.array([np.trace(margins @ k @ margins) / (n - 1) for k in products])
    learned = contacts[FIRST_OF, SECOND_OF] ** (2 * theta[3]) * np.exp(t)
    learned *= np.exp(theta[2]) / (learned @ sizes)
    V = np.exp(theta[0]) * np.eye(n) + np.tensordot(np.exp(theta[1] + a), own, 1)
    V += np.tensordot(learned, products, 1)
    inverse, X = np.linalg.inv(V), np.ones((n, 1))
    XVX = X.T @ inverse @ X
    P = inverse - inverse @ X @ np.linalg.inv(XVX) @ X.T @ inverse
    logs = np.linalg.slogdet(V)[1] + np.linalg.slogdet(XVX)[1] - np.log(n)
    height = -0.5 * (logs + (n - 1) * np.log(2 * np.pi) + y @ P @ y)
    return height - a @ a / (2 * prior[0]) - t @ t / (2 * prior[1])


@pytest.mark.parametrize("prior", [(1.0, 1.0), (0.3, 2.0)])
def test_posterior_is_that_of_the_model_written_out(prior):
    posterior, own, products = make_posterior(prior=prior)
    theta, contacts = some_point(), make_case()[3]
    expected = dense_log_posterior(theta, posterior, own, products, contacts, prior)
    assert posterior.evaluate(theta)[0] == pytest.approx(expected, abs=1e-9)
    rounded = make_posterior(prior=prior, kind=np.float32)[0].evaluate(theta)
    assert rounded[0] == pytest.approx(expected, abs=1e-3)
    np.testing.assert_allclose(rounded[1], posterior.evaluate(theta)[1], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("pairs", [True, False])
def test_gradient_is_that_of_finite_differences(pairs):
    posterior = make_posterior(prior=(0.5, 2.0))[0]
    for seed in range(3):
        error = check_grad(
            lambda theta: posterior.evaluate(theta, pairs=pairs)[0],
            lambda theta: posterior.evaluate(theta, pairs=pairs)[1],
            some_point(seed),
        )
        assert error < 1e-4


def test_reml_does_not_see_a_constant():
    posterior = make_posterior()[0]
    now = posterior.variances(some_point())
    args = now.chromosomes, now.pairs, now.noise
    plain = evaluate(posterior.stack, posterior.values, *args)
    moved = evaluate(posterior.stack, posterior.values + 7.0, *args)
    assert moved.log_likelihood == pytest.approx(plain.log_likelihood, abs=1e-9)
    assert moved.mean == pytest.approx(plain.mean + 7.0)
    np.testing.assert_allclose(moved.by_pair, plain.by_pair, atol=1e-9)


def test_s_p_is_what_all_pairs_add_to_the_lines_variance():
    posterior, _, products = make_posterior()
    theta = some_point()
    learned = posterior.variances(theta).pairs[FIRST_OF, SECOND_OF]
    whole = np.tensordot(learned, products, 1)
    expected = (np.trace(whole) - whole.mean(0).sum()) / (len(whole) - 1)
    assert expected == pytest.approx(np.exp(theta[2]))


@pytest.mark.parametrize("kind", [np.float64, np.float32])
@pytest.mark.parametrize("floats", [1, 2**23])
def test_a_gpus_sums_are_those_of_the_lines_own_stack(monkeypatch, floats, kind):
    monkeypatch.setattr(stacked, "FLOATS", floats)
    posterior, theta = make_posterior(kind=kind)[0], some_point()
    height, gradient, found = posterior.evaluate(theta)
    moved = Posterior(
        GpuStack(posterior.stack, device="cpu"), posterior.values, make_case()[3],
        uneven=np.ones(len(posterior.values)),
    )  # fmt: skip
    near = {"rtol": 1e-9, "atol": 1e-9} if kind is np.float64 else {"rtol": 1e-3, "atol": 1e-3}
    told = moved.evaluate(theta)
    assert told[0] == pytest.approx(height, abs=near["atol"])
    np.testing.assert_allclose(told[1], gradient, **near)
    np.testing.assert_allclose(told[2].dual, found.dual, **near)
    now = posterior.variances(theta)
    with pytest.raises(np.linalg.LinAlgError, match="positive definite"):
        moved.stack.factor(now.chromosomes, now.pairs, -100.0)


def test_a_gpu_is_asked_for_by_the_entry_alone(monkeypatch):
    dosage, y, new, cim = make_case()
    asked = {"parameters": {"iterations": 5}, "seed": 0, "cim": cim, "snp_chromosome": CODES}
    expected = learned_contact_kernel.fit(dosage, y, **asked).predict(new)
    moved = []

    class Told(GpuStack):
        def __init__(self, stack):
            moved.append(stack)
            super().__init__(stack, device="cpu")

    monkeypatch.setattr(stacked_on_gpu, "GpuStack", Told)
    for there, gpu, count in ((False, 1, 0), (True, 0, 0), (True, 1, 1)):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        model = learned_contact_kernel.fit(dosage, y, gpu=gpu, **asked)
        np.testing.assert_allclose(model.predict(new), expected, rtol=1e-3, atol=1e-3)
        assert len(moved) == count


@pytest.mark.parametrize("floats", [1, 5000])
def test_blocks_change_nothing(monkeypatch, floats):
    whole, theta = make_posterior()[0], some_point()
    monkeypatch.setattr(stacked, "FLOATS", floats)
    parts = make_posterior()[0]
    assert len(parts.stack.blocks) > len(whole.stack.blocks) == 1
    np.testing.assert_allclose(parts.evaluate(theta)[1], whole.evaluate(theta)[1], atol=1e-9)
    np.testing.assert_allclose(parts.sizes, whole.sizes, atol=1e-12)
    dosage, y, new, cim = make_case()
    model = fit(dosage, y, cim, iterations=3)
    expected = model.predict(new), model.reliability(new)
    monkeypatch.setattr(pair_kernels, "FLOATS", 1)
    monkeypatch.setattr(learned_contact_kernel, "FLOATS", 1)
    monkeypatch.setattr(blocks, "BLOCK", 7)
    for left, right in zip((model.predict(new), model.reliability(new)), expected, strict=True):
        np.testing.assert_allclose(left, right, atol=1e-10)


def test_without_pairs_and_prior_it_is_reml_of_the_chromosomes_kernels():
    infinite = (np.inf, np.inf)
    posterior, own, _ = make_posterior(prior=infinite, contacts=np.zeros((4, 4)))
    assert not len(posterior.size)
    bounds = posterior.bounds(tau=False, free=False, pairs=False)
    start = posterior.start(0.5, 0.5, 1.0)
    theta, height, _, converged = posterior.maximise(start, bounds, iterations=200, pairs=False)
    variances, point, _ = estimate(list(own), posterior.values)
    n = len(posterior.values)
    constants = 0.5 * ((n - 1) * np.log(2 * np.pi) - np.log(n))
    assert converged
    assert height == pytest.approx(point.log_likelihood - constants, abs=1e-3)
    found = posterior.variances(theta, pairs=False)
    np.testing.assert_allclose([*found.chromosomes, found.noise], variances, atol=0.02)


def dense_fit(model, dosage, y, new):
    """Predictions and reliabilities from the model's variances by generalised least squares."""
    told = model.centre, model.snp_weights
    own, products = dense_kernels(dosage, dosage, *told)
    learned = model.pairs[FIRST_OF, SECOND_OF]

    def genetic(kernels):
        return np.tensordot(model.chromosomes, kernels[0], 1) + np.tensordot(learned, kernels[1], 1)

    inverse = np.linalg.inv(genetic((own, products)) + model.noise * np.eye(len(y)))
    sums = inverse.sum(0)
    P = inverse - np.outer(sums, sums) / sums.sum()
    k = genetic(dense_kernels(new, dosage, *told))
    prior = np.diag(genetic(dense_kernels(new, new, *told)))
    return sums @ y / sums.sum() + k @ P @ y, np.einsum("ij,jk,ik->i", k, P, k) / prior


def test_predictions_and_reliabilities_are_those_of_the_closed_form():
    dosage, y, new, cim = make_case()
    model = fit(dosage, y, cim)
    predicted, reliable = dense_fit(model, dosage, y, new)
    np.testing.assert_allclose(model.predict(new), predicted, atol=1e-4)
    np.testing.assert_allclose(model.reliability(new), reliable, atol=1e-4)
    assert (reliable > 0).all() and (reliable < 1).all()
    own = model.reliability(dosage)
    assert own.mean() > model.reliability(new).mean()


def test_reliability_is_the_squared_correlation_with_the_true_value():
    """Over draws of genetic values and noise at the model's variances."""
    dosage, y, new, cim = make_case()
    model = fit(dosage, y, cim, iterations=10)
    both = np.vstack([dosage, new])
    own, products = dense_kernels(both, both, model.centre, model.snp_weights)
    whole = covariance(
        [*own, *products], [*model.chromosomes, *model.pairs[FIRST_OF, SECOND_OF], 0]
    )
    rng, n = np.random.default_rng(0), len(y)
    values = np.linalg.cholesky(whole + 1e-9 * np.eye(len(whole))) @ rng.normal(
        size=(len(whole), 20000)
    )
    seen = values[:n] + np.sqrt(model.noise) * rng.normal(size=(n, 20000))
    inverse = np.linalg.inv(whole[:n, :n] + model.noise * np.eye(n))
    sums = inverse.sum(0)
    predicted = whole[n:, :n] @ (inverse @ seen - np.outer(sums, sums @ seen) / sums.sum())
    error = np.square(predicted - values[n:]).mean(1)
    expected = 1 - error / np.diag(whole)[n:]
    np.testing.assert_allclose(model.reliability(new), expected, atol=0.05)


def plant(n=200, *, seed=0, size=8, pairs=((0, 5), (2, 3)), share=0.5):
    """Inbred lines of a cross, 12 linked SNPs a chromosome; half of what's genetic is products."""
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(size), 12)
    crossed = rng.random((n, len(codes))) < np.where(np.arange(len(codes)) % 12, 0.08, 0.5)
    dosage = 2 * (np.cumsum(crossed, axis=1) % 2).astype(np.int8)
    z = dosage - dosage.mean(0)
    additive = z @ (rng.normal(size=len(codes)) * (rng.random(len(codes)) < 0.3))
    products = sum(
        z[:, rng.choice(np.flatnonzero(codes == g))] * z[:, rng.choice(np.flatnonzero(codes == h))]
        for g, h in pairs
        for _ in range(3)
    )
    y = np.sqrt(1 - share) * additive / additive.std() + np.sqrt(share) * products / products.std()
    y = y / y.std() + 0.5 * rng.normal(size=n)
    cim = np.ones((size, size))
    for g, h in pairs:
        cim[g, h] = cim[h, g] = 3.0
    return dosage, y, cim, codes


def ranked(table, pairs):
    """The area under the curve of the weights for the planted pairs."""
    planted = [(g, h) in pairs for g, h in zip(table.chromosome, table.chromosome_2, strict=True)]
    planted, weights = np.array(planted), table.weight.to_numpy()
    return (weights[planted][:, None] > weights[~planted]).mean()


def test_planted_pairs_are_found_without_contacts():
    dosage, y, _, codes = plant()
    model = fit(dosage, y, np.ones((8, 8)), codes)
    assert ranked(model.pair_weights(), {(0, 5), (2, 3)}) > 0.95
    assert model.summary()["gain_pairs"] > 20


def test_the_right_contacts_are_likelier_than_shuffled_ones():
    dosage, y, cim, codes = plant()
    right = fit(dosage, y, cim, codes, contacts="cim").summary()
    assert right["tau"] > 1
    for order in ([3, 1, 7, 4, 0, 2, 6, 5], [1, 0, 2, 3, 4, 5, 7, 6], [4, 1, 6, 3, 2, 5, 0, 7]):
        wrong = cim[np.ix_(order, order)]
        other = fit(dosage, y, wrong, codes, contacts="cim").summary()
        assert right["log_posterior"] > 4 + other["log_posterior"]


def test_a_cim_without_contacts_leaves_no_pair_and_a_constant_one_no_slope():
    dosage, y, new, cim = make_case()
    model = fit(dosage, y, 0 * cim)
    found = model.summary()
    assert not model.pairs.any() and found["share"] == 0 and found["gain_pairs"] == 0
    assert not model.pair_weights()["weight"].any()
    np.testing.assert_allclose(model.predict(new), dense_fit(model, dosage, y, new)[0], atol=1e-4)
    constant = fit(dosage, y, np.full(cim.shape, 0.3))
    same = fit(dosage, y, np.full(cim.shape, 0.3), tau=0)
    assert constant.summary()["log_posterior"] == same.summary()["log_posterior"]
    sized = fit(dosage, y, cim, contacts="size")
    np.testing.assert_array_equal(sized.predict(new), same.predict(new))


def test_names_of_chromosomes_do_not_matter():
    dosage, y, new, cim = make_case()
    order = np.array([2, 0, 3, 1])
    renamed = fit(dosage, y, cim[np.ix_(order, order)], np.argsort(order)[CODES], tau=1)
    np.testing.assert_allclose(
        renamed.predict(new), fit(dosage, y, cim, tau=1).predict(new), rtol=1e-3
    )


def test_fixed_pairs_are_those_of_the_contacts():
    dosage, y, _, cim = make_case()
    model = fit(dosage, y, cim, pairs="fixed", contacts="cim", tau=2)
    table = model.pair_weights()
    assert model.summary()["tau"] == 2 and table["weight"].mean() == pytest.approx(1)
    ratio = table["weight"] / table["contacts"] ** 4
    np.testing.assert_allclose(ratio, ratio.iloc[0], rtol=1e-6)
    assert table["share"].sum() == pytest.approx(model.summary()["share"], rel=1e-5)


def test_a_chromosome_without_snps_has_no_pair():
    dosage, y, new, cim = make_case()
    wide = np.ones((5, 5))
    wide[np.ix_([0, 1, 3, 4], [0, 1, 3, 4])] = cim
    codes = np.array([0, 1, 3, 4])[CODES]
    model = fit(dosage, y, wide, codes, contacts="cim", tau=1)
    assert len(model.pair_weights()) == 6 and np.isfinite(model.predict(new)).all()


def test_units_of_the_trait_do_not_matter():
    dosage, y, new, cim = make_case()
    plain, scaled = fit(dosage, y, cim), fit(dosage, 1000 * y - 5, cim)
    np.testing.assert_allclose(scaled.predict(new), 1000 * plain.predict(new) - 5, rtol=1e-4)
    for name in ("gain", "gain_pairs", "share", "heritability", "tau"):
        assert scaled.summary()[name] == pytest.approx(plain.summary()[name], rel=1e-2, abs=1e-3)


def test_gains_are_over_gblup_and_over_the_fit_without_pairs():
    dosage, y, _, cim = make_case()
    found = fit(dosage, y, cim).summary()
    alone = gblup.fit(dosage, y, parameters={}, seed=0).summary()["log_likelihood"]
    bare = fit(dosage, y, 0 * cim).summary()["log_posterior"]
    assert found["gain"] == pytest.approx(found["log_posterior"] - alone)
    assert found["gain_pairs"] == pytest.approx(found["log_posterior"] - bare)
    assert found["log_likelihood"] >= found["log_posterior"] > bare > alone - 1e-3


def test_sparse_snps_have_half_of_their_weight_from_the_sparse_fit():
    dosage, y, new, cim = make_case()
    model, plain = fit(dosage, y, cim, snps="sparse"), fit(dosage, y, cim)
    told = snp_weights(dosage, y, seed=0)
    squares = np.square(dosage - dosage.mean(0)).sum(0)
    expected = 0.5 + 0.5 * told * squares.sum() / (told @ squares)
    np.testing.assert_allclose(model.snp_weights * squares.sum() / (len(y) - 1), expected)
    assert np.ptp(expected) > 0.1 and np.ptp(plain.snp_weights) == 0
    for each in (model, plain):
        own, _ = dense_kernels(dosage, dosage, each.centre, each.snp_weights)
        assert np.trace(own.sum(0)) == pytest.approx(len(y) - 1)
    np.testing.assert_allclose(model.predict(new), dense_fit(model, dosage, y, new)[0], atol=1e-4)


def test_noise_alone_gains_nothing_by_pairs_and_no_noise_at_all_is_a_bound():
    dosage, rng = draw(60), np.random.default_rng(9)
    found = fit(dosage, rng.normal(size=60), draw_contacts()).summary()
    assert found["gain_pairs"] < 2 and not found["at_bound"]
    found = fit(dosage, dosage @ rng.normal(size=len(CODES)), draw_contacts()).summary()
    assert found["heritability"] > 0.99 and found["at_bound"]


def test_state_is_all_that_predicts(tmp_path):
    dosage, y, new, cim = make_case()
    model = fit(dosage, y, cim)
    np.savez(tmp_path / "state.npz", **model.state())
    with np.load(tmp_path / "state.npz") as saved:
        again = learned_contact_kernel.from_state(dict(saved))
    np.testing.assert_array_equal(again.predict(new), model.predict(new))
    np.testing.assert_array_equal(again.reliability(new), model.reliability(new))
    assert again.pair_weights().equals(model.pair_weights())


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({"contacts": "hic"}, "contacts: found 'hic'"),
        ({"tau": 16}, "tau: found 16"),
        ({"pair_variance": 0}, "pair_variance: found 0"),
        ({"pairs": "free"}, "pairs: found 'free'"),
        ({"taus": 1}, "unknown key 'taus'"),
    ],
)
def test_offending_parameters_are_named(parameters, found):
    dosage, y, _, cim = make_case()
    with pytest.raises(UserError, match=found):
        fit(dosage, y, cim, **parameters)


def test_a_trait_or_snps_without_variance_are_refused():
    dosage, y, _, cim = make_case()
    with pytest.raises(UserError, match="different values"):
        fit(dosage, np.ones(60), cim)
    with pytest.raises(UserError, match="no SNP that differs"):
        fit(np.ones_like(dosage), y, cim)
