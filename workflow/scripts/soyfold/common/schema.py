"""Closed JSON schemas: defaults filled, each offence told in one line."""

import copy
import difflib
import functools
import math
from pathlib import Path

import jsonschema
import yaml

from soyfold.common.errors import UserError, raise_all


def _is_finite(checker, value):
    """JSON knows neither infinity nor NaN, which YAML does and no limit would refuse."""
    known = jsonschema.Draft202012Validator.TYPE_CHECKER
    return known.is_type(value, "number") and math.isfinite(value)


Validator = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine("number", _is_finite),
)


def overlay(base, changes):
    """Copy of `base` with `changes` laid over it, key by key, in depth."""
    result = copy.deepcopy(base)
    for key, value in changes.items():
        if isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = overlay(result[key], value)
        else:
            result[key] = copy.deepcopy(value)
    return result


def nearest(name, known):
    """What to do about a name that nobody knows: write the one that it is nearest to, if any is."""
    found = difflib.get_close_matches(str(name), list(known), n=1)
    return f"write {found[0]}, if that is meant" if found else None


# libyaml's parser, ten times as fast, where PyYAML was built with it.
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_schema(path):
    """A schema of ours as a mapping, which nobody changes: read once in a process."""
    return _read_schema(path, Path(path).stat().st_mtime_ns)


@functools.lru_cache(maxsize=16)
def _read_schema(path, _):
    return yaml.load(Path(path).read_text(encoding="utf-8"), Loader)


def read_yaml(path, *, key):
    """Read a mapping from YAML.

    Parameters
    ----------
    path : path-like
    key : str, keyword only
        Key of the config that names the file, for messages.

    Raises
    ------
    UserError
        If the file is absent, no YAML in UTF-8, or no mapping.
    """
    mend = f"check {key} in the config"
    try:
        content = yaml.load(Path(path).read_text(encoding="utf-8"), Loader)
    except OSError as error:
        raise UserError(error.strerror.lower(), file=path, mend=mend) from None
    except UnicodeDecodeError:
        raise UserError("text that is no UTF-8", file=path, mend="save it as UTF-8") from None
    except yaml.YAMLError as error:
        raise UserError(f"no YAML ({error})", file=path, allowed="a YAML mapping") from None
    if not isinstance(content, dict):
        raise UserError("no mapping", file=path, allowed="keys with values, in YAML", mend=mend)
    return content


def fill_defaults(instance, schema):
    """Put each property's default where the user left it out (in place, in depth)."""
    for key, sub in schema.get("properties", {}).items():
        if key not in instance and "default" in sub:
            instance[key] = copy.deepcopy(sub["default"])
        value = instance.get(key)
        if isinstance(value, dict):
            objects = [sub, *sub.get("oneOf", [])]
            for candidate in objects:
                fill_defaults(value, candidate)
        for item in value if isinstance(value, list) else ():
            if isinstance(item, dict):
                fill_defaults(item, sub.get("items", {}))


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
    if error.validator in ("minProperties", "maxProperties"):
        return f"one of {', '.join(sorted(schema['properties']))}"
    if error.validator == "enum":
        return ", ".join(map(str, schema["enum"]))
    if error.validator == "required":
        return f"the keys {', '.join(schema['required'])} must be there"
    if error.validator == "oneOf":
        options = [s.get("const", s.get("type")) for s in schema["oneOf"]]
        text = " or ".join("off" if option is False else str(option) for option in options)
        return f"{text} ({schema.get('description', '')})"
    limits = {"minimum": "at least", "maximum": "at most"}
    limits |= {"exclusiveMinimum": "above", "exclusiveMaximum": "below"}
    if error.validator in limits:
        return f"{limits[error.validator]} {error.validator_value}"
    if error.validator == "pattern":
        return f"letters, digits, '_', '.', '-' (pattern {schema['pattern']})"
    if error.validator == "not":
        return schema.get("description", error.message)
    if error.validator == "type":
        types = error.validator_value
        return types if isinstance(types, str) else " or ".join(types).replace("null", "NA")
    return error.message


def _found(error):
    if error.validator == "additionalProperties":
        unknown = sorted(set(error.instance) - set(error.schema.get("properties", {})))
        return f"unknown key {', '.join(map(repr, unknown))}"
    if error.validator == "required":
        return error.message.replace(" is a required property", " missing")
    return f"{error.instance!r} ({type(error.instance).__name__})"


def _mend(error):
    """What to do about a key that is gone or misspelt, or a switch that quotes make a text."""
    schema = error.schema
    if error.validator == "additionalProperties":
        gone = schema.get("gone", {})
        dropped = "; ".join(f"drop {key}, {gone[key]}" for key in gone if key in error.instance)
        known = schema.get("properties", {})
        return dropped or nearest(min(map(str, set(error.instance) - set(known))), known)
    switches = [s for s in (schema, *schema.get("oneOf", [])) if s.get("type") == "boolean"]
    switches += [s for s in schema.get("oneOf", []) if s.get("const") is False]
    words = ("on", "off", "yes", "no", "true", "false")
    if switches and str(error.instance).lower() in words and isinstance(error.instance, str):
        return f"write {error.instance} without quotes"
    return None


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
        A line for each offending key.
    """
    if not isinstance(schema, dict):
        schema = read_schema(schema)
    instance = copy.deepcopy(instance)
    fill_defaults(instance, schema)
    errors = sorted(
        Validator(schema).iter_errors(instance),
        key=lambda e: list(map(str, e.absolute_path)),
    )
    told = list(map(_deepest, errors))
    # What is of a wrong type breaks further rules by that alone.
    odd = {tuple(error.absolute_path) for error in told if error.validator == "type"}
    raise_all(
        _told(error, file, at)
        for error in told
        if error.validator == "type" or tuple(error.absolute_path) not in odd
    )
    return instance


def _told(error, file, at):
    key = _key(error.absolute_path)
    place = " ".join(part for part in (at, f"key {key}" if key else "") if part)
    return UserError(_found(error), file=file, at=place, allowed=_allowed(error), mend=_mend(error))
