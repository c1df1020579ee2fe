"""How covariates are written down says nothing, and what plots told of lines is used."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planted_traits import draw_lines
from tiny_study import block

from soyfold.training.cohorts import Cohort
from soyfold.training.covariates import base_of, shift_of
from soyfold.training.direct_fits import fit_direct
from soyfold.training.tasks import Task

LINES, SNPS = 72, 40
PARTS = np.resize(["train", "train", "train", "train", "val", "test"], LINES).astype(str)
CODES = np.repeat(["1", "2"], SNPS // 2)


def draw(seed, traits):
    """Dosages, values in which sex and two numbers matter, and the table of these."""
    random = np.random.default_rng(seed)
    dosage = draw_lines(LINES, SNPS, seed=seed)
    table = pd.DataFrame(
        {"sex": random.choice(["F", "M"], LINES), "number(age)": random.normal(30, 4, LINES),
         "number(weight)": random.normal(5, 1, LINES)}
    )  # fmt: skip
    y = dosage @ random.normal(size=(SNPS, traits)) / 3 + random.normal(size=(LINES, traits))
    y += 9.0 * (table[["sex"]] == "F").to_numpy() + 0.7 * table[["number(age)"]].to_numpy()
    if traits > 1:
        y[5:9, 1] = np.nan
    return dosage, y, table


def predict(name, dosage, y, table, *, noise=None):
    """What a fit tells of all lines, covariates in it: `training.tasks.Fit`, and predictions."""
    sample, train = np.array([f"s{k}" for k in range(LINES)]), PARTS == "train"
    lines = pd.DataFrame({"sample": sample, "row": np.arange(LINES)})
    joint = name == "multi_trait_gblup"
    y = y if joint else y[:, 0]
    traits = ("first", "second") if joint else ()
    cohort = Cohort(dosage, lines, y, CODES, None, traits=traits, covariates=table)
    shift = None if table is None else shift_of(base_of(table, train, tell=False), y, train)
    task = Task(
        sample=sample, part=PARTS, y=y if shift is None else y - shift, dosage=dosage,
        row=np.arange(LINES), seed=0, families=np.resize(["a", "b", ""], LINES).astype(str),
        traits=traits, covariates=table, shift=shift, noise=noise,
    )  # fmt: skip
    fit = fit_direct(block(name, kind="direct"), task, cohort)
    return fit, task.restored(fit.predicted)


@pytest.mark.parametrize(
    "name", ["gblup", "family_gblup", "nonadditive_gblup", "multi_trait_gblup"]
)
@settings(max_examples=2)
@given(st.integers(0, 10**6), st.floats(-3, 3), st.floats(0.5, 3))
def test_codes_and_units_of_covariates_change_no_prediction(name, seed, mixed, unit):
    dosage, y, table = draw(seed, 2)
    again = pd.DataFrame(
        {"number(sum)": unit * table["number(age)"] + mixed * table["number(weight)"] - 7,
         "number(flat)": 3.5, "number(weight)": -2 * table["number(weight)"],
         "sex": table["sex"].map({"F": "2", "M": "1"}), "site": "here"}
    )  # fmt: skip
    told = [predict(name, dosage, y, each) for each in (table, again)]
    np.testing.assert_allclose(told[0][1], told[1][1], rtol=1e-4, atol=1e-3)
    for column in ("reliability", "error_sd"):
        one, other = (fit.certainty[column] for fit, _ in told)
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3)


def test_several_traits_have_their_covariates_weights_and_certainty():
    found = []
    for seed in range(2):
        dosage, y, table = draw(seed, 2)
        noise = np.where(np.isnan(y), np.nan, np.resize([0.2, 1.0, 4.0], LINES)[:, None])
        tested = PARTS == "test"
        for own in (None, table):
            fit, told = predict("multi_trait_gblup", dosage, y, own, noise=noise)
            assert fit.certainty.keys() >= {"reliability", "error_sd"}
            for name in ("reliability", "error_sd"):
                known = fit.certainty[name]
                assert known.shape == y.shape
                assert (known[tested] > 0).all() and np.isnan(known[~tested]).all()
            assert (fit.certainty["reliability"][tested] < 1).all()
            found.append(np.nanmean(np.abs(told - y)[tested]))
    without, within = np.reshape(found, (2, 2)).mean(0)
    assert within < 0.6 * without
