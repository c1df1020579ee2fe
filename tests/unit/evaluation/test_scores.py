"""Tables from scores: means over seeds, the paper's values, floors and guards."""

import numpy as np
import pandas as pd
import pytest

from soyfold.common.errors import UserError
from soyfold.common.files import write_table
from soyfold.evaluation.scores import collect_scores, trait_table


def metrics_file(folder, **values):
    rows = [{"part": "test", "metric": name, "value": value} for name, value in values.items()]
    rows.append({"part": "train", "metric": "MAE", "value": 99.0})
    rows.append({"part": None, "metric": "parameters", "value": 10})
    folder.mkdir(parents=True)
    write_table(pd.DataFrame(rows), folder / "estimates.tsv")
    return folder / "estimates.tsv"


@pytest.fixture
def scores(tmp_path):
    """Two seeds of the mean predictor and of a network with attention."""
    fits = []
    for model, label, values in (
        ("mean", "Mean", {"MAE": 1.0, "PCC": np.nan, "CI": np.nan}),
        ("csafm", "CSAFM", {"MAE": 1.2, "PCC": 0.5, "CI": 0.6, "NAE": 0.9, "NAE_uniform": 1.0,
                            "AAS": 0.8, "AAS_uniform": 0.7, "AAS_within_chromosome": 0.6,
                            "AAS_learned": 0.9, "AAS_learned_uniform": 0.5,
                            "AAS_learned_within_chromosome": 0.4}),
    ):  # fmt: skip
        for seed in (0, 1):
            shifted = {name: value + 0.1 * seed for name, value in values.items()}
            file = metrics_file(tmp_path / model / str(seed), **shifted)
            fits.append({"trait": "oil", "model": model, "label": label, "scheme": "random",
                         "seed": seed, "preset": "cpu", "cim": "hic", "file": file,
                         "role": "model", "base": model, "control": None})  # fmt: skip
    return collect_scores(fits)


PAPER = pd.DataFrame(
    {"table": [1, 1, 2, 4], "trait": ["oil", "oil", "protein", "oil"],
     "model": ["CSAFM", "Transformer", "CSAFM", "CIM"], "metric": ["PCC"] * 4,
     "value": [0.3268, 0.3239, 0.2704, 0.3255]}
)  # fmt: skip


def test_scores_hold_test_rows_and_counts_only(scores):
    assert not (scores.value == 99.0).any()
    assert set(scores.metric) >= {"MAE", "PCC", "parameters"}
    assert list(scores.columns[:6]) == ["trait", "model", "scheme", "seed", "metric", "value"]


def test_table_has_means_floors_and_the_papers_own_value(scores):
    table = trait_table(scores, "oil", PAPER).set_index(["metric", "model"])
    assert table["mean"]["PCC", "CSAFM"] == pytest.approx(0.55)
    assert table.sd["PCC", "CSAFM"] == pytest.approx(np.std([0.5, 0.6], ddof=1))
    assert table.uniform["AAS", "CSAFM"] == pytest.approx(0.75)
    assert table.within_chromosome["AAS", "CSAFM"] == pytest.approx(0.65)
    # Against the H that it learned: beside, with floors of its own.
    assert table["mean"]["AAS_learned", "CSAFM"] == pytest.approx(0.95)
    assert table.uniform["AAS_learned", "CSAFM"] == pytest.approx(0.55)
    assert table.within_chromosome["AAS_learned", "CSAFM"] == pytest.approx(0.45)
    assert np.isnan(table["mean"]["PCC", "Mean"])


def test_guards_fire(scores):
    guards = trait_table(scores, "oil", PAPER).drop_duplicates("model").set_index("model").guards
    assert guards["CSAFM"] == "CI above PCC, MAE above mean predictor"
    assert guards["Mean"] is None, "a mean predicts one value by design"
    constant = scores.assign(model=scores.model.replace("mean", "lasso"))
    guards = trait_table(constant, "oil", PAPER).drop_duplicates("model").set_index("model").guards
    assert guards["Mean"] == "constant output"


def test_unknown_trait_is_refused(scores):
    with pytest.raises(UserError, match="no scores of trait 'yield'"):
        trait_table(scores, "yield", PAPER)


def test_controls_and_variants_stay_out_of_the_trait_tables(scores):
    control = scores[scores.model == "csafm"].assign(
        model="csafm.zero", label="CSAFM, zero", role="control", base="csafm", control="zero"
    )
    variant = scores[scores.model == "csafm"].assign(
        model="csafm_narrow", label="CSAFM narrow", role="variant", base="csafm"
    )
    table = trait_table(pd.concat([scores, control, variant]), "oil", PAPER)
    assert list(table.model.unique()) == ["Mean", "CSAFM"]


