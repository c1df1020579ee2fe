"""What the traits inherit: the page says what the tables hold."""

import numpy as np
import pandas as pd

from soyfold.common.files import write_table
from soyfold.interpretation.parameter_tables import CORRELATIONS, PARAMETERS
from soyfold.report.pages.inherited import MOST, correlation_advice, parameter_sections


def pairs_of(figures, errors):
    """A table of pairs with these genetic correlations."""
    table = pd.DataFrame({
        "trait": "oil", "trait_2": [f"t{k}" for k in range(len(figures))], "lines": 100,
        "genetic_correlation": figures, "genetic_correlation_se": errors,
    })  # fmt: skip
    return table.reindex(columns=CORRELATIONS)


def test_sure_correlations_are_told_first_and_all_pairs_are_counted():
    told = correlation_advice(pairs_of([-0.5, 0.9, 0.1, 1.0], [0.2, 0.1, 0.2, np.nan]))
    assert told == [
        "Selection for more oil raises t1: genetic correlation 0.90 (0.10).",
        "Selection for more oil lowers t0: genetic correlation -0.50 (0.20).",
        "Of 4 pairs 1 within 2 standard errors of 0.",
        "Of 4 pairs 1 without a standard error (see the remark).",
    ]
    many = correlation_advice(pairs_of([0.9] * 20, [0.1] * 20))
    assert len(many) == MOST + 1 and "Of 20 pairs 14 beyond 2" in many[-1]


def test_the_page_has_both_tables_or_heritabilities_alone(tmp_path):
    files = {name: tmp_path / f"{name}.tsv" for name in ("genetic_parameters", "pairs")}
    lone = pd.DataFrame({
        "trait": ["oil", "t0"], "lines": [1000, 100], "heritability": [0.625, 1e-9],
        "heritability_se": [0.05, np.nan], "genetic_variance": 2.0, "residual_variance": 1.5,
        "remark": ["", "heritability of t0 at 0"],
    })  # fmt: skip
    write_table(lone.reindex(columns=PARAMETERS), files["genetic_parameters"])
    write_table(pairs_of([0.5], [0.1]), files["pairs"])
    files["genetic_correlations"] = files.pop("pairs")
    notes, heritabilities, correlations = parameter_sections(files)
    assert notes.items[0].startswith("Selection for more oil raises t0")
    texts = [[getattr(cell, "text", cell) for cell in row] for row in heritabilities.rows]
    assert texts[0][:3] == ["oil", "1,000", "0.625 (0.050)"]
    assert texts[1][2] == "0.000" and texts[1][-1] == "heritability of t0 at 0"
    assert correlations.rows[0][3].text == "0.500 (0.100)"
    assert correlations.rows[0][4].text == "NA" and correlations.rows[0][-1] == ""
    [alone] = parameter_sections({"genetic_parameters": files["genetic_parameters"]})
    assert alone.title == "Heritability"
