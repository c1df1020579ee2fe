"""What a rule's script loads before it does anything, so that no job pays for what it doesn't use.

Scripts that may load the same run one after the other in one process: what none of them has loaded
at the end, none of them loads.
"""

import json
import subprocess
import sys

import pytest
import tiny_study

HEAVY = (
    "torch", "torch._dynamo", "lightning", "scipy.stats", "sklearn", "matplotlib", "lightgbm",
    "cooler", "numba", "captum", "optuna", "altair", "msprime",
)  # fmt: skip
# Scripts by what they load of it; all others load nothing of it.
LOADS = {
    ("matplotlib",): (
        "plot_attention", "plot_cim", "plot_comparisons", "plot_controls",
        "plot_genetic_correlations", "plot_hypotheses", "plot_knock_outs", "plot_learning_curves",
        "plot_manhattan", "plot_motif_bias", "plot_pairs", "plot_predicted", "plot_predictions",
        "plot_recovery", "plot_transfer", "plot_tuning",
    ),
    ("cooler",): ("load_library", "merge_libraries", "sum_contacts"),
    ("numba",): ("find_clusters", "import_genotypes"),
    ("altair",): ("report_manhattan", "report_predictions"),
    ("msprime",): ("simulate_study",),
    ("torch",): (
        "fit_network", "fit_attention_network", "fit_controls", "knock_out_network",
        "transfer_network", "try_network_hypothesis",
    ),
    ("torch", "optuna"): ("tune_model",),
    # captum draws too.
    ("torch", "captum", "matplotlib"): ("explain_gradients",),
}  # fmt: skip
NAMED = {name for names in LOADS.values() for name in names}
LOADED = f"print([name for name in {HEAVY!r} if name in sys.modules])"
RUN = f"""
import runpy, sys
for path in sys.argv[1:]:
    try:
        runpy.run_path(path, run_name="script")
    except NameError as error:  # all is imported where the first line asks for the rule
        assert "snakemake" in str(error), (path, error)
{LOADED}
"""
FIT = f"""
import importlib, json, sys
from soyfold.training.fits import fit
block, inputs, folder = json.loads(sys.argv[1])
learn = importlib.import_module(f"soyfold.training.{{block['kind']}}_fits").fit_and_write
fit(block, learn, folders=[folder], **inputs)
{LOADED}
"""


def loaded(root, code, *arguments):
    """The heavy modules that a fresh process has loaded at its end."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=root / "workflow/scripts",
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1].replace("'", '"')))


@pytest.mark.parametrize("heavy", [(), *LOADS], ids=lambda heavy: "+".join(heavy) or "nothing")
def test_scripts_load_what_they_use_alone(root, heavy):
    scripts = sorted((root / "workflow/scripts").glob("*.py"))
    names = LOADS.get(heavy) or {path.stem for path in scripts} - NAMED
    paths = [path for path in scripts if path.stem in names]
    assert len(paths) == len(names)
    assert loaded(root, RUN, *paths) == set(heavy)


@pytest.mark.parametrize(
    ("module", "kind", "heavy"),
    [("csafm", "network", {"torch"}), ("gblup", "direct", set())],
)
def test_a_fit_on_one_cpu_loads_no_more_than_its_model(root, tmp_path, module, kind, heavy):
    size = {**tiny_study.SMALL, **tiny_study.QUICK, "epochs": 2} if kind == "network" else {}
    block = tiny_study.block(module, kind=kind, attention=kind == "network", **size)
    inputs = tiny_study.write_cohort(tmp_path)
    request = json.dumps([block, inputs, str(tmp_path / "out")], default=str)
    assert loaded(root, FIT, request) == heavy
    assert (tmp_path / "out/predictions.tsv").is_file()
