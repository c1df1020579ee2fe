"""The figure of a search: which trials it names, and the same bytes for the same trials."""

import numpy as np
import pandas as pd
import pytest

from soyfold.common.files import write_table
from soyfold.report.figures.tuning import best_so_far, plot_tuning, read_trials


@pytest.fixture
def trials(tmp_path):
    table = pd.DataFrame(
        {
            "trial": range(1, 8),
            "state": ["failed", "complete", "complete", "pruned", "complete", "pruned", "complete"],
            "value": [np.nan, 0.9, 0.7, 0.1, 0.8, 2.0, 500.0],
            "default": [False, True, *[False] * 5],
            "epochs_run": 3,
            "learning_rate": np.geomspace(1e-5, 1e-2, 7),
            "batch_size": [16, 32, 64, 16, 32, 64, 16],
            "norm": ["pre", "post"] * 3 + ["pre"],
            "dropout": np.linspace(0, 0.3, 7),
        }
    )
    write_table(table, tmp_path / "trials.tsv")
    return read_trials(tmp_path / "trials.tsv")


def test_only_complete_trials_count_as_best(trials):
    np.testing.assert_equal(best_so_far(trials), [np.nan, 0.9, 0.7, 0.7, 0.7, 0.7, 0.7])


def test_the_figure_names_what_became_of_each_trial(tmp_path, trials):
    plot_tuning(trials, label="CSAFM", trait="oil", paths=[tmp_path / "t.svg"])
    text = (tmp_path / "t.svg").read_text()
    for said in ("complete (3)", "pruned (2)", "failed (1)", "off the scale (1)", "model's own"):
        assert said in text
    for said in ("learning_rate", "batch_size", "norm", "dropout", "oil: search", "CSAFM"):
        assert said in text


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_same_trials_same_bytes(tmp_path, trials, suffix):
    paths = [tmp_path / f"{name}.{suffix}" for name in "ab"]
    for path in paths:
        plot_tuning(trials, label="CSAFM", trait="oil", paths=[path])
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_search_of_one_trial_can_be_drawn(tmp_path, trials):
    plot_tuning(trials[1:2], label="CSAFM", trait="oil", paths=[tmp_path / "t.svg"])
    assert "complete (1)" in (tmp_path / "t.svg").read_text()
