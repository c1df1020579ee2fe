"""Names of models -> their modules, parameters and needs. Imports no model.

An entry of the models file names a module and says presets, or changes another entry; what the
module declares of itself (`soyfold.models.declarations`) lies beneath.
"""

import copy
import functools
import re
from pathlib import Path

from soyfold.common.errors import UserError, raise_all
from soyfold.common.schema import check, nearest, overlay, read_yaml
from soyfold.models.declarations import declaration, models
from soyfold.models.parameters import resolve
from soyfold.models.search_space import check_space

# A preset that a model doesn't define falls back to the next: demo -> cpu -> paper.
FALLBACK = {"demo": "cpu", "cpu": "paper"}
# What an entry may change of a declaration, or of these.
DECLARED = (
    "label", "kind", "cim", "needs", "attention", "joint", "unit", "gpu", "seeds_per_job",
    "held_out",
)  # fmt: skip
DEFAULTS = {"parameters": {}, "tuning": {}, "members": []}


def _parent(entry):
    """The entry that this one changes: what it extends, or the network that an ensemble is of."""
    return entry.get("extends", entry.get("of"))


def _extended(name, entries, file, seen=()):
    """The entry `name` with all that it extends beneath it."""
    if name not in entries:
        raise UserError(
            f"model {name!r}",
            file=file,
            at="key models",
            allowed=", ".join(sorted(entries)),
            mend=nearest(name, entries) or "add it there, or correct the name",
        )
    if name in seen:
        raise UserError(
            f"a circle: {' -> '.join([*seen, name])}",
            file=file,
            at=f"key models.{name}",
            mend="let one of them stand alone, without extends, of or members",
        )
    entry = entries[name]
    parent = _parent(entry)
    if parent is None:
        return entry
    base = _extended(parent, entries, file, (*seen, name))
    return overlay(base, {key: value for key, value in entry.items() if key != "extends"})


def _with_preset(entry, preset):
    """Lay the preset over the parameters; say which one it was (None for a model without any)."""
    presets = entry.get("presets")
    if not presets:
        return {**entry, "preset": None}
    while preset != "paper" and preset not in presets:
        preset = FALLBACK[preset]
    block = {key: value for key, value in entry.items() if key != "presets"}
    changes = copy.deepcopy(presets.get(preset, {}))
    for key in ("seeds_per_job", "gpu"):
        block[key] = changes.pop(key, block[key])
    block["tuning"] = overlay(block["tuning"], changes.pop("tuning", {}))
    block["parameters"] = overlay(block["parameters"], changes)
    block["preset"] = preset
    return block


def _study_changes(name, entries, changes):
    """What the study changes of a model: its own, over those of what it extends.

    A variant keeps what makes it one: a parent's change spares parameters that its entry sets.
    """
    parent = _parent(entries[name])
    if parent is None:
        return changes.get(name, {})
    kept = set(entries[name].get("parameters", {}))
    inherited = _study_changes(parent, entries, changes)
    inherited = {key: value for key, value in inherited.items() if key not in kept}
    return overlay(inherited, changes.get(name, {}))


def _declared(name, entry, file):
    """What the module of an entry declares; the entry has all that it extends beneath it."""
    at = f"key models.{name}"
    if "module" not in entry:
        raise UserError(
            "no module",
            file=file,
            at=at,
            allowed=f"one of {', '.join(models())}, or a file of your own beside them",
            mend="add module, or extend a model that has it",
        )
    return declaration(entry["module"], file=file, at=at)


def _checked(block, declared, file):
    """A block whose parameters, kind and space of a search its module knows."""
    model = f"{block['name']}, preset {block['preset']}"
    parameters = resolve(block["parameters"], block["module"], model=model, file=file)
    _refuse_misfits(block, declared, file)
    if block["tuning"]:
        rules, name = declared.parameters, f"{block['name']} ({file})"
        check_space(block["tuning"], parameters, model=name, rules=rules)
    return {**block, "parameters": parameters}


