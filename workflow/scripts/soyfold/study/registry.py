"""Names of models -> their modules, parameters and needs. Never imports torch."""

import copy
from pathlib import Path

import yaml

from soyfold.common.errors import UserError
from soyfold.common.schema import check, overlay, read_yaml
from soyfold.models.parameters import refuse_contradictions
from soyfold.models.search_space import check_space

# A preset that a model doesn't define falls back to the next: demo -> cpu -> paper.
FALLBACK = {"demo": "cpu", "cpu": "paper"}
DEFAULTS = {
    "gpu": 0, "attention": False, "cim": "none", "seeds_per_job": "one", "parameters": {},
    "tuning": {}, "held_out": True, "joint": False, "members": [],
}  # fmt: skip


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
            mend="add it there, or correct the name",
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


def _check_parameters(block, rules, file):
    """Refuse a parameter that the model's module doesn't know, and contradictions."""
    place = f"model {block['name']}, preset {block['preset']}"
    if block["module"] in rules:
        check(block["parameters"], rules[block["module"]], file=file, at=place)
    refuse_contradictions(block["parameters"], model=f"{block['name']} ({file})")
    _refuse_misfits(block, file)
    if block["tuning"]:
        check_space(block["tuning"], block["parameters"], model=f"{block['name']} ({file})")


def _refuse_misfits(block, file):
    """Refuse keys that don't go with the block's kind."""
    kind, initialisations = block["kind"], block["parameters"].get("members", 1)
    checks = [
        ("of", bool(block.get("of")), kind == "ensemble", "kind: ensemble"),
        ("parameters.members", initialisations > 1, kind == "ensemble", "kind: ensemble"),
        ("members", bool(block["members"]), kind == "blend", "kind: blend"),
        ("joint", block["joint"], kind in ("network", "ensemble"), "kind: network or ensemble"),
    ]
    for key, given, fitting, allowed in checks:
        if given and not fitting:
            found = f"{key} with kind: {kind}"
        elif not given and fitting and key != "joint":
            found = f"kind: {kind} without {key}"
        else:
            continue
        raise UserError(
            found,
            file=file,
            at=f"key models.{block['name']}",
            allowed=f"{key} with {allowed}, and neither without the other"
            if key != "joint"
            else f"{key} with {allowed}",
        )


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
        blend), gpu (0 | 1), attention (bool), cim (none | real | a control's name), seeds_per_job
        (one | all), held_out (bool), joint (bool), members (of a blend), preset, parameters, tuning
        (the search space by parameter; empty for models that aren't tuned).

    Raises
    ------
    UserError
        For a name, key or preset that is not in the models file.
    """
    file = study["training"]["models_file"]
    schema = yaml.safe_load((Path(schemas) / "models.schema.yaml").read_text(encoding="utf-8"))
    rules = schema.get("$defs", {}).get("parameters", {})
    content = check(read_yaml(file, key="training.models_file"), schema, file=file)
    preset = study["training"]["preset"]
    if preset not in ("paper", "cpu", "demo"):
        raise UserError(f"preset {preset!r}", at="key training.preset", allowed="paper, cpu, demo")
    own = study["training"].get("parameters", {})
    for name in own:
        _extended(name, content["models"], file)  # refuses a name that isn't there
    models = {}
    for name in dict.fromkeys(names):
        entry = {**DEFAULTS, **_extended(name, content["models"], file)}
        for key in ("module", "kind"):
            if key not in entry:
                raise UserError(
                    f"no {key}",
                    file=file,
                    at=f"key models.{name}",
                    allowed="a module under soyfold/models, and a kind",
                    mend=f"add {key}, or extend a model that has it",
                )
        models[name] = {"name": name, "label": name, **_with_preset(entry, preset)}
        changes = _study_changes(name, content["models"], own)
        models[name]["parameters"] = overlay(models[name]["parameters"], changes)
        _check_parameters(models[name], rules, file)
    return models
