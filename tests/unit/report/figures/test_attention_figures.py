"""Attention beside the CIM: the proportional form in closed form, and what is drawn."""

import numpy as np
import pandas as pd
import pytest

from soyfold.common.files import write_table
from soyfold.interpretation.attention import count_snps
from soyfold.report.figures.attention import (
    agreement_with_cim,
    plot_attention,
    proportional_attention,
    read_attention,
    uniform_models,
)

NAMES = ["Gm01", "Gm02", "Gm03"]
CIM = pd.DataFrame([[1.0, 0.5, 0.2], [0.5, 0.8, 0.4], [0.2, 0.4, 0.6]], NAMES, NAMES)
COUNTS = pd.Series({"Gm01": 10, "Gm02": 2, "Gm03": 8})


def test_it_is_the_mean_over_tokens_of_attention_normalised_from_the_cim():
    """The literal n x n matrix: token i attends to j with weight H[c(i), c(j)] / row sum."""
    chromosome = np.repeat([0, 1, 2], COUNTS)
    literal = CIM.to_numpy()[np.ix_(chromosome, chromosome)]
    literal /= literal.sum(axis=1, keepdims=True)
    member = np.eye(3)[chromosome]
    expected = (member.T @ literal @ member) / COUNTS.to_numpy()[:, None]
    np.testing.assert_allclose(proportional_attention(CIM, COUNTS), expected, rtol=1e-12)


def test_a_chromosome_without_snps_gets_no_attention():
    found = proportional_attention(CIM, COUNTS.drop("Gm02"))
    assert (found["Gm02"] == 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1.0)


def test_agreement_is_1_for_the_cim_itself_and_undefined_for_uniform_attention():
    expected = proportional_attention(CIM, COUNTS)
    uniform = pd.DataFrame(np.tile(COUNTS / COUNTS.sum(), (3, 1)), NAMES, NAMES)
    assert agreement_with_cim(expected, expected, COUNTS) == pytest.approx(1.0)
    assert np.isnan(agreement_with_cim(uniform, expected, COUNTS))
    halfway = 0.5 * expected + 0.5 * uniform
    assert agreement_with_cim(halfway, expected, COUNTS) == pytest.approx(1.0)
    away = 2 * uniform - expected
    assert agreement_with_cim(away, expected, COUNTS) == pytest.approx(-1.0)


def test_a_chromosome_that_no_model_attends_to_is_left_out():
    expected = proportional_attention(CIM, COUNTS)
    gap = expected.copy()
    gap.loc["Gm02"] = np.nan
    assert agreement_with_cim(gap, expected, COUNTS) == pytest.approx(1.0)


def test_attention_is_averaged_over_the_seeds_of_each_model(tmp_path):
    fits = []
    for label, shift in (("CSAFM", 0.0), ("CSAFM", 0.2), ("CISEM", 1.0)):
        path = tmp_path / f"{len(fits)}.tsv"
        write_table((CIM + shift).reset_index(names="chromosome"), path)
        fits.append({"label": label, "attention": path})
    found = read_attention(fits)
    np.testing.assert_allclose(found["CSAFM"], CIM + 0.1)
    np.testing.assert_allclose(found["CISEM"], CIM + 1.0)


def test_snps_are_counted_by_chromosome(tmp_path):
    write_table(pd.DataFrame({"chromosome": ["1", "1", "10"], "column": range(3)}), tmp_path / "v")
    assert count_snps(tmp_path / "v").to_dict() == {"1": 2, "10": 1}


@pytest.mark.parametrize("models", [1, 3])
def test_each_model_has_its_row(tmp_path, models):
    labels = ["Transformer", "CSAFM", "CISEM"][:models]
    expected = proportional_attention(CIM, COUNTS)
    attention = dict.fromkeys(labels, 0.9 * expected + 0.1 / 3)
    plot_attention(attention, CIM, COUNTS, trait="oil", paths=[tmp_path / "a.svg"])
    text = (tmp_path / "a.svg").read_text()
    assert text.count("attention proportional to the CIM") == models
    assert all(f"{label} minus CIM" in text for label in labels)
    assert text.count("r = ") == models


def test_maps_of_uniform_attention_are_covered_by_a_sentence(tmp_path):
    fits = []
    for label, nae in (("CSAFM", 0.99), ("CSAFM", 0.97), ("CISEM", 0.5)):
        path = tmp_path / f"{len(fits)}.tsv"
        write_table(pd.DataFrame({"part": ["test"], "metric": ["NAE"], "value": [nae]}), path)
        fits.append({"label": label, "estimates": path})
    uniform = uniform_models(fits)
    assert uniform == {"CSAFM"}
    attention = dict.fromkeys(["CSAFM", "CISEM"], proportional_attention(CIM, COUNTS))
    paths = [tmp_path / "a.svg"]
    plot_attention(attention, CIM, COUNTS, trait="oil", paths=paths, uniform=uniform)
    text = paths[0].read_text()
    assert text.count("this map says nothing") == 2, "the map and its difference"
    assert text.count("r = ") == 1 and "CISEM (r = " in text
    plot_attention(attention, CIM, COUNTS, trait="oil", paths=paths)
    assert "says nothing" not in paths[0].read_text()
