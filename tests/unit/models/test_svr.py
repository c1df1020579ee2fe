"""SVR against libsvm's own Gaussian kernel, and the conditions of its optimum."""

import numpy as np
import pytest
from planted_traits import additive_trait, draw_lines, interaction_trait, parted
from scipy.spatial.distance import cdist
from sklearn.svm import SVR

from soyfold.metrics import pearson
from soyfold.models import elastic_net, svr

ONE = {"gammas": [0.5], "costs": [4.0], "epsilons": [0.2]}


@pytest.fixture(scope="module")
def parts():
    dosage = draw_lines()
    return parted(dosage, additive_trait(dosage)[0])


def fit(parts, **parameters):
    train, val, _ = parts
    return svr.fit(*train, parameters=parameters, seed=0, validation=val)


def test_squared_distances_are_exact():
    left, right = draw_lines(7, 500), draw_lines(5, 500, seed=1)
    wanted = cdist(left.astype(float), right.astype(float), "sqeuclidean")
    np.testing.assert_array_equal(svr.squared_distances(left, right), wanted)


def test_predicts_as_libsvm_with_its_own_kernel(parts):
    model = fit(parts, **ONE, refit=False)
    (dosage, y), _, (new, _) = parts
    distances = cdist(dosage.astype(float), dosage.astype(float), "sqeuclidean")
    spread = distances[np.triu_indices(len(y), 1)].mean()
    assert model.rate == pytest.approx(0.5 / spread)
    own = SVR(kernel="rbf", gamma=0.5 / spread, C=4.0, epsilon=0.2)
    wanted = y.mean() + y.std() * own.fit(dosage, (y - y.mean()) / y.std()).predict(new)
    np.testing.assert_allclose(model.predict(new), wanted, atol=0.01 * y.std())


def test_lines_that_support_nothing_lie_within_epsilon(parts):
    model = fit(parts, **ONE, refit=False)
    (dosage, y), _, _ = parts
    error = np.abs(model.predict(dosage) - y) / y.std()
    support = (dosage[:, None] == model.lines).all(-1).any(1)
    assert 0 < support.sum() < len(y)
    assert error[~support].max() <= 0.2 + 2e-3
    assert np.abs(model.weights).max() <= 4.0 * y.std() + 1e-9
    assert model.weights.sum() == pytest.approx(0.0, abs=1e-6)


def test_the_best_of_the_grid_is_taken(parts):
    grid = {"gammas": [0.1, 1.0], "costs": [0.1, 3.0], "epsilons": [0.1, 0.8]}
    errors = {}
    for gamma in grid["gammas"]:
        for cost in grid["costs"]:
            for epsilon in grid["epsilons"]:
                alone = fit(parts, gammas=[gamma], costs=[cost], epsilons=[epsilon])
                errors[gamma, cost, epsilon] = np.square(alone.held_out - parts[1][1]).mean()
    found = fit(parts, **grid).summary()
    assert (found["gamma"], found["cost"], found["epsilon"]) == min(errors, key=errors.get)


def test_snps_that_say_the_same_twice_change_nothing(parts):
    model = fit(parts, **ONE)
    twice = [(np.hstack([dosage, dosage]), y) for dosage, y in parts]
    found = fit(twice, **ONE).predict(twice[2][0])
    np.testing.assert_allclose(found, model.predict(parts[2][0]), rtol=1e-5)


def test_sees_an_interaction_that_no_linear_model_does():
    dosage = draw_lines(400, 14)
    train, val, (new, y) = parted(dosage, interaction_trait(dosage))
    found = svr.fit(*train, parameters={}, seed=0, validation=val).predict(new)
    linear = elastic_net.fit(*train, parameters={}, seed=0, validation=val).predict(new)
    assert pearson(y, found) > 0.6
    assert not pearson(y, linear) > 0.3  # a constant prediction has no correlation
