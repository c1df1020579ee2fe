"""Bad input: one line and nothing left, or a loss that is counted; mended, the run goes on."""

import shutil

import pytest
from fault_table import DOCUMENT, all_faults, document
from storeys import plan, run_study
from tiny_road import Study, write_study

STOREYS = ("genotypes", "imputation", "contacts", "cim", "cohort", "training", "evaluation")
# What a storey is made of before it: contacts don't hang on genotypes.
KEPT = {"contacts": ("genotypes", "imputation"), "cohort": ("genotypes", "imputation", "contacts")}
ENDS = {
    "genotypes": ["genotypes/qc_counts.tsv"],
    "imputation": ["imputation/accuracy.tsv"],
    "contacts": ["contacts/cim.tsv"],
    "cohort": ["cohort/join_counts.tsv", "cohort/dosage.npy", "cohort/splits/{scheme}/seed0.tsv"],
}
FAULTS = all_faults()
BEFORE_JOBS = [fault for fault in FAULTS if fault.job == "config"]
REFUSED = [fault for fault in FAULTS if fault.job not in ("", "config")]
COUNTED = [fault for fault in FAULTS if not fault.job]


def _id(fault):
    return fault.name.replace(" ", "_")


@pytest.fixture(scope="session")
def good(tmp_path_factory):
    """The tiny study with its results up to the splits."""
    study = write_study(tmp_path_factory.mktemp("faults") / "study")
    ends = [end.format(scheme="random") for names in ENDS.values() for end in names]
    answer = run_study(study, [f"results/tiny/{end}" for end in ends])
    assert not answer.job, answer
    return study


@pytest.fixture
def study(good, tmp_path):
    """A copy of the good study, for a test to spoil."""
    return good.copy(tmp_path / "study")


def forget(study, storey):
    """Remove a storey's results and those of all that stand on it."""
    results = study.path("results/tiny")
    if storey == "cim":
        (results / "contacts/cim.tsv").unlink()
        return
    kept = {"genotypes": (), "imputation": ("genotypes", "contacts")}.get(storey)
    kept = (
        kept
        if kept is not None
        else KEPT.get(storey, ("genotypes", "imputation", "contacts", "cohort"))
    )
    for folder in (*STOREYS, "logs"):
        if folder not in kept:
            shutil.rmtree(results / folder, ignore_errors=True)


def targets_of(fault, study):
    """What the user asks for."""
    names = [fault.target] if fault.target else ENDS[fault.storey]
    if fault.table and not fault.target:
        names = [fault.table]
    scheme = study.config["splits"].get("scheme", "random")
    return [f"results/tiny/{name.format(scheme=scheme)}" for name in names]


def refuse(fault, study):
    """Spoil the study and see the one line; nothing half-written is left."""
    forget(study, fault.storey)
    fault.spoil(study)
    answer = run_study(study, targets_of(fault, study))
    assert answer.job == fault.job, (answer.job, answer.said, answer.log[-2000:])
    (line,) = answer.said.strip().splitlines()
    assert line.startswith("soyfold: ERROR ")
    assert "found " in line and ("allowed: " in line or "to mend: " in line)
    for words in fault.said:
        assert words in line
    assert "Traceback" not in answer.log
    left = [path for path in answer.outputs if study.path(path).exists()]
    hidden = [path.name for path in study.path("results").rglob(".*")]
    assert not left and not hidden, (left, hidden)


@pytest.mark.parametrize("fault", BEFORE_JOBS, ids=_id)
def test_refused_before_the_first_job(fault, study):
    fault.spoil(study)
    answer = run_study(study, plan_only=True)
    assert answer.job == "config", answer
    lines = answer.said.strip().splitlines()  # one for each fault
    assert all("found " in line and ("allowed: " in line or "to mend: " in line) for line in lines)
    for words in fault.said:
        assert any(words in line for line in lines)
    assert not answer.log
    assert not study.path("y").exists()


@pytest.mark.parametrize("fault", REFUSED, ids=_id)
def test_refused_in_one_line_with_nothing_left(fault, study):
    refuse(fault, study)


@pytest.mark.parametrize("fault", COUNTED, ids=_id)
def test_goes_on_and_counts(fault, study):
    forget(study, fault.storey)
    fault.spoil(study)
    answer = run_study(study, targets_of(fault, study))
    assert not answer.job, (answer.job, answer.said, answer.log[-2000:])
    text = study.path(f"results/tiny/{fault.table}").read_text()
    for words in fault.said:
        assert words in text, text


def mend(study, good):
    """The good study's input beside the spoilt study's results."""
    kept = {
        path.name
        for path in good.folder.iterdir()
        if path.is_file()
        and study.path(path.name).is_file()
        and study.path(path.name).read_bytes() == path.read_bytes()
    }
    for path in study.folder.iterdir():
        if path.name not in {"results", "resources", *kept}:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in good.folder.iterdir():
        if path.is_file() and path.name not in kept:
            shutil.copy(path, study.folder)  # newer than what was made of the spoilt one
    return Study(study.folder, good.config)


def _one_a_job(faults):
    """The first fault of each script."""
    return list({fault.job: fault for fault in reversed(faults)}.values())


@pytest.mark.parametrize("fault", _one_a_job(REFUSED), ids=lambda fault: fault.job)
def test_mended_the_rerun_makes_what_the_good_study_has(fault, study, good):
    refuse(fault, study)
    targets = targets_of(fault, good)
    run_study(good, targets)
    mended = mend(study, good)
    if fault.name.startswith("results: "):  # its fault lies in the results: they are made anew
        forget(mended, "genotypes")
    answer = run_study(mended, targets)
    assert not answer.job, answer
    for target in targets:
        assert mended.path(target).read_bytes() == good.path(target).read_bytes()


def test_at_least_forty_faults_each_named_once():
    names = [fault.name for fault in FAULTS]
    assert len(names) >= 40 and len(set(names)) == len(names)


def test_the_document_has_these_faults():
    assert DOCUMENT.read_text(encoding="utf-8") == document(FAULTS), (
        "write it anew: python tests/faults/fault_table.py"
    )


def test_every_job_of_the_road_is_planned(good):
    """The faults' harness and Snakemake see the same jobs."""
    assert {job.rule.name for job in plan(good)} >= {"import_genotypes", "join_trait", "fit_direct"}
