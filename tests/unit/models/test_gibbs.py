"""Gibbs samplers against exact posteriors, their own priors, and planted effects."""

import logging
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from soyfold.common.errors import UserError
from soyfold.metrics import pearson, r2
from soyfold.models import bayesb, bayescpi, bayesian_lasso, gblup, gibbs
from soyfold.models.gibbs import Data
from soyfold.models.gibbs_diagnostics import effective_size
from soyfold.models.gibbs_sweeps import GramForm, ResidualForm, choose_form

MODELS = {"bayesb": bayesb, "bayescpi": bayescpi, "bayesian_lasso": bayesian_lasso}
SHORT = {"iterations": 60, "burn_in": 20}
OPTIONS = {"iterations": 4000, "burn_in": 100, "chains": 2, "r2": 0.5}


def make_case(n=300, markers=120, causal=8, *, noise=1.0, seed=0):
    """Dosages in linkage, a trait of few effects, and the effects."""
    rng = np.random.default_rng(seed)
    latent = rng.normal(size=(n, markers))
    for j in range(1, markers):
        latent[:, j] = 0.6 * latent[:, j - 1] + 0.8 * latent[:, j]
    dosage = np.digitize(latent, [-0.5, 0.6]).astype(np.int8)
    effects = np.zeros(markers)
    where = np.linspace(3, markers - 4, causal).astype(int)
    effects[where] = np.where(np.arange(causal) % 2, -0.8, 0.8)
    y = 12 + dosage @ effects + noise * rng.normal(size=n)
    return dosage, y, effects


class FixedLaw:
    """Spike and normal slab with all variances given: its posterior can be written down.

    A residual sum of squares and degrees of freedom beyond any data hold s_e^2 where it is.
    """

    changing = 1.0

    def __init__(self, variance, residual_variance, odds=None):
        self.variance, self.residual_variance = variance, residual_variance
        self.log_odds = None if odds is None else np.log(odds)

    def update(self, rng, effects, residual_variance):
        pass

    def residual_terms(self, effects):
        return 1e14 * self.residual_variance, 1e14

    def figures(self):
        return {}


def sample(dosage, y, law, *, form=None, **options):
    return gibbs.fit_effects(
        dosage, y, law, options={**OPTIONS, **options}, seed=1, model="test", form=form
    )


@pytest.mark.parametrize("form", [GramForm, ResidualForm])
def test_normal_effects_with_given_variances_are_ridge_regression(form):
    dosage, y, _ = make_case(80, 30)
    model = sample(dosage, y, lambda data, start: FixedLaw(0.05, 0.9), form=form)
    ridge = gblup.fit(dosage, y, parameters={"ridge_lambda": 0.9 / 0.05}, seed=0)
    Z = dosage - dosage.mean(0)
    sd = np.sqrt(0.9 * np.linalg.inv(Z.T @ Z + 18 * np.eye(30)).diagonal())
    # Neighbours are correlated, so that 8,000 draws are worth fewer; 1,500 surely.
    assert np.abs((model.effects - ridge.effects) / sd).max() < 4 / np.sqrt(1500)
    assert (model.inclusion == 1).all()
    assert model.intercept == y.mean()


def exact_posterior(dosage, y, variance, residual_variance, odds):
    """Means and inclusion of effects by summing over all subsets of SNPs."""
    Z, centred, L = dosage - dosage.mean(0), y - y.mean(), dosage.shape[1]
    weights, means, subsets = [], [], []
    for subset in product([False, True], repeat=L):
        chosen = np.array(subset)
        X = Z[:, chosen]
        precision = X.T @ X / residual_variance + np.eye(chosen.sum()) / variance
        right = X.T @ centred / residual_variance
        mean = np.zeros(L)
        mean[chosen] = np.linalg.solve(precision, right)
        fitted = 0.5 * right @ mean[chosen]
        size = 0.5 * (np.linalg.slogdet(precision)[1] + chosen.sum() * np.log(variance))
        weights.append(fitted - size + chosen.sum() * np.log(odds))
        means.append(mean)
        subsets.append(chosen)
    weights = np.exp(np.array(weights) - max(weights))
    weights /= weights.sum()
    return weights @ np.array(means), weights @ np.array(subsets)


