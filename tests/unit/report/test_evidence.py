"""A study's outcome as Markdown: its numbers are those of the study's tables."""

import numpy as np
import pandas as pd
import pytest

from soyfold.common.errors import UserError
from soyfold.common.files import write_table
from soyfold.evaluation.comparisons import compare_models
from soyfold.report.evidence import evidence, write_evidence
from soyfold.report.evidence_sections import by_mean, markdown, schemes

LABELS = {"gblup": "GBLUP", "ours": "Ours"}


def write_study(folder, *, traits=("oil",), splits=6):
    """scores.tsv and comparisons.tsv of two models, ours 0.02 above GBLUP on the whole."""
    random = np.random.default_rng(0)
    rows = []
    for trait in traits:
        for seed in range(splits):
            base = 0.7 + 0.02 * random.standard_normal()
            for model, gain in (("gblup", 0.0), ("ours", 0.02 + 0.005 * random.standard_normal())):
                facts = {"trait": trait, "model": model, "scheme": "random", "seed": seed}
                facts |= {"label": LABELS[model], "role": "model"}
                values = {"PCC": base + gain, "R2": base**2 + gain, "test_lines": 100,
                          "train_lines": 700}  # fmt: skip
                rows += [{**facts, "metric": name, "value": v} for name, v in values.items()]
    scores = pd.DataFrame(rows)
    write_table(scores, folder / "evaluation" / "scores.tsv")
    table = compare_models(scores, ["gblup"])
    write_table(table, folder / "evaluation" / "tables" / "comparisons.tsv")
    times = pd.DataFrame([{"s": 1800.0, "cpu_time": 1700.0, "max_rss": 512.0}])
    write_table(times, folder / "benchmarks" / "training" / "fit.tsv")
    return scores, table


def test_every_number_is_one_of_the_tables(tmp_path):
    scores, table = write_study(tmp_path)
    text = evidence(tmp_path, scheme="random")
    ours = scores[(scores.model == "ours") & (scores.metric == "PCC")].value
    assert f"| Ours | {ours.mean():.3f} ({ours.std():.3f}) |" in text
    row = table[(table.model == "ours") & (table.metric == "PCC")].iloc[0]
    assert f"{row.difference:+.4f} [{row.low:+.4f}, {row.high:+.4f}]" in text
    assert f"{row.wins}/6" in text
    assert "0.50 hours of jobs" in text


def test_one_split_has_no_p(tmp_path):
    write_study(tmp_path, splits=1)
    text = evidence(tmp_path, scheme="random")
    assert ", 1/1" in text and "nan" not in text


def test_the_best_model_stands_first(tmp_path):
    write_study(tmp_path)
    text = evidence(tmp_path, scheme="random")
    assert text.index("| Ours |") < text.index("| GBLUP |")


def test_models_are_ordered_by_value_not_by_text():
    table = pd.DataFrame(
        {"trait": "oil", "model": ["worse", "none", "worst", "best"],
         "PCC": ["-0.010 (0.1)", np.nan, "-0.200 (0.1)", "0.300 (0.1)"]}
    )  # fmt: skip
    assert list(by_mean(table, "oil").model) == ["best", "worse", "worst", "none"]


def test_schemes_stand_side_by_side_for_models_that_have_several(tmp_path):
    rows = [("GBLUP", "kfold", 0.6), ("GBLUP", "random", 0.7), ("Ours", "random", 0.8)]
    facts = {"trait": "oil", "metric": "PCC", "splits": 3}
    table = pd.DataFrame([{**facts, "model": m, "scheme": s, "mean": v} for m, s, v in rows])
    write_table(table, tmp_path / "evaluation" / "tables" / "schemes.tsv")
    text = schemes(tmp_path, "random")
    assert "| oil | GBLUP | kfold | 3 | 0.600 |" in text and "Ours" not in text
    write_table(table[table.scheme == "random"], tmp_path / "evaluation/tables/schemes.tsv")
    assert schemes(tmp_path, "random") == ""


def test_many_traits_are_told_by_their_mean_alone(tmp_path):
    traits = [f"trait{k}" for k in range(5)]
    write_study(tmp_path, traits=traits)
    text = evidence(tmp_path, scheme="random")
    assert "mean over 5 traits: PCC" in text and "5/5 traits" in text
    assert "trait3" not in text


