"""Standardisation: fitted on the rows it is given, and undone exactly."""

import numpy as np
import pytest
from tiny_study import planted_lines

from soyfold.common.errors import UserError
from soyfold.training.scaling import fit_scaler


def test_centre_and_scale_are_those_of_the_definition():
    dosage, y = planted_lines(50)
    scaler = fit_scaler(dosage, y)
    wide = dosage.astype(np.float64)
    np.testing.assert_allclose(scaler.centre, wide.mean(0), rtol=1e-6)
    assert scaler.scale == pytest.approx(np.sqrt(wide.var(0).mean()))
    np.testing.assert_allclose(scaler.restore(scaler.standardise(y)), y, rtol=1e-6)
    assert scaler.standardise(y).std() == pytest.approx(1, rel=1e-5)


def test_no_variance_is_refused():
    dosage, y = planted_lines(20)
    with pytest.raises(UserError, match="no SNP that varies"):
        fit_scaler(np.ones_like(dosage), y)
    with pytest.raises(UserError, match="one single value of the trait, 3"):
        fit_scaler(dosage, np.full(20, 3.0))
