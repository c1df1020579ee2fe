"""The real CIM against the controls: pairing, ranks, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soyfold.common.errors import UserError
from soyfold.common.files import read_table, write_table
from soyfold.evaluation.comparisons import ALL
from soyfold.evaluation.controls import compare_controls, find_copies, rank_among, read_test_share
from soyfold.evaluation.paired import paired_difference
from soyfold.report.summary import format_controls, print_summary

SHARE = 2 / 7
SEEDS = (0, 1, 2)


def fit_rows(control, pcc, *, trait="oil", base="csafm", seeds=SEEDS, parameters=100.0):
    """scores.tsv's rows of one model; R2 is PCC squared, MAE falls with PCC."""
    facts = {
        "trait": trait, "model": f"{base}.{control}" if control else base, "label": base.upper(),
        "cim": control or "hic", "role": "control" if control else "model", "base": base,
        "control": control,
    }  # fmt: skip
    rows = []
    for seed, value in zip(seeds, pcc, strict=True):
        metrics = {"PCC": value, "R2": value**2, "MAE": 2 - value, "parameters": parameters}
        rows += [{**facts, "seed": seed, "metric": m, "value": v} for m, v in metrics.items()]
    return pd.DataFrame(rows)


REAL = [0.50, 0.60, 0.55]
CONTROLS = {
    "permuted1": [0.40, 0.52, 0.50],
    "permuted2": [0.60, 0.61, 0.62],
    "permuted3": [0.41, 0.50, 0.44],
    "zero": [0.49, 0.61, 0.54],
}


@pytest.fixture
def scores():
    tables = [fit_rows(None, REAL), *(fit_rows(name, pcc) for name, pcc in CONTROLS.items())]
    return pd.concat(tables, ignore_index=True)


def test_each_control_is_paired_by_seed_whatever_the_order(scores):
    shuffled = scores.sample(frac=1, random_state=1)
    table = compare_controls(shuffled, [("oil", "csafm")], test_share=SHARE)
    row = table[(table.metric == "PCC") & (table.control == "zero")].iloc[0]
    by_hand = paired_difference(REAL, CONTROLS["zero"], test_share=SHARE)
    assert (row.difference, row.low, row.high, row.p) == pytest.approx(
        (by_hand.mean, by_hand.low, by_hand.high, by_hand.p)
    )
    assert (row.real, row.value) == pytest.approx((0.55, np.mean(CONTROLS["zero"])))
    assert row.real_cim == "hic" and row.parameters_real == row.parameters_control == 100


def with_likelihood(scores, heights):
    """scores.tsv with a kernel's log_likelihood, and log_posterior where `heights` has it."""
    first = scores[scores.metric == "PCC"]
    rows = [
        first.assign(metric=name, value=[values[c] for c in first.control.fillna("real")])
        for name, values in heights.items()
    ]
    return pd.concat([scores, *rows], ignore_index=True)


def test_a_kernels_cims_are_ranked_by_likelihood_with_its_prior_first(scores, tmp_path):
    flat = dict.fromkeys(["real", *CONTROLS], -10.0)
    heights = {"log_likelihood": flat, "log_posterior": flat | {"real": -7.0, "permuted2": -8.0}}
    table = compare_controls(with_likelihood(scores, heights), [("oil", "csafm")], test_share=SHARE)
    assert set(table.metric) == {"PCC", "MAE", "R2", "log_posterior"}
    row = table[(table.metric == "log_posterior") & (table.control == "permuted")].iloc[0]
    assert (row["rank"], row.permutations, row.permutation_p) == (1, 3, 0.25)
    write_table(table, tmp_path / "controls.tsv")
    text = format_controls(tmp_path / "controls.tsv")
    assert "by likelihood" in text and "1 of 4, p 0.25" in text and "2 of 4" in text
    alone = compare_controls(
        with_likelihood(scores, {"log_likelihood": flat}), [("oil", "csafm")], test_share=SHARE
    )
    assert set(alone.metric) == {"PCC", "MAE", "R2", "log_likelihood"}


def test_ranks_are_adjusted_over_the_traits_of_a_model_and_metric(scores):
    heights = {"log_posterior": dict.fromkeys(["real", *CONTROLS], -9.0) | {"real": -7.0}}
    scores = with_likelihood(scores, heights)
    others = [scores.assign(trait=trait) for trait in ("protein", "yield")]
    asked = [(trait, "csafm") for trait in ("oil", "protein", "yield")]
    table = compare_controls(pd.concat([scores, *others]), asked, test_share=SHARE)
    rows = table[(table.control == "permuted") & (table.trait != ALL)].set_index("metric")
    assert rows.permutation_p["PCC"].tolist() == [0.5] * 3  # second of four
    assert rows.permutation_holm["PCC"].tolist() == [1.0] * 3
    assert rows.permutation_holm["log_posterior"].tolist() == [0.75] * 3  # 3 x 0.25
    assert table[table.control != "permuted"].permutation_holm.isna().all()