def test_the_folder_of_documents_has_the_comparisons(tmp_path):
    _, table = write_study(tmp_path / "study")
    write_evidence(
        tmp_path / "study", tmp_path / "docs", scheme="random", command="run me", title="T",
        version="1.2, commit abc",
    )  # fmt: skip
    kept = pd.read_csv(tmp_path / "docs" / "study_comparisons.tsv", sep="\t")
    expected = table[table.metric.isin(["PCC", "R2"])].dropna(subset="difference")
    np.testing.assert_allclose(kept.difference, expected.difference, rtol=1e-4)
    text = (tmp_path / "docs" / "study.md").read_text()
    assert "`run me`, soyfold 1.2, commit abc" in text and "controls" not in text


def test_a_study_of_controls_alone_tells_the_cims_rank_and_differences(tmp_path):
    facts = {"trait": "oil", "label": "CSAFM", "real": 0.75, "low": -0.01, "high": 0.03}
    rows = [
        {**facts, "metric": "PCC", "control": "permuted1", "value": 0.73, "difference": 0.02},
        {**facts, "metric": "PCC", "control": "permuted", "value": 0.74, "difference": 0.01,
         "rank": 2, "permutations": 19},
        {**facts, "metric": "PCC", "control": "zero", "value": 0.78, "difference": -0.03},
        {**facts, "metric": "MAE", "control": "permuted", "value": 9.9, "difference": 9.9},
        {**facts, "metric": "log_posterior", "control": "permuted", "difference": 4.0, "rank": 1,
         "permutations": 19, "permutation_holm": 0.1},
    ]  # fmt: skip
    write_table(pd.DataFrame(rows), tmp_path / "study/evaluation/tables/controls.tsv")
    times = pd.DataFrame([{"s": 36.0, "cpu_time": 30.0, "max_rss": 512.0}])
    write_table(times, tmp_path / "study/benchmarks/training/fit.tsv")
    write_evidence(
        tmp_path / "study", tmp_path / "docs", scheme="random", command="run me", title="T",
        version="1.2",
    )  # fmt: skip
    text = (tmp_path / "docs" / "study.md").read_text()
    assert (
        "| oil | CSAFM | 0.750 | 0.740 | +0.0100 [-0.0100, +0.0300] | 2 of 20"
        " | -0.0300 [-0.0100, +0.0300] | 4.000 | 1 of 20 | 0.100 |" in text
    )
    kept = pd.read_csv(tmp_path / "docs" / "study_controls.tsv", sep="\t")
    assert list(kept.control) == ["permuted1", "permuted", "zero", "permuted"]


def test_a_study_that_has_not_ended_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"comparisons\.tsv"):
        evidence(tmp_path, scheme="random")


def test_unknown_numbers_are_empty_cells():
    table = pd.DataFrame({"a": ["x"], "b": [np.nan], "c": [1.23456]})
    assert markdown(table).splitlines()[-1] == "| x |  | 1.235 |"


def test_a_study_without_the_zero_control_has_an_empty_cell(tmp_path):
    facts = {"trait": "oil", "label": "CSAFM", "metric": "PCC", "control": "permuted"}
    facts |= {"real": 0.75, "value": 0.74, "difference": 0.01, "low": -0.01, "high": 0.03}
    table = pd.DataFrame([{**facts, "rank": 1, "permutations": 3}])
    write_table(table, tmp_path / "evaluation/tables/controls.tsv")
    times = pd.DataFrame([{"s": 36.0, "cpu_time": 30.0, "max_rss": 512.0}])
    write_table(times, tmp_path / "benchmarks/training/fit.tsv")
    assert "| +0.0100 [-0.0100, +0.0300] | 1 of 4 |  |" in evidence(tmp_path, scheme="random")


