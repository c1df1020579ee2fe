"""R-hat and effective draws against closed forms."""

import numpy as np
import pytest

from soyfold.models.gibbs_diagnostics import effective_size, split_rhat


def autoregressive(correlation, chains=4, size=20000):
    rng = np.random.default_rng(0)
    draws = rng.normal(size=(chains, size))
    draws[:, 1:] *= np.sqrt(1 - correlation**2)
    for i in range(1, size):
        draws[:, i] += correlation * draws[:, i - 1]
    return draws


@pytest.mark.parametrize("correlation", [-0.3, 0.0, 0.5, 0.9])
def test_effective_size_of_an_autoregression(correlation):
    draws = autoregressive(correlation)
    expected = min(1.0, (1 - correlation) / (1 + correlation)) * draws.size
    assert effective_size(draws) == pytest.approx(expected, rel=0.15)
    assert split_rhat(draws) == pytest.approx(1, abs=0.01)


def test_rhat_of_chains_apart_and_of_a_drift():
    draws = np.random.default_rng(0).normal(size=(2, 4000, 3))
    draws[0, :, 1] += 2  # halves at 2, 2, 0, 0: variance of their means 4/3
    draws[:, :, 2] += np.linspace(0, 3, 4000)  # both chains drift alike
    rhat = split_rhat(draws)
    assert rhat[0] == pytest.approx(1, abs=0.01)
    assert rhat[1] == pytest.approx(np.sqrt(1 + 4 / 3), abs=0.05)
    assert rhat[2] > 1.2
    assert split_rhat(np.ones((2, 10))) == 1
    assert split_rhat(np.array([np.zeros(10), np.ones(10)])) == np.inf
