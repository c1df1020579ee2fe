"""soyfold.study: which tables, pages and figures follow from a study; what a whole run makes."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from loaded_study import load_demo

from soyfold.study.pages import CATEGORIES

PLAIN = {
    "contacts": "expected",
    "splits": {"seeds": 1, "further": []},
    "training": {"models": ["lightgbm"]},
    "evaluation": {"controls": False, "paper_tables": False},
    "interpretation": False,
    "selection": False,
    "hypotheses": False,
}
QTL = {"interpretation": {"qtl": {"file": "resources/demo/README.md"}}}


@pytest.fixture(scope="module")
def demo():
    return load_demo()


@pytest.fixture(scope="module")
def plain():
    """One model, no Hi-C, no references, no controls."""
    return load_demo(PLAIN)


def test_pages_are_those_that_the_study_has_something_for(demo, plain):
    assert list(plain.report.pages) == ["scores", "filtering"]
    assert list(demo.report.pages) == [
        "scores", "filtering", "comparisons", "controls", "hypotheses", "ablations", "schemes",
        "libraries", "interpretation", "genetic_parameters",
    ]  # fmt: skip
    assert "schemes" not in load_demo({"splits": {"further": []}}).report.pages
    assert "covariates" not in demo.report.pages["filtering"].files


def test_each_page_reads_what_a_whole_run_makes(demo):
    made = {path for files in demo.report.targets.values() for path in listed(files)}
    for name, page in demo.report.pages.items():
        for path in (path for files in page.files.values() for path in listed(files)):
            # Splits, joins and libraries are made on the way, and what draws interactive figures.
            on_the_way = "/splits/" in path or path.endswith(
                ("join_counts.tsv", "libraries.tsv", "vega.js")
            )
            assert path in made or on_the_way, (name, path)


def listed(files):
    return [files] if isinstance(files, str) else files


def test_tables_follow_from_the_study(demo, plain):
    def names(study):
        return [Path(path).stem for path in study.evaluation.tables]

    assert names(plain) == ["table1_oil", "table2_protein"]
    assert names(demo) == [
        "table1_oil", "table2_protein", "table4_csafm", "table5_cisem", "table6_gamma",
        "table3_cost", "comparisons", "controls", "schemes",
    ]  # fmt: skip
    assert demo.evaluation.controlled == [("protein", "cisem"), ("protein", "csafm")]


def test_figures_follow_from_the_study(demo, plain):
    assert plain.report.drawn == [
        "cim", "predictions_oil", "predictions_protein",
    ]  # fmt: skip
    more = set(demo.report.drawn) - set(plain.report.drawn)
    assert {
        "attention_oil",
        "learning_curves_oil",
        "controls",
        "comparisons_random_PCC",
        "manhattan_protein",
    } <= more


def test_models_that_learn_of_pairs_have_a_table_and_a_figure_of_them(demo):
    models = ["gblup", "contact_kernel", "learned_contact_kernel", "learned_contact_kernel_sparse"]
    study = load_demo({**PLAIN, "training": {"models": models}})
    assert {fit["model"] for fit in study.interpretation.paired} == set(models[2:])
    assert [Path(path).name for path in study.interpretation.tables] == ["pair_weights.tsv"]
    assert {"pair_weights_oil", "pair_weights_protein"} <= set(study.report.drawn)
    assert study.report.pages["interpretation"].facts["names"] == ["pair_weights"]
    assert not any("pair_weights" in name for name in demo.report.drawn)


def test_variants_are_classed_where_a_reference_or_a_model_asks_for_it(demo):
    assert not demo.report.targets["classes"] and "variant_classes" not in demo.report.pages
    told = load_demo({**PLAIN, "reference": "resources/demo/README.md"})
    assert told.settings["reference"] == {
        "file": "resources/demo/README.md", "flank": 10, "at_rich": 0.8, "kmers": [],
    }  # fmt: skip
    made = [Path(path).name for path in told.report.targets["classes"]]
    assert made == ["variant_classes.tsv", "variant_class_counts.tsv"]
    assert list(told.report.pages["variant_classes"].files) == ["counts"]
    assert "motif_bias" not in told.report.drawn and not told.interpretation.tables

    models = {"models": ["csafm", "transformer"], "parameters": {"csafm": {"motif_bias": True}}}
    study = load_demo({**PLAIN, "training": models})
    assert study.inputs.reference == [] and made == [
        Path(path).name for path in study.report.targets["classes"]
    ]
    assert [Path(path).name for path in study.interpretation.tables] == ["motif_bias.tsv"]
    assert "motif_bias" in study.report.drawn
    assert list(study.report.pages["variant_classes"].files) == ["counts", "bias"]
    assert {fit["model"] for fit in study.interpretation.motif_biased} == {"csafm"}
    classes = [study.fits.classes(SimpleNamespace(model=name)) for name in models["models"]]
    assert classes == [["results/demo/cohort/variant_classes.tsv"], []]
    assert "csafm" not in study.evaluation.costed and "transformer" in study.evaluation.costed


def test_traits_learnt_together_have_one_table_of_pairs_of_classes():
    own = {"models": ["csafm_joint"], "parameters": {"csafm_joint": {"motif_bias": True}}}
    study = load_demo({**PLAIN, "training": own})
    fits = study.interpretation.motif_biased
    assert len({fit["folder"] for fit in fits}) == len(fits)
    assert all(fit["folder"].startswith(f"training/{fit['trait']}/") for fit in fits)


def test_the_interpretation_shows_each_of_its_tables_once():
    study = load_demo(QTL)
    names = study.report.pages["interpretation"].facts["names"]
    assert len(names) == len(set(names)) and "qtl_recovery" in names
    assert "qtl_recovery" in study.report.drawn


def test_correlations_are_of_studies_with_several_traits(demo, plain, tmp_path):
    names = [Path(path).stem for path in demo.interpretation.parameters.values()]
    assert names == ["genetic_parameters", "genetic_correlations"]
    assert set(demo.interpretation.parameters.values()) <= set(demo.interpretation.tables)
    assert "genetic_correlations" in demo.report.drawn
    off = load_demo({"interpretation": {"genetic_parameters": False}})
    sheet = Path(demo.settings["cohort"]["traits"]).read_text().splitlines(keepends=True)
    (tmp_path / "traits.tsv").write_text("".join(sheet[:2]))
    lone = load_demo({
        "cohort": {"traits": str(tmp_path / "traits.tsv")}, "hypotheses": False,
        "evaluation": {"controls": False}, "selection": False, "splits": {"further": []},
    })  # fmt: skip
    assert [Path(path).stem for path in lone.interpretation.parameters.values()] == names[:1]
    assert list(lone.report.pages["genetic_parameters"].files) == names[:1]
    assert "genetic_correlations" not in lone.report.drawn
    for study in (off, plain):
        assert study.interpretation.parameters == {}
        assert "genetic_parameters" not in study.report.pages


def test_models_are_asked_as_they_can_be(demo, plain):
    why = demo.interpretation
    assert why.names("effects") == "gblup"
    assert why.names("gradients") == "transformer|csafm|cisem"
    assert {trait for trait, _ in why.models} == {"oil", "protein"}
    assert {fit["model"] for fit in why.attentive} == {"transformer", "csafm", "cisem"}
    assert plain.interpretation.tables == [] and plain.interpretation.names("effects") == "(?!)"


@pytest.mark.parametrize(
    ("changes", "categories", "parts"),
    [
        ({}, ["results", "quality", "contacts", "curves", "interpretation", "selection", "methods"],
         ["scores", "comparisons", "controls", "hypotheses", "lines", "paper"]),
        ({"new_genotypes": "resources/demo/README.md", "interpretation": False,
          "hypotheses": False},
         ["results", "quality", "contacts", "curves", "predictions", "selection", "methods"],
         ["scores", "comparisons", "controls", "lines", "paper"]),
        (PLAIN, ["results", "quality", "contacts", "methods"], ["scores", "lines"]),
    ],
)  # fmt: skip
def test_the_menu_is_numbered_without_gaps_by_what_the_study_has(changes, categories, parts):
    place = load_demo(changes).report.place
    found = [place("x", name)["category"] for name in categories]
    assert [name.split()[0] for name in found] == [f"{n}" for n in range(1, len(found) + 1)]
    assert sorted(found) == found, "the menu sorts by name"
    inside = [place("x", "results", name)["subcategory"] for name in parts]
    assert [name.split()[0] for name in inside] == [f"{n}" for n in range(1, len(inside) + 1)]
    others = set(CATEGORIES) - set(categories)
    assert {place("x", name)["category"] for name in others} == {CATEGORIES[n] for n in others}


def test_learning_curves_are_of_traits_with_networks():
    networks = load_demo({**PLAIN, "training": {"models": ["gblup", "cnn", "csafm_ensemble"]}})
    assert networks.report.curved == ["oil", "protein"]
    assert {fit["model"] for fit in networks.fits.trained("oil")} == {"cnn", "csafm_ensemble"}


def test_a_place_in_the_report_is_in_the_order_of_its_menu(demo):
    places = [
        demo.report.place("x", page.category, page.part) for page in demo.report.pages.values()
    ]
    assert places[0] == {
        "category": "1 Results", "subcategory": "1 Scores", "labels": {"what": "x"},
    }  # fmt: skip
    assert {place["subcategory"] for place in places if place["category"] != "1 Results"} == {None}
