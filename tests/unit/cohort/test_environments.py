"""Values by line and environment: means of plots; schemes that part them."""

import numpy as np
import pandas as pd
import pytest
from cohort_files import PREFIXES, sample_table, trait_row, write_text
from hypothesis import given, settings
from hypothesis import strategies as st

from soyfold.cohort.environments import average_plots
from soyfold.cohort.joins import read_id_map
from soyfold.cohort.splits.cells import value_parts
from soyfold.cohort.splits.drawing import draw_split
from soyfold.common.errors import UserError

SEEDS = st.integers(0, 40)
FEW = settings(max_examples=12)  # each draws two trials or more
SCHEMES = ("cv1", "cv2", "leave_environment_out")


def average(path, kept, **row):
    return average_plots(
        trait_row(path, "plots", identity="id", environment="place", **row),
        sample_table(kept, removed=["gone"]),
        prefixes=PREFIXES,
        id_map=read_id_map(None, PREFIXES),
    )


WIDE = "id,X,Y,Z\na,3,20,1\nb,1,NA,1\nc,5,40,2\nnobody,9,60,5\n"


def beside(path, unit=None):
    """Values by environment of a table with a column for each."""
    row = trait_row(path, value="X", environment="*") | {"unit": unit}
    row |= {"environment_columns": "X\tY"}
    id_map = read_id_map(None, PREFIXES)
    return average_plots(row, sample_table(["a", "b", "c"]), prefixes=PREFIXES, id_map=id_map)


def test_environments_that_stand_side_by_side_are_those_under_each_other(tmp_path):
    cells = beside(write_text(tmp_path / "wide.csv", WIDE))
    long = "id,place,protein\na,X,3\na,Y,20\nb,X,1\nb,Y,NA\nc,X,5\nc,Y,40\n"
    expected = average(write_text(tmp_path / "long.csv", long), ["a", "b", "c"])
    pd.testing.assert_frame_equal(cells, expected)


def test_side_by_side_in_sd_each_is_standardised_over_all_lines(tmp_path):
    cells = beside(write_text(tmp_path / "wide.csv", WIDE), unit="sd")
    x, y = np.array([3, 1, 5, 9.0]), np.array([20, 40, 60.0])
    found = cells.set_index(["sample", "environment"]).value
    np.testing.assert_allclose(found[:, "X"], ((x - x.mean()) / x.std())[:3])
    np.testing.assert_allclose(found[:, "Y"], ((y - y.mean()) / y.std())[:2])
    flat = write_text(tmp_path / "flat.csv", "id,X,Y\na,3,1\nb,1,1\n")
    with pytest.raises(UserError, match="column 'Y': found values that don't differ"):
        beside(flat, unit="sd")


def test_plots_of_a_line_in_an_environment_are_averaged(tmp_path):
    text = (
        "id,place,protein\nb,X,1\na,Y,2\na,X,3\na,X,5\nb,X,NA\nnobody,X,9\ngone,X,9\n"
        "PI 12,Y,1\nPI012,Y,2\n"
    )
    cells = average(write_text(tmp_path / "plots.csv", text), ["a", "b", "PI12"])
    assert cells.to_numpy().tolist() == [
        ["a", "X", 4.0, 2], ["a", "Y", 2.0, 1], ["b", "X", 1.0, 1], ["PI12", "Y", 1.5, 2],
    ]  # fmt: skip
    assert cells.columns.tolist() == ["sample", "environment", "value", "records"]


def test_one_environment_is_none(tmp_path):
    path = write_text(tmp_path / "plots.csv", "id,place,protein\na,X,1\nb,X,2\n")
    with pytest.raises(UserError, match="trait protein, column 'place': found 1 env"):
        average(path, ["a", "b"])


def trial(n=60, places=5, *, seed=0, noise=0.0, missing=0.3):
    """Cells of an unbalanced trial, the effects of lines and environments behind them."""
    random = np.random.default_rng(seed)
    lines = pd.Series(random.normal(0, 1, n), index=[f"l{i:02}" for i in range(n)])
    effects = pd.Series(random.normal(0, 5, places), index=[f"E{k}" for k in range(places)])
    grid = pd.MultiIndex.from_product([lines.index, effects.index], names=["sample", "environment"])
    grown = random.random(len(grid)) >= missing
    grown[:places] = True  # one line links all environments
    cells = grid[grown].to_frame(index=False)
    value = 50 + cells["sample"].map(lines) + cells["environment"].map(effects)
    return cells.assign(value=value + noise * random.normal(size=len(cells))), lines, effects


def draw(scheme, cells, *, seed, kept=None, ratio=(7, 2, 1)):
    kept = sorted(cells["sample"].unique()) if kept is None else kept
    options = {"scheme": scheme, "ratio": list(ratio)}
    return draw_split(sample_table(kept), options, seed=seed, cells=cells)


