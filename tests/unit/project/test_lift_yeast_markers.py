"""Yeast's markers at their places on R64: named by them, those without a place left out."""

import pandas as pd

from lift_yeast_markers import lift


def test_markers_are_named_by_their_places_and_their_calls_stay():
    genotypes = pd.DataFrame({
        "marker": ["1_chr01_5_A_C", "2_chr01_9_G_T", "3_chr02_7_C_G"],
        "A01_01": ["B", "R", "B"], "A01_02": ["R", "R", "B"],
    })  # fmt: skip
    places = pd.DataFrame({
        "marker": ["3_chr02_7_C_G", "1_chr01_5_A_C"], "chromosome": ["chrII", "chrI"],
        "position": [70, 50], "ref": ["C", "A"], "alt": ["G", "C"],
    })  # fmt: skip
    told = lift(genotypes, places)
    assert told.to_numpy().tolist() == [["chrI_50_A_C", "B", "R"], ["chrII_70_C_G", "B", "B"]]
    assert list(told) == list(genotypes)
