"""The benchmark of high-order epistasis: a whole table at a tiny size, and what it resumes."""

import sys

import numpy as np
import pytest

from soyfold.common.files import read_table
from soyfold.simulation.high_order import HighOrder


@pytest.fixture(scope="module")
def benchmark(root):
    folders = [str(root / "benchmarks" / "epistasis"), str(root / "benchmarks")]
    sys.path[:0] = folders
    try:
        import measure_epistasis

        yield measure_epistasis
    finally:
        for folder in folders:
            sys.path.remove(folder)


def test_additive_traits_are_learnt_and_products_are_not(
    benchmark, root, tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv("SOYFOLD_RESULTS", str(tmp_path / "none"))  # simulated segregants
    monkeypatch.chdir(root)
    monkeypatch.setattr(benchmark, "SIMULATED", 200)
    out, figure = tmp_path / "epistasis.tsv", tmp_path / "epistasis.png"
    arguments = [f"--out={out}", f"--figure={figure}", "--lines", "200", "--loci", "30"]
    arguments += ["--products", "60", "--epochs", "2", "--models", "gblup", "rijal_12"]
    benchmark.main([*arguments, "--eps", "1"])
    before = out.read_text()
    benchmark.main([*arguments, "--eps", "0", "1"])
    assert "2 of 4 cells are there" in capsys.readouterr().out
    assert out.read_text().startswith(before)
    table = read_table(out)
    assert list(table) == benchmark.COLUMNS and (table.genotypes == "simulated").all()
    told = table.set_index(["model", "eps"])
    assert told.additive_share["gblup", 1] == 1 and told.additive_share["gblup", 0] == 0
    assert told.r2["gblup", 1] > 0.8 > 0.4 > told.r2["gblup", 0]
    assert (table.epochs == np.where(table.model == "gblup", 0, 2)).all()
    assert figure.stat().st_size > 1000


def test_loci_are_balanced_and_no_copies(benchmark):
    rng = np.random.default_rng(2)
    dosage = 2 * rng.integers(0, 2, (200, 60), dtype=np.int8)
    dosage[:, 30:] = dosage[:, :30]
    dosage[:150, 0] = dosage[:150, 30] = 2
    found = benchmark.choose_balanced(dosage, HighOrder(loci=5, seed=1))
    means = dosage[:, found].mean(0) - 1
    assert (np.abs(means) < 0.05).all() and len(set(found % 30)) == 5
