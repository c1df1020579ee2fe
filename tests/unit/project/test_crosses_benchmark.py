"""benchmarks/crosses: a family that is taken out is out, and what is compared is defined."""

import sys

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def benchmark(root, monkeypatch):
    monkeypatch.syspath_prepend(str(root / "benchmarks/crosses"))
    import predict_families

    yield predict_families
    sys.modules.pop("predict_families", None)


def test_leaving_lines_out_is_fitting_without_them(benchmark):
    rng = np.random.default_rng(0)
    dosage = rng.integers(0, 3, (60, 25)).astype(float)
    y, fixed = dosage @ rng.normal(size=25) + rng.normal(size=60) + 7, np.ones((60, 1))
    model = benchmark.Effects(dosage, y, fixed, 3.0, 0.5)
    out, kept = np.arange(12), np.arange(12, 60)
    told, t, middle = model.without(out)
    x = np.hstack([fixed, dosage - dosage.mean(0)])[kept]
    a = x.T @ x + np.diag([1e-6, *[3.0] * 25])
    assert told == pytest.approx(np.linalg.solve(a, x.T @ y[kept]), abs=1e-8)
    snps = np.array([3, 10, 11])
    expected = 0.5 * np.linalg.inv(a)[1:, 1:][np.ix_(snps, snps)]
    assert model.covariance(snps, t, middle) == pytest.approx(expected, abs=1e-9)


def test_the_ceiling_is_what_true_values_reach(benchmark):
    rng = np.random.default_rng(2)
    found = []
    for _ in range(200):
        true = rng.uniform(0.8, 1.2, 40)
        lines = true[:, None] * rng.normal(size=(40, 60)) + rng.normal(size=40)[:, None]
        rows = pd.DataFrame({
            "lines": 60, "observed_mean": lines.mean(1), "observed_sd": lines.std(1, ddof=1),
            "mean": 1.0 * np.arange(40), "mid_parent": 1.0 * np.arange(40), "sd": true,
            "differing_snps": true,
        })  # fmt: skip
        table = benchmark.describe(rows)
        found.append(table.loc[table["by"] == "sd", ["r", "ceiling"]].iloc[0])
    r, ceiling = pd.DataFrame(found).mean()
    assert r == pytest.approx(ceiling, abs=0.02)
