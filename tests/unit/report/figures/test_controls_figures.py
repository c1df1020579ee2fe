"""The figure of the controls: what is drawn and what is said of it."""

import re

import numpy as np
import pandas as pd
import pytest

from soyfold.evaluation.controls import COLUMNS
from soyfold.report.figures.controls import ordinal, plot_controls, verdict


def panel(trait, model, *, real=0.6, permuted=(0.5, 0.55, 0.7), others=("identity", "zero")):
    """controls.tsv's rows of one trait and model."""
    facts = {"trait": trait, "model": model, "label": model.upper(), "metric": "PCC"}
    facts |= {"real": real, "real_cim": "hic"}
    rows = [{"control": f"permuted{k}", "value": v} for k, v in enumerate(permuted, 1)]
    rows += [{"control": name, "value": 0.52} for name in others]
    if permuted:
        mean = float(np.mean(permuted))
        rank = 1 + sum(v >= real for v in permuted)
        rows.append(
            {
                "control": "permuted",
                "value": mean,
                "difference": real - mean,
                "low": real - mean - 0.05,
                "high": real - mean + 0.05,
                "rank": rank,
                "permutations": len(permuted),
                "permutation_p": rank / (1 + len(permuted)),
            }
        )
    return pd.DataFrame([{**facts, **row} for row in rows]).reindex(columns=COLUMNS)


def test_the_rank_is_said_in_words(tmp_path):
    table = pd.concat([panel("oil", "csafm"), panel("protein", "cisem", real=0.9)])
    plot_controls(table, paths=[tmp_path / "c.svg"])
    text = (tmp_path / "c.svg").read_text()
    assert "oil, CSAFM: real CIM 2nd of 4 (p = 0.5)" in text
    assert "protein, CISEM: real CIM 1st of 4 (p = 0.25)" in text
    assert "protein, CSAFM" not in text, "a pair without controls has no panel"


def test_a_control_that_is_absent_has_no_row(tmp_path):
    plot_controls(panel("oil", "csafm"), paths=[tmp_path / "c.svg"])
    text = (tmp_path / "c.svg").read_text()
    assert re.findall(r">(permuted \(\d+\)|expected|identity|constant|zero)<", text) == [
        "permuted (3)", "identity", "zero",
    ]  # fmt: skip


def test_controls_without_permuted_ones_have_no_rank(tmp_path):
    plot_controls(panel("oil", "csafm", permuted=()), paths=[tmp_path / "c.svg"])
    text = (tmp_path / "c.svg").read_text()
    assert "oil, CSAFM" in text and "real CIM" not in text.replace("The real CIM against", "")


def test_a_constant_output_is_named_so():
    assert "constant" in verdict(pd.Series({"rank": np.nan, "permutations": 3}))


@pytest.mark.parametrize(
    ("number", "word"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"), (13, "13th"),
     (21, "21st"), (101, "101st"), (111, "111th")],
)  # fmt: skip
def test_ordinals(number, word):
    assert ordinal(number) == word


def test_same_data_same_bytes(tmp_path):
    for name in ("a.png", "b.png"):
        plot_controls(panel("oil", "csafm"), paths=[tmp_path / name])
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
