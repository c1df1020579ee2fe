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
from soyfold.evaluation.conformal import conformal_half_width, interval_metrics, level_percent
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


def trial(seed, *, n=240, places=5):
    """Dosages, names and cells: lines of variance 1, half of it in their SNPs; single plots."""
    random = np.random.default_rng(seed)
    dosage = 2 * random.integers(0, 2, (n, 60)).astype(np.int8)
    line = (dosage - dosage.mean(0)) @ random.normal(size=60)
    line = np.sqrt(0.5) * (line / line.std() + random.normal(size=n))
    names = np.array([f"l{i:03}" for i in range(n)])
    value = 50 + line[:, None] + random.normal(0, 3, places) + random.normal(size=(n, places))
    grown = random.random(value.shape) < 0.7
    grown[0] = True
    i, j = np.nonzero(grown)
    cells = {"sample": names[i], "environment": [f"E{k}" for k in j], "value": value[i, j]}
    return dosage, names, pd.DataFrame(cells)


def gblup_on(scheme, seed):
    """GBLUP's predictions of a split of a simulated trial, and the split's values by part."""
    dosage, names, cells = trial(seed)
    samples = pd.DataFrame({"sample": names, "kept": True, "reason": None})
    settings = {"scheme": scheme, "ratio": [6, 2, 2]}
    rows, _ = draw_split(samples, settings, seed=seed % 5, cells=cells)
    at = np.searchsorted(names, rows["sample"].to_numpy(dtype=str))
    told = {}
    for seen in ("train", "train val"):
        taught = rows.part.isin(seen.split()).to_numpy()
        model = gblup.fit(dosage[at[taught]], rows.value.to_numpy()[taught], parameters={}, seed=0)
        told[seen] = model.predict(dosage[at])
    table = rows.assign(
        observed=rows.value, predicted=told["train val"],
        held_out=np.where(rows.part == "val", told["train"], np.nan),
    )  # fmt: skip
    return table, value_parts(cells, rows)


@pytest.mark.parametrize("scheme", ["cv1", "cv2", "leave_environment_out"])
def test_intervals_of_single_values_cover_single_values(scheme):
    """Residuals of line effects, which average plots, promise too much."""
    found = [gblup_on(scheme, seed) for seed in range(6)]
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
    assert 0.78 < cover["values"] < 0.9  # lines known elsewhere stray less than validation's
    assert cover["effects"] < cover["values"] - 0.04


def test_what_is_tested_and_trained_on_counts_in_one_unit():
    table, cells = gblup_on("cv1", 1)
    metrics, _ = measure_fit(table, better="high", level=0.9, cells=cells)
    assert (metrics["train_lines"], metrics["test_lines"]) == (144, 48)
    counts = cells.part.value_counts()
    assert metrics["test_share"] == counts["test"] / counts["train"]
    assert metrics["test_share"] == pytest.approx(1 / 3, abs=0.03)
    assert measure_fit(predictions(), better="high", level=0.9)[0]["test_share"] == 1
