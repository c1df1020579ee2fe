"""What values weigh by: their error variances, and the part of lines that no plots tell."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from soyfold.common.errors import UserError
from soyfold.models import gblup
from soyfold.training.line_weights import noise_of
from soyfold.training.tasks import Task


def task_of(y, noise):
    y, n = np.asarray(y, dtype=float), len(y)
    return Task(
        sample=np.arange(n).astype(str), part=np.full(n, "train"), y=y,
        dosage=np.zeros((n, 2), np.int8), row=np.arange(n), seed=0, noise=np.asarray(noise),
    )  # fmt: skip


def test_equal_weights_are_none_and_others_have_a_mean_of_one():
    task = task_of([1.0, 4, 2, 8], [0.5, 0.5, 0.5, 0.1])
    assert task.weights(np.arange(3), untold=0.1) is None
    assert dataclasses.replace(task, noise=None).weights(np.arange(4), untold=0.1) is None
    variance = np.var(task.y, ddof=1)
    expected = 1 / (0.1 * (variance - 0.4) + task.noise)
    found = task.weights(np.arange(4), untold=0.1)
    np.testing.assert_allclose(found, expected / expected.mean())
    plain = 1 / task.noise
    np.testing.assert_allclose(task.weights(np.arange(4), untold=0.0), plain / plain.mean())


def test_no_number_of_plots_outweighs_what_a_line_has_beyond_its_snps():
    rng = np.random.default_rng(0)
    records = np.r_[778, np.ones(499)]
    y = rng.normal(size=500) + rng.normal(size=500) / np.sqrt(records)
    noise = 1 / records
    check, line = task_of(y, noise).weights(np.arange(500), untold=0.1)[:2]
    assert check / line == pytest.approx((0.1 + 1) / (0.1 + 1 / 778), rel=0.15)
    check, line = task_of(y, noise).weights(np.arange(500), untold=1.0)[:2]
    assert check / line == pytest.approx(2, rel=0.1), "of a model that tells nothing of lines"
    wild = task_of(y, 100 * noise).weights(np.arange(500), untold=0.1)
    assert wild[0] / wild[1] < 100 / (0.005 * y.var()), "a cap where errors would explain it all"


def test_validation_lines_are_on_the_scale_of_training_lines_and_tested_values_aside():
    noise = np.r_[np.tile([0.2, 0.8], 10), np.nan, np.nan]
    y = np.r_[np.linspace(0, 9, 20), 50.0, -50.0]
    found = task_of(y, noise).weights(np.arange(10), untold=0.1)
    assert found[:10].mean() == pytest.approx(1)
    np.testing.assert_allclose(found[10:12], found[:2])
    assert (found[20:] == 1).all()


def test_traits_learnt_together_weigh_each_by_its_own_errors():
    y = np.array([[1.0, 5], [2, np.nan], [4, 2], [8, 1]])
    noise = np.array([[1.0, 1], [1, np.nan], [2, 1], [2, 1]])
    found = task_of(y, noise).weights(np.arange(4), untold=0.1)
    assert found.shape == y.shape and (found[:, 1] == 1).all()
    np.testing.assert_allclose(
        found[:, 0], task_of(y[:, 0], noise[:, 0]).weights(np.arange(4), untold=0.1)
    )


def test_error_variances_of_values():
    table = pd.DataFrame(
        {"value": [3.0, 5, 4], "records": [1, 4, 2], "error_variance": [0.5, 0.125, 0.3]}
    )
    assert noise_of(table, "variance", "t.tsv").tolist() == [0.5, 0.125, 0.3]
    # By records alone: the median of 0.5, 0.5 and 0.6 over each number.
    assert noise_of(table, "records", "t.tsv").tolist() == [0.5, 0.125, 0.25]
    bare = table.assign(error_variance=np.nan)
    told = noise_of(bare, "records", "t.tsv")
    np.testing.assert_allclose(told * table.records, told[0])
    genetic = table.value.var(ddof=0) - told.mean()
    assert told[0] == pytest.approx(genetic), "a record's error is as large as lines differ"
    with pytest.raises(UserError, match=r"3 of 3 values without error_variance.*weights: records"):
        noise_of(bare, "variance", "t.tsv")
    with pytest.raises(UserError, match="weights: off"):
        noise_of(table.drop(columns="records"), "records", "t.tsv")


def test_where_lines_differ_beyond_their_snps_a_floor_predicts_better_than_errors_alone():
    """Checks with hundreds of plots are lines like others: their own part isn't an error."""
    gains = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        dosage = rng.binomial(2, 0.5, (360, 60)).astype(np.int8)
        told = (dosage - 1) @ rng.normal(size=60) / np.sqrt(30)
        records = np.where(np.arange(160) < 12, 500, rng.integers(1, 5, 160))
        own = np.sqrt(0.3) * rng.normal(size=160)
        y = told[:160] + own + rng.normal(size=160) / np.sqrt(records)
        task, found = task_of(y, 1 / records), {}
        for untold in (0.0, 0.1):
            weights = task.weights(np.arange(160), untold=untold)
            fit = gblup.fit(dosage[:160], y, parameters={}, seed=0, weights=weights)
            found[untold] = np.corrcoef(fit.predict(dosage[160:]), told[160:])[0, 1]
        gains.append(found[0.1] - found[0.0])
    assert np.mean(gains) > 0.02 and np.mean(np.array(gains) > 0) >= 0.8