def _refuse_misfits(block, declared, file):
    """Refuse what doesn't go with the module, and keys that don't go with the block's kind."""
    kind, joint = block["kind"], block["joint"]
    network = kind in ("network", "ensemble")
    kinds = [declared.kind, *(["ensemble"] if declared.kind == "network" else [])]
    no_unit = f"{declared.unit}, or another with kind: network or ensemble"
    no_joint = "false with unit: environment: its columns are environments of one trait"
    for key, allowed, fits in (
        ("kind", " or ".join(kinds), kind in kinds),
        ("cim", "none", block["cim"] == "none" or declared.cim == "real"),
        ("cim", "real, or a control's name", block["cim"] != "none" or "cim" not in declared.needs),
        *_cim_of_a_control(block["cim"]),
        ("unit", no_unit, block["unit"] == declared.unit or network),
        ("joint", no_joint, not joint or block["unit"] == "line"),
    ):
        if not fits:
            at = f"key models.{block['name']}.{key}"
            found = f"{key}: {block[key]} with module: {block['module']}"
            raise UserError(found, file=file, at=at, allowed=allowed)
    at = {"file": file, "at": f"key models.{block['name']}"}
    for key, given, other in (
        ("of", bool(block.get("of")), "ensemble"),
        ("parameters.members", block["parameters"].get("members", 1) > 1, "ensemble"),
        ("members", bool(block["members"]), "blend"),
    ):
        if given != (kind == other):
            found = f"{key} with kind: {kind}" if given else f"kind: {kind} without {key}"
            allowed = f"{key} with kind: {other}, and neither without the other"
            raise UserError(found, allowed=allowed, **at)
    if joint and not (network or declared.joint):
        raise UserError(
            f"joint with kind: {kind}", allowed="joint with kind: network or ensemble", **at
        )


def _cim_of_a_control(name):
    """The check of a CIM's name, where it is neither none nor real."""
    if name in ("none", "real"):
        return []
    # Here, as it loads pandas, without which models are read.
    from soyfold.contacts.cim import CONTROL, CONTROLS

    allowed = f"none, real, permuted1, ..., {', '.join(CONTROLS)}"
    return [("cim", allowed, re.fullmatch(CONTROL, name))]


def read_blends(study, schemas, names):
    """The members of those models that are blends, and of blends among their members.

    Parameters
    ----------
    study, schemas
        As for `load_models`.
    names : iterable of str

    Returns
    -------
    dict of str to list of str
        By blend.

    Raises
    ------
    UserError
        As `load_models`, and for a blend that is among its own members.
    """
    blends, paths = {}, [(name,) for name in dict.fromkeys(names)]
    while paths:
        blocks = load_models(study, schemas, [path[-1] for path in paths])
        found = {name: block["members"] for name, block in blocks.items() if block["members"]}
        blends |= found
        paths = [(*path, member) for path in paths for member in found.get(path[-1], [])]
        for path in paths:
            if path[-1] in path[:-1]:
                raise UserError(
                    f"a circle: {' -> '.join(path)}",
                    file=study["training"]["models_file"],
                    at=f"key models.{path[-1]}.members",
                    mend="let one of them stand alone, without extends, of or members",
                )
    return blends


def models_by_trait(study, traits):
    """Which models each trait asks for: its own `models` cell, else the study's list.

    Parameters
    ----------
    study : dict
    traits : dict of str to dict
        Rows of traits.tsv.

    Returns
    -------
    dict of str to list of str
    """
    chosen = {}
    for trait, row in traits.items():
        own = [name.strip() for name in (row.get("models") or "").split(",") if name.strip()]
        chosen[trait] = own or list(study["training"]["models"])
    return chosen


