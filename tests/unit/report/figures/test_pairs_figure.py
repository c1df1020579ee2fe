"""Pairs of chromosomes: the matrices that are drawn, and a row a model."""

import numpy as np
import pandas as pd

from soyfold.report.figures.pairs import PANELS, plot_pairs, square

TABLE = pd.DataFrame(
    [
        ("chr2", "chr10", 0.5, 2.0, 0.1),
        ("chr2", "chr1", 1.0, 1.0, 0.2),
        ("chr10", "chr1", 1.5, 0, 0),
    ],
    columns=["chromosome", "chromosome_2", "contacts", "weight", "share"],
)


def test_the_matrix_is_symmetric_and_blank_where_there_is_no_pair():
    found = square(TABLE, "weight", ["chr2", "chr10", "chr1", "chrX"])
    expected = [[np.nan, 2, 1], [2, np.nan, 0], [1, 0, np.nan]]
    np.testing.assert_array_equal(found[:3, :3], expected)
    assert np.isnan(found[3]).all() and np.isnan(found[:, 3]).all()


def test_each_model_has_a_row_of_panels(tmp_path):
    both = pd.concat([TABLE.assign(model=name) for name in ("a", "b")])
    plot_pairs(both, labels={"a": "First", "b": "Second"}, trait="oil", paths=[tmp_path / "p.svg"])
    text = (tmp_path / "p.svg").read_text()
    assert all(text.count(title) == 2 for title in PANELS.values())
    assert "First" in text and "Second" in text and text.count(">chrX<") == 0


def test_pairs_beyond_chance_are_ringed(tmp_path):
    for number, p in enumerate(([0.5, 0.5, np.nan], [0.05, 0.5, 0.04])):
        path = tmp_path / f"{number}.svg"
        plot_pairs(TABLE.assign(model="a", p=p), labels={"a": "First"}, trait="oil", paths=[path])
    first, second = ((tmp_path / f"{number}.svg").read_text() for number in (0, 1))
    assert "ringed" in first and "ringed" in second
    rings = [text.count("<use") for text in (first, second)]
    assert rings[1] - rings[0] == 4  # two pairs, each on both sides of the diagonal


def test_a_model_without_pairs_is_drawn_too(tmp_path):
    nothing = TABLE.assign(model="a", weight=0.0, share=0.0)
    plot_pairs(nothing, labels={"a": "First"}, trait="oil", paths=[tmp_path / "p.svg"])
    assert (tmp_path / "p.svg").is_file()