def test_hypotheses_and_knock_outs_are_told_by_their_tables(tmp_path):
    write_study(tmp_path)
    row = {
        "trait": "oil", "hypothesis": "pathways", "model": "csafm", "metric": "log_likelihood",
        "value": -1.0, "none": -1.5, "difference": 0.5, "low": 0.25, "high": 0.75, "p_holm": 0.001,
        "difference_permuted": 0.4, "low_permuted": 0.3, "high_permuted": 0.5, "rank": 1,
        "permutations": 20, "random": -1.4, "additive": -1.7, "share": 0.3, "verdict": "helps",
    }  # fmt: skip
    table = pd.DataFrame([row, {**row, "metric": "PCC", "difference": 0.9}])
    write_table(table, tmp_path / "evaluation" / "tables" / "hypotheses.tsv")
    groups = pd.DataFrame({"group": list("abcd"), "R2_change": [-0.1, -0.5, -0.3, 0.0]})
    groups = groups.assign(
        trait="oil", hypothesis="pathways", model="csafm", snps=9, R2_change_random_low=-0.6,
        R2_change_random=[0.0, -0.5, 0.0, 0.0], moved=0.2, moved_random=0.1,
    )  # fmt: skip
    write_table(groups, tmp_path / "interpretation" / "knock_outs.tsv")
    text = evidence(tmp_path, scheme="random")
    told = "| +0.5000 [+0.2500, +0.7500] | 0.001 | +0.4000 [+0.3000, +0.5000] | 1 of 21 | 0.100 |"
    assert (
        f"| oil | pathways | csafm {told} -0.200 | 0.300 | helps |" in text and "0.9000" not in text
    )
    lines = [line for line in text.splitlines() if line.startswith("| oil | pathways | ")]
    assert [line.split(" | ")[3] for line in lines[1:]] == ["c", "a", "b"]  # beside random SNPs
    write_evidence(
        tmp_path, tmp_path / "docs", scheme="random", command="c", title="t", version="v"
    )
    kept = pd.read_csv(tmp_path / "docs" / f"{tmp_path.name}_hypotheses.tsv", sep="\t")
    assert set(kept.metric) == {"log_likelihood", "PCC"}


def test_transfer_is_told_by_lines_and_what_the_others_add(tmp_path):
    write_study(tmp_path)
    keys = {"trait": "oil", "metric": "R2", "model": "csafm", "label": "CSAFM"}
    rows = [
        {**keys, "arm": arm, "lines": lines, "value": value, "difference": gain,
         "low": gain - 0.1, "high": gain + 0.1}
        for arm, lines, value, gain in (
            ("alone", 20, -0.25, np.nan), ("joint", 20, 0.1, 0.35),
            ("alone", 90, 0.5, np.nan), ("joint", 90, 0.55, 0.05),
        )
    ]  # fmt: skip
    write_table(pd.DataFrame(rows), tmp_path / "evaluation" / "tables" / "transfer.tsv")
    facts = {"scheme": "random", "command": "snakemake", "title": "Oil", "version": "1"}
    write_evidence(tmp_path, tmp_path / "docs", **facts)
    text = (tmp_path / "docs" / f"{tmp_path.name}.md").read_text()
    assert "| model | arm | 20 | 90 |" in text
    assert "| CSAFM | alone | -0.250 | 0.500 |" in text
    assert "| CSAFM | joint | 0.100 (+0.3500 [+0.2500, +0.4500]) | 0.550 (+0.0500 [-0.0500," in text
    assert len(pd.read_csv(tmp_path / "docs" / f"{tmp_path.name}_transfer.tsv", sep="\t")) == 4


@pytest.mark.parametrize("asked", [True, False])
def test_pairs_beyond_shuffled_traits_are_told(tmp_path, asked):
    write_study(tmp_path)
    pairs = pd.DataFrame({"chromosome_2": ["c2", "c3", "c4"], "share": [0.01, 0.04, 0.2]})
    pairs = pairs.assign(trait="oil", model="kernel", chromosome="c1", share_null=0.001, p=np.nan)
    if asked:
        pairs["p"] = [0.048, 0.05, 0.06]
    write_table(pairs, tmp_path / "interpretation" / "pair_weights.tsv")
    facts = {"scheme": "random", "command": "snakemake", "title": "Oil", "version": "1"}
    write_evidence(tmp_path, tmp_path / "docs", **facts)
    text = (tmp_path / "docs" / f"{tmp_path.name}.md").read_text()
    told = [line.split(" | ")[2] for line in text.splitlines() if "| kernel |" in line]
    assert told == (["c1 - c3", "c1 - c2"] if asked else [])
    assert len(pd.read_csv(tmp_path / "docs" / f"{tmp_path.name}_pair_weights.tsv", sep="\t")) == 3
