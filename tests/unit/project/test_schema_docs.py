"""config/README.md and the schemas tell of the same keys, parameters and columns."""

import re

import pytest
import yaml


@pytest.fixture(scope="module")
def readme(root):
    """Section heading to text, of the second and third level."""
    text = (root / "config/README.md").read_text()
    parts = re.split(r"(?m)^##+ (.+)\n", text)
    return {head.strip("`"): body for head, body in zip(parts[1::2], parts[2::2], strict=True)}


def schema(root, name):
    return yaml.safe_load((root / f"workflow/schemas/{name}.schema.yaml").read_text())


def documented(text):
    """Names in the first column of a section's tables that are headed `key` or `parameter`."""
    names, of_keys = set(), False
    for line in text.splitlines():
        cells = line.split("|")
        if len(cells) < 3:
            of_keys = False
        elif cells[1].strip() in ("key", "parameter"):
            of_keys = True
        elif of_keys:
            names.update(re.findall(r"`([\w.]+)`", cells[1]))
    return names


def keys(rule):
    """Keys of an object in a schema and of the objects inside it; a map's free keys are none."""
    names = set()
    for choice in [rule, *rule.get("oneOf", []), *rule.get("anyOf", [])]:
        for name, inside in choice.get("properties", {}).items():
            names |= {name} | keys(inside)
        if choice.get("items"):
            names |= keys(choice["items"])
    return names


def sections(root):
    return schema(root, "config")["properties"]


def test_the_top_level_has_each_key_or_a_section_of_its_own(root, readme):
    of_tables = documented(readme["The study file"])
    assert of_tables | set(readme) >= set(sections(root))
    assert of_tables <= set(sections(root)), of_tables - set(sections(root))


def test_each_section_documents_the_keys_that_the_schema_has(root, readme):
    for name, rule in sections(root).items():
        if name not in readme:
            continue
        of_tables = documented(readme[name])
        left_out = {key for key in keys(rule) if f"`{key}`" not in readme[name]}
        assert left_out == set(), f"section {name} leaves keys out"
        assert of_tables - keys(rule) == set(), f"section {name} invents keys"


@pytest.mark.parametrize("sheet", ["traits", "hic", "hypotheses"])
def test_each_column_of_a_sheet_is_documented(root, readme, sheet):
    text = readme[f"{sheet}.tsv"]
    columns = set(schema(root, sheet)["properties"])
    assert {name for name in columns if f"`{name}`" not in text} == set()


def test_each_key_of_an_entry_is_documented(root, readme):
    [entry] = [schema(root, "models")["properties"]["models"]["additionalProperties"]]
    text = readme["models.yaml"] + readme["Traits together, ensembles, blends"]
    assert {name for name in entry["properties"] if f"`{name}" not in text} == set()


def test_schemas_are_closed(root):
    def open_objects(rule, at):
        if isinstance(rule, dict):
            if "properties" in rule and rule.get("additionalProperties") is not False:
                yield at
            for name, inside in rule.items():
                yield from open_objects(inside, f"{at}.{name}")
        elif isinstance(rule, list):
            for number, inside in enumerate(rule):
                yield from open_objects(inside, f"{at}[{number}]")

    for name in ("config", "models", "traits", "hic", "hypotheses"):
        assert list(open_objects(schema(root, name), name)) == []
