"""Places of SNPs in Morgans."""

import logging

import numpy as np
import pytest

from soyfold.common.errors import UserError
from soyfold.selection.genetic_map import place_snps, read_map

ALIASES = {"Gm01": "Gm01", "Chr01": "Gm01", "Gm02": "Gm02"}


def write(path, rows):
    path.write_text("\n".join(["chromosome\tposition\tcM", *map("\t".join, rows)]) + "\n")
    return path


def test_a_rate_is_a_straight_line():
    chromosome = np.array(["Gm01", "Gm02"])
    assert place_snps(chromosome, [4e6, 1e6], rate=2.5) == pytest.approx([0.1, 0.025])


def test_between_markers_and_beyond_them(tmp_path):
    file = write(tmp_path / "map.tsv", [
        ("Chr01", "3000000", "12"), ("Gm01", "1000000", "2"), ("Gm02", "5000000", "0"),
    ])  # fmt: skip
    table = read_map(file, ALIASES)
    chromosome = np.array(["Gm01"] * 4 + ["Gm02"])
    found = place_snps(chromosome, [1e6, 2e6, 4e6, 0, 6e6], rate=1.0, genetic_map=table)
    assert found * 100 == pytest.approx([2, 7, 13, 1, 1])


def test_a_step_back_is_told_and_many_are_refused(tmp_path, caplog):
    rows = [("Gm01", str(1000 * k), str(k)) for k in range(1, 30)]
    rows[10] = ("Gm01", "11000", "9.5")
    with caplog.at_level(logging.WARNING, logger="soyfold"):
        table = read_map(write(tmp_path / "map.tsv", rows), ALIASES)
    assert "cM falls at 1 of 28 steps" in caplog.text
    found = place_snps(np.array(["Gm01"]), [11_000], rate=1.0, genetic_map=table)
    assert found * 100 == pytest.approx(9.5)
    rows = [(name, position, str(50 - float(cm))) for name, position, cm in rows]
    with pytest.raises(UserError, match=r"27 of 28 steps .* of this study's assembly"):
        read_map(write(tmp_path / "map.tsv", rows), ALIASES)


@pytest.mark.parametrize(("row", "message"), [
    (("Gm77", "1", "2"), "line 3: found chromosome 'Gm77'"),
    (("Gm01", "1", "two"), "line 3, cM: found 'two'"),
    (("Gm01", "-1", "2"), "line 3, position: found '-1'"),
])  # fmt: skip
def test_bad_cells(tmp_path, row, message):
    file = write(tmp_path / "map.tsv", [("Gm01", "5", "1"), row])
    with pytest.raises(UserError, match=message):
        read_map(file, ALIASES)


def test_a_chromosome_without_markers_is_named(tmp_path):
    table = read_map(write(tmp_path / "map.tsv", [("Gm01", "5", "1")]), ALIASES)
    with pytest.raises(UserError, match=r"map\.tsv: found no marker on Gm02"):
        place_snps(np.array(["Gm01", "Gm02"]), [5, 5], rate=1.0, genetic_map=table, file="map.tsv")
