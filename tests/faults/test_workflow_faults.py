"""Faults through Snakemake itself: told on the terminal, nothing built on them; then mended."""

import ast
import os
import pwd
import subprocess
import sys

import pytest
from parsed_workflow import workflow
from storeys import run_study
from test_faults import mend
from tiny_road import ROOT, VCF, write_study
from workflow_runs import environment, finish, results

ENDS = ("cohort/dosage.npy", "contacts/cim.tsv", "cohort/join_counts.tsv")
TARGETS = tuple(f"results/tiny/{end}" for end in ENDS)
TOUCH = "x;touch${IFS}y"  # one word, which a shell would run


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """The good study with its results, made job by job."""
    study = write_study(tmp_path_factory.mktemp("workflow") / "study")
    assert not run_study(study, TARGETS).job
    return study


def errors(output):
    """The lines that tell of faults, without repetition (a failed job's log is shown again).

    Before the first job Snakemake puts nothing before them.
    """
    before = output.partition("Job stats:")[0].splitlines()
    told = {line for line in before if ": found " in line}
    return sorted(
        told | {line for line in output.splitlines() if line.startswith("soyfold: ERROR")}
    )


def _refused(study, files):
    """Run a spoilt study: one line for each faulty file, and none of its outputs."""
    status, output = finish(study, *TARGETS)
    assert status == 1 and "Traceback" not in output, output
    told = errors(output)
    assert len(told) == len(files), output
    for name in files:
        assert any(name in line for line in told)
    assert not list(study.path("results").rglob(".part*"))


@pytest.mark.slow
def test_faults_of_several_storeys_are_told_in_one_run_and_mended_in_the_next(good, tmp_path):
    study = write_study(tmp_path / "study")
    study.write(VCF, [*study.lines(VCF)[:-1], study.lines(VCF)[-1].rpartition("\t")[0]])
    study.write("root.matrix", [*study.lines("root.matrix"), "1\t25\t4"])
    _refused(study, (VCF, "root.matrix"))
    mend(study, good)
    study.write("oil.csv", ["Plant ID,OIL", "PI548400,high"])
    study.write("plots.csv", ["strain,environment,protein", "PI548400,IA_2012,20;5"])
    _refused(study, ("oil.csv", "plots.csv"))
    mend(study, good)
    status, output = finish(study, *TARGETS)
    assert status == 0, output
    found, wanted = (results(s.path("results/tiny")) for s in (study, good))
    assert found == {name: wanted[name] for name in found} and len(found) > 20


def test_a_file_that_may_not_be_read_is_named(tmp_path):
    if os.geteuid():
        pytest.skip("only root can take another user's rights")
    nobody = pwd.getpwnam("nobody")
    study = write_study(tmp_path / "study")
    study.path(VCF).chmod(0o600)
    refuse = (
        "import os, sys; sys.path.insert(0, sys.argv[1]); os.chdir(sys.argv[2])\n"
        "from soyfold.common.errors import UserError\n"
        "from soyfold.study.settings import _refuse_unreadable\n"
        "from soyfold.common.logs import rule_log\n"
        f"os.setgid({nobody.pw_gid}); os.setuid({nobody.pw_uid})\n"
        "try: _refuse_unreadable({'genotypes.file': sys.argv[3]})\n"
        "except UserError as error: print(error)\n"
    )
    for folder in (study.folder, *study.folder.parents):
        if folder.owner() == "root" and folder.is_relative_to(tmp_path.parents[1]):
            folder.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", refuse, str(ROOT / "workflow/scripts"), str(study.folder), VCF],
        capture_output=True, text=True, check=False, env=environment(),
    )  # fmt: skip
    assert done.stdout.strip() == (
        f"{VCF}, genotypes.file: found no permission to read it; to mend: chmod u+r {VCF}"
    ), done.stderr


def test_ids_that_a_shell_would_run_are_only_names(good, tmp_path):
    study = good.copy(tmp_path / "study")
    for name in (VCF, "oil.csv", "plots.csv"):
        study.edit(name, "PI548401", TOUCH, count=-1)
        study.edit(name, "PI548402", "$(touch`y`)", count=-1)
    (study.folder / "oil.csv").touch()
    fit = "results/tiny/training/oil/gblup/seed0/predictions.tsv"
    answer = run_study(study, [*TARGETS, fit])
    assert not answer.job, answer
    assert TOUCH in study.path(fit).read_text()
    assert not list(tmp_path.rglob("y"))


def test_nothing_goes_through_a_shell():
    """Rules run scripts, and scripts start programs by lists of arguments."""
    assert [rule.name for rule in workflow().rules if not rule.norun and not rule.script] == []
    sources = list(ROOT.glob("workflow/**/*.py"))
    assert len(sources) > 100
    for path in sources:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                assert getattr(node.func, "id", None) not in ("eval", "exec", "system"), path
                assert getattr(node.func, "attr", None) not in (
                    "system", "popen", "getoutput", "getstatusoutput",
                ), path  # fmt: skip
                assert "shell" not in [keyword.arg for keyword in node.keywords], path


def test_a_table_of_published_loci_is_read_before_the_first_job(tmp_path):
    study = write_study(tmp_path / "study")
    study.write("qtl.csv", ["trait,chromosome,place", "oil,Gm01,1000"])
    study.config["interpretation"] = {"qtl": {"file": "qtl.csv", "position_column": "position"}}
    status, output = finish(study, "-n")
    assert status == 1 and "Job stats" not in output, output
    assert any("qtl.csv" in line and "no column 'position'" in line for line in errors(output))