def test_the_papers_csafm_stands_beside_the_variant_that_it_is(scores):
    """Its Table 1 repeats the row CIM+GAU of its Table 4; without that model it stands nowhere."""

    def printed(scores):
        table = trait_table(scores, "oil", PAPER)
        return table[table.metric == "PCC"].set_index("model").paper.dropna().to_dict()

    gau = scores[scores.model == "csafm"].assign(
        model="csafm_gau", label="CSAFM, CIM + GAU", role="variant", base="csafm"
    )
    plain = scores[scores.model == "csafm"].assign(model="transformer", label="Transformer")
    assert printed(scores) == {}
    assert printed(pd.concat([scores, gau, plain])) == {
        "CSAFM, CIM + GAU": 0.3268, "Transformer": 0.3239,
    }  # fmt: skip


def test_printed_tables_agree_with_that(root):
    paper = pd.read_csv(root / "resources/paper_tables.tsv", sep="\t")
    values = (
        paper[paper.table.isin([1, 2, 4])]
        .set_index(["trait", "model", "metric"])
        .value.sort_index()
    )
    for trait in ("oil", "protein"):
        assert values[trait, "CSAFM"].to_dict() == values[trait, "CIM+GAU"].to_dict()
        assert not set(values[trait, "CSAFM"]) & set(values[trait, "CIM"])


def test_measures_join_the_scores_with_their_fits_facts(tmp_path):
    facts = {"trait": "oil", "label": "GBLUP", "scheme": "random", "preset": None, "cim": "none",
             "role": "model", "base": "gblup", "control": None, "model": "gblup"}  # fmt: skip
    values = {"PCC": 0.5, "MAE": 1.0, "CI": 0.4}
    fits = [
        {**facts, "seed": seed, "file": metrics_file(tmp_path / str(seed), **values)}
        for seed in (0, 1)
    ]
    measures = pd.DataFrame(
        {"trait": "oil", "model": "gblup", "scheme": "random", "seed": [0, 1],
         "part": "test", "metric": "coverage90", "value": [0.88, 0.92]}
    )  # fmt: skip
    write_table(measures, tmp_path / "measures.tsv")
    scores = collect_scores(fits, [tmp_path / "measures.tsv"])
    measured = scores[scores.metric == "coverage90"]
    assert measured.value.tolist() == [0.88, 0.92] and set(measured.label) == {"GBLUP"}
    assert len(scores) == 2 * 5
    assert "coverage90" in set(trait_table(scores, "oil", PAPER).metric)


def test_what_a_joint_model_says_of_itself_is_each_traits(tmp_path):
    rows = [("test", "NAE", 0.9), ("train", "NAE", 0.5), (None, "parameters", 7)]
    table = pd.DataFrame(rows, columns=["part", "metric", "value"])
    write_table(table, tmp_path / "estimates.tsv")
    fit = dict.fromkeys(["label", "scheme", "preset", "cim", "role", "base", "control"], "x")
    fit |= {"model": "m", "seed": 0, "file": tmp_path / "estimates.tsv"}
    scores = collect_scores([{**fit, "trait": "oil"}, {**fit, "trait": "protein"}])
    for trait in ("oil", "protein"):
        own = scores[scores.trait == trait].set_index("metric").value.to_dict()
        assert own == {"NAE": 0.9, "parameters": 7}


def test_a_correlation_above_the_heritability_ceiling_is_flagged(scores):
    def guards(heritability):
        table = trait_table(scores, "oil", PAPER, heritability=heritability)
        return table.drop_duplicates("model").set_index("model").guards["CSAFM"]

    # Mean PCC over seeds 0.55 = sqrt(0.3025).
    assert "PCC above the heritability ceiling of 0.55" in guards(0.302)
    assert "ceiling" not in guards(0.303) and "ceiling" not in guards(None)


@pytest.mark.parametrize("share", [0.5, 0.2])
def test_heritability_of_two_classes_is_told_of_what_lies_behind_them(tmp_path, share):
    """Of a threshold's 0 and 1 the linear model knows what the simulated genetic values tell."""
    random = np.random.default_rng(0)
    genetic = random.normal(0, np.sqrt(0.4), 400_000)
    behind = genetic + random.normal(0, np.sqrt(0.6), len(genetic))
    y = (behind > np.quantile(behind, 1 - share)).astype(float)
    linear = np.corrcoef(genetic, y)[0, 1] ** 2
    keys = {"trait": "oil", "model": "gblup", "scheme": "random", "seed": 0}
    file = metrics_file(tmp_path / "fit", heritability=linear)
    fit = {**keys, "label": "GBLUP", "preset": "cpu", "cim": "none", "file": file, "role": "model",
           "base": "gblup", "control": None}  # fmt: skip
    measures = pd.DataFrame([{**keys, "part": "test", "metric": "prevalence", "value": y.mean()}])
    write_table(measures, tmp_path / "measures.tsv")
    told = collect_scores([fit], [tmp_path / "measures.tsv"]).set_index("metric")
    assert told.value["heritability_liability"] == pytest.approx(0.4, rel=0.02)
    assert told.label["heritability_liability"] == "GBLUP"
    assert "heritability_liability" not in set(collect_scores([fit]).metric)
