"""The house: which package may import which, and what a package hands on."""

import ast
import subprocess
import sys
from importlib import import_module

import pytest

# All may import common and metrics; neither imports anything of soyfold's.
FOUNDATION = {"common", "metrics"}
MAY_IMPORT = {
    "attention": set(),
    "genotypes": set(),
    "contacts": set(),
    "imputation": {"genotypes"},
    "cohort": {"genotypes"},
    "models": {"attention", "contacts"},
    "study": {"models", "cohort", "genotypes", "contacts"},
    # Attention is read out where a network is fitted.
    "training": {"models", "attention"},
    "evaluation": {"training"},
    "interpretation": {"training", "genotypes", "models"},
    "prediction": {"cohort", "imputation", "genotypes", "models", "training", "evaluation"},
    "selection": {"prediction", "evaluation", "models"},
    "report": {"evaluation", "interpretation", "prediction", "selection", "training"},
    "simulation": {"study", "contacts"},
}
PUBLIC = {
    "attention": ["biased_attention", "attention_statistics", "chromosome_context"],
    "contacts": ["sum_by_chromosome"],
    "metrics": ["mae", "pearson", "consistency_index"],
    "prediction": ["load_model", "predict_file"],
    "simulation": ["Options", "simulate_study"],
}


@pytest.fixture(scope="module")
def package(root):
    return root / "workflow/scripts/soyfold"


def imported(path):
    """Dotted names of soyfold that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names if alias.name != "soyfold"]
        elif isinstance(node, ast.ImportFrom) and node.module == "soyfold":
            # The version is the package's own.
            names = [f"soyfold.{a.name}" for a in node.names if a.name != "__version__"]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] == "soyfold")


def test_nothing_but_the_storeys_lies_at_the_top(package):
    folders = {path.parent.name for path in package.glob("*/__init__.py")}
    assert folders == {*MAY_IMPORT, "common"}
    assert {path.name for path in package.glob("*.py")} == {"__init__.py", "metrics.py"}


def test_imports_point_one_way(package):
    wrong = []
    for path in sorted(package.rglob("*.py")):
        own = path.relative_to(package).parts[0].removesuffix(".py").strip("_")
        allowed = {"common"} if own in FOUNDATION else MAY_IMPORT.get(own, set()) | FOUNDATION
        wrong += [
            f"{path.relative_to(package)} imports {name}"
            for name in imported(path)
            if name.split(".")[1:2] not in ([one] for one in {*allowed, own})
        ]
    assert not wrong, "\n".join(wrong)


def test_the_table_has_no_circle():
    def below(storey, seen=()):
        assert storey not in seen, " -> ".join([*seen, storey])
        for other in MAY_IMPORT.get(storey, ()):
            below(other, (*seen, storey))

    for storey in MAY_IMPORT:
        below(storey)


@pytest.mark.parametrize("storey", PUBLIC)
def test_public_names_stay_where_they_are(storey):
    module = import_module(f"soyfold.{storey}")
    for name in PUBLIC[storey]:
        assert callable(getattr(module, name)), name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        module.nothing  # noqa: B018


def test_importing_all_packages_loads_nothing_heavy(root, package):
    names = [f"soyfold.{path.parent.name}" for path in package.glob("*/__init__.py")]
    code = f"import sys, {', '.join(names)}; print(*{{name.split('.')[0] for name in sys.modules}})"
    loaded = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(package.parent)},
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    assert not {"torch", "numpy", "pandas", "cooler", "h5py", "scipy"} & set(loaded)


def test_each_package_says_what_it_is(package):
    for path in package.rglob("__init__.py"):
        told = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        assert told and len(told.split()) > 8, path


def test_tests_mirror_the_package(root, package):
    for path in (root / "tests/unit").rglob("test_*.py"):
        folder = path.parent.relative_to(root / "tests/unit")
        assert (package / folder).is_dir() or str(folder) == "project", path
