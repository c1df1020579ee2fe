"""Split-conformal intervals: the rank that theory asks for, and the coverage that it promises."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soyfold.cohort.splits.cells import value_parts
from soyfold.cohort.splits.drawing import draw_split
from soyfold.common.errors import UserError
from soyfold.common.files import write_table
from soyfold.evaluation.conformal import (
    Calibration,
    conformal_half_width,
    excess_variance,
    interval_metrics,
    level_percent,
    line_half_widths,
)
from soyfold.evaluation.measures import INTERVALS, measure_fit, measure_trait
from soyfold.models import gblup


@given(
    st.lists(st.integers(-1000, 1000), min_size=1, max_size=60, unique_by=abs),
    st.integers(1, 99),
)
def test_the_rank_is_the_smallest_that_promises_the_level(residuals, percent):
    """Exact: with distinct residuals a new one is covered with probability rank / (n + 1)."""
    half, n = conformal_half_width(residuals, percent / 100), len(residuals)
    if math.isinf(half):
        assert 100 * n < percent * (n + 1)
        return
    rank = np.count_nonzero(np.abs(residuals) <= half)
    assert 100 * rank >= percent * (n + 1) > 100 * (rank - 1)


@given(st.lists(st.floats(-5, 5), min_size=20, max_size=40), st.floats(0.05, 0.9), st.floats(0, 1))
def test_a_higher_level_is_no_narrower_and_signs_do_not_matter(residuals, level, more):
    half = conformal_half_width(residuals, level)
    assert conformal_half_width(residuals, level + more * (0.95 - level)) >= half
    assert conformal_half_width(np.negative(residuals)[::-1], level) == half


@pytest.mark.parametrize(("n", "level"), [(19, 0.9), (50, 0.8), (400, 0.95)])
def test_coverage_of_exchangeable_lines(n, level):
    """At least the level, at most 1 / (n + 1) more, whatever the distribution."""
    rng, repeats = np.random.default_rng(n), 20_000
    draws = rng.standard_t(3, size=(repeats, n + 1))
    covered = [abs(d[-1]) <= conformal_half_width(d[:-1], level) for d in draws]
    error = 4 * math.sqrt(level * (1 - level) / repeats)
    assert level - error <= np.mean(covered) <= level + 1 / (n + 1) + error


def test_too_few_lines_have_no_interval():
    assert math.isinf(conformal_half_width(np.ones(8), 0.9))
    assert conformal_half_width(np.arange(9.0), 0.9) == 8
    assert math.isinf(conformal_half_width([], 0.5))
    assert all(math.isnan(v) for v in interval_metrics([1.0], [1.0], math.inf, 0.9).values())


@pytest.mark.parametrize(("residuals", "level"), [([1.0, np.nan], 0.9), ([[1.0]], 0.9), ([1], 1)])
def test_what_has_no_quantile_is_refused(residuals, level):
    with pytest.raises(ValueError, match="allowed"):
        conformal_half_width(residuals, level)


def test_levels_are_named_in_percent():
    assert [level_percent(level) for level in (0.9, 0.975, 0.07)] == ["90", "97.5", "7"]
    found = interval_metrics([1.0, 5.0], [2.0, 2.0], 1.0, 0.8)
    assert found == {"coverage80": 0.5, "interval_width80": 2.0}


def errors_of(sd, rng, *, noise=1.0):
    return sd * rng.normal(size=len(sd)) + noise * rng.normal(size=len(sd))


def test_intervals_widen_where_the_fit_expects_to_err_and_cover_near_and_far_lines():
    rng, inside, constant, widths = np.random.default_rng(1), [], [], []
    for _ in range(200):
        sd = rng.choice([0.2, 3.0], size=400, p=[0.8, 0.2])
        errors = errors_of(sd, rng)
        known = Calibration(errors[:200], sd[:200])
        half = known.half_widths(sd[200:], 0.9)
        plain = conformal_half_width(errors[:200], 0.9)
        far = sd[200:] > 1
        new = np.abs(errors[200:])
        inside.append([(new <= half)[~far].mean(), (new <= half)[far].mean()])
        constant.append((new <= plain)[far].mean())
        widths.append(half.mean() / plain)
    near, far = np.mean(inside, axis=0)
    assert near == pytest.approx(0.9, abs=0.02) and far == pytest.approx(0.9, abs=0.02)
    assert np.mean(constant) < 0.75, "of one width for all"
    assert np.mean(widths) < 1, "and that is wider in the mean"


@given(st.integers(0, 10**6), st.floats(0, 3))
def test_the_noise_is_what_residuals_have_beyond_the_errors_told(seed, most):
    rng = np.random.default_rng(seed)
    sd, residuals = rng.uniform(0, most, 50), rng.normal(size=50)
    noise, squares = excess_variance(residuals, sd), residuals**2
    assert 0.05 * squares.mean() * (1 - 1e-9) <= noise <= squares.mean() * (1 + 1e-9)
    if noise > 0.0501 * squares.mean():
        assert np.mean(squares / (sd**2 + noise)) == pytest.approx(1, abs=1e-6)
    assert excess_variance(residuals, np.zeros(50)) == pytest.approx(squares.mean())


def test_what_the_fit_thinks_of_itself_only_shapes_intervals():
    """Errors that are told ten times too small or too large: the level still holds."""
    for scale in (0.1, 10.0):
        rng, inside = np.random.default_rng(2), []
        for _ in range(300):
            sd = rng.uniform(0.5, 2, size=300)
            errors = errors_of(sd, rng)
            half = Calibration(errors[:200], scale * sd[:200]).half_widths(scale * sd[200:], 0.9)
            inside.append((np.abs(errors[200:]) <= half).mean())
        assert np.mean(inside) == pytest.approx(0.9, abs=0.015)


def test_a_fit_that_does_not_know_its_errors_has_one_width():
    rng = np.random.default_rng(3)
    residuals, unknown = rng.normal(size=50), np.full(50, np.nan)
    plain = conformal_half_width(residuals, 0.9)
    for known, sd in ((unknown, np.ones(4)), (np.ones(50), np.array([1, np.nan, 1, 1]))):
        assert (Calibration(residuals, known).half_widths(sd, 0.9) == plain).all()
    alike = Calibration(residuals, np.full(50, 0.3)).half_widths(np.full(4, 0.3), 0.9)
    np.testing.assert_allclose(alike, plain)
    assert (Calibration(np.zeros(50), np.ones(50)).half_widths(np.ones(2), 0.9) == 0).all()


def test_lines_of_new_families_have_the_intervals_of_left_out_families():
    rng = np.random.default_rng(4)
    known = Calibration(rng.normal(size=60), np.full(60, 0.5))
    apart = Calibration(5 * rng.normal(size=80), np.full(80, 2.0))
    sd, new = np.array([0.5, 2.0, 2.0]), np.array([False, False, True])
    half = line_half_widths(sd, new, 0.9, known=known, apart=apart)
    np.testing.assert_allclose(half[:2], known.half_widths(sd[:2], 0.9))
    np.testing.assert_allclose(half[2:], apart.half_widths(sd[2:], 0.9))
    none = Calibration(np.zeros(0), np.zeros(0))
    for missing in (None, none):
        alone = line_half_widths(sd, new, 0.9, known=known, apart=missing)
        np.testing.assert_allclose(alone, known.half_widths(sd, 0.9))


def predictions(*, n=40, held_out=True, seed=0):
    """A fit whose predictions of validation lines are far better where it has seen them."""
    rng = np.random.default_rng(seed)
    part = np.repeat(["train", "val", "test"], [n, 19, n])
    observed = rng.normal(35, 2, len(part))
    predicted = observed + rng.normal(0, 1, len(part))
    predicted[part == "val"] = observed[part == "val"]
    blind = np.where(part == "val", observed + rng.normal(0, 1, len(part)), np.nan)
    return pd.DataFrame(
        {"sample": [f"PI{i}" for i in range(len(part))], "part": part, "observed": observed,
         "predicted": predicted, "held_out": blind if held_out else np.nan}
    )  # fmt: skip


def test_intervals_rest_on_what_the_fit_has_not_seen():
    table = predictions()
    metrics, intervals = measure_fit(table, better="high", level=0.9)
    val = table[table.part == "val"]
    half = np.sort(np.abs(val.observed - val.held_out))[17]  # the 18th of 19: 0.9 x 20
    np.testing.assert_allclose(intervals.high - intervals.predicted, half)
    np.testing.assert_allclose(intervals.predicted - intervals.low, half)
    assert metrics["interval_width90"] == pytest.approx(2 * half)
    inside = intervals.observed.between(intervals.low, intervals.high)
    assert metrics["coverage90"] == pytest.approx(inside.mean())
    assert (metrics["train_lines"], metrics["test_lines"], len(intervals)) == (40, 40, 40)


def test_test_lines_of_a_family_of_their_own_are_told_by_left_out_families():
    table, rng = predictions(), np.random.default_rng(5)
    train, test = table.part == "train", table.part == "test"
    table["held_out_sd"] = np.where(table.part == "val", 0.5, np.nan)
    table["error_sd"] = np.where(test, np.arange(len(table)) % 2 + 0.5, np.nan)
    blind = table.observed + 4 * rng.normal(size=len(table))
    table["without_family"] = np.where(train, blind, np.nan)
    table["without_family_sd"] = np.where(train, 2.0, np.nan)
    names = np.array(["a", "b", "new", ""])[[*np.arange(59) % 2, *np.arange(40) % 4]]
    families = pd.Series(names, index=table["sample"]).replace("", None)
    metrics, intervals = measure_fit(table, better="high", level=0.9, families=families)
    half, sd = (intervals.high - intervals.predicted).to_numpy(), table.error_sd[test].to_numpy()
    val, new = table[table.part == "val"], names[59:] == "new"
    own = Calibration((val.observed - val.held_out).to_numpy(), val.held_out_sd.to_numpy())
    apart = Calibration((table.observed - blind)[train].to_numpy(), np.full(train.sum(), 2.0))
    np.testing.assert_allclose(half[~new], own.half_widths(sd[~new], 0.9))
    np.testing.assert_allclose(half[new], apart.half_widths(sd[new], 0.9))
    assert metrics["interval_width90"] == pytest.approx(2 * half.mean())
    plain = measure_fit(table, better="high", level=0.9)[1]
    np.testing.assert_allclose(plain.high - plain.predicted, own.half_widths(sd, 0.9))


def test_without_held_out_predictions_there_is_no_interval():
    metrics, intervals = measure_fit(predictions(held_out=False), better="high", level=0.9)
    assert np.isnan(metrics["coverage90"]) and np.isnan(metrics["interval_width90"])
    assert intervals.empty and metrics["selection_efficiency"] <= 1


def test_a_joint_models_traits_are_told_apart(tmp_path):
    oil = predictions(seed=1).assign(trait="oil")
    protein = predictions(seed=2).assign(trait="protein")
    protein.loc[protein.index[-5:], "observed"] = np.nan
    write_table(pd.concat([oil, protein]), tmp_path / "joint.tsv")
    write_table(oil.drop(columns="trait"), tmp_path / "alone.tsv")
    fits = [
        {
            "model": name,
            "scheme": "random",
            "seed": 0,
            "role": "model",
            "file": tmp_path / f"{name}.tsv",
        }
        for name in ("joint", "alone")
    ]
    measures, intervals = measure_trait(fits, "oil")
    joint, alone = (
        measures[measures.model == name].value.to_numpy() for name in ("joint", "alone")
    )
    np.testing.assert_allclose(joint, alone)
    assert list(intervals) == INTERVALS and set(intervals.trait) == {"oil"}
    lines = measure_trait(fits[:1], "protein")[0].set_index("metric").value["test_lines"]
    assert lines == 35
    with pytest.raises(UserError, match="no row of trait 'yield'"):
        measure_trait(fits[:1], "yield")


def trial(seed, *, n=240, places=5, by_place=0.5):
    """Dosages, names and cells: lines of variance 1, half of it in their SNPs; single plots.

    `by_place` is the variance of SNPs' effects that an environment has for its own.
    """
    random = np.random.default_rng(seed)
    dosage = 2 * random.integers(0, 2, (n, 60)).astype(np.int8)
    centred = dosage - dosage.mean(0)
    line = centred @ random.normal(size=60)
    line = np.sqrt(0.5) * (line / line.std() + random.normal(size=n))
    own = centred @ random.normal(size=(60, places))
    line = line[:, None] + np.sqrt(by_place) * own / own.std(0)
    names = np.array([f"l{i:03}" for i in range(n)])
    value = 50 + line + random.normal(0, 3, places) + random.normal(size=(n, places))
    grown = random.random(value.shape) < 0.7
    grown[0] = True
    i, j = np.nonzero(grown)
    cells = {"sample": names[i], "environment": [f"E{k}" for k in j], "value": value[i, j]}
    return dosage, names, pd.DataFrame(cells)


def gblup_on(scheme, seed, split=None, **trials):
    """GBLUP's predictions of a split of a simulated trial, and the split's values by part."""
    dosage, names, cells = trial(seed, **trials)
    samples = pd.DataFrame({"sample": names, "kept": True, "reason": None})
    settings = {"scheme": scheme, "ratio": [6, 2, 2]}
    drawn = seed % 5 if split is None else split
    rows, _ = draw_split(samples, settings, seed=drawn, cells=cells)
    at = np.searchsorted(names, rows["sample"].to_numpy(dtype=str))
    told = {}
    for seen in ("train", "train val"):
        taught = rows.part.isin(seen.split()).to_numpy()
        model = gblup.fit(dosage[at[taught]], rows.value.to_numpy()[taught], parameters={}, seed=0)
        told[seen] = model.predict(dosage[at])
        told[f"{seen} sd"] = model.errors(dosage[at])[1]
    val = rows.part == "val"
    table = rows.assign(
        observed=rows.value, predicted=told["train val"],
        held_out=np.where(val, told["train"], np.nan),
        held_out_sd=np.where(val, told["train sd"], np.nan), error_sd=told["train val sd"],
    )  # fmt: skip
    return table, value_parts(cells, rows)


@pytest.mark.parametrize("scheme", ["cv1", "cv2", "leave_environment_out"])
def test_residuals_of_line_effects_promise_too_much_of_single_values(scheme):
    found = [gblup_on(scheme, seed, by_place=0.0) for seed in range(6)]
    cover = {
        name: np.mean(
            [
                measure_fit(table, better="high", level=0.8, cells=kind)[0]["coverage80"]
                for table, cells in found
                for kind in [cells if name == "values" else None]
            ]
        )
        for name in ("effects", "values")
    }
    assert cover["effects"] < cover["values"] - 0.04


@pytest.mark.parametrize("scheme", ["cv1", "cv2", "leave_environment_out"])
def test_ninety_percent_intervals_of_values_hold_ninety_percent(tmp_path, scheme):
    """Of lines known elsewhere and in new environments too, of a model with errors or without."""
    held = {"gblup": [], "unsure": []}
    for seed in range(3):
        fits = []
        for split in range(5):
            table, cells = gblup_on(scheme, seed, split)
            write_table(cells, tmp_path / f"cells{split}.tsv")
            bare = table.drop(columns=["error_sd", "held_out_sd"])
            for model, told in (("gblup", table), ("unsure", bare)):
                path = tmp_path / f"{model}{split}.tsv"
                write_table(told, path)
                fits.append(
                    {"model": model, "scheme": scheme, "seed": split, "role": "model",
                     "file": path, "cells": [tmp_path / f"cells{split}.tsv"]}
                )  # fmt: skip
        measures, intervals = measure_trait(fits, "yield")
        inside = intervals.observed.between(intervals.low, intervals.high)
        shares = inside.groupby([intervals.model, intervals.seed]).mean().groupby("model").mean()
        told = measures[measures.metric == "coverage90"].groupby("model").value.mean()
        for model, values in held.items():
            values.append(told[model])
            assert shares[model] == pytest.approx(told[model], abs=1e-4)
    assert 0.87 < np.mean(held["gblup"]) < 0.93 and 0.87 < np.mean(held["unsure"]) < 0.93


def test_residuals_are_of_other_splits_values_where_validation_lines_are_not_alike():
    table, cells = gblup_on("cv2", 0, 0)
    test = table[table.part == "test"]
    others = [gblup_on("cv2", 0, split)[0].query("part == 'test'") for split in (1, 2)]
    told = {"better": "high", "level": 0.9, "cells": cells}
    _, found = measure_fit(table, **told, others=others)
    # A value that is tested here has no say, whatever another split's fit made of it.
    keys = ["sample", "environment"]
    here = [pd.MultiIndex.from_frame(o[keys]).isin(pd.MultiIndex.from_frame(test[keys]))
            for o in others]  # fmt: skip
    assert sum(map(np.sum, here)) > 20
    wild = [
        o.assign(observed=np.where(h, 1e6, o.observed)) for o, h in zip(others, here, strict=True)
    ]
    pd.testing.assert_frame_equal(measure_fit(table, **told, others=wild)[1], found)
    kept = pd.concat([o[~h] for o, h in zip(others, here, strict=True)])
    known = Calibration((kept.observed - kept.predicted).to_numpy(), kept.error_sd.to_numpy())
    half = known.half_widths(test.error_sd.to_numpy(), 0.9)
    np.testing.assert_allclose(found.high - found.predicted, half)
    # One split alone, or too few values: validation lines'; and so where lines are new.
    _, alone = measure_fit(table, **told)
    _, few = measure_fit(table, **told, others=[others[0].head(3)])
    pd.testing.assert_frame_equal(alone, few)
    assert (alone.high - alone.low).mean() > (found.high - found.low).mean()
    table, cells = gblup_on("cv1", 0, 0)
    other = [gblup_on("cv1", 0, 1)[0].query("part == 'test'")]
    told["cells"] = cells
    pd.testing.assert_frame_equal(
        measure_fit(table, **told)[1], measure_fit(table, **told, others=other)[1]
    )


def test_what_is_tested_and_trained_on_counts_in_one_unit():
    table, cells = gblup_on("cv1", 1)
    metrics, _ = measure_fit(table, better="high", level=0.9, cells=cells)
    assert (metrics["train_lines"], metrics["test_lines"]) == (144, 48)
    counts = cells.part.value_counts()
    assert metrics["test_share"] == counts["test"] / counts["train"]
    assert metrics["test_share"] == pytest.approx(1 / 3, abs=0.03)
    assert measure_fit(predictions(), better="high", level=0.9)[0]["test_share"] == 1
