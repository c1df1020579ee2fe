"""Kinship: VanRaden's formula, in blocks, and a line isn't its own relative."""

import numpy as np
import pytest

from soyfold.prediction import kinship
from soyfold.prediction.kinship import Panel, far_below


@pytest.fixture
def lines():
    random = np.random.default_rng(3)
    return random.binomial(2, random.uniform(0.1, 0.9, 50), (30, 50)).astype(np.int8)


def vanraden(left, right, p):
    z = [x.astype(float) - 2 * p for x in (left, right)]
    return z[0] @ z[1].T / (2 * np.sum(p * (1 - p)))


def test_kinship_is_vanradens(lines):
    p = lines.mean(0) / 2
    found = Panel(lines, p).kinship(lines[:4])
    np.testing.assert_allclose(found, vanraden(lines[:4], lines, p), atol=1e-12)
    # Centred by the panel's own frequencies, kinships of a line to the whole panel sum to 0.
    np.testing.assert_allclose(found.sum(axis=1), 0, atol=1e-10)


@pytest.mark.parametrize("floats", [30, 2**24])
def test_relatives_in_blocks_and_without_the_line_itself(lines, monkeypatch, floats):
    monkeypatch.setattr(kinship, "FLOATS", floats)
    p = lines.mean(0) / 2
    sets = {"all": np.ones(30, bool), "some": np.arange(30) < 10, "none": np.zeros(30, bool)}
    itself = np.array([2, -1, 20])
    found = Panel(lines, p).relatives(lines[[2, 5, 20]], itself, sets)
    full = vanraden(lines[[2, 5, 20]], lines, p)
    full[0, 2] = full[2, 20] = np.nan
    for name, columns in (("all", slice(None)), ("some", slice(10))):
        part, told = full[:, columns], found[name]
        np.testing.assert_allclose(told.highest, np.nanmax(part, axis=1))
        ten = [np.sort(row[~np.isnan(row)])[-kinship.NEAREST :].mean() for row in part]
        np.testing.assert_allclose(told.mean, ten, atol=1e-12)
    assert found["all"].nearest[1] == 5  # the same line under another name
    assert np.isnan(found["none"].highest).all() and (found["none"].nearest == -1).all()


def test_one_training_line_in_a_hundred_is_far(lines):
    random = np.random.default_rng(1)
    founders = random.integers(0, 2, (5, 200))
    dosage = 2 * founders[random.integers(0, 5, (300, 1)), np.arange(200)].astype(np.int8)
    dosage[random.random(dosage.shape) < 0.05] = 1
    panel = Panel(dosage, dosage.mean(0) / 2)
    everyone = {"y": np.ones(300, bool)}
    limit = far_below(panel, everyone)["y"]
    own = panel.relatives(dosage, np.arange(300), everyone)["y"].highest
    assert np.mean(own < limit) == pytest.approx(0.01, abs=0.005)
    stranger = random.integers(0, 3, (1, 200)).astype(np.int8)
    assert panel.relatives(stranger, np.array([-1]), everyone)["y"].highest[0] < limit
