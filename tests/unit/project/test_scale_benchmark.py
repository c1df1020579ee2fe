"""The benchmark of scale: its steps without Beagle at a tiny size, and how it judges a table."""

import sys

import cooler
import numpy as np
import pandas as pd
import pytest

from soyfold.common.files import read_table


@pytest.fixture(scope="module")
def benchmark(root):
    sys.path.insert(0, str(root / "benchmarks" / "scale"))
    try:
        import measure_storeys

        yield measure_storeys
    finally:
        sys.path.pop(0)


def test_the_cim_and_cooler_count_the_same_pairs(benchmark, tmp_path, capsys):
    steps = ["simulate", "build_cim", "cload_pairs"]
    sizes = ["--lines=40", "--snps=40", "--pairs=5000", "--bin-size=5000000"]
    folder = tmp_path / "files"
    benchmark.main([f"--out={tmp_path / 'x.tsv'}", f"--folder={folder}", *sizes, "--steps", *steps])
    table = read_table(tmp_path / "x.tsv")
    assert table["step"].tolist() == steps and (table["python_mb"] > 20).all()
    assert "cim_ratio" in capsys.readouterr().out
    own, other = (
        cooler.Cooler(str(folder / "results" / name)) for name in ("pairs.cool", "cload.cool")
    )
    names = other.chromnames[:20]  # the scaffold comes last
    chromosome = other.bins()["chrom"][:].isin(names).to_numpy()
    pixels = other.pixels()[:]
    kept = chromosome[pixels["bin1_id"]] & chromosome[pixels["bin2_id"]]
    assert own.info["sum"] == pixels.loc[kept, "count"].sum()
    assert own.info["nnz"] == kept.sum()


def test_beagle_on_one_chromosome_and_a_stand_in_on_the_others(benchmark, tmp_path):
    folder = tmp_path / "files"
    steps = [step for step in benchmark.STEPS if step not in ("build_cim", "cload_pairs")]
    sizes = ["--lines=60", "--snps=100", "--pairs=100", "--chromosomes", "Gm01"]
    benchmark.main([f"--out={tmp_path / 'x.tsv'}", f"--folder={folder}", *sizes, "--steps", *steps])
    jobs = read_table(tmp_path / "x.tsv").set_index("step")["jobs"].astype(int)
    assert (jobs["impute_chromosome"], jobs["fill_chromosomes"]) == (1, 1)
    results = folder / "results"
    filtered = read_table(results / "variants.tsv")
    dosage = np.load(results / "dosage.npy")
    assert dosage.shape[1] == filtered["reason"].isna().sum() > 50
    assert set(np.unique(dosage)) == {0, 1, 2}


def test_budgets_are_ratios_of_cpu_seconds(benchmark):
    columns = ["storey", "step", "python_cpu", "programs_cpu", "python_mb"]
    rows = [
        ("simulation", "simulate", 50, 0, 900),
        ("genotypes", "import_genotypes", 4, 16, 300),
        ("imputation", "impute_chromosome", 6, 184, 500),
        ("contacts", "build_cim", 30, 0, 700),
        ("contacts", "cload_pairs", 1, 40, 100),
    ]
    found = benchmark.judge(pd.DataFrame(rows, columns=columns))
    assert found == {"python_share": 0.05, "python_mb": 900, "cim_ratio": 0.75, "cim_mb": 700}
    assert benchmark.judge(pd.DataFrame(rows[3:4], columns=columns)) == {}