def refuse_unknown_models(study, schemas, traits, *, file):
    """Raise for models that the models file doesn't have, where the study names them.

    Parameters
    ----------
    study, schemas
        As for `load_models`.
    traits : dict of str to dict
        Rows of traits.tsv.
    file : str, keyword only
        The study file, for messages.

    Raises
    ------
    UserError
        With a line for each name: its place, and the model that is spelt most like it.
    """
    models_file = study["training"]["models_file"]
    known = _read_entries(models_file, schemas)
    errors = []
    for place, at, names in _named_models(study, traits, file):
        for name in [name for name in names if name not in known]:
            near = nearest(name, known)
            allowed = f"the models of {models_file}"
            errors.append(
                UserError(
                    f"model {name!r}",
                    file=place,
                    at=at,
                    allowed=allowed if near else f"{allowed}: {', '.join(sorted(known))}",
                    mend=near or "correct the name, or add the model there",
                )
            )
    raise_all(errors)


def _named_models(study, traits, file):
    """Where the study names models: file, place in it, names."""
    training = study["training"]
    yield file, "key training.models", training["models"]
    yield file, "key training.parameters", training.get("parameters", {})
    yield file, "key prediction.models", study["prediction"]["models"] or []
    curves = study["evaluation"]["transfer"] or {}
    yield file, "key evaluation.transfer.models", curves.get("models", [])
    for k, scheme in enumerate(study["splits"]["further"]):
        yield file, f"key splits.further[{k}].models", scheme["models"]
    for trait, names in models_by_trait(study, traits).items():
        if traits[trait].get("models"):
            yield study["cohort"]["traits"], f"trait {trait}, column models", names


def load_models(study, schemas, names):
    """Resolve models by name.

    Parameters
    ----------
    study : dict
        As `settings.load_study` returns it.
    schemas : path-like
        Folder of the schemas.
    names : iterable of str
        Those wanted.

    Returns
    -------
    dict of str to dict
        By name, in the order given: name, label, module, kind (network | ensemble | direct |
        blend), gpu (0 | 1), attention (bool), cim (none | real | a control's name), needs,
        seeds_per_job (one | all), held_out (bool), joint (bool), unit (line | environment), members
        (of a blend), preset,
        parameters (all that the module declares), tuning (the search space by parameter; empty
        for models that aren't tuned).

    Raises
    ------
    UserError
        For a name, key or preset that is not in the models file, a parameter that the module
        doesn't know, or a value that it doesn't allow.
    """
    file = study["training"]["models_file"]
    entries = _read_entries(file, schemas)
    preset = study["training"]["preset"]
    if preset not in ("paper", "cpu", "demo"):
        raise UserError(f"preset {preset!r}", at="key training.preset", allowed="paper, cpu, demo")
    own = study["training"].get("parameters", {})
    for name, changes in own.items():
        declared = _declared(name, _extended(name, entries, file), file)
        check(changes, declared.schema, file=None, at=f"training.parameters.{name}")
    blocks = {}
    for name in dict.fromkeys(names):
        entry = _extended(name, entries, file)
        declared = _declared(name, entry, file)
        entry = {key: getattr(declared, key) for key in DECLARED} | DEFAULTS | entry
        entry["parameters"] = overlay(declared.defaults, entry["parameters"])
        block = {"name": name, **_with_preset(entry, preset)}
        changes = _study_changes(name, entries, own)
        block["parameters"] = overlay(block["parameters"], changes)
        blocks[name] = _checked(block, declared, file)
    return blocks


def _read_entries(file, schemas):
    """The entries of a models file, which is read once as long as it doesn't change."""
    stamp = Path(file).stat().st_mtime_ns if Path(file).is_file() else None
    return _checked_entries(file, Path(schemas) / "models.schema.yaml", stamp)


@functools.lru_cache
def _checked_entries(file, schema, stamp):
    return check(read_yaml(file, key="training.models_file"), schema, file=file)["models"]


def cited_models(blocks):
    """What the models of a study are cited by, as their modules declare it.

    Parameters
    ----------
    blocks : iterable of dict
        Entries of the registry.

    Returns
    -------
    list of dict
        what, citation, doi; each once.
    """
    modules = dict.fromkeys(block["module"] for block in blocks)
    rows = [row for module in modules for row in declaration(module).citations]
    return [dict(items) for items in dict.fromkeys(tuple(row.items()) for row in rows)]
