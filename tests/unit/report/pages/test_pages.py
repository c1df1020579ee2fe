"""Pages of the report: what is shown, sorted by and left out."""

import base64
import gzip
import html
import io
import json
import re

import numpy as np
import pandas as pd
import pytest
from docutils.core import publish_parts
from hypothesis import given
from hypothesis import strategies as st

from soyfold.common.errors import UserError
from soyfold.common.files import write_table
from soyfold.evaluation.paired import paired_difference
from soyfold.evaluation.verdicts import best_names
from soyfold.report.pages import (
    charts,
    lost,
    manhattan,
    opening,
    pages,
    plain,
    results,
    templates,
    untested,
)
from soyfold.report.pages.pages import Cell, Chart, Column, Notes, Table

NASTY = '</script><img src=x onerror=alert(1)> & "quoted"'


def one_table(rows, **more):
    return Table("T", [Column("name"), Column("value", "unit", True)], rows, **more)


def test_what_users_name_is_text_on_the_page():
    page = pages.render_page(NASTY, [Notes("n", [NASTY]), one_table([[NASTY, Cell("1", 1.0)]])])
    assert NASTY not in page and "<img" not in page
    assert page.count(html.escape(NASTY, quote=False).replace('"', "&#34;")) >= 3


def test_a_chart_survives_its_script_element():
    spec = {"data": {"values": [{"name": NASTY}]}}
    page = pages.render_page("p", [Chart("c", spec)], vega="vega.js")
    held = re.search(r'<script type="application/json"[^>]*>(.*?)</script>', page)[1]
    assert json.loads(held) == spec


def test_pages_ask_for_nothing_outside():
    page = pages.render_page("p", [one_table([["a", Cell("1", 1.0)]])])
    assert not re.search(r"(src|href)=[\"']?(https?:)?//|@import|url\(", page)


def test_a_page_that_a_browser_would_not_show_is_refused(tmp_path):
    rows = [["x" * 1000, Cell("1", 1.0)]] * 2000
    with pytest.raises(UserError, match="a page of 2"):
        pages.write_page(tmp_path / "p.html", "p", [one_table(rows)])
    assert list(tmp_path.iterdir()) == []


@given(st.floats(-1e3, 1e3), st.integers(0, 5))
def test_decimals_are_the_rounded_number_without_a_sign_of_zero(value, digits):
    text = pages.decimals(value, digits, sign=True)
    assert float(text) == pytest.approx(round(value, digits), abs=10**-digits)
    assert text.startswith(("+", "-")) == (float(text) != 0)


def test_missing_numbers_say_so_and_sort_last():
    for cell in (pages.number(np.nan), pages.mean_sd(np.nan, np.nan), pages.p_value(np.nan)):
        assert (cell.text, cell.key) == ("NA", "")
    assert pages.mean_sd(0.5, np.nan).text == "0.500"
    assert pages.interval(0.1, np.nan, np.nan).text == "+0.100"


def test_the_templates_digest_changes_with_the_template(tmp_path, monkeypatch):
    monkeypatch.setattr(templates, "TEMPLATES", tmp_path)
    (tmp_path / "page.html.jinja").write_text("one")
    first = templates.template_digest()
    (tmp_path / "page.html.jinja").write_text("two")
    assert templates.template_digest() != first


def predictions(models, seeds, lines, *, seed=0):
    """Test rows by label: the same lines for every model in a split."""
    random = np.random.default_rng(seed)
    tables = {name: [] for name in models}
    for split in range(seeds):
        names = [f"L{i}" for i in random.permutation(10 * lines)[:lines]]
        observed = random.standard_normal(lines)
        for name in models:
            tables[name].append(
                pd.DataFrame({"sample": names, "observed": observed, "seed": split,
                              "predicted": observed + random.standard_normal(lines)})
            )  # fmt: skip
    return {name: pd.concat(parts, ignore_index=True) for name, parts in tables.items()}


