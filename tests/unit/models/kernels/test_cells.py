"""REML of values in environments against V written out cell by cell."""

import numpy as np
import pytest

from soyfold.common.errors import UserError
from soyfold.models.kernels import cells as cells_module
from soyfold.models.kernels.cells import Cells, DenseCells
from soyfold.models.kernels.several import climb


@pytest.fixture(scope="module")
def trial():
    """Kernel of 24 lines, their values in four environments (NaN where none), O of these."""
    random = np.random.default_rng(0)
    z = random.integers(0, 3, (24, 40)).astype(float)
    z -= z.mean(0)
    kernel = z @ z.T
    kernel /= np.trace(kernel) / len(kernel)
    values = random.standard_normal((24, 4)) + 2 * kernel @ random.standard_normal((24, 1))
    values += np.array([50.0, 53.0, 47.0, 60.0])
    values[random.random(values.shape) < 0.4] = np.nan
    values[np.isnan(values).all(1), 2] = 50.0
    covariates = random.standard_normal((4, 2))
    return kernel, values, covariates @ covariates.T / 2


def literal(kernel, values, likeness, variances):
    """Log-likelihood, gradient, average information, P y and GLS means by loops and inverses."""
    cells = [
        (i, e) for e in range(values.shape[1]) for i in np.flatnonzero(~np.isnan(values[:, e]))
    ]
    m, count = len(cells), values.shape[1]
    main, within, like, design = *np.zeros((3, m, m)), np.zeros((m, count))
    for a, (i, e) in enumerate(cells):
        design[a, e] = 1
        for b, (j, f) in enumerate(cells):
            main[a, b] = kernel[i, j]
            within[a, b] = kernel[i, j] if e == f else 0
            like[a, b] = kernel[i, j] * likeness[e, f]
    parts = [main, within, like, np.eye(m)]
    parts = {2: [main, np.eye(m)], 3: [main, within, np.eye(m)], 4: parts}[len(variances)]
    total = sum(s * part for s, part in zip(variances, parts, strict=True))
    y = np.array([values[cell] for cell in cells])
    inverse = np.linalg.inv(total)
    inner = design.T @ inverse @ design
    p = inverse - inverse @ design @ np.linalg.inv(inner) @ design.T @ inverse
    height = np.linalg.slogdet(total)[1] + np.linalg.slogdet(inner)[1] + y @ p @ y
    gradient = [0.5 * (y @ p @ k @ p @ y - np.trace(p @ k)) for k in parts]
    information = [[0.5 * y @ p @ k @ p @ other @ p @ y for other in parts] for k in parts]
    dual = np.zeros(values.shape)
    for (i, e), value in zip(cells, p @ y, strict=True):
        dual[i, e] = value
    means = np.linalg.solve(inner, design.T @ inverse @ y)
    return -0.5 * height, gradient, information, dual, means


@pytest.mark.parametrize(
    "variances",
    [(0.7, 0.5), (0.7, 0.4, 0.5), (0.7, 0.0, 0.5), (0.0, 0.3, 0.5), (9.0, 2.0, 0.01),
     (0.5, 0.3, 0.2, 0.4)],
)  # fmt: skip
def test_likelihood_and_predictions_are_those_of_v_written_out(trial, variances):
    kernel, values, likeness = trial
    if len(variances) == 4:
        cells = DenseCells(kernel, values, likeness)
    else:
        cells = Cells(kernel, values, interaction=len(variances) == 3)
    point, (means, dual) = cells.evaluate(np.array(variances)), cells.blup(np.array(variances))
    found = (point.log_likelihood, point.gradient, point.information, dual, means)
    for ours, expected in zip(found, literal(*trial, variances), strict=True):
        expected = np.asarray(expected)
        np.testing.assert_allclose(ours, expected, atol=1e-8 * max(1, np.abs(expected).max()))


def test_no_environment_shares_departures_by_covariates_where_these_say_they_are_apart(trial):
    """O = I makes both departures one: then the two ways to the likelihood must meet."""
    kernel, values, _ = trial
    apart = Cells(kernel, values, interaction=True).evaluate(np.array([0.7, 0.5, 0.5]))
    dense = DenseCells(kernel, values, np.eye(4)).evaluate(np.array([0.7, 0.2, 0.3, 0.5]))
    assert dense.log_likelihood == pytest.approx(apart.log_likelihood, abs=1e-8)
    np.testing.assert_allclose(dense.gradient[[0, 1, 3]], apart.gradient, atol=1e-8)


def test_the_climb_ends_where_no_neighbour_is_likelier(trial):
    kernel, values, _ = trial
    cells = Cells(kernel, values, interaction=True)
    variances, point, converged = climb(cells.evaluate, cells.y.var(), 2, tolerance=1e-9)
    assert converged
    for k in range(3):
        for step in (-0.02, 0.02):
            trial_point = variances.copy()
            trial_point[k] = max(trial_point[k] + step, 0.0)
            assert cells.evaluate(trial_point).log_likelihood <= point.log_likelihood + 1e-9


def test_an_environment_without_values_has_no_mean(trial, capfd):
    kernel, values, _ = trial
    more = np.column_stack([values, np.full(len(values), np.nan)])
    ours = Cells(kernel, more, interaction=True)
    means, dual = ours.blup(np.array([0.7, 0.4, 0.5]))
    told, without = Cells(kernel, values, interaction=True).blup(np.array([0.7, 0.4, 0.5]))
    np.testing.assert_allclose(means[:4], told)
    assert np.isnan(means[4]) and not dual[:, 4].any()
    assert capfd.readouterr() == ("", "")  # LAPACK complains of a matrix without rows
    np.testing.assert_allclose(dual[:, :4], without)


def test_more_values_than_memory_holds_are_refused_with_covariates(trial, monkeypatch):
    monkeypatch.setattr(cells_module, "MOST", 20)
    with pytest.raises(UserError, match=r"environment_covariates.*allowed: at most 20"):
        DenseCells(*trial)
