"""The benchmark of power: a whole table at a tiny size, what it resumes, and how it is judged."""

import sys
from functools import partial
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from soyfold.common.files import read_table
from soyfold.contacts.cim import normalise
from soyfold.simulation.epistasis import Planting


@pytest.fixture(scope="module")
def benchmark(root):
    sys.path.insert(0, str(root / "benchmarks" / "power"))
    try:
        import judge_power
        import measure_power

        yield SimpleNamespace(measure=measure_power, judge=judge_power)
    finally:
        sys.path.pop(0)


@pytest.fixture
def source(benchmark, monkeypatch, root):
    """Six chromosomes of 6 SNPs, two pairs of which meet more often than expected; 300 lines."""

    kind = benchmark.measure.Source

    def make(*_):
        made = object.__new__(kind)
        names = [f"c{k}" for k in range(6)]
        rng = np.random.default_rng(3)
        made.dosage = 2 * rng.integers(0, 2, (300, 36), dtype=np.int8)
        made.variants = pd.DataFrame({"chromosome": np.repeat(names, 6), "position": range(36)})
        contacts = rng.uniform(90, 110, (6, 6))
        contacts[0, 1] = contacts[1, 0] = contacts[2, 3] = contacts[3, 2] = 300
        made.sums = pd.DataFrame(contacts + contacts.T, names, names)
        made.chromosomes = None
        made.cim = normalise(made.sums, "observed_expected", chromosomes=None)
        made.schemas = root / "workflow/schemas"
        training = {"preset": "demo", "models_file": str(root / "config/models.yaml")}
        made.settings = {"training": training}
        return made

    monkeypatch.setattr(benchmark.measure, "Source", make)
    few = partial(Planting, pairs=2, additive=6)
    monkeypatch.setattr(benchmark.measure, "Planting", few)
    return make()


CELLS = ["--models", "gblup", "learned_contact_kernel", "--lines", "300", "--draws", "1"]
CELLS += ["--splits", "1", "--permuted", "2", "--cims", "real", "permuted1", "permuted2"]


def test_a_row_a_cell_and_none_twice(benchmark, source, tmp_path, capsys):
    out = tmp_path / "results" / "power.tsv"
    benchmark.measure.main([f"--out={out}", *CELLS])
    table = read_table(out)
    assert list(table) == benchmark.measure.COLUMNS and len(table) == 4
    kernel = table[table.model == "learned_contact_kernel"].set_index("cim")
    assert kernel.pcc["real"] > 0.3 and kernel.loglik["real"] > kernel.loglik["permuted1"]
    before = out.read_text()
    benchmark.measure.main([f"--out={out}", *CELLS, "--share", "0.5", "0"])
    assert "4 of 8 cells are there" in capsys.readouterr().out
    assert out.read_text().startswith(before) and len(read_table(out)) == 8


def test_crosses_go_beyond_the_studys_lines_and_draws_differ(source):
    assert source.lines_of(400, 1).shape == (400, 36)
    one, two = (source.planted(60, 0.5, "contact", draw) for draw in (1, 2))
    again = source.planted(60, 0.5, "contact", 1)
    assert np.array_equal(one.values, again.values) and not np.allclose(one.values, two.values)


def test_the_real_cim_is_held_against_permuted_ones_draw_by_draw(benchmark):
    point = {"model": "m", "lines": 10, "share": 0.5, "topology": "contact"}
    told = {
        (1, "real"): (0.8, -1), (1, "permuted1"): (0.5, -5), (1, "permuted2"): (0.7, -3),
        (2, "real"): (0.6, -2), (2, "permuted1"): (0.7, -4), (2, "permuted2"): (0.3, -6),
    }  # fmt: skip
    rows = [
        {**point, "draw": draw, "cim": cim, "split": split, "pcc": pcc, "loglik": loglik}
        for (draw, cim), (pcc, loglik) in told.items()
        for split in (0, 1)
    ]
    [found] = benchmark.judge.detection(pd.DataFrame(rows)).to_dict("records")
    assert (found["draws"], found["permuted"]) == (2, 2)
    assert np.isclose(found["gain"], np.mean([0.8 - 0.6, 0.6 - 0.5]))
    assert found["gain_low"] < 0 < found["gain_high"]
    assert (found["first_pcc"], found["first_loglik"], found["loglik_gain"]) == (0.5, 1, 2)


def test_a_share_is_seen_where_it_and_all_larger_ones_are_in_most_draws(benchmark, tmp_path):
    """Real first in so many of five draws, among 20 permuted: at 0.5 all, 0.3 four, 0.2 three."""
    rng = np.random.default_rng(1)
    rows = [
        {"model": "m", "cim": f"permuted{k}" if k else "real", "lines": 40, "share": share,
         "topology": "contact", "draw": draw, "split": 0,
         "pcc": rng.uniform(0, 0.9), "loglik": k if k or draw > seen else 99, "seconds": 1}
        for share, seen in ((0.5, 5), (0.3, 4), (0.2, 3), (0.1, 5), (0, 5))
        for draw in range(1, 6)
        for k in range(21)
    ]  # fmt: skip
    table, out, figure = (tmp_path / name for name in ("power.tsv", "limits.tsv", "power.png"))
    pd.DataFrame(rows).to_csv(table, sep="\t", index=False)
    benchmark.judge.main(
        [
            f"--tables={table}",
            f"--out={tmp_path / 'd.tsv'}",
            f"--limits={out}",
            f"--figure={figure}",
        ]
    )
    found = read_table(out).set_index("criterion")
    assert found.share["first_loglik"] == 0.3 and np.isnan(found.share["first_pcc"])
    assert (found.least_asked == 0.1).all() and (found.draws == 5).all()
    assert figure.stat().st_size
