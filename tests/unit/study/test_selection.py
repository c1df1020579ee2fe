"""What a study may ask of selection, and what follows from it."""

import pytest
from loaded_study import load_demo
from snakemake.iocontainers import Wildcards

from soyfold.common.errors import UserError
from soyfold.common.schema import overlay
from soyfold.study.selection import check_index

LINEAR = {"training": {"models": ["mean", "bayesb", "gblup"]}, "evaluation": {"controls": False}}


def test_off_and_asked():
    demo, off = load_demo(), load_demo({"selection": False})
    assert demo.selection.asked and not off.selection.asked
    assert off.report.targets["selection"] == []
    names = [path.removeprefix("results/demo/selection/") for path in demo.selection.targets]
    assert names == ["lines.tsv", "crosses.tsv", "lines.html", "crosses.html", "gains.tsv"]
    # The targets have the defaults, and the same files as of a study that asks.
    assert off.selection.choice == {
        "index": None, "max_identity": 0.98, "max_kinship": False, "share": 0.1
    }  # fmt: skip
    assert off.selection.crossing["best"] == 20 and off.selection.model == "gblup"
    assert off.selection.gains == ["results/demo/selection/gains.tsv"]


def test_new_lines_have_a_folder_of_their_own():
    study = load_demo({"new_genotypes": "resources/demo/README.md", "share": 0.25})
    assert study.selection.folder == "results/demo/selection/README"
    assert study.selection.candidates["dosage"] == "results/demo/prediction/README/dosage.npy"
    assert study.selection.choice["share"] == 0.25
    # What test lines tell is the study's own.
    assert study.selection.gains == ["results/demo/selection/gains.tsv"]


def test_lines_may_be_named_by_numbers():
    study = load_demo({"selection": {"checks": [17], "crosses": {"parents": [2048, "PI 9"]}}})
    assert study.selection.crossing["parents"] == ["2048", "PI 9"]
    assert study.selection.crossing["checks"] == ["17"]
    assert load_demo({"selection": {}}).selection.crossing["parents"] is None


def test_the_model_is_a_linear_one_that_predicts():
    saved = load_demo(LINEAR).selection.saved(Wildcards())
    assert saved == [f"results/demo/prediction/models/{t}/gblup.npz" for t in ("oil", "protein")]
    first = load_demo(overlay(LINEAR, {"prediction": {"models": ["bayesb"]}}))
    assert first.selection.model == "bayesb"
    with pytest.raises(
        UserError, match=r"key selection\.model: found model 'lightgbm', which has no"
    ):
        load_demo({"selection": {"model": "lightgbm"}})
    plain = {"training": {"models": ["lightgbm"]}, "evaluation": {"controls": False}}
    with pytest.raises(UserError, match=r"no linear model; .* add gblup to training.models"):
        load_demo(plain)
    study = load_demo({**plain, "selection": False})
    assert study.selection.model is None and study.selection.gains == []
    with pytest.raises(UserError, match="no linear model"):
        study.selection.saved(Wildcards())


@pytest.mark.parametrize(("index", "message"), [
    ({"weights": {"oli": 1}}, "trait 'oli' in weights; allowed: oil, protein; to mend: write oil"),
    ({"restricted": ["oil", "protein"]}, "no trait that may move"),
    ({"weights": {"oil": 1}, "restricted": ["oil"]}, "oil with a weight and restricted"),
    ({"weights": {"oil": 1}, "desired": {"oil": 1}}, "desired alone"),
    ({"desired": {"oil": 0}}, "desired that are all 0"),
])  # fmt: skip
def test_an_index_that_says_nothing_or_two_things(index, message):
    with pytest.raises(UserError) as error:
        check_index(index, ["oil", "protein"], file="study.yaml")
    assert str(error.value).startswith("study.yaml, key selection.index: found ")
    assert message in str(error.value)


def test_words_that_the_schema_knows():
    for changes, message in (
        ({"index": {"weigths": {"oil": 1}}}, "unknown key 'weigths'"),
        ({"crosses": {"progeny": "f2"}}, "'f2'"),
        ({"training_set": {"lines": 3, "trait": "oli"}}, "write oil"),
        ({"crosses": {"genetic_map": "map.tsv"}}, "no such file"),
    ):
        with pytest.raises(UserError, match=message):
            load_demo({"selection": changes})
    with pytest.raises(UserError, match=r"key share: found 10"):
        load_demo({"share": 10})


def test_a_next_training_set():
    study = load_demo({"selection": {"training_set": {"lines": 5, "trait": "protein"}}})
    assert study.selection.training_set == ["results/demo/selection/training_set.tsv"]
    assert study.selection.training_choice["criterion"] == "cdmean"
    told = study.selection.training["estimates"]
    assert told == "results/demo/training/protein/gblup/final/seed0/estimates.tsv"
    assert load_demo().selection.training_set == []
