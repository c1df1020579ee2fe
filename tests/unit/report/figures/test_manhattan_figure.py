"""The QQ plot's band, against the distribution of order statistics; labels that keep apart."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from soyfold.report.figures import curves, manhattan
from soyfold.report.figures.manhattan import qq_band


@pytest.mark.parametrize("n", [1, 7, 4000])
def test_the_band_is_that_of_uniform_order_statistics(n):
    rank = np.arange(1, n + 1)
    for ends, q in zip(qq_band(n), (0.975, 0.025), strict=True):
        np.testing.assert_allclose(10**-ends, stats.beta.ppf(q, rank, n - rank + 1), rtol=1e-12)


LONG = ["Contact readout with learned contacts", "Learned contact kernel on sparse SNPs", "GBLUP"]


@pytest.mark.parametrize(
    "module, name, label_of",
    [
        (manhattan, "plot_manhattan", lambda axis: axis.yaxis.label),
        (curves, "plot_predictions", lambda axis: axis.title),
    ],
)
def test_long_names_of_models_keep_apart(monkeypatch, module, name, label_of):
    rng = np.random.default_rng(1)
    x = rng.uniform(size=40)
    table = pd.DataFrame({"chromosome": "chrI", "position": range(40), "importance": x})
    table = table.assign(observed=x, predicted=x + rng.normal(size=40), seed=0)
    figures = []
    monkeypatch.setattr(module, "save_figure", lambda figure, paths: figures.append(figure))
    before = (None,) if module is manhattan else ()
    draw = getattr(module, name)
    draw(*before, dict.fromkeys(LONG, table), trait="oil", unit="%", paths=[])
    figures[0].draw_without_rendering()
    boxes = [label_of(axis).get_window_extent() for axis in figures[0].axes[: len(LONG)]]
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