@pytest.mark.parametrize("form", [GramForm, ResidualForm])
def test_spike_and_slab_is_the_sum_over_all_subsets(form):
    dosage, _, _ = make_case(60, 7)
    y = dosage[:, 2] * 0.25 - dosage[:, 5] * 0.2 + np.random.default_rng(5).normal(size=60)
    effects, inclusion = exact_posterior(dosage, y, 0.1, 1.1, 0.4)
    model = sample(dosage, y, lambda data, start: FixedLaw(0.1, 1.1, 0.4), form=form)
    assert inclusion.min() > 0.1 and inclusion.max() < 0.95  # nothing here is a matter of course
    np.testing.assert_allclose(model.inclusion, inclusion, atol=0.03)
    np.testing.assert_allclose(model.effects, effects, atol=0.01)


@pytest.mark.parametrize("name", MODELS)
def test_both_forms_draw_the_same_chain(name, monkeypatch):
    dosage, y, _ = make_case()
    found = []
    for form in (GramForm, ResidualForm):
        monkeypatch.setattr(gibbs, "choose_form", lambda *_, form=form: form)
        found.append(MODELS[name].fit(dosage, y, parameters=SHORT, seed=3))
    gram, residual = found
    np.testing.assert_allclose(gram.effects, residual.effects, atol=1e-4)
    np.testing.assert_array_equal(gram.inclusion, residual.inclusion)
    for key, value in gram.summary().items():
        assert value == pytest.approx(residual.summary()[key], rel=1e-3), key


@pytest.mark.parametrize("chains", [1, 2, 3])
def test_a_sweep_of_any_number_of_chains_is_the_same_in_both_forms(chains):
    random = np.random.default_rng(chains)
    dosage = random.binomial(2, 0.4, (70, 40)).astype(np.int8)
    y = random.normal(size=70)
    forms = [form(dosage, y - y.mean(), chains=chains) for form in (GramForm, ResidualForm)]
    for _ in range(5):
        gain, cut, noise = random.random((3, chains, 40)) * np.array([1, 30, 0.2])[:, None, None]
        for form in forms:
            form.sweep(gain, cut, 1 / (form.diagonal + np.ones((chains, 1))), noise)
    assert 0 < (forms[0].effects == 0).mean() < 1
    np.testing.assert_allclose(forms[1].effects, forms[0].effects, atol=1e-5)
    np.testing.assert_allclose(forms[1].squares(), forms[0].squares(), rtol=1e-4)


def test_the_rule_that_chooses_a_form():
    assert choose_form(5000, 4000, 1.0) is GramForm  # L^2 < 2 n L
    assert choose_form(1000, 4000, 1.0) is ResidualForm
    assert choose_form(1000, 4000, 0.1) is GramForm  # few effects change
    assert choose_form(50000, 30000, 0.1) is ResidualForm  # Z'Z of 3.6 GB


LAWS = {
    "bayesb": lambda data, start: bayesb.SparseT(data, start, pi=0.4),
    "bayescpi": lambda data, start: bayescpi.SparseNormal(data, start, pi=None),
    "bayesian_lasso": bayesian_lasso.DoubleExponential,
}


def priors(data):
    """What each model's parameters are distributed as before any data."""
    d, half = gibbs.DEGREES, data.variance * data.r2 / data.spread
    residual = data.variance * (1 - data.r2) * (d + 2)
    mode_b, mode_c = half * (d + 2) / 0.6, half * (d + 2) / 0.5
    mode_lambda = 2 * (1 - data.r2) / data.r2 * data.spread
    return {
        "variance_residual": stats.invgamma(d / 2, scale=residual / 2),
        "scale": stats.gamma(1.1, scale=mode_b / 0.1),
        "variance_snp": stats.invgamma(d / 2, scale=mode_c / 2),
        "pi": stats.beta(5, 5),
        "lambda^2": stats.gamma(1.1, scale=mode_lambda / 0.1),
    }


@pytest.mark.parametrize("name", LAWS)
def test_sampling_trait_and_parameters_in_turn_gives_the_prior_back(name):
    """Geweke 2004 (doi:10.1198/016214504000001132): any wrong conditional would show."""
    rng = np.random.default_rng(2)
    dosage = rng.integers(0, 3, (6, 3)).astype(np.int8)
    Z = dosage - dosage.mean(0)
    data = Data(6, 3, variance=2.0, spread=float(dosage.var(0).sum()), r2=0.5)
    chains = gibbs._Chains(GramForm(dosage, np.zeros(6), chains=1), [LAWS[name](data, 0.5)],
                           [rng], data, [0.5])  # fmt: skip
    ones = np.ones((1, 3))
    draws = []
    for _ in range(12000):
        effects = chains.form.effects
        e = rng.normal(size=6) * np.sqrt(chains.residual_variance[0])
        chains.form = GramForm(dosage, Z @ effects[0] + e - e.mean(), chains=1)
        # A sweep without any pull: it takes over the effects as they are.
        chains.form.sweep(0 * ones, -ones, 0 * ones, effects)
        draws.append(chains.step()[0])
    table = pd.DataFrame(draws)
    if "lambda" in table:
        table["lambda^2"] = table["lambda"] ** 2
    compared = {key: law for key, law in priors(data).items() if key in table}
    assert len(compared) >= 2
    for key, law in compared.items():
        for q in (0.25, 0.5, 0.75):
            below = (table[key] < law.ppf(q)).to_numpy(dtype=float)
            error = np.sqrt(q * (1 - q) / effective_size(below[None]))
            assert error < 0.05
            assert abs(below.mean() - q) < 4 * error, (key, q)


