"""The lists of models and parameters in README.md and config/README.md, from what models declare.

`python -m soyfold.models.listing` in workflow/scripts writes them anew, between their markers.
"""

import json
import re
from pathlib import Path

import yaml

from soyfold.models.declarations import NEEDS, declaration, models, modules, own_declaration

ROOT = Path(__file__).resolve().parents[4]
KINDS = {"integer": "whole number", "number": "number", "string": "name"}
LIMITS = {
    "exclusiveMinimum": "above {}",
    "minimum": "from {}",
    "exclusiveMaximum": "below {}",
    "maximum": "up to {}",
}


def in_words(rule):
    """What a parameter may be, from its JSON schema: "a whole number from 1, or null"."""
    if "enum" in rule:
        return ", ".join(f"`{value}`" for value in rule["enum"])
    kinds = [rule["type"]] if isinstance(rule["type"], str) else rule["type"]
    if "boolean" in kinds:
        return "`true`, `false`"
    if "array" in kinds:
        inside = in_words(rule["items"])
        return f"list of {inside.removeprefix('a ').replace('number', 'numbers')}"
    limits = " ".join(text.format(rule[key]) for key, text in LIMITS.items() if key in rule)
    text = f"a {KINDS[kinds[0]]} {limits}".strip()
    return f"{text}, or `null`" if "null" in kinds else text


def _value(value):
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def _table(names, rows):
    rows = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _read_beside(declared):
    """What a model reads beside SNPs and trait."""
    told = [NEEDS[need] for need in declared.needs]
    if declared.attention and "cim" not in declared.needs:
        told.append("the CIM, for attention statistics alone")
    if declared.unit == "environment":
        told.append("environments (`environment_column`), on schemes of these alone")
    return ", ".join(told)


def list_models(entries):
    """Markdown table of the models that entries of models.yaml name, each with a line.

    Parameters
    ----------
    entries : dict of str to dict
        Variants, ensembles and further entries of a module are left out.
    """
    rows, seen = [], set()
    for name, entry in entries.items():
        if "module" in entry and entry["module"] not in seen:
            seen.add(entry["module"])
            declared = declaration(entry["module"])
            label = entry.get("label", declared.label)
            rows.append([f"`{name}`", label, declared.meaning, _read_beside(declared)])
    return _table(["name", "called", "what it is", "reads beside SNPs and trait"], rows)


def _labels(module):
    """The models that a declaration holds for: its own label, or those of all that extend it."""
    declared = declaration(module)
    if declared.label:
        return [declared.label]
    return [declaration(name).label for name in models() if module in declaration(name).lineage]


def list_parameters():
    """Markdown: for what models share, and then for each model, a table of its own parameters."""
    parts = []
    for module in sorted(modules(), key=lambda name: -len(_labels(name))):
        own, whole = own_declaration(module), declaration(module).parameters
        title = ", ".join(_labels(module))
        if "label" not in own:
            title = f"{own['meaning']} ({title})"
        changed, rows = [], []
        for name, rule in own.get("parameters", {}).items():
            if set(rule) == {"default"}:
                changed.append(f"`{name}` {_value(rule['default'])}")
                continue
            rule = whole[name]
            rows.append([f"`{name}`", _value(rule["default"]), in_words(rule), rule["description"]])
        if changed or rows:
            other = f"; other defaults: {', '.join(changed)}" if changed else ""
            parts.append(f"**{title}**{other}")
        if rows:
            parts.append(_table(["parameter", "default", "allowed", "meaning"], rows))
    return "\n\n".join(parts)


def documents(root=ROOT):
    """The files that hold such lists, with the lists as they should be.

    Parameters
    ----------
    root : path-like

    Returns
    -------
    dict of Path to str
        Whole texts.
    """
    text = (Path(root) / "config/models.yaml").read_text(encoding="utf-8")
    lists = {
        "README.md": ("models", list_models(yaml.safe_load(text)["models"])),
        "config/README.md": ("parameters", list_parameters()),
    }
    written = {}
    for name, (what, listed) in lists.items():
        path = Path(root) / name
        mark = rf"(<!-- {what}: [^>]* -->\n).*?(\n<!-- end of {what} -->)"
        found, times = re.subn(
            mark, lambda match, listed=listed: f"{match[1]}\n{listed}\n{match[2]}",
            path.read_text(encoding="utf-8"), flags=re.DOTALL,
        )  # fmt: skip
        if times != 1:
            raise ValueError(f"{path}: {times} places for the list of {what}")
        written[path] = found
    return written


if __name__ == "__main__":
    for path, text in documents().items():
        path.write_text(text, encoding="utf-8")
