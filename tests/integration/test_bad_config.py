"""A wrong study is refused before the first job: one line, exit 1, nothing written.

Here through the command line; tests/faults tries many more.
"""

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


def test_traits_row_without_a_column(fresh_project, study):
    (fresh_project.folder / "bad.tsv").write_text("trait\tfile\tformat\noil\ta.csv\tplots\n")
    study["cohort"]["traits"] = "bad.tsv"
    line = refusal(fresh_project, study)
    assert (
        "bad.tsv: found no column value_column; allowed: a tab-separated header with trait" in line
    )


def test_the_papers_study_says_what_to_download_and_from_where(fresh_project):
    done = fresh_project.snakemake("-n", "--configfile", "config/soysnp50k.yaml")
    assert done.returncode == 1
    lines = [line for line in done.stdout.splitlines() if "found no such file" in line]
    assert len(lines) == 1
    assert "legacy.soybase.org" in lines[0] and "; nor " in lines[0]  # all of them are named