@given(st.integers(1, 5), st.integers(1, 6), st.integers(2, 60), st.integers(20, 400))
def test_thinned_predictions_keep_the_same_lines_for_every_model(models, seeds, lines, most):
    given_ = predictions([f"m{i}" for i in range(models)], seeds, lines)
    kept, said = charts.thin_predictions(given_, most=most)
    keys = [set(zip(table.seed, table["sample"], strict=True)) for table in kept.values()]
    assert all(key == keys[0] for key in keys) and keys[0]
    total = sum(map(len, given_.values()))
    left = sum(map(len, kept.values()))
    assert (said == "") == (left == total)
    assert left <= most or total <= most
    assert said == "" or f"{left:,} of {total:,} points" in said


def csv_of(spec):
    """The CSV texts that a specification holds."""
    return [text for text in spec["datasets"].values() if isinstance(text, str)]


def test_the_interactive_points_are_those_of_the_fits():
    tables = predictions(["GBLUP", "CNN"], 2, 15)
    widths = pd.Series(
        [1.0, 2.0, np.nan, np.nan],
        index=pd.MultiIndex.from_product([["gblup", "cnn"], [0, 1]]),
    )
    models = {"GBLUP": "gblup", "CNN": "cnn"}
    chart = charts.prediction_chart(tables, models=models, trait="oil", unit="%", widths=widths)
    (text,) = csv_of(chart.spec)
    shown = pd.read_csv(io.StringIO(text))
    assert len(shown) == 60
    first = shown[(shown.label == "GBLUP") & (shown.seed == 1)]
    np.testing.assert_allclose(first.high - first.low, 4.0, rtol=1e-3)
    np.testing.assert_allclose(first.residual, first.observed - first.predicted, atol=1e-3)
    assert shown.low[shown.label == "CNN"].isna().all(), "no interval, none shown"


@given(st.integers(1, 3000), st.integers(5, 500))
def test_a_thinned_scan_keeps_every_snp_with_something_to_tell(n, most):
    p = np.random.default_rng(n).exponential(0.43, n)
    scan = pd.DataFrame({"minus_log10_p": p, "position": np.arange(n)})
    shown = manhattan.thin_scan(scan, most=most)
    assert set(scan.position[p >= manhattan.KEPT_ABOVE]) <= set(shown.position)
    assert len(shown) <= max(most, (p >= manhattan.KEPT_ABOVE).sum() + 1)
    assert shown.position.is_monotonic_increasing
    if n <= most:
        assert len(shown) == n


