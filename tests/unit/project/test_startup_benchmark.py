"""The benchmark of start-up: each subject is measured, and compared with what it is built on."""

from soyfold.common.files import read_table


def test_a_table_of_one_round(root, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(root / "benchmarks" / "startup")
    import measure_imports

    monkeypatch.setattr(
        measure_imports, "SUBJECTS",
        {"small": ("import sys", None), "large": ("import json, numpy", "small")},
    )  # fmt: skip
    measure_imports.main([f"--out={tmp_path / 't.tsv'}", "--repeats=1", f"--before={root}"])
    table = read_table(tmp_path / "t.tsv").set_index(["version", "subject"])
    assert tuple(table.reset_index().columns[:2]) == measure_imports.COLUMNS[:2]
    for version in ("before", "now"):
        small, large = (table.loc[(version, name)] for name in ("small", "large"))
        assert large.cpu_seconds > small.cpu_seconds > 0 and large.peak_mb > small.peak_mb
        assert abs(large.ratio - large.cpu_seconds / small.cpu_seconds) < 0.1 * large.ratio
