"""The demo from raw files to tables, and what reruns after a change."""

import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import yaml

pytestmark = pytest.mark.slow

MODELS = [
    "mean", "gblup", "bayesb", "lightgbm", "cnn", "gru", "lstm", "transformer", "csafm", "cisem",
]  # fmt: skip


@pytest.fixture
def results(finished_demo):
    return finished_demo.folder / "results" / "demo"


def test_it_ends_with_the_tables_and_where_everything_is(finished_demo):
    text = finished_demo.output
    for storey in ("genotypes", "imputation", "contacts", "cohort", "training", "evaluation"):
        assert re.search(rf"^\S {storey} +\d+ jobs +\d+:\d\d:\d\d", text, re.M), storey
    for trait in ("oil", "protein"):
        assert re.search(rf"^ *{trait} +\S.* 0\.\d{{3}} \(0\.\d{{3}}\) ", text, re.M)
    for line in ("tables   ", "figures  ", "logs     ", "report   "):
        assert line + "results/demo/" in text


def test_every_figure_and_table_is_there(results):
    for name in ("table1_oil", "table2_protein"):
        table = pd.read_csv(results / f"evaluation/tables/{name}.tsv", sep="\t")
        assert set(table.metric) >= {"MAE", "PCC", "CI", "NAE", "AAS"}
        # Beside the models stands the variant that the paper prints as CSAFM.
        rows = table[table.metric == "PCC"].model
        assert len(rows) == len(MODELS) + 1 and "CSAFM CIM+GAU" in set(rows)
        assert (table.cim.isin(["hic", "none"])).all()
    for trait in ("oil", "protein"):
        for figure in ("learning_curves", "predictions"):
            assert (results / f"report/figures/{figure}_{trait}.png").stat().st_size > 10_000
    for figure in ("cim", "controls", "attention_oil", "attention_protein"):
        assert (results / f"report/figures/{figure}.png").stat().st_size > 10_000


def test_lines_in_environments_stand_beside_lines(results):
    """Nothing interacts in the demo: a reaction norm tells single values as GBLUP does."""
    table = pd.read_csv(results / "evaluation/tables/schemes.tsv", sep="\t")
    cv2 = table[(table.scheme == "cv2") & (table.metric == "PCC") & (table.splits == 1)]
    pcc = cv2.set_index("model")["mean"]
    assert set(cv2.trait) == {"protein"} and set(pcc.index) == {"Mean", "GBLUP", "Reaction norm"}
    assert abs(pcc["Reaction norm"] - pcc["GBLUP"]) < 0.05


def test_the_papers_ablations_have_each_row_beside_the_printed_value(results):
    rows = {
        "table4_csafm": ["none", "CIM", "CIM+GAU"],
        "table5_cisem": ["none", "CIM", "CIM+SE"],
        "table6_gamma": ["gamma=0", "gamma=0.0002", "gamma=0.001"],
    }
    for name, variants in rows.items():
        table = pd.read_csv(results / f"evaluation/tables/{name}.tsv", sep="\t")
        pcc = table[table.metric == "PCC"]
        assert list(zip(pcc.trait, pcc.variant, strict=True)) == [
            (trait, variant) for trait in ("oil", "protein") for variant in variants
        ]
        assert pcc[["mean", "sd", "paper"]].notna().all(axis=None)
    cost = pd.read_csv(results / "evaluation/tables/table3_cost.tsv", sep="\t").set_index("model")
    assert cost.relative_flops["Transformer"] == 1 and (cost.ms_per_sample > 0).all()


def test_controls_differ_from_their_model_in_the_cim_alone(results):
    table = pd.read_csv(results / "evaluation/tables/controls.tsv", sep="\t")
    kinds = {"permuted", "permuted1", "permuted2", "permuted3", "expected", "identity", "constant",
             "zero"}  # fmt: skip
    for model in ("csafm", "cisem"):
        assert set(table.control[table.model == model]) == kinds
    assert (table.parameters_real == table.parameters_control).all()
    assert set(table.trait) == {"protein"} and set(table.real_cim) == {"hic"}
    pooled = table[(table.control == "permuted") & (table.metric == "PCC")]
    assert pooled["rank"].between(1, 4).all() and (pooled.permutations == 3).all()
    scores = pd.read_csv(results / "evaluation/scores.tsv", sep="\t")
    by_hand = scores[(scores.metric == "PCC") & (scores.trait == "protein")]
    by_hand = by_hand.groupby("model").value.mean()
    zero = table[(table.control == "zero") & (table.metric == "PCC")].set_index("model").difference
    for model in ("csafm", "cisem"):
        np.testing.assert_allclose(
            zero[model], by_hand[model] - by_hand[f"{model}.zero"], rtol=1e-6
        )