@pytest.mark.parametrize("name", MODELS)
def test_planted_effects_come_back(name):
    dosage, y, effects = make_case(600, 200, 10)
    new, y_new, _ = make_case(200, 200, 10, seed=1)
    found = MODELS[name].fit(dosage, y, parameters={"iterations": 600, "burn_in": 200}, seed=0)
    assert pearson(effects, found.effects) > 0.96
    assert pearson(y_new, found.predict(new)) > 0.8
    # A sparse truth is nearer to what they assume than to ridge regression.
    ridge = gblup.fit(dosage, y, parameters={}, seed=0)
    error, error_ridge = (np.square(m.effects - effects).sum() for m in (found, ridge))
    assert error < 0.7 * error_ridge
    planted = effects != 0
    if name == "bayesian_lasso":
        assert (found.inclusion == 1).all()
        Z = dosage - dosage.mean(0)
        least_squares = np.linalg.lstsq(Z, y - y.mean(), rcond=None)[0]
        assert np.abs(found.effects).sum() < 0.8 * np.abs(least_squares).sum()
    else:
        assert found.inclusion[planted].min() > 0.95
        assert found.inclusion[~planted].mean() < 0.15
    explained = 1 - 1 / y.var()
    assert found.summary()["heritability"] == pytest.approx(explained, abs=0.07)
    assert found.summary()["variance_residual"] == pytest.approx(1, rel=0.15)
    assert found.summary()["rhat"] < 1.2 and found.summary()["rhat_predictions"] < 1.1


@pytest.mark.parametrize("share", [0.95, 0.5])
def test_bayescpi_finds_how_many_snps_matter(share):
    rng = np.random.default_rng(4)
    dosage = rng.integers(0, 3, (800, 200)).astype(np.int8)
    effects = np.where(rng.random(200) < share, 0, rng.normal(size=200))
    y = dosage @ effects + rng.normal(size=800)
    found = bayescpi.fit(dosage, y, parameters={"iterations": 400, "burn_in": 100}, seed=0)
    assert found.summary()["pi"] == pytest.approx((effects == 0).mean(), abs=0.08)
    assert found.summary()["included"] == pytest.approx((effects != 0).sum(), rel=0.25)
    fixed = bayescpi.fit(dosage, y, parameters={**SHORT, "pi": 0.3}, seed=0)
    assert "pi" not in fixed.summary()


@pytest.mark.parametrize("name", MODELS)
def test_much_data_leaves_least_squares(name):
    rng = np.random.default_rng(0)
    dosage = rng.integers(0, 3, (20000, 3)).astype(np.int8)
    y = dosage @ [2.0, -1.0, 0.5] + rng.normal(size=20000)
    Z = dosage - dosage.mean(0)
    expected = np.linalg.lstsq(Z, y - y.mean(), rcond=None)[0]
    found = MODELS[name].fit(dosage, y, parameters={"iterations": 400, "burn_in": 50}, seed=0)
    np.testing.assert_allclose(found.effects, expected, atol=0.003)


@pytest.mark.parametrize("name", MODELS)
def test_the_seed_decides_every_byte(name):
    dosage, y, _ = make_case()
    first, again, other = (
        MODELS[name].fit(dosage, y, parameters=SHORT, seed=seed) for seed in (7, 7, 8)
    )
    assert first.effects.tobytes() == again.effects.tobytes()
    assert first.summary() == again.summary()
    assert (first.effects != other.effects).any()


