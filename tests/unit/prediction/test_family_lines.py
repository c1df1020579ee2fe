"""A new line's family among the training lines: counted per trait, and told where there is none."""

import logging

import numpy as np
import pandas as pd
import pytest

from soyfold.prediction.alignment import RECORDS, VARIANTS
from soyfold.prediction.predicting import NewLines, count_family_lines
from soyfold.prediction.summary import describe_run

SAMPLES = np.array(["A-1", "A-2", "A-3", "B-1", "parent"])
SETS = {
    "oil": np.array([True, True, False, True, True]),
    "protein": np.array([True, False, False, False, True]),
}
PATTERN = {"pattern": "^([A-Z])-"}


def new_lines(names, families):
    return NewLines(np.array(names), np.zeros((len(names), 3), np.int8), families, None)


def test_training_lines_of_the_family_are_counted_by_trait(caplog):
    lines = new_lines(["A-9", "B-9", "C-9", "check"], np.array(["A", "B", "C", ""]))
    with caplog.at_level(logging.WARNING, logger="soyfold"):
        counts = count_family_lines(lines, SAMPLES, SETS, PATTERN)
    assert counts["oil"].tolist() == [2, 1, 0, pd.NA]
    assert counts["protein"].tolist() == [1, 0, 0, pd.NA]
    oil, protein = (record.getMessage() for record in caplog.records)
    assert oil.startswith("WARNING oil: 1 of 4 lines") and "(C)" in oil
    assert protein.startswith("WARNING protein: 2 of 4 lines") and "(B, C)" in protein


def test_families_of_a_table(tmp_path, caplog):
    table = tmp_path / "families.tsv"
    table.write_text("sample\tfamily\nA-1\tA\nA-2\tA\nA-9\tA\n")
    lines = new_lines(["A-9", "B-9"], np.array(["A", ""]))
    counts = count_family_lines(lines, SAMPLES, SETS, {"file": table})
    assert counts["oil"].tolist() == [2, pd.NA] and not caplog.records


@pytest.mark.parametrize("families", [None, {}])
def test_a_study_without_families_counts_nothing(families, caplog):
    counts = count_family_lines(new_lines(["A-9", "C-9"], None), SAMPLES, SETS, families)
    assert all(column.isna().tolist() == [True, True] for column in counts.values())
    assert list(counts) == list(SETS) and not caplog.records


@pytest.mark.parametrize(
    ("oil", "told"), [([2, 0, pd.NA], "2 of families"), ([2, 1, pd.NA], "1 of")]
)
def test_the_summary_counts_lines_whose_family_is_in_no_training_of_some_trait(oil, told):
    predictions = pd.DataFrame(
        {"line": ["a", "b", "c"] * 2, "trait": ["oil"] * 3 + ["protein"] * 3, "model": "gblup",
         "in_training": False, "family_lines": pd.array([*oil, 0, 3, pd.NA], dtype="Int64")}
    )  # fmt: skip
    rows = [
        ("lines", "all", 3), ("calls", "known", 9), (VARIANTS, "all", 5), (VARIANTS, "used", 5),
        ("matched by", "id", 5), (RECORDS, "all", 5), (RECORDS, "unknown to the model", 0),
    ]  # fmt: skip
    alignment = pd.DataFrame(rows, columns=["of", "what", "count"])
    filled = pd.DataFrame({"chromosome": ["Gm01"], "filled": [0], "method": ["beagle"]})
    text = describe_run(predictions, alignment, filled)
    assert f"        {told}" in text and "less sure" in text
