"""soyfold.study.loading: a whole study is checked before the first job, and doesn't change then."""

import dataclasses

import pytest
from loaded_study import load_demo

from soyfold.common.errors import UserError


def test_the_demo_is_loaded_with_all_that_it_names():
    study = load_demo()
    assert list(study.traits) == ["oil", "protein"] and len(study.chromosomes) == 20
    assert (study.scheme, study.seeds, list(study.drawn)) == (
        "random", [0, 1, 2], ["random", "cv2", "final"],
    )  # fmt: skip
    assert study.genotype_format == "vcf" and study.references == ["gblup", "mean"]
    # Controls and variants have blocks beside the models that the study names.
    named = set(study.settings["training"]["models"])
    assert named < set(study.models)
    assert {"csafm.permuted1", "cisem.zero", "csafm_gau"} <= set(study.models) - named
    with pytest.raises(dataclasses.FrozenInstanceError):
        study.results = "elsewhere"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"training": {"models": ["gblub"]}}, "found model 'gblub'"),
        ({"evaluation": {"references": ["rkhs"]}}, "key evaluation.references: found rkhs"),
        ({"evaluation": {"controls": {"traits": ["yield"]}}}, "found yield"),
        ({"interpretation": {"models": ["lightgbm"]}}, "key interpretation.models"),
        ({"genotypes": {"file": "no.vcf"}}, "no.vcf, genotypes.file: found no such file"),
        ({"splits": {"scheme": "leave_family_out"}}, "leave_family_out without families"),
        ({"training": {"seeds": {"gblub": 1}}}, "write gblup, if that is meant"),
        ({"training": {"seeds": {"gblup": 99}}}, "key training.seeds.gblup: found 99 splits"),
        (
            {"training": {"models": ["gblup", "rkhs", "gblup_rkhs"], "seeds": {"rkhs": 1}}},
            "fewer splits of 'rkhs', which gblup_rkhs needs on all",
        ),
    ],
)
def test_what_is_wrong_is_told_before_a_job(changes, said):
    with pytest.raises(UserError) as caught:
        load_demo(changes)
    assert said in str(caught.value)


def test_a_retry_asks_for_more_memory_of_a_fixed_or_a_models_kind():
    study = load_demo()
    usual = study.resources()
    assert usual["runtime"] == 10 and usual["gpu"] == 0
    assert [usual["mem_mb"](None, attempt) for attempt in (1, 2, 3)] == [1000, 2000, 3000]
    asked = study.resources(lambda wildcards: wildcards * 10, minutes=5, gpu=1)
    assert asked["mem_mb"](7, 2) == 140 and (asked["runtime"], asked["gpu"]) == (5, 1)


def test_names_are_patterns_that_match_themselves_alone():
    study = load_demo()
    assert study.any_of(["a.b", "c"]) == r"a\.b|c"
    assert study.any_of([]) == "(?!)"