@pytest.mark.parametrize("name", MODELS)
def test_units_and_fixed_snps_change_nothing(name):
    dosage, y, _ = make_case()
    wanted = MODELS[name].fit(dosage, y, parameters=SHORT, seed=0)
    scaled = MODELS[name].fit(dosage, 10 * y - 3, parameters=SHORT, seed=0)
    np.testing.assert_allclose(scaled.effects, 10 * wanted.effects, rtol=1e-5, atol=1e-7)
    assert scaled.summary()["variance_residual"] == pytest.approx(
        100 * wanted.summary()["variance_residual"]
    )
    fixed = np.full((len(y), 5), 2, dtype=np.int8)
    wide = MODELS[name].fit(np.hstack([fixed, dosage]), y, parameters=SHORT, seed=0)
    assert (wide.effects[:5] == 0).all() and (wide.inclusion[:5] == 0).all()
    np.testing.assert_array_equal(wide.effects[5:], wanted.effects)


def test_state_is_enough_to_predict():
    dosage, y, _ = make_case()
    model = bayesb.fit(dosage, y, parameters=SHORT, seed=0)
    state = model.state()
    expected = state["intercept"] + (dosage - state["centre"]) @ state["effects"]
    np.testing.assert_allclose(model.predict(dosage), expected, atol=1e-10)
    assert state["inclusion"].shape == state["effects"].shape


def test_chains_that_cannot_meet_are_reported(caplog):
    dosage, y, _ = make_case(100, 30)
    with caplog.at_level(logging.WARNING, logger="soyfold"):
        met = sample(dosage, y, lambda data, start: FixedLaw(0.05, 0.9), iterations=400)
        assert not caplog.records
        apart = sample(dosage, y, lambda data, start: FixedLaw(start / 50, 0.9), iterations=400)
    assert met.summary()["rhat"] < 1.05 and met.summary()["rhat_predictions"] < 1.05
    assert apart.summary()["rhat"] > 1.1 and apart.summary()["rhat_predictions"] > 1.1
    assert "chains haven't met" in caplog.text and "predictions" in caplog.text


@pytest.mark.parametrize("mean", [0.2, 1.0, 30.0])
def test_inverse_gaussian_draws(mean):
    shape = 2.0
    draws = bayesian_lasso.inverse_gaussian(np.random.default_rng(1), np.full(20000, mean), shape)
    law = stats.invgauss(mean / shape, scale=shape)
    assert stats.kstest(draws, law.cdf).pvalue > 1e-3


def test_inverse_gaussian_with_a_huge_mean_is_levy():
    draws = bayesian_lasso.inverse_gaussian(np.random.default_rng(1), np.full(20000, 1e20), 2.0)
    assert stats.kstest(draws, stats.levy(scale=2.0).cdf).pvalue > 1e-3


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("bayesb", {"y": np.ones(300)}, "300 training lines with 1 different"),
        ("bayesb", {"parameters": {"pi": 1}}, "pi: found 1 .*; allowed: below 1"),
        ("bayescpi", {"parameters": {"pi": -0.1}}, "pi: found -0.1"),
        ("bayesian_lasso", {"parameters": {"r2": 0}}, "r2: found 0 .*; allowed: above 0"),
        ("bayesian_lasso", {"parameters": {"pi": 0.5}}, "unknown key 'pi'"),
        ("bayesb", {"parameters": {"chains": 0}}, "chains: found 0 .*; allowed: at least 1"),
        ("bayescpi", {"parameters": {"iterations": 1.5}}, "iterations: found 1.5"),
    ],
)
def test_bad_input_is_one_line(name, change, message):
    dosage, y, _ = make_case()
    with pytest.raises(UserError, match=message) as error:
        MODELS[name].fit(**{"dosage": dosage, "y": y, "parameters": {}, "seed": 0, **change})
    assert "\n" not in str(error.value)


@pytest.mark.real_data
def test_yeast_trait_with_a_large_qtl_is_beyond_gblup(real_data):
    """Cadmium chloride hangs on few loci: what a sparse prior is made for."""
    folder = real_data / "yeast"
    genotypes = pd.read_csv(folder / "genotypes.txt.gz", sep="\t", index_col=0)
    traits = pd.read_csv(folder / "phenotypes.tsv.gz", sep="\t", index_col=0)
    gblup_r2 = pd.read_csv(folder / "baselines.tsv", sep="\t", index_col=0).r2["Cadmium_Chloride"]
    y = traits["Cadmium_Chloride"].reindex(genotypes.columns).to_numpy()
    dosage = (genotypes.T == "R").to_numpy().astype(np.int8) * 2
    order = np.random.default_rng(0).permutation(np.flatnonzero(np.isfinite(y)))
    test, training = np.split(order, [len(order) // 5])
    parameters = {"pi": 0.99, "iterations": 300, "burn_in": 100}
    found = bayesb.fit(dosage[training], y[training], parameters=parameters, seed=0)
    assert r2(y[test], found.predict(dosage[test])) > gblup_r2 + 0.1
