"""The contact kernel against the model written out SNP pair by SNP pair, and against GBLUP."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soyfold.common import blocks
from soyfold.common.errors import UserError
from soyfold.metrics import pearson
from soyfold.models import contact_kernel, gblup
from soyfold.models.kernels import pairs as kernels
from soyfold.models.kernels.weights import pair_weights

LINES, NEW = 60, 15
SIZES = (9, 4, 6, 11)  # SNPs of the chromosomes


def make_case(seed=0):
    """Dosages, a trait with products of SNPs on chromosomes 0 and 3, new dosages, a CIM."""
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(len(SIZES)), SIZES)
    dosage = rng.binomial(2, 0.4, (LINES + NEW, len(codes))).astype(np.int8)
    z = dosage - dosage.mean(0)
    y = z @ rng.normal(size=len(codes)) + 6 * z[:, 1] * z[:, -2] - 5 * z[:, 2] * z[:, -3]
    y = 20 + y + rng.normal(size=len(y))
    contacts = rng.uniform(0.5, 1.5, (len(SIZES),) * 2)
    contacts = contacts + contacts.T
    contacts[0, 3] = contacts[3, 0] = 6.0
    return dosage[:LINES], y[:LINES], dosage[LINES:], contacts, codes


def fit(dosage, y, cim, codes, **parameters):
    return contact_kernel.fit(
        dosage, y, parameters=parameters, seed=0, cim=cim, snp_chromosome=codes
    )


def literal_features(dosage, centre, codes, weights):
    """One column for every pair of SNPs on different chromosomes: sqrt(w) z_s z_t."""
    z = dosage - centre
    pairs = [(s, t) for s, t in combinations(range(len(codes)), 2) if codes[s] != codes[t]]
    columns = [np.sqrt(weights[codes[s], codes[t]]) * z[:, s] * z[:, t] for s, t in pairs]
    return z, np.stack(columns, axis=1)


def scaled(features):
    """Centred kernel of mean diagonal 1 from features, with the centred features."""
    factor = 1 / np.sqrt(np.square(features).sum() / (len(features) - 1))
    return factor * features


def test_products_equal_the_sum_over_snp_pairs():
    dosage, _, new, cim, codes = make_case()
    weights = pair_weights(cim, contacts="cim", power=2)
    centre = dosage.mean(0)
    _, phi = literal_features(dosage, centre, codes, weights)
    products = kernels.pair_products(dosage, centre, codes, weights)
    np.testing.assert_allclose(products, phi @ phi.T, atol=1e-10)
    _, phi_new = literal_features(new, centre, codes, weights)
    blocks = kernels.cross_products(new, dosage, centre, codes, weights)
    np.testing.assert_allclose(np.vstack([b for _, b in blocks]), phi_new @ phi.T, atol=1e-10)


@pytest.mark.parametrize("share", [0.3, 1.0, None])
def test_predictions_equal_ridge_regression_on_snps_and_pairs_of_snps(share):
    dosage, y, new, cim, codes = make_case()
    model = fit(dosage, y, cim, codes, share=share, power=2)
    found = model.summary()
    z, phi = literal_features(dosage, dosage.mean(0), codes, model.weights)
    z_new, phi_new = literal_features(new, dosage.mean(0), codes, model.weights)
    mean = phi.mean(0)
    norms = [np.square(f).sum() / (LINES - 1) for f in (z, phi - mean)]
    factors = np.sqrt(np.array([1 - found["share"], found["share"]]) / norms)
    design = np.hstack([factors[0] * z, factors[1] * (phi - mean)])
    design_new = np.hstack([factors[0] * z_new, factors[1] * (phi_new - mean)])
    ridge = found["variance_residual"] / found["variance_genetic"]
    inner = design.T @ design + ridge * np.eye(design.shape[1])
    effects = np.linalg.solve(inner, design.T @ (y - y.mean()))
    expected = y.mean() + design_new @ effects
    np.testing.assert_allclose(model.predict(new), expected, atol=1e-7)


def gls_log_likelihood(V, y):
    """REML of generalised least squares, the variance that multiplies V profiled out."""
    n, X = len(y), np.ones((len(y), 1))
    inverse = np.linalg.inv(V)
    XVX = X.T @ inverse @ X
    P = inverse - inverse @ X @ np.linalg.inv(XVX) @ X.T @ inverse
    logs = np.linalg.slogdet(V)[1] + np.linalg.slogdet(XVX)[1] - np.log(n)
    return -0.5 * (logs + (n - 1) * (np.log(2 * np.pi * (y @ P @ y) / (n - 1)) + 1))


@pytest.mark.parametrize("share", [0.4, None])
def test_likelihood_is_that_of_generalised_least_squares(share):
    dosage, y, _, cim, codes = make_case()
    found = fit(dosage, y, cim, codes, contacts="cim", power=1, share=share).summary()
    weights = pair_weights(cim, contacts="cim", power=1)
    z, phi = literal_features(dosage, dosage.mean(0), codes, weights)
    z, phi = scaled(z), scaled(phi - phi.mean(0))
    share, noise = found["share"], found["variance_residual"] / found["variance_genetic"]
    V = (1 - share) * z @ z.T + share * phi @ phi.T + noise * np.eye(LINES)
    assert found["log_likelihood"] == pytest.approx(gls_log_likelihood(V, y), rel=1e-9)
    assert found["heritability"] == pytest.approx(1 / (1 + noise))


def best_of_a_grid(additive, products, traits):
    """By trait the highest REML log-likelihood over shares and heritabilities, by eigenvectors."""
    freedom, ridges = len(additive) - 1, np.exp(np.linspace(np.log(1e-5), np.log(1e5), 200))
    best = np.full(len(traits), -np.inf)
    for share in np.linspace(0, 1, 101):
        values, vectors = np.linalg.eigh((1 - share) * additive + share * products)
        spread = np.maximum(values[:, None], 0) + ridges
        variance = np.square(traits @ vectors) @ (1 / spread) / freedom
        logs = np.log(spread).sum(0) - np.log(ridges)  # but for the intercept, whose value is 0
        heights = freedom * (np.log(2 * np.pi * variance) + 1) + logs
        best = np.maximum(best, (-0.5 * heights).max(1))
    return best


def test_reml_is_nowhere_beaten_on_a_grid_where_little_is_additive():
    """24 traits of products, with shares of additive variance of 0 to 0.03."""
    random = np.random.default_rng(5)
    n, sizes = 150, (30, 20, 25, 25, 20)
    codes = np.repeat(np.arange(len(sizes)), sizes)
    dosage = random.binomial(2, 0.4, (n, len(codes))).astype(np.int8)
    weights = 1 - np.eye(len(sizes))
    z = scaled(dosage - dosage.mean(0))
    products = kernels.pair_products(dosage, dosage.mean(0), codes, weights)
    margins = np.eye(n) - 1 / n
    products = margins @ products @ margins
    products /= np.trace(products) / (n - 1)
    root = np.linalg.cholesky(products + 1e-9 * np.eye(n))
    traits = []
    for share in (0.3, 0.6, 0.9, 0.97):
        for little in (0, 0.01, 0.03):
            for _ in range(2):
                y = np.sqrt(little) * z @ random.normal(size=z.shape[1])
                y += np.sqrt(share) * root @ random.normal(size=n)
                traits.append(y + np.sqrt(max(0, 1 - share - little)) * random.normal(size=n))
    highest = best_of_a_grid(z @ z.T, products, np.array(traits) @ margins)
    for y, height in zip(traits, highest, strict=True):
        found = fit(dosage, y, weights, codes, contacts="size", power=1).summary()
        assert found["log_likelihood"] > height - 0.01


@pytest.mark.parametrize("way", ["share 0", "zero CIM", "identity CIM"])
def test_gblup_is_the_special_case_without_products(way):
    dosage, y, new, cim, codes = make_case()
    cim = {"share 0": cim, "zero CIM": 0 * cim, "identity CIM": np.eye(len(cim))}[way]
    model = fit(dosage, y, cim, codes, **({"share": 0} if way == "share 0" else {}))
    reference = gblup.fit(dosage, y, parameters={}, seed=0)
    np.testing.assert_allclose(model.predict(new), reference.predict(new), atol=1e-4)
    for name in ("heritability", "log_likelihood", "variance_genetic"):
        assert model.summary()[name] == pytest.approx(reference.summary()[name], rel=1e-4)
    assert model.summary()["gain"] == 0
    assert len(model.lines) == 0


def test_names_of_chromosomes_do_not_matter():
    dosage, y, new, cim, codes = make_case()
    order = np.array([2, 0, 3, 1])
    renamed = fit(dosage, y, cim[np.ix_(order, order)], np.argsort(order)[codes], power=2)
    expected = fit(dosage, y, cim, codes, power=2).predict(new)
    np.testing.assert_allclose(renamed.predict(new), expected, atol=1e-6)


def test_the_right_contacts_are_likelier_than_shuffled_ones():
    dosage, y, _, cim, codes = make_case()
    right = fit(dosage, y, cim, codes, contacts="cim").summary()["gain"]
    # Chromosomes 0 and 3 are the pair with products; here others take its contacts.
    for order in ([1, 0, 2, 3], [0, 1, 3, 2], [1, 0, 3, 2]):
        wrong = cim[np.ix_(order, order)]
        assert right > 2 + fit(dosage, y, wrong, codes, contacts="cim").summary()["gain"]


def test_state_is_all_that_predicts(tmp_path):
    dosage, y, new, cim, codes = make_case()
    model = fit(dosage, y, cim, codes)
    np.savez(tmp_path / "state.npz", **model.state())
    with np.load(tmp_path / "state.npz") as saved:
        again = contact_kernel.KernelModel(**saved, figures={})
    np.testing.assert_array_equal(again.predict(new), model.predict(new))
    assert pearson(y, model.predict(dosage)) > 0.9


def test_blocks_change_nothing(monkeypatch):
    dosage, y, new, cim, codes = make_case()
    expected = fit(dosage, y, cim, codes).predict(new)
    monkeypatch.setattr(kernels, "FLOATS", 1)  # the smallest blocks there are
    monkeypatch.setattr(blocks, "BLOCK", 7)
    np.testing.assert_allclose(fit(dosage, y, cim, codes).predict(new), expected, atol=1e-6)


@settings(max_examples=30)
@given(st.integers(3, 8), st.integers(0, 1000), st.floats(0.1, 12))
def test_weights_keep_their_promises(size, seed, power):
    rng = np.random.default_rng(seed)
    length = rng.uniform(1, 5, size)
    contacts = np.outer(length, length) * rng.uniform(0.8, 1.2, (size, size))
    contacts += contacts.T
    for source in ("cim", "observed_expected", "size"):
        weights = pair_weights(contacts, contacts=source, power=power)
        np.testing.assert_array_equal(weights, weights.T)
        assert not np.diag(weights).any()
        between = weights[np.triu_indices(size, 1)]
        assert between.mean() == pytest.approx(1)
        thrice = pair_weights(3 * contacts, contacts=source, power=power)
        np.testing.assert_allclose(thrice, weights, rtol=1e-6)
    # A genome without structure has nothing to tell beyond its sizes.
    plain = pair_weights(np.outer(length, length), contacts="observed_expected", power=power)
    np.testing.assert_allclose(plain, pair_weights(contacts, contacts="size", power=1), rtol=1e-6)


def test_power_sharpens_and_the_order_stays():
    cim = make_case()[3]
    flat, sharp = (pair_weights(cim, contacts="cim", power=p) for p in (1, 8))
    first = np.triu_indices(len(cim), 1)
    np.testing.assert_array_equal(np.argsort(flat[first]), np.argsort(sharp[first]))
    assert sharp[0, 3] > 2 * flat[0, 3]


@pytest.mark.parametrize(
    ("parameters", "found"),
    [
        ({"contacts": "hic"}, "contacts: found 'hic'"),
        ({"power": -1}, "power: found -1"),
        ({"share": 1.5}, "share: found 1.5"),
        ({"share": True}, "share: found True"),
        ({"sharpness": 1}, "unknown key 'sharpness'"),
    ],
)
def test_offending_parameters_are_named(parameters, found):
    dosage, y, _, cim, codes = make_case()
    with pytest.raises(UserError, match=found):
        fit(dosage, y, cim, codes, **parameters)


def test_a_trait_or_snps_without_variance_are_refused():
    dosage, y, _, cim, codes = make_case()
    with pytest.raises(UserError, match="different values"):
        fit(dosage, np.ones(LINES), cim, codes)
    with pytest.raises(UserError, match="no SNP that differs"):
        fit(np.ones_like(dosage), y, cim, codes)
