"""Every rule says what it is and what it needs; storeys share the study and nothing else."""

import ast
import builtins
from pathlib import Path

import pytest
from parsed_workflow import ROOT, RULE_FILES, compiled, environment_of, script_of, script_rules
from parsed_workflow import workflow as parsed
from snakemake.iocontainers import InputFiles, Wildcards

from soyfold.common.digest import source_digests

STOREYS = [
    "genotypes", "imputation", "contacts", "cohort", "training", "evaluation", "interpretation",
    "prediction", "selection", "report",
]  # fmt: skip
RULES = pytest.mark.parametrize("rule", script_rules(), ids=lambda rule: rule.name)
# A job of each kind: names in the demo study for all wildcards that needs depend on.
WILDCARDS = Wildcards(fromdict={"trait": "oil", "model": "csafm", "scheme": "random"})


@RULES
def test_rule_has_every_directive(rule):
    for directive in ("output", "log", "benchmark", "message", "conda_env"):
        assert getattr(rule, directive), f"{rule.name} lacks {directive}"
    assert (ROOT / f"workflow/scripts/{script_of(rule)}.py").is_file()
    assert (ROOT / f"envs/{environment_of(rule)}.yaml").is_file()


@RULES
def test_rule_says_what_it_needs_and_more_memory_at_a_retry(rule):
    first, third = (rule.expand_resources(WILDCARDS, InputFiles([]), k) for k in (1, 3))
    assert first["mem_mb"] >= 500 and third["mem_mb"] == 3 * first["mem_mb"]
    assert 10 <= first["runtime"] == third["runtime"]
    assert first["gpu"] in (0, 1) and first["_cores"] >= 1


@RULES
def test_a_rules_digest_is_of_its_script_and_the_models_that_it_runs(rule):
    study = parsed().globals["study"]
    modules = {
        "draw_split": ["soyfold.cohort.splits.random"],
        "measure_cost": models(study.evaluation.costed),
        "predict_lines": models(study.prediction.models),
        "permute_pairs": models(["csafm", "gblup"]),
        "advance_lines": models(["gblup"]),
        "cross_parents": models(["gblup"]),
    }
    source = rule.params["source"]
    wanted = modules.get(script_of(rule), models(["csafm"]) if callable(source) else [])
    found = source(WILDCARDS) if callable(source) else source
    assert found == source_digests(script_of(rule), *wanted)


def models(names):
    """Modules of some models."""
    blocks = parsed().globals["study"].models
    return [f"soyfold.models.{blocks[name]['module']}" for name in names]


@RULES
def test_log_and_benchmark_lie_side_by_side_under_their_storey(rule):
    study = parsed().globals["study"]
    log, benchmark = str(rule.log[0]), str(rule.benchmark)
    place = log.removeprefix(f"{study.logs}/").removesuffix(".log")
    assert benchmark == f"{study.results}/benchmarks/{place}.tsv"
    assert log.removeprefix(f"{study.logs}/").split("/")[0] in STOREYS


def test_each_storey_has_one_file_of_rules():
    assert {path.stem for path in RULE_FILES} == {"common", *STOREYS}
    used = {Path(rule.snakefile).stem for rule in script_rules()}
    assert used == set(STOREYS)


@pytest.mark.parametrize("path", RULE_FILES, ids=lambda path: path.stem)
def test_a_rule_file_reads_nothing_that_another_one_made(path):
    read, made = set(), set()
    for node in ast.walk(compiled(path)):
        if isinstance(node, ast.Name):
            (read if isinstance(node.ctx, ast.Load) else made).add(node.id)
        elif isinstance(node, ast.arg):
            made.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.ExceptHandler):
            made.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            made.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
    # Snakemake's own.
    own = {"workflow", "rules", "config", "expand", "report", "unpack", "script"}
    assert read - made - own - set(dir(builtins)) <= {"study"}


def test_both_snakefiles_are_the_same_workflow():
    root, catalog = parsed(), parsed("workflow/Snakefile")
    assert root.default_target == catalog.default_target == "all"
    files = [{rule.name: list(rule.output) for rule in each.rules} for each in (root, catalog)]
    assert files[0] == files[1]
