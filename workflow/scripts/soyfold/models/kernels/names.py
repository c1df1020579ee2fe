"""Names of kernels between lines, and which of them a model takes. Imports nothing heavy."""

import re

from soyfold.models.declarations import declaration

ADDITIVE = "additive"
GAUSSIAN = re.compile(r"gaussian(\d+(?:\.\d+)?)")
_EACH = re.compile(r"(\w+)\{(\w+)\}")


def kernels_taken(module, parameters):
    """Names of the kernels that a model declares, at these parameters.

    Parameters
    ----------
    module : str
    parameters : dict
        Of the model; those that are not there have their defaults.

    Returns
    -------
    list of str
    """
    parameters = declaration(module).defaults | parameters
    declared = declaration(module).kernels or []
    if isinstance(declared, dict):
        [(parameter, by_value)] = declared.items()
        declared = by_value[parameters[parameter]]
    names = []
    for name in declared:
        each = _EACH.fullmatch(name)
        names += [f"{each[1]}{value:g}" for value in parameters[each[2]]] if each else [name]
    return names


def kernels_of(block):
    """Names of the kernels that a model's fits take, empty for most models.

    Parameters
    ----------
    block : dict
        The model's entry of the registry.

    Returns
    -------
    list of str
    """
    return kernels_taken(block["module"], block["parameters"])


def takes_products(block):
    """Whether a model's fits take the products of all lines."""
    return declaration(block["module"]).kernels is not None


def parts_of(block):
    """Lines over which those kernels are decomposed: some of `train` and `train_val`.

    A model that is fitted on train + val is fitted on train too, to predict the validation lines
    unseen, unless its block says `held_out: false`. Without `train_on` it chooses by validation
    and refits, and needs both.
    """
    if not kernels_of(block):
        return []
    fitted = set(block["parameters"].get("train_on", ["train", "val"]))
    if fitted == {"train"}:
        return ["train"]
    if fitted == {"train", "val"}:
        return ["train", "train_val"] if block.get("held_out", True) else ["train_val"]
    return []
