"""A full disk, a folder that may not be written, and paths with spaces."""

import os
import subprocess

import pytest
from storeys import run_study
from tiny_road import write_spaced_study, write_study
from workflow_runs import finish, results

ENDS = ("cohort/dosage.npy", "contacts/cim.tsv", "cohort/join_counts.tsv")
TARGETS = tuple(f"results/tiny/{end}" for end in ENDS)


@pytest.fixture
def small_disk(tmp_path):
    """A disk of a few hundred kB that the test can fill."""
    folder = tmp_path / "small disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if mounted.returncode:
        pytest.skip(f"no right to mount a small disk: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def _fill(folder, left):
    """Fill a disk up to some bytes."""
    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    (folder / "ballast").write_bytes(b"x" * max(0, free - left))


@pytest.mark.parametrize("left", [0, 8_192, 20_480, 24_576, 40_960, 90_112, 163_840])
def test_a_full_disk_is_told_in_one_line_and_the_rerun_works(small_disk, tmp_path, left):
    study = write_study(tmp_path / "study")
    study.path("results").symlink_to(small_disk)
    _fill(small_disk, left)
    answer = run_study(study, TARGETS)
    assert answer.job, "the disk was large enough"
    (line,) = answer.said.strip().splitlines()
    assert line.startswith("soyfold: ERROR ")
    assert "Traceback" not in answer.log
    (small_disk / "ballast").unlink()
    assert not run_study(study, TARGETS).job
    assert not list(small_disk.rglob(".part*"))


def test_a_full_disk_under_snakemake(small_disk, tmp_path):
    study = write_study(tmp_path / "study")
    study.path("results").symlink_to(small_disk)
    _fill(small_disk, 65_536)
    status, output = finish(study, *TARGETS)
    assert status == 1
    assert "ERROR" in output and "no space left" in output.lower()
    assert "Traceback" not in output, output
    (small_disk / "ballast").unlink()
    status, output = finish(study, *TARGETS)
    assert status == 0, output[-3000:]


def test_paths_with_spaces(tmp_path, monkeypatch):
    """All jobs up to the last page; tests/integration/test_report.py starts them by snakemake."""
    plain = write_study(tmp_path / "plain")
    spaced = write_spaced_study(tmp_path / "my own study")
    assert not run_study(plain, TARGETS).job
    monkeypatch.setenv("SOYFOLD_RESULTS", "my results")
    answer = run_study(spaced)
    assert not answer.job, answer
    found, wanted = results(spaced.path("my results/tiny")), results(plain.path("results/tiny"))
    assert [name for name in wanted if found[name] != wanted[name]] == []