def test_gblup_beats_the_mean_predictor(results):
    scores = pd.read_csv(results / "evaluation/scores.tsv", sep="\t")
    mae = scores[scores.metric == "MAE"].groupby(["trait", "model"]).value.mean()
    for trait in ("oil", "protein"):
        assert mae[trait, "gblup"] < mae[trait, "mean"]


def test_all_models_saw_the_same_test_lines(results):
    for trait in ("oil", "protein"):
        for seed in (0, 1, 2):
            lines = {
                tuple(table.loc[table.part == "test", "sample"])
                for table in (
                    pd.read_csv(
                        results / f"training/{trait}/{m}/seed{seed}/predictions.tsv", sep="\t"
                    )
                    for m in MODELS
                )
            }
            assert len(lines) == 1


def test_losses_add_up(results):
    qc = pd.read_csv(results / "genotypes/qc_counts.tsv", sep="\t")
    removed = qc[["samples_removed", "variants_removed"]].fillna(0)
    left = qc[["samples_left", "variants_left"]]
    assert (
        left.iloc[:-1].to_numpy() - removed.iloc[1:].to_numpy() == left.iloc[1:].to_numpy()
    ).all()
    assert (removed.sum() > 0).all()
    dosage = np.load(results / "cohort/dosage.npy", mmap_mode="r")
    assert dosage.shape == tuple(left.iloc[-1])
    report = pd.read_csv(results / "cohort/join_report.tsv", sep="\t")
    for _, rows in report.groupby("trait"):
        of_genotypes = rows.status.isin(["matched", "genotype_only"]).sum()
        assert of_genotypes + (rows.status == "ambiguous").sum() >= dosage.shape[0]


def test_comparisons_and_intervals_are_those_of_the_fits(results):
    scores = pd.read_csv(results / "evaluation/scores.tsv", sep="\t")
    table = pd.read_csv(results / "evaluation/tables/comparisons.tsv", sep="\t")
    assert set(table.reference) == {"gblup", "mean"} and set(table.trait) == {
        "oil",
        "protein",
        "all",
    }
    mae = scores[scores.metric == "MAE"].groupby(["trait", "scheme", "model"]).value.mean()
    for row in table[(table.metric == "MAE") & (table.trait != "all")].itertuples():
        expected = mae[row.trait, row.scheme, row.model] - mae[row.trait, row.scheme, row.reference]
        assert row.difference == pytest.approx(expected)
        if row.splits == 1:  # nothing to tell a spread from
            assert np.isnan([row.low, row.high, row.p]).all()
            continue
        assert row.low < row.difference < row.high and row.p <= row.p_holm <= 1
    lines = pd.read_csv(results / "evaluation/intervals/oil.tsv.gz", sep="\t")
    fit = lines[(lines.model == "csafm") & (lines.seed == 1)]
    inside = fit.observed.between(fit.low, fit.high).mean()
    here = (scores.trait == "oil") & (scores.model == "csafm") & (scores.seed == 1)
    assert scores[here & (scores.metric == "coverage90")].value.item() == pytest.approx(inside)
    assert (results / "report/figures/comparisons_random_PCC.svg").is_file()


def test_a_second_run_finds_nothing_to_do(finished_demo):
    done = finished_demo.snakemake()
    assert done.returncode == 0
    assert "Nothing to be done" in done.stdout


def rules_and_paths(jobs):
    return {rule for rule, _ in jobs}, " ".join(outputs for _, outputs in jobs)


def test_a_new_trait_runs_its_own_jobs_and_the_tables_only(demo):
    sheet = demo.folder / "config/traits.tsv"
    rows = pd.read_csv(sheet, sep="\t", dtype=str, keep_default_na=False)
    new = rows[rows.trait == "oil"].assign(trait="oil2")
    pd.concat([rows, new]).to_csv(sheet, sep="\t", index=False)
    jobs = demo.planned()
    fits = [outputs for rule, outputs in jobs if rule.startswith("fit_")]
    assert fits and all("/training/oil2/" in outputs for outputs in fits)
    rules, paths = rules_and_paths(jobs)
    assert "collect_scores" in rules and "table_oil2" in paths
    for rule, outputs in jobs:
        assert "oil2" in outputs or rule in {
            "collect_scores", "tabulate_trait", "collect_joins", "tabulate_variants",
            "compare_controls", "plot_controls", "release_kernels", "compare_models",
            "plot_comparisons", "collect_importance", "collect_scans", "compare_loci",
            "advance_lines", "cross_parents", "measure_gains", "estimate_parameters",
            "plot_genetic_correlations", "tabulate_schemes",
        } or rule.startswith("report_"), (rule, outputs)  # fmt: skip


