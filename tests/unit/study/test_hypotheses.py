"""Hypotheses of a study: which files follow, and what is refused before the first job."""

from types import SimpleNamespace

import pytest
from loaded_study import load_demo

from soyfold.common.errors import UserError

GROUPS = {"tokens": "group", "window": None, "hypothesis": "pathways"}
BARE = {"evaluation": {"controls": False, "paper_tables": False}, "interpretation": False}


@pytest.fixture(scope="module")
def demo():
    return load_demo()


def test_without_hypotheses_nothing_is_made_of_them():
    study = load_demo({"hypotheses": False, "interpretation": False})
    assert study.hypotheses.tables == study.hypotheses.traits == study.hypotheses.names == []
    assert not any("hypoth" in name or "knock" in name for name in study.report.drawn)
    assert not {"hypotheses", "interpretation"} & set(study.report.pages)


def test_the_demo_tries_its_one_on_the_trait_that_it_names(demo):
    assert demo.hypotheses.names == ["pathways"] and demo.hypotheses.traits == ["protein"]
    assert demo.hypotheses.scores == ["results/demo/training/hypotheses/protein.tsv"]
    made = [path.removeprefix("results/demo/") for path in demo.hypotheses.tables]
    assert made == ["cohort/hypotheses/pathways/groups.tsv", "evaluation/tables/hypotheses.tsv"]
    assert "results/demo/interpretation/knock_outs.tsv" in demo.interpretation.tables
    assert {"hypotheses", "knock_outs"} <= set(demo.report.drawn)
    every = load_demo({"hypotheses": {"traits": None}})
    assert every.hypotheses.traits == ["oil", "protein"]


def test_a_network_on_groups_reads_them_and_no_other_fit_does():
    study = load_demo({"training": {"parameters": {"csafm": GROUPS}}})
    groups = [study.fits.groups(SimpleNamespace(model=name)) for name in ("csafm", "transformer")]
    assert groups == [["results/demo/cohort/hypotheses/pathways/groups.npz"], []]
    assert study.models["csafm.permuted1"]["parameters"]["hypothesis"] == "pathways"
    assert [path.rpartition("knock_outs/")[2] for path in study.interpretation.knock_outs] == [
        "protein/csafm.tsv", "protein.tsv",
    ]  # fmt: skip
    assert "csafm" not in study.evaluation.costed and "transformer" in study.evaluation.costed


def test_a_network_that_hypotheses_are_tried_in_has_every_arm():
    chosen = {"training": {"parameters": {"csafm": GROUPS}}, "hypotheses": {"networks": ["csafm"]}}
    kernel, *arms = load_demo(chosen).hypotheses.scores
    assert kernel == "results/demo/training/hypotheses/protein.tsv"
    assert [path.removeprefix(kernel.replace(".tsv", "/csafm/")) for path in arms] == [
        "real.tsv", "none.tsv", "permuted1.tsv", "permuted2.tsv", "permuted3.tsv", "random.tsv",
    ]  # fmt: skip


def test_a_kernel_of_groups_reads_those_of_its_hypothesis():
    chosen = {"models": ["mean", "gblup", "group_gblup"]}
    chosen["parameters"] = {"group_gblup": {"hypothesis": "pathways"}}
    study = load_demo({"training": chosen, **BARE})
    groups = study.fits.groups(SimpleNamespace(model="group_gblup"))
    assert groups == ["results/demo/cohort/hypotheses/pathways/groups.npz"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"training": {"parameters": {"csafm": {**GROUPS, "hypothesis": "pathway"}}}},
         "model csafm, parameter hypothesis: found hypothesis 'pathway'; allowed: pathways"),
        ({"hypotheses": {"networks": ["csafm"]}},
         "key hypotheses.networks: found model 'csafm'; allowed: none"),
        ({"training": {"parameters": {"csafm": GROUPS}}, "hypotheses": False},
         "none: the study has no hypotheses"),
        ({"training": {"parameters": {"csafm": {**GROUPS, "hypothesis": None}}}},
         "tokens: group with hypothesis: null"),
        ({"training": {"models": ["mean", "gblup", "group_gblup"]}, **BARE},
         "model group_gblup, parameter hypothesis: found no hypothesis; allowed: pathways"),
        ({"hypotheses": {"traits": ["oli"]}}, "key hypotheses.traits: found trait 'oli'"),
        ({"hypotheses": {"sheet": "config/none.tsv"}}, "config/none.tsv: found no such file"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_in_one_line(changes, said):
    with pytest.raises(UserError) as told:
        load_demo(changes)
    assert said in str(told.value) and "\n" not in str(told.value)
