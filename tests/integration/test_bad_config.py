"""A wrong study is refused before the first job: one line, exit 1, nothing written."""

import pytest
import yaml


@pytest.fixture
def study(fresh_project, root):
    """The demo's config, for a test to spoil."""
    return yaml.safe_load((root / "config/config.yaml").read_text())


def refusal(project, study, name="case.yaml"):
    """The line that a spoilt study is refused with."""
    (project.folder / name).write_text(yaml.safe_dump(study, sort_keys=False))
    done = project.snakemake("-n", "--configfile", name)
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stdout
    assert not list((project.folder / "results").iterdir())
    lines = [line for line in done.stdout.splitlines() if "found " in line]
    assert len(lines) == 1, done.stdout
    return lines[0]


def test_unknown_key(fresh_project, study):
    study["genotypes"]["filter"] = {}
    line = refusal(fresh_project, study)
    assert "case.yaml, key genotypes: found unknown key 'filter'; allowed: codes, file" in line


def test_wrong_type(fresh_project, study):
    study["splits"]["seeds"] = "many"
    assert "key splits.seeds: found 'many' (str); allowed: integer" in refusal(fresh_project, study)


def test_traits_row_without_a_column(fresh_project, study):
    (fresh_project.folder / "bad.tsv").write_text("trait\tfile\tformat\noil\ta.csv\tplots\n")
    study["cohort"]["traits"] = "bad.tsv"
    line = refusal(fresh_project, study)
    assert (
        "bad.tsv: found no column value_column; allowed: a tab-separated header with trait" in line
    )


def test_missing_input_file(fresh_project, study):
    study["genotypes"]["file"] = "resources/demo/absent.vcf.gz"
    line = refusal(fresh_project, study)
    assert "resources/demo/absent.vcf.gz, genotypes.file: found no such file" in line


def test_unknown_model(fresh_project, study):
    study["training"]["models"] = ["gblup", "resnet"]
    line = refusal(fresh_project, study)
    assert "config/models.yaml, key models: found model 'resnet'; allowed: " in line
    assert "csafm" in line


def test_the_papers_study_says_what_to_download_and_from_where(fresh_project):
    done = fresh_project.snakemake("-n", "--configfile", "config/soysnp50k.yaml")
    assert done.returncode == 1
    lines = [line for line in done.stdout.splitlines() if "found no such file" in line]
    assert len(lines) == 1
    assert "legacy.soybase.org" in lines[0] and "29 more are missing" in lines[0]