def fitted(jobs):
    """Models fitted anew; a variant or control (csafm_gau, csafm.zero) counts as its model."""
    outputs = " ".join(outputs for rule, outputs in jobs if rule.startswith("fit_"))
    return set(re.findall(r"/training/[^/]+/([a-z]+)[^/]*/", outputs))


def upstream(jobs):
    return {
        r for r, o in jobs if re.search(r"results/demo/(genotypes|imputation|contacts|cohort)/", o)
    }


def test_changing_a_models_block_reruns_that_model(demo):
    path = demo.folder / "config/models.yaml"
    models = yaml.safe_load(path.read_text())
    block = models["models"]["csafm"]
    block.setdefault("presets", {}).setdefault("demo", {})["epochs"] = 3
    path.write_text(yaml.safe_dump(models, sort_keys=False))
    jobs = demo.planned()
    assert fitted(jobs) == {"csafm"}
    paths = " ".join(outputs for _, outputs in jobs)
    for name in ("csafm_gau", "csafm.zero", "table4_csafm"):  # they stand on it
        assert name in paths
    assert not upstream(jobs)


@pytest.mark.parametrize("model", ["csafm", "gblup", "cnn"])
def test_editing_a_models_source_reruns_that_model_only(demo, model):
    path = demo.folder / f"workflow/scripts/soyfold/models/{model}.py"
    path.write_text(path.read_text() + "\n\nEDITED = True\n")
    jobs = demo.planned()
    assert fitted(jobs) == {model}
    assert not upstream(jobs)


def test_words_rerun_nothing(demo):
    package = "workflow/scripts/soyfold"
    for old, new, file in (
        (
            '"""One fit of a model',
            '"""Another word for a fit of a model',
            "training/direct_fits.py",
        ),
        ("fitted on %d lines of %s", "learned from %d lines of %s", "training/direct_fits.py"),
        ("        raise UserError(\n", "        raise UserError(  # why\n", "cohort/joins.py"),
        ("class UserError", "PREFIX = 'soyfold'\n\n\nclass UserError", "common/errors.py"),
    ):
        demo.edit(f"{package}/{file}", old, new)
    text = (demo.folder / package / "training/tasks.py").read_text()
    told = "more phenotyped lines, or another splits.ratio"
    assert text.count(told) == 1
    demo.edit(f"{package}/training/tasks.py", told, "phenotype more lines")
    demo.edit(f"{package}/models/csafm.py", '"""', '"""Attention with a prior. ')
    for script in (demo.folder / "workflow/scripts").glob("*.py"):
        script.touch()
    assert demo.planned() == []


EDITS = {
    "a metric": ("metrics.py", "np.square(y - p).mean()", "np.square(p - y).mean()"),
    "a figure": ("report/figures/curves.py", "figsize=(10, 3.8)", "figsize=(10, 3.9)"),
    "a form of attention": (
        "attention/forms.py",
        "return out[..., :d_k]",
        "return 1 * out[..., :d_k]",
    ),
    "attention's statistics": (
        "attention/statistics.py",
        "CHUNK_ELEMENTS = ",
        "CHUNK_ELEMENTS = 7 or ",
    ),
}
ATTENDING = {"transformer", "csafm", "cisem"}


@pytest.mark.parametrize("edited", EDITS)
def test_what_reruns_is_what_computes_with_the_edited_code(demo, edited):
    file, old, new = EDITS[edited]
    demo.edit(f"workflow/scripts/soyfold/{file}", old, new)
    jobs = demo.planned()
    rules, _ = rules_and_paths(jobs)
    assert not upstream(jobs)
    if edited == "a metric":
        assert "measure_trait" in rules and not fitted(jobs)
        assert not rules & {"decompose_kernel", "plot_learning_curves", "explain_gradients"}
    elif edited == "a figure":
        assert "plot_learning_curves" in rules
        assert rules <= {"plot_learning_curves", "plot_predictions", "plot_tuning"}
    else:
        assert fitted(jobs) == ATTENDING


def test_who_asks_why_a_job_runs_is_told_what_changed(demo):
    demo.edit("workflow/scripts/soyfold/metrics.py", *EDITS["a metric"][1:])
    done = subprocess.run(
        [sys.executable, "workflow/scripts/explain_reruns.py"],
        cwd=demo.folder, text=True, capture_output=True, check=True, timeout=300,
    )  # fmt: skip
    told = done.stdout.splitlines()
    place = next(k for k, line in enumerate(told) if line.startswith("evaluation: agreement"))
    assert told[place + 1] == "    code of metrics.py"
    assert any(line.endswith("made anew by another job") for line in told)
