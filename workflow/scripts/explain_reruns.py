"""Say why jobs would run: which input, parameter or source file of soyfold's has changed.

    python workflow/scripts/explain_reruns.py --configfile config/my_study.yaml

What is written goes to `snakemake -n`, targets too. Nothing runs.
"""

import ast
import re
import subprocess
import sys
from itertools import groupby

SOURCE = re.compile(r"(\S+\.py) [0-9a-f]+")
JOB = re.compile(r"^(?:Job \d+: (.*)|(?:local)?rule (\w+):)$")
PARAMS = re.compile(r"Union of exclusive params .*? before: (.*) now: (.*)$")
# What Snakemake says of a reason, and what it means to who reads it.
REASONS = {
    "Missing output files": "no such file yet",
    "Incomplete output files": "cut short before",
    "Updated input files": "changed since",
    "Input files updated by another job": "made anew by another job",
    "Set of input files has changed since last execution": "other inputs than before",
    "Software environment definition has changed since last execution": "another environment",
    "Forced execution": "forced",
}
SHOWN = 3  # files of a kind


def _values(text):
    """What Snakemake prints of params: literals between commas; text where they are none."""
    try:
        return list(ast.literal_eval(f"[{text}]"))
    except (SyntaxError, ValueError):
        return [text]


def _flat(value, name=""):
    """(name, text) of what is in a param: keys of mappings, items of lists of source files."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list) and all(SOURCE.fullmatch(str(item)) for item in value):
        for item in value:
            file, digest = item.split()
            yield f"code of {file}", digest
    else:
        yield name, repr(value)


def _changed_params(text):
    """One line for each part of a param that differs between what ran and what would run."""
    sides = PARAMS.search(text)
    if not sides:
        return [text]
    before, now = (dict(p for v in _values(side) for p in _flat(v)) for side in sides.groups())
    lines = []
    for name in sorted({*before, *now}, key=str):
        if before.get(name) == now.get(name):
            continue
        if name.startswith("code of "):
            lines.append(name)
        else:
            label = f"parameter {name}" if name else "a parameter"
            lines.append(f"{label}: {before.get(name, 'none')} -> {now.get(name, 'none')}")
    return lines


def explain_reason(text):
    """Lines that say what one job's reason means.

    Parameters
    ----------
    text : str
        As Snakemake prints it after `Reason:`.
    """
    lines = []
    for reason in text.split("; "):
        told, _, rest = reason.partition(": ")
        if told.startswith("Params have changed"):
            lines += _changed_params(rest)
        elif told in REASONS and rest:
            files = rest.split(", ")
            more = f" and {len(files) - SHOWN} more" if len(files) > SHOWN else ""
            lines.append(f"{', '.join(files[:SHOWN])}{more}: {REASONS[told]}")
        else:
            lines.append(REASONS.get(told, reason))
    return lines


def read_reasons(output):
    """(what the job does, its reason) of each job in what `snakemake -n` prints."""
    name = None
    for line in output.splitlines():
        if told := JOB.match(line.strip()):
            name = told[1] or told[2]
        elif name and (reason := re.match(r"\s*[Rr]eason: (.*)", line)):
            yield name, reason[1].strip()
            name = None


def explain(output):
    """What to print: jobs with the same explanation together, in the order in which they'd run."""
    told = [(name, tuple(explain_reason(reason))) for name, reason in read_reasons(output)]
    lines = []
    for why, jobs in groupby(told, key=lambda pair: pair[1]):
        names = [name for name, _ in jobs]
        more = f" (and {len(names) - 1} more jobs)" if len(names) > 1 else ""
        lines += [f"{names[0]}{more}", *(f"    {line}" for line in why)]
    return lines or ["nothing would run: all is there, and nothing has changed"]


if __name__ == "__main__":
    # The default profile leaves reasons out.
    command = [sys.executable, "-m", "snakemake", "-n", "--cores", "1", "--quiet", "host"]
    done = subprocess.run([*command, *sys.argv[1:]], text=True, capture_output=True, check=False)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    print("\n".join(explain(done.stdout + done.stderr)))
