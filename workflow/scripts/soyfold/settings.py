"""Config, sheets and schemas: read, checked, defaults filled, paths expanded."""

import copy
import os
from pathlib import Path

import jsonschema
import yaml

from soyfold.errors import UserError
from soyfold.files import read_table

DATA_VARIABLE = "SOYFOLD_DATA"
DATA_DEFAULT = "../shared/data"


def _fill_defaults(instance, schema):
    """Put each property's default where the user left it out (in place, in depth)."""
    for key, sub in schema.get("properties", {}).items():
        if key not in instance and "default" in sub:
            instance[key] = copy.deepcopy(sub["default"])
        value = instance.get(key)
        if isinstance(value, dict):
            objects = [sub, *sub.get("oneOf", [])]
            for candidate in objects:
                _fill_defaults(value, candidate)


def _key(path):
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).lstrip(".")


def _deepest(error):
    """Follow oneOf to the branch that the user meant: the one for an object, if they gave one."""
    while error.validator == "oneOf" and isinstance(error.instance, dict):
        inside = [e for e in error.context if e.validator != "const"]
        if not inside:
            break
        error = max(inside, key=lambda e: len(e.absolute_path))
    return error


def _allowed(error):
    schema = error.schema
    if error.validator == "additionalProperties":
        return ", ".join(sorted(schema.get("properties", {})))
    if error.validator == "enum":
        return ", ".join(map(str, schema["enum"]))
    if error.validator == "required":
        return f"the keys {', '.join(schema['required'])} must be there"
    if error.validator == "oneOf":
        options = [s.get("const", s.get("type")) for s in schema["oneOf"]]
        text = " or ".join("off" if option is False else str(option) for option in options)
        return f"{text} ({schema.get('description', '')})"
    limits = {"minimum": "at least", "maximum": "at most", "exclusiveMinimum": "above"}
    if error.validator in limits:
        return f"{limits[error.validator]} {error.validator_value}"
    if error.validator == "pattern":
        return f"letters, digits, '_', '.', '-' (pattern {schema['pattern']})"
    if error.validator == "type":
        return f"{error.validator_value}"
    return error.message


def _found(error):
    if error.validator == "additionalProperties":
        unknown = sorted(set(error.instance) - set(error.schema.get("properties", {})))
        return f"unknown key {', '.join(map(repr, unknown))}"
    if error.validator == "required":
        return error.message.replace(" is a required property", " missing")
    return f"{error.instance!r} ({type(error.instance).__name__})"


def check(instance, schema, *, file, at=""):
    """Fill defaults into a copy of `instance` and check it against a JSON schema.

    Parameters
    ----------
    instance : dict
    schema : dict or path-like
        JSON schema, or the YAML file that holds it.
    file, at : str
        Where the instance comes from, for the message.

    Returns
    -------
    dict

    Raises
    ------
    UserError
        Naming the first offending key.
    """
    if not isinstance(schema, dict):
        schema = yaml.safe_load(Path(schema).read_text(encoding="utf-8"))
    instance = copy.deepcopy(instance)
    _fill_defaults(instance, schema)
    errors = sorted(
        jsonschema.Draft202012Validator(schema).iter_errors(instance),
        key=lambda e: list(map(str, e.absolute_path)),
    )
    if errors:
        error = _deepest(errors[0])
        key = _key(error.absolute_path)
        place = " ".join(part for part in (at, f"key {key}" if key else "") if part)
        raise UserError(_found(error), file=file, at=place, allowed=_allowed(error))
    return instance


def expand_path(path):
    """Replace ${SOYFOLD_DATA} (default ../shared/data) and other variables in a path."""
    if path is None:
        return None
    data = os.environ.get(DATA_VARIABLE, DATA_DEFAULT)
    return os.path.expandvars(path.replace("${" + DATA_VARIABLE + "}", data))


def read_sheet(path, schema, *, key):
    """Read a sheet (traits.tsv, hic.tsv) into a dict of rows by the column `key`.

    Raises
    ------
    UserError
        For a missing column, an offending cell (with its line) or a name given twice.
    """
    schema = yaml.safe_load(Path(schema).read_text(encoding="utf-8"))
    table = read_table(path, required=schema["required"], dtype=str, comment="#")
    rows = {}
    for line, record in enumerate(table.to_dict("records"), start=2):
        row = {name: None if value != value else value for name, value in record.items()}
        for name, rule in schema["properties"].items():
            row.setdefault(name, None)
            if "integer" in rule.get("type", "") and row[name] is not None and row[name].isdigit():
                row[name] = int(row[name])
        row = check(row, schema, file=path, at=f"line {line}")
        if row[key] in rows:
            raise UserError(f"{key} {row[key]!r} twice", file=path, at=f"line {line}", allowed="each once")
        row["file"] = expand_path(row["file"])
        rows[row[key]] = row
    if not rows:
        raise UserError("no rows", file=path, allowed=f"one row for each {key}")
    return rows


def read_libraries(study, schemas):
    """Rows of hic.tsv by library; empty for a study with `contacts: expected`."""
    sheet = study["contacts"]["libraries"]
    if sheet is None:
        return {}
    libraries = read_sheet(sheet, Path(schemas) / "hic.schema.yaml", key="library")
    for row in libraries.values():
        row["bins"] = expand_path(row["bins"])
    return libraries


def load_study(config, schemas, *, file):
    """Check a study's config, fill its defaults and expand its paths.

    Parameters
    ----------
    config : dict
        As read from the study file.
    schemas : path-like
        Folder of the schemas.
    file : str
        The study file, for messages.

    Returns
    -------
    dict
        `contacts` is always an object: a study that says `expected` has `libraries` None.
    """
    path = Path(schemas) / "config.schema.yaml"
    study = check(dict(config), path, file=file)
    if study["contacts"] == "expected":
        schema = yaml.safe_load(path.read_text(encoding="utf-8"))
        contacts = {}
        _fill_defaults(contacts, schema["properties"]["contacts"]["oneOf"][1])
        study["contacts"] = {**contacts, "libraries": None}
    study.setdefault("title", study["study"])
    study["chromosomes"] = expand_path(study["chromosomes"])
    study["genotypes"]["file"] = expand_path(study["genotypes"]["file"])
    for section, key in (
        ("contacts", "libraries"), ("cohort", "traits"), ("cohort", "id_map"),
        ("splits", "file"), ("training", "models_file"),
    ):
        study[section][key] = expand_path(study[section][key])
    if (study["splits"]["scheme"] == "given") != bool(study["splits"]["file"]):
        raise UserError(
            f"scheme {study['splits']['scheme']!r} with file {study['splits']['file']!r}",
            file=file, at="key splits", allowed="scheme: given with a file, or scheme: random without",
        )
    return study


def results_folder():
    """Folder of all results: `$SOYFOLD_RESULTS`, by default results."""
    return os.environ.get("SOYFOLD_RESULTS", "results")