def test_signs_too_small_for_each_trait_add_up_over_all(scores):
    """The real CIM is second on each trait, behind another shuffle each time: first in the mean."""
    order = [name for name in CONTROLS if name.startswith("permuted")]
    tables = []
    for trait, winner in zip(("oil", "protein", "yield"), order, strict=True):
        heights = dict.fromkeys(["real", *CONTROLS], -10.0) | {"real": -8.0, winner: -7.0}
        tables.append(with_likelihood(scores, {"log_posterior": heights}).assign(trait=trait))
    asked = [(trait, "csafm") for trait in ("oil", "protein", "yield")]
    table = compare_controls(pd.concat(tables), asked, test_share=SHARE)
    rows = table[(table.metric == "log_posterior") & (table.control == "permuted")]
    rows = rows.set_index("trait")
    assert rows["rank"].to_dict() == {"oil": 2, "protein": 2, "yield": 2, ALL: 1}
    row = rows.loc[ALL]
    assert (row.permutation_p, row.real) == (0.25, -8.0) and np.isnan(row.permutation_holm)
    assert row.value == pytest.approx(-9.0)  # one of three is at -7, on each trait another
    together = table[table.trait == ALL]
    assert set(together.metric) == {"PCC", "R2", "log_posterior"}  # MAE is in the traits' units
    assert set(together.control) == {*CONTROLS, "permuted"}


@pytest.mark.parametrize("metric", ["PCC", "R2", "MAE"])
def test_rank_is_read_in_the_metrics_own_direction(scores, metric):
    table = compare_controls(scores, [("oil", "csafm")], test_share=SHARE)
    row = table[(table.metric == metric) & (table.control == "permuted")].iloc[0]
    # Only permuted2 beats the real CIM: second of four.
    assert (row["rank"], row.permutations, row.permutation_p) == (2, 3, 0.5)
    assert table.loc[table.control != "permuted", "rank"].isna().all()


def test_the_permuted_row_pairs_each_seed_with_its_mean(scores):
    table = compare_controls(scores, [("oil", "csafm")], test_share=SHARE)
    row = table[(table.metric == "PCC") & (table.control == "permuted")].iloc[0]
    means = np.mean([pcc for name, pcc in CONTROLS.items() if name != "zero"], axis=0)
    by_hand = paired_difference(REAL, means, test_share=SHARE)
    assert (row.difference, row.low, row.high) == pytest.approx(
        (by_hand.mean, by_hand.low, by_hand.high)
    )


def test_other_traits_and_models_stay_apart(scores):
    other = [fit_rows(None, [0.1] * 3, base="cisem"), fit_rows("zero", [0.9] * 3, trait="yield")]
    both = pd.concat([scores, *other], ignore_index=True)
    pairs = [("oil", "csafm")]
    alone = compare_controls(scores, pairs, test_share=SHARE)
    pd.testing.assert_frame_equal(compare_controls(both, pairs, test_share=SHARE), alone)


def test_a_constant_output_has_no_rank(scores):
    """PCC is NaN there; MAE is still compared."""
    constant = scores.model.eq("csafm") & scores.metric.eq("PCC") & scores.seed.eq(1)
    table = compare_controls(
        scores.assign(value=scores.value.mask(constant)), [("oil", "csafm")], test_share=SHARE
    )
    row = table[table.control == "permuted"].set_index("metric")
    assert np.isnan(row.loc["PCC", ["real", "difference", "rank"]].astype(float)).all()
    assert row["rank"]["MAE"] == 2


def test_a_direct_model_has_no_parameters_to_count(scores):
    counted = scores[scores.metric != "parameters"]
    table = compare_controls(counted, [("oil", "csafm")], test_share=SHARE)
    assert table.parameters_real.isna().all() and table.difference.notna().all()


def test_more_parameters_than_the_real_one_are_refused(scores):
    bigger = pd.concat([scores, fit_rows("identity", REAL, parameters=101.0)])
    with pytest.raises(UserError, match=r"101 parameters of csafm.identity, 100 of csafm"):
        compare_controls(bigger, [("oil", "csafm")], test_share=SHARE)


def test_parameters_may_differ_between_splits(scores):
    """A choice of loci by training lines gives each split its own number, and its controls too."""
    count = 100 + scores.seed
    chosen = scores.assign(value=scores.value.mask(scores.metric == "parameters", count))
    table = compare_controls(chosen, [("oil", "csafm")], test_share=SHARE)
    assert (table.parameters_real == 101).all() and (table.parameters_control == 101).all()
    wrong = (chosen.metric == "parameters") & (chosen.seed == 2) & (chosen.control == "zero")
    with pytest.raises(UserError, match=r"99 parameters of csafm.zero, 102 of csafm \(seed 2\)"):
        compare_controls(
            chosen.assign(value=chosen.value.mask(wrong, 99)), [("oil", "csafm")], test_share=SHARE
        )


def test_other_seeds_are_refused(scores):
    fewer = pd.concat([scores, fit_rows("identity", REAL[:2], seeds=(0, 1))])
    with pytest.raises(UserError, match=r"seeds \[0, 1\] of csafm.identity"):
        compare_controls(fewer, [("oil", "csafm")], test_share=SHARE)


