"""Every rule says what it is and what it needs."""

import re
from pathlib import Path

import pytest

DIRECTIVES = ("output", "log", "benchmark", "message", "threads", "resources", "conda", "script")


def rules(root):
    """(file, rule, text) of every rule that has a script of its own."""
    for path in sorted((root / "workflow/rules").glob("*.smk")):
        blocks = re.split(r"(?m)^((?:    )?rule(?: \w+)?):\n", path.read_text())
        for head, text in zip(blocks[1::2], blocks[2::2], strict=True):
            body = re.split(r"(?m)^\S", text)[0]
            if head.startswith(" "):  # one of a loop, which names it
                body = re.sub(r"(?m)^    ", "", body)
            if re.search(r"(?m)^    (output|script):", body):  # others are targets
                yield path.name, head.split()[-1], body


def pytest_generate_tests(metafunc):
    root = Path(__file__).resolve().parents[3]
    if "rule" in metafunc.fixturenames:
        found = list(rules(root))
        metafunc.parametrize("rule", found, ids=[name for _, name, _ in found])


def test_rule_has_every_directive(rule):
    _, name, text = rule
    for directive in DIRECTIVES:
        assert re.search(rf"(?m)^    {directive}:", text), f"{name} lacks {directive}"
    for resource in ("mem_mb", "runtime", "gpu"):
        assert re.search(rf"(?m)^        {resource}=", text), f"{name} lacks resource {resource}"
    raised = re.search(r"mem_mb=(raised\(|lambda wildcards, attempt\b)", text)
    assert raised, f"{name}: a retry asks for no more memory; write mem_mb=raised(...)"
    assert re.search(rf'source_digest\(\s*"{script_of(text)}"', text + called(text))


def called(text):
    """Text of the functions of fits.smk that a rule's params call."""
    helpers = (Path(__file__).resolve().parents[3] / "workflow/rules/fits.smk").read_text()
    functions = re.split(r"(?m)^def ", helpers)[1:]
    return "".join(f for f in functions if re.search(rf"\b{f.split('(')[0]}\(", text))


def script_of(text):
    return re.search(r'"\.\./scripts/(\w+)\.py"', text).group(1)


@pytest.mark.parametrize("stage", ["genotypes", "imputation", "contacts", "cohort", "training"])
def test_each_storey_has_its_rules_and_environment(root, stage):
    assert (root / f"workflow/rules/{stage}.smk").is_file()
    assert (root / f"envs/{stage}.yaml").is_file()
