"""The figure of untested lines: whose names stand on it."""

import numpy as np
import pandas as pd
import pytest

from soyfold.report.figures.predicted import ENDS, NAMED, plot_predicted


def predictions(n):
    """Lines whose names tell their place, drawn in another order."""
    order = np.random.default_rng(0).permutation(n)
    return pd.DataFrame(
        {"line": [f"line{k:04d}x" for k in order], "unit": "%", "model": "gblup",
         "prediction": order.astype(float), "lower": order - 1.0, "upper": order + 1.0,
         "kinship_max": 0.5}
    )  # fmt: skip


@pytest.mark.parametrize("n", [1, NAMED, NAMED + 1, 300])
def test_lines_are_named(tmp_path, n):
    path = tmp_path / "p.svg"
    plot_predicted(predictions(n), trait="oil", labels={}, level=0.9, paths=[path])
    text = path.read_text()
    named = {k for k in range(n) if f"line{k:04d}x" in text}
    wanted = set(range(n)) if n <= NAMED else {*range(ENDS), *range(n - ENDS, n)}
    assert named == wanted


def test_of_lines_in_environments_the_mean_over_these_is_drawn(tmp_path):
    within = predictions(3).assign(environment="east", line=["within1", "within2", "within3"])
    table = pd.concat([predictions(3).assign(environment=None), within])
    plot_predicted(table, trait="oil", labels={}, level=0.9, paths=[tmp_path / "p.svg"])
    text = (tmp_path / "p.svg").read_text()
    assert "line0001x" in text and "within" not in text