def test_a_model_without_controls_is_refused(scores):
    with pytest.raises(UserError, match="no control of csafm for oil"):
        compare_controls(scores[scores.role == "model"], [("oil", "csafm")], test_share=SHARE)


def test_the_written_table_reads_back(scores, tmp_path):
    table = compare_controls(scores, [("oil", "csafm")], test_share=SHARE)
    write_table(table, tmp_path / "controls.tsv")
    pd.testing.assert_frame_equal(
        read_table(tmp_path / "controls.tsv"), table, check_dtype=False, rtol=1e-9
    )


def test_the_terminal_tells_the_difference_and_the_rank(scores, tmp_path):
    table = compare_controls(scores, [("oil", "csafm")], test_share=SHARE)
    write_table(table, tmp_path / "controls.tsv")
    text = format_controls(tmp_path / "controls.tsv")
    row = table[(table.metric == "PCC") & (table.control == "permuted")].iloc[0]
    assert "real CIM (hic)" in text and "2 of 4" in text and "0.550" in text
    assert f"{row.difference:+.3f} [{row.low:+.3f}, {row.high:+.3f}]" in text
    assert len(text.splitlines()) == 3, "one line a trait and model"


def test_a_run_ends_with_the_controls_where_there_are_any(scores, tmp_path, capsys):
    print_summary(study="Demo", results=tmp_path, tables={}, scheme="random")
    assert "3D genome" not in capsys.readouterr().out
    table = compare_controls(scores, [("oil", "csafm")], test_share=SHARE)
    write_table(table, tmp_path / "evaluation/tables/controls.tsv")
    print_summary(study="Demo", results=tmp_path, tables={}, scheme="random")
    out = capsys.readouterr().out
    assert "Does the 3D genome help?" in out and "(controls)" in out


@given(st.lists(st.integers(0, 5), min_size=1, max_size=12), st.integers(0, 5))
def test_ranks_are_the_place_in_the_sorted_list(permuted, real):
    """Against the literal list: sorted from the best, the real one last among its equals."""
    place = sorted([(-v, 0) for v in permuted] + [(-real, 1)]).index((-real, 1)) + 1
    found = rank_among(real, permuted, higher_is_better=True)
    assert found["rank"] == place
    assert found["permutation_p"] == place / (len(permuted) + 1)
    mirrored = rank_among(-real, [-v for v in permuted], higher_is_better=False)
    assert mirrored == found


def test_permutation_p_is_exact_under_the_null():
    """If the real CIM is one draw like the others, P(p <= u) = u at each reachable u."""
    rng = np.random.default_rng(3)
    draws = rng.normal(size=(5000, 20))
    p = [rank_among(d[0], d[1:], higher_is_better=True)["permutation_p"] for d in draws]
    for level in (0.05, 0.1, 0.5):
        error = np.sqrt(level * (1 - level) / 5000)
        assert abs(np.mean(np.array(p) <= level + 1e-12) - level) < 4 * error


def test_copies_count_for_no_rank(scores, tmp_path):
    real, turned = [[1, 2], [2, 3]], [[3, 2], [2, 1]]
    values = {
        "real": real,
        "permuted1": turned,
        "permuted2": turned,
        "permuted3": real,
        "zero": real,
    }
    values["permuted3"] = [[1, 2], [2, 3 + 1e-12]]
    files = {name: tmp_path / f"{name}.tsv" for name in values}
    for name, path in files.items():
        table = pd.DataFrame(values[name], columns=["a", "b"])
        write_table(table.assign(chromosome=["a", "b"])[["chromosome", "a", "b"]], path)
    copies = find_copies(files.pop("real"), files)
    assert copies == ["permuted2", "permuted3"]
    table = compare_controls(scores, [("oil", "csafm")], test_share=SHARE, copies=copies)
    row = table[(table.metric == "PCC") & (table.control == "permuted")].iloc[0]
    assert (row["rank"], row.permutations, row.permutation_p) == (1, 1, 0.5)
    assert row.value == pytest.approx(np.mean(CONTROLS["permuted1"]))
    write_table(table, tmp_path / "controls.tsv")
    told = "! 1 permuted CIMs of 3: this CIM has no others that differ"
    assert told in format_controls(tmp_path / "controls.tsv", permuted=3)
    assert "!" not in format_controls(tmp_path / "controls.tsv", permuted=1)


def test_test_share_is_counted_from_the_split(tmp_path):
    parts = ["train"] * 14 + ["val"] * 2 + ["test"] * 4
    table = pd.DataFrame({"sample": [f"s{i}" for i in range(20)], "part": parts})
    write_table(table, tmp_path / "seed0.tsv")
    assert read_test_share(tmp_path / "seed0.tsv") == pytest.approx(4 / 14)
    write_table(table[table.part != "train"], tmp_path / "bad.tsv")
    with pytest.raises(UserError, match="no line in part train"):
        read_test_share(tmp_path / "bad.tsv")
