"""Fixed columns of a plot table against explicit dummy-coded least squares."""

import numpy as np
import pandas as pd
import pytest
from cohort_files import PREFIXES, sample_table, trait_row, write_text
from hypothesis import given, settings
from hypothesis import strategies as st

from soyfold.cohort.environments import average_plots
from soyfold.cohort.fixed_effects import read_terms
from soyfold.cohort.joins import count_joins, read_id_map
from soyfold.cohort.line_effects import line_effects
from soyfold.cohort.splits.cells import value_parts
from soyfold.cohort.splits.drawing import draw_split
from soyfold.cohort.traits import join_trait
from soyfold.common.errors import UserError

TERMS = read_terms("block, number(R8)")


def table(lines, places, blocks, days, values):
    return pd.DataFrame(
        {"line": lines, "environment": places, "fixed block": blocks,
         "fixed number(R8)": np.asarray(days, float), "value": np.asarray(values, float)}
    )  # fmt: skip


@st.composite
def designs(draw):
    """Unbalanced tables in which line 0 is a check everywhere, in one place twice."""
    n_lines, n_places, n_blocks = (draw(st.integers(*span)) for span in ((1, 9), (1, 4), (1, 3)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    grid = np.indices((n_places, n_blocks)).reshape(2, -1)
    extra = draw(st.integers(3, 40))
    grid = np.hstack([grid, grid[:, :1]])
    lines = np.r_[np.zeros(grid.shape[1], int), rng.integers(0, n_lines, extra)]
    places = np.r_[grid[0], rng.integers(0, n_places, extra)]
    blocks = np.r_[grid[1], rng.integers(0, n_blocks, extra)]
    n = len(lines)
    named = np.array(["b0", "b1", "b2"])[blocks]
    return table(lines, places, named, rng.normal(120, 9, n), rng.normal(40, 3, n))


def dense(records, terms):
    """Lines' values and their error variances by the normal equations of all dummies."""
    lines, places = pd.unique(records["line"]), pd.unique(records["environment"])
    own = records["line"].to_numpy()[:, None] == lines
    place = records["environment"].to_numpy()[:, None] == places
    columns = [place.astype(float)]
    for term in terms:
        column = records[f"fixed {term.name}"].to_numpy()
        if term.number:
            columns.append((column - column.mean())[:, None])
        else:
            columns.append((column[:, None] == pd.unique(column)).astype(float))
    beside = np.hstack(columns)
    design = np.hstack([own, beside])
    inverse = np.linalg.pinv(design.T @ design, rcond=1e-10)
    fit = inverse @ design.T @ records["value"]
    reference = np.mean([beside[place[:, k]].mean(0) for k in range(len(places))], axis=0)
    wanted = np.hstack([np.eye(len(lines)), np.tile(reference, (len(lines), 1))])
    freedom = len(records) - np.linalg.matrix_rank(design)
    squares = np.square(records["value"] - design @ fit).sum()
    variance = squares / freedom if freedom else np.nan
    return wanted @ fit, variance * np.einsum("ij,jk,ik->i", wanted, inverse, wanted)


@settings(max_examples=25)
@given(designs())
def test_values_and_their_errors_are_those_of_the_dense_fit(records):
    effects = line_effects(records, TERMS)
    value, error = dense(records, TERMS)
    np.testing.assert_allclose(effects["value"], value, rtol=1e-6)
    np.testing.assert_allclose(effects["error_variance"], error, rtol=1e-5, atol=1e-9)


@settings(max_examples=15)
@given(designs(), st.integers(0, 2**32 - 1))
def test_what_a_block_and_a_day_add_is_taken_off(records, seed):
    random = np.random.default_rng(seed)
    blocks = pd.Series(random.normal(0, 9, 3), index=["b0", "b1", "b2"])
    added = records["fixed block"].map(blocks) + 0.7 * records["fixed number(R8)"]
    moved = line_effects(records.assign(value=records["value"] + added), TERMS)["value"]
    difference = moved - line_effects(records, TERMS)["value"]
    np.testing.assert_allclose(difference, difference.iloc[0], atol=1e-6)


@pytest.mark.parametrize("alias", ["line", "environment", "constant", "sum"])
def test_what_cannot_be_told_is_left_out_and_named(alias, caplog):
    caplog.set_level("INFO", "soyfold")
    random = np.random.default_rng(3)
    lines, places = np.tile(np.arange(12), 3), np.repeat([0, 1, 2], 12)
    days = {
        "line": lines % 5, "environment": places, "constant": np.full(36, 7.0),
        "sum": lines % 5 + 3.0 * places,
    }[alias]  # fmt: skip
    blocks = np.where(random.random(36) < 0.5, "b0", "b1")
    records = table(lines, places, blocks, days, random.normal(size=36))
    one, other = line_effects(records, TERMS, about="p.csv"), line_effects(records, TERMS[:1])
    pd.testing.assert_frame_equal(one, other)
    assert "WARNING p.csv: fixed number(R8) is left out" in caplog.text
    assert "block (2 columns)" in caplog.text


def test_levels_whose_records_share_no_line_stay_in_the_lines(caplog):
    """Block c has lines of its own: they are compared as without it, a and b are told apart."""
    lines = [0, 0, 1, 1, 0, 1, 2, 3]
    blocks = [*"abab", *"abcc"]
    values = [1, 5, 2, 6, 1, 6, 9, 7]
    term = read_terms("block")
    for names in ("abc", "cab", "bca"):
        renamed = [names["abc".index(block)] for block in blocks]
        records = table(lines, [None] * 8, renamed, [0] * 8, values)
        value = line_effects(records, term)["value"].to_numpy()
        # a lies 4 below b on lines 0 and 1: at their mean these have 3 and 4.
        assert value[1] - value[0] == pytest.approx(1.0)
        assert value[2] - value[3] == pytest.approx(2.0)
        assert value[2] - value[0] == pytest.approx(9 - 3.0)
    assert "1 differences between levels of fixed block can't be told" in caplog.text


def test_blocks_that_each_year_numbers_anew_are_crossed(tmp_path):
    text = "id,year,block,protein\n"
    shift = {("1", "1"): 0, ("1", "2"): 3, ("2", "1"): 5, ("2", "2"): -4}
    text += "".join(
        f"{name},{year},{block},{40 + line + shift[year, block]}\n"
        for line, name in enumerate("abcde")
        for year, block in shift
        if (line, year, block) != (2, "1", "2")
    )
    row = trait_row(
        write_text(tmp_path / "p.csv", text), "plots", identity="id", environment="year"
    )
    values, _ = join(row | {"fixed": "year:block"}, sample_table([*"abcde"]))
    np.testing.assert_allclose(np.diff(values["value"]), 1.0)
    values, _ = join(row | {"fixed": "block"}, sample_table([*"abcde"]))
    assert not np.allclose(np.diff(values["value"]), 1.0)


def join(row, samples):
    return join_trait(
        row, samples, prefixes=PREFIXES, id_map=pd.Series(dtype=object), minimum_lines=1
    )


def test_values_without_a_fixed_column_are_left_out_and_counted(tmp_path, caplog):
    text = (
        "id,block,R8,protein\na,1,90,40\na,2,.,41\nb,NA,91,42\nb,2,95,43\nc,NA,90,44\nd,1,90,NA\n"
    )
    row = trait_row(write_text(tmp_path / "p.csv", text), "plots", identity="id")
    values, report = join(row | {"fixed": "block, number(R8)"}, sample_table([*"abcd"]))
    assert values["sample"].tolist() == ["a", "b"]
    assert values["records"].tolist() == [1, 1]
    counts = count_joins(report).set_index(["status", "why"])["count"]
    assert counts.to_dict() == {
        ("matched", "by the same id"): 2,
        ("genotype_only", "record without a value of fixed block"): 1,
        ("genotype_only", "no value"): 1,
        ("left_out", "record without a value of fixed block"): 2,
        ("left_out", "record without a value of fixed number(R8)"): 1,
    }
    assert "left out: 2 of 5, each a record without a value of fixed block" in caplog.text


@pytest.mark.parametrize(
    "text", ["block,", "block, block", "number(a:b)", "a:number(b)", ":b", "number()"]
)
def test_terms_that_are_none_are_refused(text):
    with pytest.raises(UserError, match=r"t.tsv: found .* in fixed .*allowed: columns by commas"):
        read_terms(text, file="t.tsv")


def test_terms():
    assert [(term.columns, term.number) for term in read_terms("a, b:c , number(R8 (d))")] == [
        (("a",), False), (("b", "c"), False), (("R8 (d)",), True),
    ]  # fmt: skip
    assert read_terms("none") == read_terms(None) == read_terms("") == []


def test_a_factor_of_too_many_levels_is_refused():
    n = 2001
    records = table(
        np.zeros(n, int), np.zeros(n, int), [str(k) for k in range(n)], range(n), range(n)
    )
    with pytest.raises(UserError, match=r"found 2001 levels of fixed block; .*number\(block\)"):
        line_effects(records, TERMS)


def plots(tmp_path, seed, *, shift):
    """Cells of a trial whose two blocks differ by `shift`, and R8 by as much a day."""
    random = np.random.default_rng(seed)
    rows = [
        (
            f"l{line:02}",
            f"E{place}",
            random.integers(1, 3),
            random.integers(90, 99),
            random.normal(),
        )
        for line in range(40)
        for place in range(4)
        if random.random() < 0.7 or line == 0
    ]
    text = "id,place,block,R8,protein\n" + "".join(
        f"{name},{place},{block},{day},{value + shift * (10 * block + day)}\n"
        for name, place, block, day, value in rows
    )
    row = trait_row(
        write_text(tmp_path / f"{seed}_{shift}.csv", text), "plots", identity="id",
        environment="place",
    )  # fmt: skip
    names = sorted({row[0] for row in rows})
    return names, average_plots(
        row | {"fixed": "block, number(R8)"}, sample_table(names), prefixes=PREFIXES,
        id_map=read_id_map(None, PREFIXES),
    )  # fmt: skip


@pytest.mark.parametrize("scheme", ["cv1", "cv2", "leave_environment_out"])
def test_in_splits_of_environments_training_values_tell_the_effects(scheme, tmp_path):
    """What the columns add moves nothing, and what is tested tells nothing of them."""
    split = {"scheme": scheme, "ratio": [7, 2, 1]}
    results = []
    for shift in (0, 5):
        names, cells = plots(tmp_path, 4, shift=shift)
        rows, _ = draw_split(sample_table(names), split, seed=1, cells=cells)
        results.append((rows, value_parts(cells, rows)))
    for one, other in zip(*results, strict=True):
        assert one.columns.tolist() == other.columns.tolist()
        difference = other["value"] - one["value"]
        np.testing.assert_allclose(difference, difference.iloc[0], atol=1e-6)
    keys = ["sample", "environment"]
    test = pd.MultiIndex.from_frame(rows.loc[rows["part"] == "test", keys])
    spoilt = cells.copy()
    tested = pd.MultiIndex.from_frame(cells[keys]).isin(test)
    spoilt.loc[tested, "value"] = np.random.default_rng(0).normal(size=tested.sum())
    again, _ = draw_split(sample_table(names), split, seed=1, cells=spoilt)
    trained = rows["part"] != "test"
    pd.testing.assert_frame_equal(again[trained], rows[trained])
