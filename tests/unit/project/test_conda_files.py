"""Each rule runs with its conda file alone: whatever its script can reach is named there."""

import ast
import re
import sys
from functools import cache
from pathlib import Path

import pytest
import yaml
from parsed_workflow import RULE_FILES, compiled, environment_of, script_of, script_rules

from soyfold.common import digest
from soyfold.report.provenance import PIP_NAMES

ROOT = Path(__file__).resolve().parents[3]
ENVIRONMENTS = sorted(path.stem for path in (ROOT / "envs").glob("*.yaml"))
REQUIREMENTS = sorted((ROOT / "envs").glob("requirements*.txt"))
OF_SNAKEMAKE = "snakemake"  # what the Snakefile itself takes; every other belongs to rules
# Import names whose package has another name, or comes as a smaller part of it.
PACKAGES = {
    "yaml": "pyyaml",
    "torch": "pytorch",
    "pandas_plink": "pandas-plink",
    "hicstraw": "hic-straw",
    "python_calamine": "python-calamine",
    "vl_convert": "vl-convert-python",
    "sklearn": "scikit-learn",
    "matplotlib": "matplotlib-base",
    "PIL": "matplotlib-base",  # never without it: its PNGs are Pillow's
}
# Programs, by the names that `find_program` looks for, and their packages.
PROGRAMS = {"plink1.9": ["plink"], "plink2": ["plink2"], "beagle": ["beagle", "openjdk"]}
# What pip does not bring: Python itself and programs.
NOT_PYTHON_PACKAGES = {"python", "plink", "plink2", "beagle", "openjdk"}
# Packages that pandas imports itself for a method or an argument.
THROUGH_PANDAS = {"read_excel": "openpyxl"}


def rules():
    """(environment, script) of all rules."""
    return sorted({(environment_of(rule), script_of(rule)) for rule in script_rules()})


