"""Family means against mixed model equations, the literal likelihood and analysis of variance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soyfold.common.errors import UserError
from soyfold.models import family_mean
from soyfold.training.checkpoints import read_checkpoint, save_checkpoint

SIZES = (3, 17, 8, 30, 1, 12)


def draw(sizes=SIZES, *, between=1.5, seed=0):
    rng = np.random.default_rng(seed)
    families = np.repeat([f"F{i}" for i in range(len(sizes))], sizes)
    effects = np.repeat(between * rng.standard_normal(len(sizes)), sizes)
    return families, 30 + effects + rng.standard_normal(len(families))


def fit(y, families):
    dosage = np.zeros((len(y), 2), dtype=np.int8)
    return family_mean.fit(dosage, y, parameters={}, seed=0, families=families)


def predict(model, *families):
    dosage = np.zeros((len(families), 2), dtype=np.int8)
    return model.predict(dosage, families=np.array(families, dtype=str))


def ratio_of(model):
    figures = model.summary()
    return figures["variance_families"] / figures["variance_residual"]


def literal_log_likelihood(y, families, ratio):
    """REML log-likelihood from V and P, s_e^2 profiled, as in gblup's test."""
    n = len(y)
    V = np.eye(n) + ratio * (families[:, None] == families)
    V_inverse = np.linalg.inv(V)
    ones = np.ones(n)
    XVX = ones @ V_inverse @ ones
    residual = y - (ones @ V_inverse @ y) / XVX
    variance = residual @ V_inverse @ residual / (n - 1)
    logs = np.linalg.slogdet(V)[1] + np.log(XVX) - np.log(n)
    return -0.5 * (logs + (n - 1) * (np.log(2 * np.pi * variance) + 1))


def test_predictions_solve_hendersons_mixed_model_equations():
    families, y = draw()
    model = fit(y, families)
    names = np.unique(families)
    Z = (families[:, None] == names).astype(float)
    X = np.ones((len(y), 1))
    left = np.block([[X.T @ X, X.T @ Z], [Z.T @ X, Z.T @ Z + np.eye(len(names)) / ratio_of(model)]])
    mu, *effects = np.linalg.solve(left, np.concatenate([X.T @ y, Z.T @ y]))
    assert model.mean == pytest.approx(mu)
    np.testing.assert_allclose(predict(model, *names), mu + np.array(effects), rtol=1e-10)


def test_reml_is_the_top_of_the_literal_likelihood():
    families, y = draw()
    model = fit(y, families)
    top, ratio = model.summary()["log_likelihood"], ratio_of(model)
    assert top == pytest.approx(literal_log_likelihood(y, families, ratio), abs=1e-9)
    others = ratio * np.geomspace(1e-3, 1e3, 121)
    assert max(literal_log_likelihood(y, families, x) for x in others) <= top + 1e-9


def test_balanced_families_have_the_variances_of_anova():
    families, y = draw([10] * 12)
    means = y.reshape(12, 10).mean(1)
    within = np.square(y.reshape(12, 10) - means[:, None]).sum() / (12 * 9)
    between = (10 * means.var(ddof=1) - within) / 10
    figures = fit(y, families).summary()
    assert figures["variance_residual"] == pytest.approx(within, rel=1e-6)
    assert figures["variance_families"] == pytest.approx(between, rel=1e-6)
    assert figures["share_between_families"] == pytest.approx(between / (between + within))


def test_families_that_do_not_differ_are_all_predicted_as_the_mean():
    families, y = draw([20] * 10, between=0.0, seed=4)
    y = y - np.repeat(y.reshape(10, 20).mean(1), 20) + 30.0
    model = fit(y, families)
    np.testing.assert_allclose(model.values, 30.0, atol=1e-4)
    assert model.summary()["at_bound"] and not fit(*draw()[::-1]).summary()["at_bound"]


def test_a_family_without_training_lines_and_a_line_of_none_get_mu():
    families, y = draw()
    model = fit(y, families)
    assert (predict(model, "A", "F15", "zz", "") == model.mean).all()
    assert predict(model, "F1")[0] != model.mean
    strangers = np.concatenate([families, ["", ""]])
    again = fit(np.concatenate([y, [900.0, -900.0]]), strangers)
    np.testing.assert_array_equal(again.values, model.values)
    assert again.summary()["lines_of_no_family"] == 2


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.floats(0.0, 3.0))
def test_every_family_lies_between_its_mean_and_mu(seed, between):
    families, y = draw(between=between, seed=seed)
    model = fit(y, families)
    for name, value in zip(model.names, model.values, strict=True):
        mean = y[families == name].mean()
        low, high = sorted([mean, model.mean])
        assert low - 1e-9 <= value <= high + 1e-9


def test_units_of_the_trait_pass_through():
    families, y = draw()
    model, scaled = fit(y, families), fit(10 * y - 3, families)
    np.testing.assert_allclose(scaled.values, 10 * model.values - 3, rtol=1e-6)


def test_predicts_again_from_its_checkpoint(tmp_path):
    families, y = draw()
    model = fit(y, families)
    save_checkpoint(tmp_path / "checkpoint.npz", model.state(), kind="direct")
    again = family_mean.from_state(read_checkpoint(tmp_path / "checkpoint.npz")[0])
    names = [*np.unique(families), "none of them"]
    np.testing.assert_array_equal(predict(again, *names), predict(model, *names))


@pytest.mark.parametrize(
    ("families", "y", "message"),
    [
        (["a"] * 4, [1.0, 2, 3, 4], "in 1 families of at most 4.*cohort.families"),
        (list("abcd"), [1.0, 2, 3, 4], "in 4 families of at most 1"),
        ([""] * 4, [1.0, 2, 3, 4], "0 training lines in 0 families"),
        (list("aabb"), [1.0, 1, 2, 2], "one value for all lines of a family"),
    ],
)
def test_families_that_tell_nothing_are_one_line(families, y, message):
    with pytest.raises(UserError, match=message) as error:
        fit(np.array(y), np.array(families))
    assert "\n" not in str(error.value)
