"""The QQ plot's band, against the distribution of order statistics."""

import numpy as np
import pytest
from scipy import stats

from soyfold.report.figures.manhattan import qq_band


@pytest.mark.parametrize("n", [1, 7, 4000])
def test_the_band_is_that_of_uniform_order_statistics(n):
    rank = np.arange(1, n + 1)
    for ends, q in zip(qq_band(n), (0.975, 0.025), strict=True):
        np.testing.assert_allclose(10**-ends, stats.beta.ppf(q, rank, n - rank + 1), rtol=1e-12)
