"""The benchmark of high-order epistasis: a whole table at a tiny size, and what it resumes."""

import sys

import numpy as np
import pytest

from soyfold.common.files import read_table
from soyfold.simulation.high_order import HighOrder


@pytest.fixture(scope="module")
def folders(root):
    folders = [str(root / "benchmarks" / "epistasis"), str(root / "benchmarks")]
    sys.path[:0] = folders
    yield
    for folder in folders:
        sys.path.remove(folder)


@pytest.fixture(scope="module")
def benchmark(folders):
    import measure_epistasis

    return measure_epistasis


@pytest.fixture(scope="module")
def temperatures(folders):
    import measure_temperature

    return measure_temperature


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


def test_few_lines_at_a_temperature_profit_from_others(
    benchmark, temperatures, root, tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv("SOYFOLD_RESULTS", str(tmp_path / "none"))
    monkeypatch.chdir(root)
    monkeypatch.setattr(benchmark, "SIMULATED", 200)
    out, figure = tmp_path / "temperature.tsv", tmp_path / "temperature.png"
    arguments = [f"--out={out}", f"--figure={figure}", "--lines", "200", "--loci", "30"]
    arguments += ["--products", "60", "--epochs", "2", "--eps", "1"]
    temperatures.main([*arguments, "--models", "multi_trait_gblup", "--labels", "160", "40"])
    arguments += ["--models", "multi_trait_gblup", "gblup", "cross_attention_temperatures"]
    temperatures.main([*arguments, "--labels", "40"])
    assert "1 of 3 cells are there" in capsys.readouterr().out
    table = read_table(out)
    assert list(table) == temperatures.COLUMNS
    told = table.set_index(["model", "labels"])
    few, all_of_them = (told.loc["multi_trait_gblup", labels] for labels in (40, 160))
    assert few.r2_joint > few.r2_alone + 0.03 and few.r2_alone < all_of_them.r2_alone
    assert np.isclose(told.r2_alone["gblup", 40], few.r2_alone)  # one trait: the same model
    assert np.isnan(told.r2_joint["gblup", 40])
    assert (table.epochs == [0, 0, 0, 2]).all() and np.isfinite(table.r2_joint.iloc[3])
    assert figure.stat().st_size > 1000
