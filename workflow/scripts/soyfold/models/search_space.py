"""The space that a search of hyperparameters walks: what may stand in it, and a draw from it.

Imports neither torch nor Optuna, so that a models file can be checked before the first job.
"""

import math

from soyfold.common.errors import UserError
from soyfold.common.schema import check, nearest
from soyfold.models.parameters import TRAINING

RANGE = {"low", "high"}
# A best value this close to an end of its range (share of the range) is called at its edge.
EDGE = 0.05


def _number(value):
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _check_rule(name, rule, refuse):
    """Refuse a rule that is neither a range nor a list of choices."""
    keys = set(rule) if isinstance(rule, dict) else set()
    if keys == {"choices"}:
        choices = rule["choices"]
        plain = isinstance(choices, list) and all(
            isinstance(choice, str | int | float) for choice in choices
        )
        if not plain or len(choices) < 2 or len(set(choices)) < len(choices):
            refuse(f"{name}: choices {choices!r}", "a list of 2 or more different values")
        return
    if not RANGE <= keys <= RANGE | {"log"}:
        refuse(f"{name}: {rule!r}", "{low: ..., high: ..., log: true or false} or {choices: [...]}")
    low, high, log = rule["low"], rule["high"], rule.get("log", False)
    if not (_number(low) and _number(high)):
        refuse(f"{name}: low {low!r}, high {high!r}", "numbers (YAML wants 1.0e-6, not 1e-6)")
    if not isinstance(log, bool):
        refuse(f"{name}: log {log!r}", "true or false")
    if low >= high:
        refuse(f"{name}: low {low}, high {high}", "low below high")
    if log and low <= 0:
        refuse(f"{name}: low {low} with log: true", "low above 0")


def check_space(space, parameters, *, model, rules=None):
    """Check the space of a model's search.

    Parameters
    ----------
    space : dict of str to dict
        By parameter: {low, high, log} or {choices}. A parameter that is null is left out: so a
        preset takes one back.
    parameters : dict
        The model's own.
    model : str
        For the message.
    rules : dict of str to dict, optional
        JSON schema of each parameter, which choices and ends of ranges have to meet.

    Returns
    -------
    dict
        Without what is null.

    Raises
    ------
    UserError
        If there is no space, or it names an unknown parameter, or a rule is no range and no list
        or reaches beyond what the parameter may be.
    """

    def refuse(found, allowed, mend=None):
        raise UserError(found, at=f"tuning of model {model}", allowed=allowed, mend=mend)

    kept = {name: rule for name, rule in (space or {}).items() if rule is not None}
    known = sorted({*parameters, *TRAINING})
    if not kept:
        refuse(
            "no space to search",
            f"ranges or choices of {', '.join(known)}",
            "give the model a mapping `tuning` in the models file, or switch training.tuning off",
        )
    if unknown := sorted(set(kept) - set(known)):
        found = f"unknown parameter {', '.join(map(repr, unknown))}"
        refuse(found, ", ".join(known), nearest(unknown[0], known))
    for name, rule in kept.items():
        _check_rule(name, rule, refuse)
        for value in rule.get("choices") or (rule["low"], rule["high"]) if rules else ():
            allowed = {"properties": {name: rules[name]}}
            check({name: value}, allowed, file=None, at=f"tuning of model {model}")
    return kept


def own_values(space, parameters):
    """The model's own values of the parameters of a space."""
    return {name: parameters.get(name, TRAINING.get(name)) for name in space}


def lies_in(value, rule):
    """Whether a value may be drawn from a rule."""
    if "choices" in rule:
        return value in rule["choices"]
    return _number(value) and rule["low"] <= value <= rule["high"]


def draw(trial, space, parameters):
    """Let a trial choose a value for each parameter of a space.

    A range of whole numbers is drawn in whole numbers, unless the model's own value is none.

    Parameters
    ----------
    trial : optuna.trial.Trial
    space : dict of str to dict
        As `check_space` returns it.
    parameters : dict
        The model's own.

    Returns
    -------
    dict of str to number or str
    """
    values = {}
    for name, own in own_values(space, parameters).items():
        rule = space[name]
        if "choices" in rule:
            values[name] = trial.suggest_categorical(name, rule["choices"])
            continue
        whole = all(isinstance(end, int) for end in (rule["low"], rule["high"]))
        suggest = trial.suggest_float
        if whole and not isinstance(own, float):
            suggest = trial.suggest_int
        values[name] = suggest(name, rule["low"], rule["high"], log=rule.get("log", False))
    return values


def edge_of(value, rule):
    """Which end of its range a value lies at: "low", "high" or None; 0 is no end to widen."""
    if "choices" in rule:
        return None
    scale = math.log if rule.get("log") else float
    low, high, place = scale(rule["low"]), scale(rule["high"]), scale(value)
    share = (place - low) / (high - low)
    if share < EDGE and rule["low"] != 0:
        return "low"
    return "high" if share > 1 - EDGE else None
