"""Curves of a study over the lines with a value: which files follow, and what is refused."""

from types import SimpleNamespace

import pytest
from loaded_study import load_demo

from soyfold.common.errors import UserError

ASKED = {"targets": ["oil"], "models": ["gblup", "multi_trait_gblup", "cross_attention"]}


def asked(**changes):
    return {"evaluation": {"transfer": {**ASKED, **changes}}}


def test_without_it_nothing_is_made():
    study = load_demo()
    assert study.transfer.tables == study.transfer.scores == study.transfer.targets == []
    assert "transfer" not in study.report.drawn and "transfer" not in study.report.pages


def test_a_target_is_learnt_with_its_group(tmp_path):
    study = load_demo(asked(), sheet=tmp_path / "traits.tsv")
    assert study.transfer.models == {
        "transfer_direct": ["gblup", "multi_trait_gblup"], "transfer_network": ["cross_attention"]
    }  # fmt: skip
    oil = SimpleNamespace(trait="oil", model="cross_attention")
    assert study.transfer.together(oil) == ["oil", "protein"]
    assert study.transfer.kinds(oil) == {"oil": "quantitative", "protein": "quantitative"}
    assert study.transfer.phenotypes(oil)[1].endswith("cohort/phenotypes/protein.tsv")
    assert study.transfer.scores[-1] == "results/demo/training/transfer/oil/cross_attention.tsv"
    assert study.transfer.settings["points"] == 5 and study.transfer.settings["fewest"] == 20
    assert "results/demo/evaluation/tables/transfer.tsv" in study.evaluation.tables
    assert "transfer" in study.report.drawn and "transfer" in study.report.pages
    # The models of the curves are fitted to nothing else.
    assert "cross_attention" not in {fit["model"] for fit in study.fits.all}


@pytest.mark.parametrize(
    ("changes", "grouped", "said"),
    [
        (asked(targets=["oli"]), True, "evaluation.transfer.targets: found trait 'oli'"),
        (asked(), False, "'oil', which shares its group with no other"),
        (asked(models=["gblub"]), True, "evaluation.transfer.models: found model 'gblub'"),
        (asked(models=["gblup_rkhs"]), True, "'gblup_rkhs', which is a blend"),
        (asked(environments=["IA"]), True, "'oil', which has no environment_column"),
        (asked(fewest=3), True, "evaluation.transfer.fewest: found 3"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(tmp_path, changes, grouped, said):
    with pytest.raises(UserError) as told:
        load_demo(changes, sheet=tmp_path / "traits.tsv" if grouped else None)
    assert said in str(told.value) and "\n" not in str(told.value)