def keys_of_cells(rows, cells):
    """Keys of the tested cells, and of all other cells."""
    tested = rows[rows["part"] == "test"]
    keys = set(zip(tested["sample"], tested["environment"], strict=True))
    return keys, set(zip(cells["sample"], cells["environment"], strict=True)) - keys


@pytest.mark.parametrize("scheme", SCHEMES)
@FEW
@given(seed=st.integers(0, 4), data=SEEDS)
def test_every_line_of_train_and_val_has_one_row_and_every_test_cell_is_a_cell(scheme, seed, data):
    cells, _, _ = trial(seed=data)
    rows, losses = draw(scheme, cells, seed=seed)
    assert rows.columns.tolist() == [
        "sample", "environment", "part", "value", "records", "error_variance",
    ]  # fmt: skip
    lines = rows[rows.part != "test"]
    assert (lines["records"] > 0).all() and rows.loc[rows.part == "test", "records"].isna().all()
    lines = rows[rows["part"] != "test"]
    assert lines["sample"].is_unique and lines["environment"].isna().all()
    keys, others = keys_of_cells(rows, cells)
    assert len(keys) == (rows["part"] == "test").sum()
    assert {line for line, _ in others} == set(lines["sample"]) | set(losses["sample"])
    assert rows["value"].notna().all() and set(rows["part"]) == {"train", "val", "test"}


@FEW
@given(seed=SEEDS)
def test_cv1_tests_lines_that_are_seen_nowhere(seed):
    cells, _, _ = trial(seed=seed)
    keys, others = keys_of_cells(draw("cv1", cells, seed=seed)[0], cells)
    assert not {line for line, _ in keys} & {line for line, _ in others}


@FEW
@given(seed=SEEDS)
def test_cv2_tests_values_of_training_lines_seen_elsewhere(seed):
    cells, _, _ = trial(seed=seed)
    rows, _ = draw("cv2", cells, seed=seed)
    keys, others = keys_of_cells(rows, cells)
    assert len(keys) == np.ceil(0.1 * len(cells))
    trained = set(rows.loc[rows["part"] == "train", "sample"])
    assert {line for line, _ in keys} <= trained & {line for line, _ in others}


@FEW
@given(seed=st.integers(0, 4), data=SEEDS)
def test_leave_environment_out_tests_one_environment_and_trains_on_none_of_it(seed, data):
    """All of it but for the values of validation lines, which are in no part."""
    cells, _, _ = trial(seed=data)
    rows, _ = draw("leave_environment_out", cells, seed=seed)
    keys, others = keys_of_cells(rows, cells)
    judged = set(rows.loc[rows["part"] == "val", "sample"])
    assert {place for _, place in keys} == {f"E{seed}"}
    assert {line for line, place in others if place == f"E{seed}"} <= judged
    parts = value_parts(cells, rows)
    assert set(parts.loc[parts["environment"] == f"E{seed}", "part"]) == {"test"}


@pytest.mark.parametrize("scheme", SCHEMES)
@FEW
@given(seed=st.integers(0, 4), data=SEEDS)
def test_no_line_is_validated_on_and_tested(scheme, seed, data):
    cells, _, _ = trial(seed=data)
    lines = draw(scheme, cells, seed=seed)[0].groupby("part")["sample"].agg(set)
    assert not lines["val"] & lines["test"]


def test_a_line_grown_in_the_left_out_environment_alone_is_tested():
    cells, _, _ = trial(seed=3)
    new = pd.DataFrame({"sample": [f"n{i}" for i in range(20)], "environment": "E1", "value": 50.0})
    rows, losses = draw("leave_environment_out", pd.concat([cells, new]), seed=1)
    assert set(new["sample"]) <= set(rows.loc[rows["part"] == "test", "sample"])
    assert losses.empty


@pytest.mark.parametrize("scheme", SCHEMES)
@FEW
@given(seed=st.integers(0, 4), data=SEEDS)
def test_each_value_has_the_part_of_its_line_and_its_environment_taken_off(scheme, seed, data):
    """Without noise a line's values in train and val are its effect, up to a constant."""
    cells, lines, _ = trial(seed=data)
    rows, _ = draw(scheme, cells, seed=seed)
    parts = value_parts(cells, rows)
    keys = ["sample", "environment"]
    assert not parts.duplicated(keys).any() and len(parts) <= len(cells)
    test = parts["part"] == "test"
    pd.testing.assert_frame_equal(
        parts[test].reset_index(drop=True),
        rows.loc[rows["part"] == "test", list(parts)].reset_index(drop=True),
    )
    own = rows[rows["part"] != "test"].set_index("sample")["part"]
    assert (parts["sample"].map(own)[~test] == parts["part"][~test]).all()
    shift = (parts["value"] - parts["sample"].map(lines))[~test]
    np.testing.assert_allclose(shift, shift.iloc[0], atol=1e-9)
    unused = len(cells) - len(parts)
    assert unused == 0 or scheme == "leave_environment_out"


