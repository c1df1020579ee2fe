"""The rules as Snakemake itself reads them: its own parse of the workflow, once a process."""

import ast
import functools
from pathlib import Path

from snakemake.api import SnakemakeApi
from snakemake.parser import parse
from snakemake.settings.types import OutputSettings, Quietness, ResourceSettings
from snakemake.sourcecache import LocalSourceFile

ROOT = Path(__file__).resolve().parents[2]
RULE_FILES = sorted((ROOT / "workflow/rules").glob("*.smk"))


@functools.cache
def workflow(snakefile="Snakefile", folder=ROOT):
    """Snakemake's `Workflow` of a folder's study: rules, globals, default target; no job."""
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        resources = ResourceSettings(cores=1)
        # As `snakemake --list-rules` asks for them; the interface hands out no rules.
        made = api.workflow(resources, snakefile=folder / snakefile, workdir=folder)
        made._workflow_store = parsed = made._get_workflow()
        # Snakemake keeps all workflows' names in one dict, where the next one's replace them.
        parsed.modifier.globals = dict(parsed.globals)
        parsed.include(made.snakefile, overwrite_default_target=True)
        return parsed


def script_rules():
    """The rules that run a script; others are targets."""
    return [rule for rule in workflow().rules if rule.script]


def script_of(rule):
    """Stem of a rule's script."""
    return Path(str(rule.script).format(params=rule.params)).stem


def environment_of(rule):
    """Stem of a rule's conda file."""
    return Path(rule.conda_env).stem


@functools.cache
def compiled(path):
    """Python that Snakemake makes of a rule file, as a syntax tree."""
    return ast.parse(parse(LocalSourceFile(str(path)), workflow(), linemap={})[0])
