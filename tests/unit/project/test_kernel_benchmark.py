"""The benchmark of GBLUP: a whole table at a tiny size, and engines that predict the same."""

import sys

import numpy as np
import pytest

from soyfold.common.files import read_table


@pytest.fixture(scope="module")
def table(root, tmp_path_factory):
    out = tmp_path_factory.mktemp("benchmark") / "gblup.tsv"
    sys.path.insert(0, str(root / "benchmarks" / "kernels"))
    try:
        import compare_gblup

        compare_gblup.main(
            [f"--out={out}", "--cohort=nowhere", "--lines=150", "--snps=90", "--folds=1",
             "--janusx", sys.executable]
        )  # fmt: skip
        yield read_table(out), compare_gblup
    finally:
        sys.path.pop(0)


def test_every_engine_has_a_row(table):
    table, benchmark = table
    assert tuple(table.columns) == benchmark.COLUMNS
    folds = table[table.fold.notna()].groupby("engine").fold.apply(list)
    assert set(folds.index) == set(benchmark.ENGINES) - {"products"} | {benchmark.JANUSX}
    assert all(found == [0] for found in folds)
    own = table[table.engine != benchmark.JANUSX]
    assert own.reason.isna().all()
    assert (own.seconds > 0).all() and (own.peak_mb > 10).all() and (own.cpu_seconds > 0).all()


def test_engines_predict_the_same(table):
    table, benchmark = table
    folds = table[table.fold.notna() & (table.engine != benchmark.JANUSX)]
    np.testing.assert_allclose(folds.pcc, folds.pcc.iloc[0], rtol=1e-7)


def test_an_engine_that_fails_says_why(table):
    table, benchmark = table
    janusx = table[table.engine == benchmark.JANUSX]  # this Python has none
    assert janusx.reason.str.contains("janusx").all()
    assert janusx.seconds.isna().all()
