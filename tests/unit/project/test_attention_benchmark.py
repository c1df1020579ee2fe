"""The attention benchmark: a whole table at a tiny size, and forms that compute the same."""

import sys

import numpy as np
import pandas as pd
import pytest
import torch


@pytest.fixture(scope="module")
def benchmark(root):
    sys.path.insert(0, str(root / "benchmarks" / "attention"))
    try:
        import compare_forms
        import measure

        yield compare_forms, measure
    finally:
        sys.path.pop(0)


def test_table_is_complete_and_its_ratios_fit(benchmark, tmp_path):
    compare_forms, measure = benchmark
    out = tmp_path / "forms.tsv"
    compare_forms.main(
        [f"--out={out}", "--tokens", "64", "2048", "--d-k", "8", "--threads", "1", "--repeats=1",
         "--memory-limit-mb=100", "--layer-tokens=60", "--layer-d-k=2"]
    )  # fmt: skip
    table = pd.read_csv(out, sep="\t")
    assert tuple(table.columns) == compare_forms.COLUMNS
    table = table[table["device"] == "cpu"]
    grid = table[table["part"] == "attention"].groupby("form")[["tokens", "pass"]].value_counts()
    assert set(grid.index.get_level_values("form")) == set(measure.FORMS)
    assert len(grid) == len(measure.FORMS) * 2 * 2 and (grid == 1).all()
    assert len(table[table["part"] == "layer"]) == 2 * len(measure.LAYERS)

    skipped = table["reason"].notna()
    dense = (table["tokens"] == 2048) & table["form"].isin(["mask", "naive"])
    no_gradient = (table["form"] == "statistics") & (table["pass"] == "forward+backward")
    assert skipped.equals(dense | no_gradient)
    assert table.loc[skipped, ["seconds", "time_to_plain", "extra_mb"]].isna().all(axis=None)
    assert table.loc[dense, "reason"].str.contains(r"matrices of about \d+ MB, limit 100").all()
    measured = table[~skipped]
    assert (measured["seconds"] > 0).all() and (measured["peak_mb"] > measured["extra_mb"]).all()

    plain = measured[measured["form"].isin(["plain", "transformer"])]
    assert (plain["time_to_plain"] == 1).all()
    naive = measured[measured["form"] == "naive"]
    assert (naive["memory_to_naive"] == 1).all()
    blocked = measured[(measured["form"] == "blocked") & (measured["tokens"] == 64)]
    ratio = blocked["extra_mb"].to_numpy() / naive["extra_mb"].to_numpy()
    np.testing.assert_allclose(blocked["memory_to_naive"], ratio, rtol=1e-6)


def test_extra_memory_of_the_naive_form_is_that_of_its_matrices(benchmark):
    compare_forms, measure = benchmark
    case = measure.Case("cpu", "float32", "attention", "naive", 1024, 8, False, 1)
    matrix = measure.HEADS * 1024**2 * 4 / 2**20
    assert 2 * matrix <= compare_forms.alone(case)["extra_mb"] <= 4 * matrix


def test_all_biased_forms_compute_the_same(benchmark):
    _, measure = benchmark
    q, k, v = torch.randn(3, 1, measure.HEADS, 45, 8, dtype=torch.float64)
    H = torch.rand(measure.GROUPS, measure.GROUPS, dtype=torch.float64)
    chromosome = torch.arange(45) * measure.GROUPS // 45
    outs = {name: form(q, k, v, H, chromosome) for name, form in measure.FORMS.items()}
    for name in ("augmented", "blocked", "mask"):
        torch.testing.assert_close(outs[name], outs["naive"])
    torch.testing.assert_close(outs["plain"], outs["sdpa"])
    assert not torch.allclose(outs["plain"], outs["naive"])