def comparison_rows(models, traits=("oil",), metrics=("PCC", "MAE")):
    """Rows as comparisons.tsv has them, from scores drawn for six splits."""
    random = np.random.default_rng(1)
    rows = []
    for trait in traits:
        for metric in metrics:
            reference = random.normal(0.5, 0.05, 6)
            for place, model in enumerate(models):
                ours = reference + 0.02 * (len(models) // 2 - place) + random.normal(0, 0.005, 6)
                found = paired_difference(ours, reference, test_share=0.1)
                rows.append(
                    {"trait": trait, "scheme": "random", "metric": metric, "model": model,
                     "label": model.upper(), "role": "model", "reference": "gblup",
                     "reference_label": "GBLUP", "model_mean": ours.mean(),
                     "reference_mean": reference.mean(), "difference": found.mean,
                     "low": found.low, "high": found.high, "p": found.p, "p_holm": found.p,
                     "wins": int((ours > reference).sum()), "splits": 6, "traits": np.nan,
                     "better_traits": np.nan}
                )  # fmt: skip
    return pd.DataFrame(rows)


def test_colours_follow_what_is_better_for_the_metric():
    table = comparison_rows(["up", "same", "down"])
    for metric, good, bad in (("PCC", "UP", "DOWN"), ("MAE", "DOWN", "UP")):
        rows = table[table.metric == metric]
        section = results.comparison_table(rows)
        marks = {row[3]: row[6].mark for row in section.rows}
        assert (marks[good], marks[bad]) == ("good", "bad"), metric


def test_rows_beyond_the_budget_are_said():
    table = comparison_rows([f"m{i}" for i in range(200)], traits=[f"t{i}" for i in range(6)])
    kept, said = results.compared_rows(table)
    assert len(kept) <= results.MOST_ROWS and f"{len(kept):,} of {len(table):,} rows" in said
    few, nothing = results.compared_rows(table.head(10))
    assert len(few) == 10 and nothing == ""


def test_plain_tables_cut_openly_and_keep_names_as_text(tmp_path):
    n = plain.MOST_ROWS + 5
    write_table(pd.DataFrame({"trait": ["007"] * n, "p": 0.5}), tmp_path / "t.tsv")
    section = plain.plain_table(tmp_path / "t.tsv", "T", names=("trait", "absent"))
    assert section.rows[0][0] == "007" and len(section.rows) == plain.MOST_ROWS
    assert f"first {plain.MOST_ROWS:,} of {n:,}" in section.note


def test_numbers_of_a_plain_table_stand_point_below_point(tmp_path):
    (tmp_path / "t.tsv").write_text(
        "line\tmodel\tpercent\tp\tcount\n"
        "a\tx\t14.8\t0.5\t3\nb\ty\t20.061\t2.5e-07\t1200\nc\ty\t7\t0\tNA\n"
    )
    section = plain.plain_table(
        tmp_path / "t.tsv", "T", names=("line", "model"), choices=("model",)
    )
    columns = [
        [cell.text for cell in column]
        for column in zip(*section.rows, strict=True)
        if column[0] not in ("a", "x")
    ]
    assert columns == [
        ["14.80", "20.06", "7.00"],
        ["0.5000", "2.5e-07", "0.0000"],
        ["3", "1,200", ""],
    ]
    assert section.filters == ("model",)


def test_lines_without_a_covariate_are_counted():
    counts = pd.DataFrame(
        [(None, "not in the genotypes", 3), ("sex", "known", 90), ("sex", "no value", 4),
         ("sex", "no row", 6)],
        columns=["column", "status", "lines"],
    )  # fmt: skip
    section = lost.covariate_table(counts)
    assert [[*row[:2], row[2].text] for row in section.rows] == [
        ["", "rows of lines that are not among the genotypes", "3"],
        ["sex", "known", "90"],
        ["sex", "an empty cell: counted as the mean", "4"],
        ["sex", "no row in the table: counted as the mean", "6"],
    ]


def test_losses_of_several_splits_are_ranges(tmp_path):
    for seed, gone in enumerate((["a"], ["a", "b", "c"])):
        write_table(
            pd.DataFrame({"sample": gone, "why": "no value"}, columns=["sample", "why"]),
            tmp_path / f"{seed}.tsv",
        )
    write_table(pd.DataFrame(columns=["sample", "why"]), tmp_path / "none.tsv")
    section = lost.split_lost(
        {"random": [tmp_path / "0.tsv", tmp_path / "1.tsv"], "kfold": [tmp_path / "none.tsv"]}
    )
    assert [[row[0], row[1], row[2].text] for row in section.rows] == [
        ["random", "no value", "1 to 3"],
        ["kfold", "no line was lost", "0"],
    ]


def test_the_opening_means_nothing_but_what_it_says():
    table = pd.DataFrame(
        {"metric": "PCC", "model": ["A*b*", "GBLUP"], "mean": [0.6, 0.5], "sd": 0.1, "seeds": 2}
    )
    text = opening.opening_text(
        {"a_b": table}, None, scheme="random", title="{{ x }} `y`", place="1 Results"
    )
    assert r"\{\{ x \}\} \`y\`" in text and r"**a\_b**: A\*b\*, PCC 0.600 (0.100)" in text
    title, line = text.splitlines()[:2]
    assert set(line) == {"="} and len(line) >= len(title)


def scores_of(means, *, sd=0.1):
    """Tables of scores by trait from test PCC by model."""
    return {
        trait: pd.DataFrame(
            {"metric": "PCC", "model": list(models), "mean": list(models.values()), "sd": sd,
             "seeds": 3}
        )
        for trait, models in means.items()
    }  # fmt: skip


def rendered(text):
    """The opening as Snakemake shows it: cells of its table by model, and its HTML."""
    page = publish_parts(text, writer="html")["html_body"]
    rows = [
        [re.sub("<[^>]*>", "", cell).strip() for cell in re.findall("<t[dh].*?</t[dh]>", row, re.S)]
        for row in re.findall("<tr>.*?</tr>", page, re.S)
    ]
    assert rows[0][0] == "model"
    return {row[0]: dict(zip(rows[0][1:], row[1:], strict=True)) for row in rows[1:]}, page


def test_the_opening_shows_every_models_score_the_best_first_and_what_it_means():
    means = {
        "oil": {"Mean": np.nan, "GBLUP": 0.5, "UP": 0.6, "DOWN": 0.3},
        "yield": {"Mean": np.nan, "GBLUP": -0.0001, "UP": 0.2, "DOWN": 0.1},
    }
    compared = comparison_rows(["up", "same", "down"], traits=("oil",), metrics=("PCC",))
    text = opening.opening_text(
        scores_of(means), compared, scheme="random", title="T", place="1 Results"
    )
    table, page = rendered(text)
    assert list(table) == ["UP", "GBLUP", "DOWN", "Mean"]
    assert table["GBLUP"] == {"oil": "0.500", "yield": "0.000"}, "one sign for zero"
    assert table["Mean"] == {"oil": "NA", "yield": "NA"}
    assert '<span class="good">0.600</span>' in page and '<span class="bad">0.300</span>' in page
    assert "better than GBLUP" in page and "Mean over 3 splits" in page


def test_the_opening_says_where_models_have_fewer_splits():
    tables = scores_of({"oil": {"GBLUP": 0.5, "CNN": 0.4}})
    tables["oil"].loc[1, "seeds"] = 2
    text = opening.opening_text(tables, None, scheme="random", title="T", place="1 R")
    assert "Mean over up to 3 splits" in text


def test_the_opening_says_what_it_leaves_out():
    means = {f"t{i}": {f"m{k}": 0.01 * k for k in range(20)} for i in range(9)}
    text = opening.opening_text(scores_of(means), None, scheme="random", title="T", place="1 R")
    table, page = rendered(text)
    assert len(table) == opening.MOST_MODELS
    assert {len(row) for row in table.values()} == {opening.MOST_COLUMNS}
    assert "5 models more and 3 traits more: 1 R" in page
    assert "better than" not in page, "there is no reference"


def test_the_opening_carries_what_draws_once_and_whole(tmp_path):
    code = "const a = '</script>\n\u00e4';" * 3000
    (tmp_path / "vega.js").write_text(code, encoding="utf-8")
    text = opening.vega_html(tmp_path / "vega.js")
    page = publish_parts(f"x\n{text}", writer="html")["html_body"]
    packed = re.search(r'data-packed="([^"]*)"', page)[1]
    assert gzip.decompress(base64.b64decode(packed)).decode() == code
    # Snakemake puts the text into a script element of its own, and docutils refuses long lines.
    assert "</script" not in text and max(map(len, text.splitlines())) < 10_000


def prediction_rows(width, lines=3):
    """predictions.tsv of models by trait with the widths of their intervals."""
    return pd.DataFrame(
        [
            {"line": f"L{n}", "trait": trait, "model": model, "prediction": 1.0,
             "lower": 1 - wide / 2, "upper": 1 + wide / 2, "nearest_line": "K"}
            for trait, models in width.items()
            for model, wide in models.items()
            for n in range(lines)
        ]
    )  # fmt: skip


def test_untested_lines_open_on_each_traits_best_model(tmp_path):
    width = {"oil": {"mean": 9, "gblup": 2, "cnn": 1}, "yield": {"mean": 9, "gblup": 2, "cnn": 3}}
    write_table(prediction_rows(width), tmp_path / "p.tsv")
    write_table(scores_of({"oil": {"GBLUP": 0.6, "CNN": 0.5}})["oil"], tmp_path / "oil.tsv")
    labels = {"gblup": {"label": "GBLUP"}, "cnn": {"label": "CNN"}}
    files = {"oil": tmp_path / "oil.tsv", "yield": tmp_path / "not_yet.tsv"}
    best = best_names(files, labels, scheme="random")
    assert best == {"oil": "gblup"}
    section = untested.prediction_table(tmp_path / "p.tsv", best)
    first = [row[:4] for row in section.rows if row[0] == "yes"]
    assert section.rows[: len(first)] == [row for row in section.rows if row[0] == "yes"]
    assert {(row[2], row[3]) for row in first} == {("oil", "gblup"), ("yield", "gblup")}
    assert section.opens == {"best model": "yes"} and "best model" in section.filters
    assert "test PCC or the narrowest intervals" in section.note
    page = pages.render_page("p", [section])
    assert 'data-column="best model" data-opens="yes"' in page
    assert 'data-column="trait" data-opens=""' in page


def test_lines_in_environments_open_on_the_mean_over_these(tmp_path):
    rows = prediction_rows({"oil": {"gblup": 2, "cells": 1}})
    within = rows[rows.model == "cells"].assign(environment="east", lower=-9.0)
    table = pd.concat([rows.assign(environment=None), within])
    write_table(table, tmp_path / "p.tsv")
    section = untested.prediction_table(tmp_path / "p.tsv", {})
    assert section.opens == {"best model": "yes", "environment": "over all"}
    assert "environment" in section.filters
    # Intervals of single values make no model a worse one.
    assert {row[3] for row in section.rows if row[0] == "yes"} == {"cells"}


def test_the_best_models_lines_are_among_those_shown_where_rows_are_cut(tmp_path):
    width = {"oil": {f"m{k}": 9 - k for k in range(8)}}
    write_table(prediction_rows(width, lines=400), tmp_path / "p.tsv")
    section = untested.prediction_table(tmp_path / "p.tsv", {})
    assert len(section.rows) == plain.MOST_ROWS
    assert [row[3] for row in section.rows[:400]] == ["m7"] * 400
    assert section.rows[400][3] != "m7"
    assert "Others: best model, all." in section.note and "best model" in section.filters
    # Where they fill the page, it promises no other model.
    write_table(prediction_rows(width, lines=plain.MOST_ROWS), tmp_path / "p.tsv")
    section = untested.prediction_table(tmp_path / "p.tsv", {})
    assert "Others" not in section.note and "best model" not in section.filters


ACCURACY = {
    "chromosome": ["1", "2"], "variants": 9, "missing_before": [4, 0], "method": ["beagle", "none"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("masked", "missing", "columns"),
    [([5, 5], [4, 0], 7), ([0, 0], [4, 0], 4), ([0, 0], [0, 0], None), ([5, 0], [0, 0], 7)],
)
def test_accuracy_is_shown_where_calls_were_masked(masked, missing, columns):
    measured = [0.9 if n else np.nan for n in masked]
    table = pd.DataFrame(
        ACCURACY
        | {"masked": masked, "missing_before": missing, "concordance": measured,
           "dosage_r2": measured}
    )  # fmt: skip
    section = lost.accuracy_table(table)
    if columns is None:
        assert section is None, "nothing was imputed"
        return
    assert len(section.columns) == columns == len(section.rows[0])
    texts = [getattr(cell, "text", cell) for row in section.rows for cell in row]
    assert ("NA" in texts) == (0 in masked and columns == 7)


def test_every_chromosome_has_its_name_under_the_interactive_scan(tmp_path):
    lengths = {"chrI": 230_218, "chrII": 813_184, "chrX": 745_751, "chrXI": 666_816}
    scan = pd.DataFrame(
        {"variant": "s", "chromosome": list(lengths), "position": 1000, "beta": 0.1,
         "minus_log10_p": 1.0}
    )  # fmt: skip
    write_table(scan, tmp_path / "scan.tsv")
    write_table(pd.DataFrame({"threshold": [0.01]}), tmp_path / "summary.tsv")
    chart = manhattan.manhattan_chart(
        tmp_path / "scan.tsv", tmp_path / "summary.tsv", chromosomes=lengths
    )
    axis = chart.spec["layer"][0]["encoding"]["x"]["axis"]
    assert axis["labelOverlap"] is False and len(axis["values"]) == len(lengths)
    keys = dict(re.findall(r"'([0-9.]+)': '(\w+)'", axis["labelExpr"]))
    assert [keys[f"{at:.3f}"] for at in axis["values"]] == list(lengths)
