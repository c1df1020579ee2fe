"""Lines to phenotype next: every step against all that could have been taken."""

import numpy as np
import pytest

from soyfold.selection.training_set import choose_training, kinship, known_already


@pytest.mark.parametrize("criterion", ["cdmean", "pevmean"])
def test_each_step_is_the_best_of_all(criterion):
    rng = np.random.default_rng(1)
    lines = rng.integers(0, 3, (14, 60)).astype(np.int8)
    k = kinship(lines, lines, lines.mean(0) / 2)
    prior, ridge = np.diag(k).copy(), 0.7
    start = k - known_already(k[:, :4], k[:4, :4].copy(), ridge)
    rows, told = choose_training(start.copy(), prior, ridge, 5, criterion=criterion)
    assert len(set(rows)) == 5 and (np.diff(told) > 0).all()

    def error_variances(phenotyped):
        """PEV by the definition, from all lines with a value at once."""
        t = [*range(4), *phenotyped]
        inner = np.linalg.inv(k[np.ix_(t, t)] + ridge * np.eye(len(t)))
        return prior - np.einsum("it,ts,is->i", k[:, t], inner, k[:, t])

    for step in range(5):
        weight = prior if criterion == "cdmean" else 1
        worth = {
            j: np.mean(error_variances([*rows[:step], j]) / weight)
            for j in range(14)
            if j not in rows[:step]
        }
        assert worth[rows[step]] == pytest.approx(min(worth.values()))
        after = 1 - np.mean(error_variances(rows[: step + 1]) / prior)
        assert told[step + 1] == pytest.approx(after)
