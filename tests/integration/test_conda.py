"""Conda: nothing but its absence stops a run, and the container holds every environment.

No test has conda itself: a stand-in answers what Snakemake asks it, and makes empty environments.
"""

import os
import re
import subprocess
import sys

import pytest

STAND_IN = """\
#!/bin/sh
echo "$*" >> {log}
case "$*" in
    --version) echo conda 25.3.1 ;;
    "info --json") echo '{{"conda_prefix": "{prefix}", "platform": "linux-64"}}' ;;
    "config --get channel_priority --json") echo '{{"get": {{"channel_priority": "strict"}}}}' ;;
    *"env create"*)
        while [ "$1" != --prefix ] && [ "$1" != -p ]; do shift; done
        mkdir -p "$2/conda-meta" && touch "$2/conda-meta/history" ;;
    clean*) ;;
    *) echo "unexpected: $*" >&2; exit 1 ;;
esac
"""


def snakemake(root, tmp_path, *arguments, path="/usr/bin:/bin"):
    return subprocess.run(
        [sys.executable, "-m", "snakemake", *arguments],
        cwd=root, text=True, timeout=300, check=False, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={"PATH": path, "HOME": str(tmp_path), "SOYFOLD_RESULTS": str(tmp_path / "results"),
             "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip


@pytest.fixture
def with_conda(tmp_path):
    """PATH with the stand-in first, and the file where it notes its calls."""
    programs, prefix, log = tmp_path / "bin", tmp_path / "conda", tmp_path / "calls.txt"
    for folder in (programs, prefix / "bin"):
        folder.mkdir(parents=True)
    (prefix / "bin/activate").touch()
    (programs / "conda").write_text(STAND_IN.format(log=log, prefix=prefix))
    (programs / "conda").chmod(0o755)
    return f"{programs}:{os.environ['PATH']}", log


def jobs_of(text):
    """Rule to number of jobs, as a dry run counts them."""
    return dict(re.findall(r"(?m)^(\w+) +(\d+)$", text))


@pytest.mark.skipif(os.system("command -v conda >/dev/null") == 0, reason="conda is installed")
def test_without_conda_the_error_is_about_conda_alone(root, tmp_path):
    done = snakemake(root, tmp_path, "--use-conda", "--cores", "1", "-n")
    assert done.returncode == 1
    errors = done.stdout[done.stdout.index("WorkflowError") :].splitlines()
    assert errors[0] == "WorkflowError:" and len(errors) == 2, errors
    assert errors[1].startswith("Error running conda info. Is conda installed and accessible?")


def test_with_conda_the_same_jobs_run(root, tmp_path, with_conda):
    path, _ = with_conda
    plain = snakemake(root, tmp_path, "--cores", "1", "-n", path=path)
    conda = snakemake(root, tmp_path, "--use-conda", "--cores", "1", "-n", path=path)
    assert conda.returncode == plain.returncode == 0, conda.stdout
    assert jobs_of(conda.stdout) == jobs_of(plain.stdout) and jobs_of(plain.stdout)["all"] == "1"
    for name in ("genotypes", "imputation", "contacts", "cohort", "training", "evaluation"):
        assert f"envs/{name}.yaml will be created" in conda.stdout


def test_the_container_makes_the_environment_of_each_file(root, tmp_path, with_conda):
    path, log = with_conda
    recipe = (root / "Dockerfile").read_text().replace("\\\n", " ")
    command = re.search(r"RUN \S+ snakemake --snakefile /opt/soyfold/(\S+)(.*?)&&", recipe)
    arguments = command[2].replace("/tmp/envs", str(tmp_path / "run"))
    arguments = arguments.replace("/opt/envs", str(tmp_path / "envs")).split()
    done = snakemake(root, tmp_path, "--snakefile", command[1], *arguments, path=path)
    assert done.returncode == 0, done.stdout
    files = {file.name for file in (root / "envs").glob("*.yaml")}
    made = [line for line in log.read_text().splitlines() if "env create" in line]
    assert len(made) == len(files)
    assert {name for name in files if f"envs/{name}..." in done.stdout} == files
    # Snakemake finds them under the same names when the workflow itself runs.
    again = snakemake(root, tmp_path, "--use-conda", "--conda-prefix", str(tmp_path / "envs"),
                      "--cores", "1", "-n", path=path)  # fmt: skip
    assert again.returncode == 0 and "will be created" not in again.stdout, again.stdout