@cache
def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(path):
    """Files of soyfold that a file imports, wherever in it."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (digest.file_of(alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            yield from (digest.file_of(name) for name in names)


def reached(*start, by_name=True):
    """Files that scripts or modules reach by import, those imported `by_name` too."""
    waiting, seen = [digest.file_of(name) for name in start], set()
    while waiting:
        path = waiting.pop()
        if path is None or path in seen:
            continue
        seen.add(path)
        waiting.extend(imported(path))
        for call in calls(path, "import_module") if by_name else []:
            waiting.extend(computed(call.args[0]))
    return seen


def computed(argument):
    """Files that `import_module(argument)` can mean: one, or all of a folder."""
    if isinstance(argument, ast.Constant):
        return [digest.file_of(argument.value)]
    if not isinstance(argument.values[0], ast.Constant):
        return []  # what a package hands on is loaded by who asks for it, which nothing here does
    stem = argument.values[0].value  # of f"soyfold.models.{...}"
    assert stem.startswith("soyfold.") and stem.endswith("."), stem
    return sorted((digest.SCRIPTS / stem.replace(".", "/")).glob("*.py"))


def calls(path, name):
    """Calls of a function or method `name` in a file."""
    return [call for called, call in all_calls(path) if called == name]


@cache
def all_calls(path):
    """(name, call) of each call in a file."""
    found = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
    return [(getattr(n.func, "attr", getattr(n.func, "id", None)), n) for n in found]


def wanted(files):
    """Conda packages for all imports and programs of some files."""
    return set().union(*map(wanted_by, files))


@cache
def wanted_by(path):
    """Conda packages for the imports and programs of one file."""
    names = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    names -= {*sys.stdlib_module_names, "soyfold"}
    packages = {PACKAGES.get(name, name) for name in names}
    for call in calls(path, "find_program"):
        packages.update(PROGRAMS[call.args[0].value])
    for method, package in THROUGH_PANDAS.items():
        packages.update(package for _ in calls(path, method))
    return packages


def named(environment):
    """Package to version of a conda file."""
    content = yaml.safe_load((ROOT / f"envs/{environment}.yaml").read_text())
    return dict(entry.split("=", 1) for entry in content["dependencies"])


@pytest.mark.parametrize("environment,script", rules())
def test_a_rules_file_names_all_that_its_script_reaches(environment, script):
    missing = wanted(reached(script)) - set(named(environment)) - {"python"}
    assert not missing, f"envs/{environment}.yaml lacks {sorted(missing)} for {script}"


def test_rules_in_loops_are_seen():
    assert {"fit_direct", "fit_network", "fit_blend", "import_genotypes"} <= {
        script for _, script in rules()
    }
    assert {"pytorch", "numba", "lightgbm", "scikit-learn"} <= wanted(
        reached("fit_direct", "fit_network")
    )
    assert {"plink", "beagle", "openjdk"} <= wanted(reached("impute_chromosomes"))


@pytest.mark.parametrize("environment", [name for name in ENVIRONMENTS if name != OF_SNAKEMAKE])
def test_a_file_names_nothing_that_no_rule_needs(environment):
    scripts = [script for name, script in rules() if name == environment]
    assert scripts, f"no rule names envs/{environment}.yaml"
    spare = set(named(environment)) - wanted(reached(*scripts)) - {"python"}
    assert not spare, f"envs/{environment}.yaml: {sorted(spare)} for nothing"


def test_the_snakefiles_own_file_names_what_the_rule_files_import():
    modules = set()
    for path in [*RULE_FILES, ROOT / "workflow/Snakefile"]:
        for node in ast.walk(compiled(path)):
            if isinstance(node, ast.ImportFrom):
                modules.update(
                    [node.module, *(f"{node.module}.{name.name}" for name in node.names)]
                )
    modules = {name for name in modules if digest.file_of(name)}
    # Models are imported, and PLINK and Beagle called, by rules alone.
    missing = wanted(reached(*modules, by_name=False)) - set(named(OF_SNAKEMAKE))
    missing -= {"plink", "beagle", "openjdk", "plink2"}
    assert not missing, f"envs/{OF_SNAKEMAKE}.yaml lacks {sorted(missing)}"


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_file_has_the_grammar_of_all(environment):
    text = (ROOT / f"envs/{environment}.yaml").read_text()
    content = yaml.safe_load(text)
    assert text.startswith(f"# {environment}: "), "the first line says what it is for"
    assert content["channels"] == ["conda-forge", "bioconda", "nodefaults"]
    assert set(content) == {"channels", "dependencies"}
    for entry in content["dependencies"]:
        assert re.fullmatch(r"[a-z0-9-]+=[0-9][\w.]*", entry), f"{entry}: name=version"


def test_files_agree_on_versions():
    versions = {}
    for environment in ENVIRONMENTS:
        for package, version in named(environment).items():
            versions.setdefault(package, {}).setdefault(version, []).append(environment)
    assert {package: found for package, found in versions.items() if len(found) > 1} == {}


def pinned_for_pip():
    """Package to version of envs/constraints.txt and of the requirements that it doesn't cover."""
    lines = [
        line.partition("#")[0].strip()
        for file in ("constraints.txt", *(path.name for path in sorted(REQUIREMENTS)))
        for line in (ROOT / "envs" / file).read_text().splitlines()
    ]
    pairs = {tuple(line.lower().split("==")) for line in lines if line}
    versions = dict(pairs)
    assert len(versions) == len(pairs), "a package has two versions in envs/*.txt"
    return versions


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_conda_and_pip_run_the_same_versions(environment):
    pip = pinned_for_pip()
    conda = {PIP_NAMES.get(name, name): version for name, version in named(environment).items()}
    python_packages = conda.keys() - NOT_PYTHON_PACKAGES
    differing = {n: (conda[n], pip.get(n)) for n in python_packages if conda[n] != pip.get(n)}
    assert not differing, f"(conda, pip): {differing}"
