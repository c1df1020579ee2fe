"""config/profiles/slurm as far as it goes without a cluster; tests/slurm has the rest."""

import re
import subprocess
import sys

import pytest
import yaml
from parsed_workflow import workflow

from soyfold.study.pages import PAGES
from soyfold.study.schemes import OPTIONS


@pytest.fixture(scope="module")
def profile(root):
    return yaml.safe_load((root / "config/profiles/slurm/config.yaml").read_text())


def rule_names():
    """Names of all rules, of every scheme and every page of the report."""
    names = {rule.name for rule in workflow().rules} | {f"fit_blend_{name}" for name in OPTIONS}
    return names | {f"report_{name}" for name in PAGES}


def test_it_groups_rules_that_there_are_and_no_fit_of_minutes(profile):
    names = rule_names()
    gone = set(profile["groups"]) - names
    assert not gone, f"no such rules: {gone}"
    quick = {name for name in names if name.startswith(("plot_", "tabulate_", "compare_"))}
    alone = quick - set(profile["groups"])
    assert not alone, f"jobs of seconds: give {alone} a group in config/profiles/slurm"
    assert not {
        "fit_direct",
        "fit_network",
        "tune_model",
        "measure_cost",
        "decompose_kernel",
    } & set(profile["groups"])
    assert set(profile["group-components"]) <= {
        *profile["groups"].values(), "imputation", "fits",
    }  # fmt: skip


def dry_run(root, tmp_path, *arguments):
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "-n", *arguments],
        cwd=root, text=True, timeout=120, check=False, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "SOYFOLD_RESULTS": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


def test_the_demo_goes_through_it_in_groups(root, tmp_path):
    text = dry_run(root, tmp_path, "--profile", "config/profiles/slurm")
    groups = re.findall(r"\] Group job (\w+) \(jobs in lexicogr", text)
    assert {"cohort", "contacts", "evaluation", "figures"} <= set(groups)
    assert len(groups) == len(set(groups)), "a group is one submission in a study as small"
