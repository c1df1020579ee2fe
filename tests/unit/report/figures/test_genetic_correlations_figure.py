"""Heritabilities and correlations of traits: which number stands where."""

import numpy as np
import pandas as pd

from soyfold.report.figures.genetic_correlations import (
    TOLD,
    matrices,
    plot_genetic_correlations,
)

PARAMETERS = pd.DataFrame({
    "trait": ["oil", "protein", "yield"], "heritability": [0.61, 0.52, 0.0],
    "heritability_se": [0.04, 0.05, np.nan],
})  # fmt: skip
CORRELATIONS = pd.DataFrame({
    "trait": ["oil", "oil", "protein"], "trait_2": ["protein", "yield", "yield"],
    "genetic_correlation": [-0.73, np.nan, 1.0], "genetic_correlation_se": [0.08, np.nan, np.nan],
    "phenotypic_correlation": [-0.44, 0.11, 0.12],
    "phenotypic_correlation_se": [0.02, 0.03, 0.03],
})  # fmt: skip


def test_genetic_ones_stand_above_the_diagonal_and_phenotypic_ones_below():
    values, errors = matrices(PARAMETERS, CORRELATIONS)
    expected = [[0.61, -0.73, np.nan], [-0.44, 0.52, 1.0], [0.11, 0.12, 0.0]]
    np.testing.assert_array_equal(values, expected)
    assert errors[0, 1] == 0.08 and errors[1, 0] == 0.02 and np.isnan(errors[1, 2])


def test_each_cell_has_its_number_with_its_standard_error(tmp_path):
    plot_genetic_correlations(PARAMETERS, CORRELATIONS, paths=[tmp_path / "c.svg"])
    text = (tmp_path / "c.svg").read_text()
    for told in (">-0.73<", ">(0.08)<", ">0.61<", ">NA<", ">1.00<", ">(-)<", ">protein<"):
        assert told in text, told
    assert text.count(">(-)<") == 2  # a heritability of 0, a correlation of 1


def test_of_many_traits_colours_alone_are_drawn(tmp_path):
    names = [f"trait{k}" for k in range(TOLD + 1)]
    parameters = pd.DataFrame({"trait": names, "heritability": 0.5, "heritability_se": 0.1})
    pairs = CORRELATIONS.assign(trait=names[0], trait_2=names[1:4])
    plot_genetic_correlations(parameters, pairs, paths=[tmp_path / "c.svg"])
    text = (tmp_path / "c.svg").read_text()
    assert ">(0.08)<" not in text and ">trait16<" in text