def test_no_value_of_a_validation_line_tells_the_effect_that_is_taken_off_it():
    cells, _, _ = trial(seed=7, noise=1.0)
    rows, _ = draw("cv1", cells, seed=0)
    judged = cells["sample"].isin(rows.loc[rows["part"] == "val", "sample"])
    moved = cells.assign(value=cells["value"] + 100.0 * judged)
    before, after = value_parts(cells, rows), value_parts(moved, rows)
    shift = (after["value"] - before["value"]).groupby(before["part"]).agg(["min", "max"])
    np.testing.assert_allclose(shift.loc[["train", "val"]], [[0, 0], [100, 100]], atol=1e-9)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_effects_of_lines_and_environments_are_told_apart(scheme):
    """Without noise both are found exactly, up to the mean of the environments."""
    cells, lines, _ = trial(seed=3)
    rows, _ = draw(scheme, cells, seed=1)
    shift = rows["value"] - rows["sample"].map(lines)
    for part in ("train", "val", "test"):
        inside = shift[rows["part"] == part]
        np.testing.assert_allclose(inside, inside.iloc[0], atol=1e-9)
    np.testing.assert_allclose(shift[rows["part"] == "val"].iloc[0], shift.iloc[0], atol=1e-9)
    if scheme != "leave_environment_out":
        np.testing.assert_allclose(shift[rows["part"] == "test"].iloc[0], shift.iloc[0], atol=1e-9)


def test_an_environment_never_trained_on_lies_around_the_mean_of_the_lines():
    cells, _, _ = trial(seed=5, noise=0.5)
    rows, _ = draw("leave_environment_out", cells, seed=2)
    test = rows["part"] == "test"
    assert rows["value"][test].mean() == pytest.approx(rows["value"][~test].mean())
    raw = cells[cells["environment"] == "E2"].set_index("sample")["value"]
    taken_off = raw[rows["sample"][test]].to_numpy() - rows["value"][test]
    np.testing.assert_allclose(taken_off, taken_off.iloc[0])


@pytest.mark.parametrize("scheme", SCHEMES)
@FEW
@given(seed=st.integers(0, 4), data=SEEDS)
def test_tested_values_decide_nothing_that_is_trained_on(scheme, seed, data):
    cells, _, _ = trial(seed=data, noise=1.0)
    rows, _ = draw(scheme, cells, seed=seed)
    keys, _ = keys_of_cells(rows, cells)
    hit = [key in keys for key in zip(cells["sample"], cells["environment"], strict=True)]
    changed = cells.assign(value=cells["value"].where(~np.array(hit), cells["value"] ** 2 - 7))
    again, _ = draw(scheme, changed, seed=seed)
    trained = rows["part"] != "test"
    pd.testing.assert_frame_equal(rows[trained], again[trained])
    assert not np.allclose(rows["value"][~trained], again["value"][~trained])


@pytest.mark.parametrize("scheme", SCHEMES)
@FEW
@given(seed=st.integers(0, 4), data=SEEDS)
def test_the_order_of_samples_and_cells_does_not_matter(scheme, seed, data):
    cells, _, _ = trial(seed=data, noise=1.0)
    random = np.random.default_rng(data)
    lines = sorted(cells["sample"].unique())
    found = [
        draw(scheme, table, seed=seed, kept=kept)[0]
        .sort_values(["part", "sample", "environment"])
        .reset_index(drop=True)
        for table, kept in (
            (cells, lines),
            (cells.iloc[random.permutation(len(cells))], random.permutation(lines)),
        )
    ]
    pd.testing.assert_frame_equal(*found)


def test_parts_of_lines_are_the_same_for_traits_with_other_values():
    cells, _, _ = trial(seed=1)
    lines = sorted(cells["sample"].unique())
    parts = []
    for trait in (cells, cells.iloc[::2]):
        rows, _ = draw("cv1", trait, seed=0, kept=lines)
        parts.append(rows.drop_duplicates("sample").set_index("sample")["part"])
    both = parts[0].index.intersection(parts[1].index)
    assert len(both) > 40 and (parts[0][both] == parts[1][both]).all()


def test_lines_that_nothing_links_to_the_others_are_left_out_and_told():
    cells, _, _ = trial(seed=1)
    apart = pd.DataFrame({"sample": ["l98", "l99"], "environment": "far", "value": [1.0, 2.0]})
    cells = pd.concat([cells, apart], ignore_index=True)
    rows, losses = draw("leave_environment_out", cells, seed=0)
    assert losses["sample"].tolist() == ["l98", "l99"]
    assert not rows["sample"].isin(["l98", "l99"]).any()


@pytest.mark.parametrize(
    ("scheme", "keep", "seed", "message"),
    [
        ("leave_environment_out", 99, 5, "seed5 of 5 environments.*at most 5"),
        ("cv2", 1, 0, "0 line x environment values of lines with another one"),
    ],
)
def test_refusals(scheme, keep, seed, message):
    cells, _, _ = trial(missing=0.0)
    with pytest.raises(UserError, match=message):
        draw(scheme, cells.groupby("sample").head(keep), seed=seed)
