"""From a study's files to its tables: lines, crosses, and the lines to phenotype next."""

import numpy as np
import pandas as pd
import pytest
from saved_study import Saver

from soyfold.common.errors import UserError
from soyfold.common.files import read_table, write_table
from soyfold.selection.advancing import advance_study, told_of_lines
from soyfold.selection.candidates import read_models, snp_effects
from soyfold.selection.crosses import cross_study
from soyfold.selection.training_set import choose_study

CHOICE = {"index": None, "share": 0.1, "max_identity": 0.98, "max_kinship": False}
CROSSING = {
    "parents": None, "best": 5, "progeny": "dh", "share": 0.05, "cm_per_mb": 2.5,
    "checks": ["PI000003"],
}  # fmt: skip


@pytest.fixture(scope="module")
def study(tmp_path_factory, root):
    """A fitted GBLUP, the panel's table and where all is."""
    folder = tmp_path_factory.mktemp("study")
    saver = Saver(folder, root)
    predicted, _, model = saver.fit("gblup")
    write_table(saver.panel, folder / "panel.tsv")
    (folder / "chromosomes.tsv").write_text("chromosome\tlength\taliases\nGm01\t9000000\tchr1\n")
    return folder, saver, predicted[:, 0], model


def files(study, **more):
    folder, saver, _, model = study
    inputs = saver.inputs
    return {
        "models": [model], "traits": ["first"], "dosage": inputs["dosage"],
        "samples": inputs["samples"], "panel": folder / "panel.tsv",
        "better": {"first": "high"}, **more,
    }  # fmt: skip


def advance(study, **settings):
    folder = study[0]
    outputs = {name: folder / f"{name}.tsv" for name in ("lines", "index")}
    advance_study(
        **files(study), phenotypes=[study[1].values["first"]], settings=CHOICE | settings,
        units={"first": "%"}, outputs=outputs,
    )  # fmt: skip
    return outputs


def test_lines_are_ranked_by_what_the_model_predicts(study):
    _, saver, predicted, _ = study
    outputs = advance(study)
    lines = read_table(outputs["lines"], dtype={"line": str}).set_index("line")
    names = pd.read_csv(saver.inputs["samples"], sep="\t").sort_values("row")["sample"]
    assert lines["gebv_first"].loc[names].to_numpy() == pytest.approx(predicted)
    assert lines["advance"].eq("yes").sum() == 12
    index = read_table(outputs["index"])
    # Without words of the study's the index is the predictions over their sd.
    assert lines["index"].std() == pytest.approx(1)
    chosen = lines.loc[lines["advance"] == "yes", "gebv_first"].mean()
    assert index["advanced_response"][0] == pytest.approx(chosen - predicted.mean())
    # A line that was grown is surer than it would be without its value, never beyond all doubt.
    assert lines["reliability_first"].between(0.05, 0.999).all()
    own = pd.read_csv(saver.values["first"], sep="\t").set_index("sample")["value"]
    assert lines["value_first"].loc[own.index].to_numpy() == pytest.approx(own.to_numpy())


def test_crosses_of_a_study(study):
    folder, saver, _, model = study
    tables = advance(study)
    options = files(study, tables=tables, chromosomes=folder / "chromosomes.tsv")
    cross_study(**options, genetic_map=None, settings=CROSSING, path=folder / "crosses.tsv")
    crosses = read_table(folder / "crosses.tsv")
    assert len(crosses) == 10 and crosses["above_check_first"].between(0, 1).all()
    lines = read_table(tables["lines"], dtype={"line": str}).set_index("line")
    first = crosses.iloc[0]
    pair = lines.loc[[first.parent_1, first.parent_2]]
    assert first.mean_first == pytest.approx(pair["gebv_first"].mean())
    assert first.mid_parent_first == pytest.approx(pair["value_first"].mean())
    assert (crosses["sd_uncertain_first"] > crosses["sd_first"]).all()
    # One trait: the index is the trait over its sd, about the mean.
    scale = read_table(tables["index"])["sd"][0]
    assert crosses["sd_index"].to_numpy() == pytest.approx(crosses["sd_first"].to_numpy() / scale)
    # A line's prediction is what its SNPs' effects add up to.
    effects = snp_effects(read_models(["first"], [model], saver.panel))
    dosage = np.load(saver.inputs["dosage"]).astype(float)
    assert np.ptp(dosage @ effects[0] - study[2]) == pytest.approx(0, abs=1e-8)
    with pytest.raises(UserError, match="parents: found 'nobody'"):
        cross_study(**options, genetic_map=None, path=folder / "crosses.tsv",
                    settings=CROSSING | {"parents": ["PI000003", "nobody"]})  # fmt: skip


def test_models_without_effects_cross_nothing(study):
    _, saver, _, _ = study
    rkhs = saver.fit("rkhs")[2]
    with pytest.raises(UserError, match="model rkhs of first, which has no effects"):
        snp_effects(read_models(["first"], [rkhs], saver.panel))


def test_lines_to_phenotype_next(study, tmp_path):
    folder, saver, _, _ = study
    inputs = saver.inputs
    values = pd.read_csv(saver.values["first"], sep="\t")
    unknown = list(values["sample"][:30])
    write_table(values[~values["sample"].isin(unknown)], tmp_path / "values.tsv")
    own = {"dosage": inputs["dosage"], "samples": inputs["samples"]}
    options = {
        "study": own, "candidates": own, "panel": folder / "panel.tsv",
        "split": folder / "final.tsv", "phenotypes": tmp_path / "values.tsv", "trait": "first",
        "heritability": None, "estimates": folder / "gblup/estimates.tsv", "criterion": "cdmean",
        "path": tmp_path / "next.tsv",
    }  # fmt: skip
    choose_study(**options, lines=8)
    table = read_table(tmp_path / "next.tsv")
    assert set(table["line"]) <= set(unknown) and table["line"].is_unique and len(table) == 8
    assert table["mean_reliability"].is_monotonic_increasing
    with pytest.raises(UserError, match="found 31 lines to phenotype among 30"):
        choose_study(**options, lines=31)


def test_reliability_where_it_is_known(study, tmp_path):
    _, saver, _, model = study
    rows = [
        (line, "first", name, 1.5, 0.9, False, told)
        for line in ("a", "b") for name, told in (("gblup", 0.25), ("rkhs", 0.5))
    ]  # fmt: skip
    columns = ["line", "trait", "model", "kinship_max", "call_rate", "in_training", "reliability"]
    table = pd.DataFrame(rows, columns=columns)
    write_table(table, tmp_path / "predictions.tsv")
    models = read_models(["first"], [model], saver.panel)
    told = told_of_lines(tmp_path / "predictions.tsv", models)
    assert told["reliability_first"].tolist() == [0.25, 0.25] and told["line"].tolist() == [
        "a",
        "b",
    ]
    write_table(table.drop(columns="reliability"), tmp_path / "predictions.tsv")
    assert "reliability_first" not in told_of_lines(tmp_path / "predictions.tsv", models)
