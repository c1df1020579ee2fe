"""A study on another's genotypes: the same files, nothing said twice, contradictions refused."""

import pytest
import yaml
from loaded_study import ROOT, load_demo

from soyfold.common.errors import UserError
from soyfold.study import settings


@pytest.fixture
def config():
    """A second study on the demo's genotypes."""
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    for key in ("imputation", "chromosomes"):
        config.pop(key, None)
    return config | {"study": "second", "genotypes": {"from": str(ROOT / "config/config.yaml")}}


def load(config):
    return settings.load_study(config, ROOT / "workflow/schemas", file="second.yaml")


def test_it_reads_and_imputes_as_the_other_study_does(config, monkeypatch):
    monkeypatch.chdir(ROOT)
    demo = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    second, first = load(config), load(demo)
    for key in ("genotypes", "imputation", "chromosomes"):
        assert second[key] == first[key]
    assert (second["genotypes_of"], first["genotypes_of"]) == ("demo", "demo")


def test_genotypes_lie_with_the_study_that_they_are_of():
    study = load_demo()
    assert study.genotyped == study.results
    study.settings["genotypes_of"] = "other"
    assert study.genotyped == "results/other" and study.results == "results/demo"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"imputation": {"seed": 2}}, "found imputation beside it"),
        ({"imputation": False}, "found imputation beside it"),
        ({"study": "demo"}, "found the study 'demo' itself"),
        ({"chromosomes": "resources/chromosomes/wm82_a1.tsv"}, "found chromosomes"),
        ({"genotypes": {"from": "no.yaml"}}, "no.yaml: found no such file"),
    ],
)
def test_what_contradicts_it_is_refused_in_a_line(config, changes, said):
    with pytest.raises(UserError, match=r"genotypes\.from") as caught:
        load(config | changes)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_own_filters_or_files_are_refused(config):
    config["genotypes"] |= {"filters": {"sample_missing": 0.2}, "file": "x.vcf"}
    with pytest.raises(UserError, match=r"found genotypes\.filters, genotypes\.file beside it"):
        load(config)


def test_a_study_that_borrows_lends_nothing(config, tmp_path):
    path = tmp_path / "second.yaml"
    path.write_text(yaml.safe_dump(config))
    third = config | {"study": "third", "genotypes": {"from": str(path)}}
    with pytest.raises(UserError, match="no such study in"):
        load(third)
