"""What elastic net, SVR, forest and boosted trees promise alike: fits, choices, checkpoints."""

import numpy as np
import pytest
from planted_traits import additive_trait, draw_lines, parted

from soyfold.common.errors import UserError
from soyfold.metrics import pearson, r2
from soyfold.models.declarations import declaration
from soyfold.models.loading import import_model
from soyfold.training.checkpoints import read_checkpoint, save_checkpoint

# One choice each, so that validation lines can decide nothing.
FIXED = {
    "elastic_net": {"l1_ratios": [0.5], "steps": 8},
    "svr": {"gammas": [0.25], "costs": [2.0], "epsilons": [0.1]},
    "boosted_trees": {"leaves": [4], "rounds": 30, "patience": 30, "min_samples_leaf": 5},
}
QUICK = {**FIXED, "random_forest": {"trees": 20}}


@pytest.fixture(scope="module")
def parts():
    dosage = draw_lines()
    return parted(dosage, additive_trait(dosage)[0])


def fit(module, train, val, *, seed=0, **parameters):
    model = import_model(module)
    more = {"validation": val} if "validation" in declaration(module).needs else {}
    parameters = {**QUICK[module], **parameters}
    return model.fit(*train, parameters=parameters, seed=seed, **more)


@pytest.mark.parametrize("module", QUICK)
def test_finds_most_of_a_planted_trait(module, parts):
    train, val, (dosage, y) = parts
    own = {"boosted_trees": {"rounds": 500}, "random_forest": {"trees": 100, "max_features": 0.3}}
    own |= {"svr": {"costs": [2.0, 8.0]}, "elastic_net": {"steps": 30}}
    predicted = fit(module, train, val, **own[module]).predict(dosage)
    assert predicted.shape == y.shape and predicted.dtype == np.float64
    least = {"elastic_net": 0.7, "svr": 0.6, "boosted_trees": 0.6, "random_forest": 0.4}
    assert pearson(y, predicted) > least[module]
    assert r2(y, predicted) > 0.2


@pytest.mark.parametrize("module", FIXED)
def test_held_out_knows_the_training_lines_alone(module, parts):
    train, val, (dosage, _) = parts
    blind = fit(module, train, val, refit=False)
    np.testing.assert_allclose(blind.held_out, blind.predict(val[0]), atol=1e-6)
    model = fit(module, train, val)
    np.testing.assert_array_equal(model.held_out, blind.held_out)
    assert np.abs(model.predict(dosage) - blind.predict(dosage)).max() > 1e-3  # it has seen more
    # A refit on shuffled values knows the shuffling, what was held out doesn't.
    if module == "svr":
        shuffled = (val[0], np.random.default_rng(0).permutation(val[1]))
        other = fit(module, train, shuffled)
        np.testing.assert_array_equal(other.held_out, model.held_out)
        assert np.abs(other.predict(dosage) - model.predict(dosage)).max() > 1e-3


@pytest.mark.parametrize("module", QUICK)
def test_predicts_again_from_its_checkpoint(module, parts, tmp_path):
    train, val, (dosage, _) = parts
    model = fit(module, train, val)
    save_checkpoint(tmp_path / "checkpoint.npz", model.state(), kind="direct")
    arrays, _ = read_checkpoint(tmp_path / "checkpoint.npz")
    again = import_model(module).from_state(arrays)
    np.testing.assert_array_equal(again.predict(dosage), model.predict(dosage))


@pytest.mark.parametrize("module", QUICK)
def test_units_of_the_trait_pass_through(module, parts):
    (train, y), (val, observed), (dosage, _) = parts
    found = fit(module, (train, y), (val, observed)).predict(dosage)
    # A power of 2 rounds nothing: trees choose among equal splits by the last digit.
    scaled = fit(module, (train, 128 * y), (val, 128 * observed)).predict(dosage)
    np.testing.assert_allclose(scaled, 128 * found, rtol=1e-9)


@pytest.mark.parametrize("module", QUICK)
def test_same_seed_same_fit_and_seeds_matter_where_there_is_chance(module, parts):
    train, val, (dosage, _) = parts
    first, again, other = (fit(module, train, val, seed=s).predict(dosage) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.array_equal(first, other) == (module in ("elastic_net", "svr"))


@pytest.mark.parametrize("module", QUICK)
def test_bad_input_is_one_line(module, parts):
    (dosage, y), val, _ = parts
    for bad, message in [
        ((dosage, np.full(len(y), 3.0)), "with 1 different values"),
        ((np.ones_like(dosage), y), "no SNP that differs"),
    ]:
        with pytest.raises(UserError, match=message) as error:
            fit(module, bad, val)
        assert f"model {module}" in str(error.value) and "\n" not in str(error.value)
    with pytest.raises(UserError, match="unknown key 'x'"):
        fit(module, (dosage, y), val, x=1)


@pytest.mark.parametrize(
    ("module", "parameters", "message"),
    [
        ("elastic_net", {"l1_ratios": [0.0]}, r"l1_ratios\[0\]: found 0.0"),
        ("elastic_net", {"steps": 1}, "steps: found 1"),
        ("svr", {"costs": [0.0]}, r"costs\[0\]: found 0.0"),
        ("svr", {"epsilons": []}, r"epsilons: found \[\]"),
        ("random_forest", {"max_features": 0}, "max_features: found 0"),
        ("random_forest", {"trees": 0}, "trees: found 0"),
        ("boosted_trees", {"leaves": [1]}, r"leaves\[0\]: found 1"),
        ("boosted_trees", {"snp_share": 2}, "snp_share: found 2"),
    ],
)
def test_parameters_out_of_their_range_are_refused(module, parameters, message, parts):
    train, val, _ = parts
    with pytest.raises(UserError, match=message):
        fit(module, train, val, **parameters)
