"""soyfold.study.prediction: where new lines and saved models are."""

from types import SimpleNamespace as Wildcards

import pytest
from loaded_study import load_demo

from soyfold.common.errors import UserError
from soyfold.study.prediction import folder_name

NEW = {"new_genotypes": "resources/demo/genotypes.vcf.gz"}


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("a/lines.vcf.gz", "lines"), ("b.hmp.txt", "b"), ("my lines.tsv", "my_lines"),
        ("models.vcf", "models_lines"), ("panel.bed", "panel_lines"), ("..vcf", "lines"),
    ],
)  # fmt: skip
def test_a_files_folder_is_its_stem_and_none_of_our_own(file, name):
    assert folder_name(file) == name


def test_new_lines_lie_beside_the_saved_models():
    study = load_demo(NEW)
    assert study.prediction.folder == f"{study.results}/prediction/genotypes"
    assert study.prediction.genotypes(None) == NEW["new_genotypes"]
    assert study.prediction.reading == {
        "dosage_certainty": 0.9,
        "duplicates": "refuse",
        "format": "vcf",
        "invariant": True,
        "match": "auto",
    }
    assert len(study.prediction.parts("bed")) == 20
    with pytest.raises(UserError, match=r"no new_genotypes.*--config new_genotypes=FILE"):
        load_demo().prediction.genotypes(None)


def test_each_model_is_saved_once_and_a_blend_knows_its_members(tmp_path):
    changes = {
        "training": {"models": ["mean", "gblup_rkhs", "csafm_joint"]},
        "evaluation": {"controls": False},
        "selection": False,
    }
    study = load_demo(changes, sheet=tmp_path / "traits.tsv")
    saved = [
        path.removeprefix(f"{study.results}/prediction/models/") for path in study.prediction.saved
    ]
    assert saved == [
        "oil/mean.npz", "oil/gblup_rkhs.npz", "seed/csafm_joint.npz", "protein/mean.npz",
        "protein/gblup_rkhs.npz",
    ]  # fmt: skip
    members = study.prediction.members(Wildcards(home="oil", model="gblup_rkhs"))
    assert [path.split("/")[-1] for path in members] == ["gblup.npz", "rkhs.npz"]
    joint = Wildcards(home="seed", model="csafm_joint")
    assert study.prediction.units(joint) == {"oil": "%", "protein": "%"}
    assert study.prediction.members(joint) == []
    # Members are fitted on all lines too, though no model of the study's own.
    assert {"gblup", "rkhs"} <= set(study.prediction.models)
