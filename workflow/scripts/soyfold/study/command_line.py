"""What the command line lays over a study file."""

import contextlib

import yaml

from soyfold.common.schema import Loader


def as_in_file(config, told):
    """A config whose nested values from the command line are typed as those of a file.

    Snakemake types a key's own value alone: of `--config "selection={crosses: {best: 8}}"` it makes
    the text '8'.

    Parameters
    ----------
    config : dict
        What was told laid over the study file.
    told : mapping
        By the command line; to another workflow too, of which soyfold is a module: what the config
        hasn't as it was told stays out of it.

    Returns
    -------
    dict
    """
    return {
        key: _typed(value, told[key]) if isinstance(told.get(key), dict) else value
        for key, value in config.items()
    }


def _typed(value, told):
    """What was told in a value, in depth, with texts of numbers and the like as YAML has them."""
    if isinstance(value, dict) and isinstance(told, dict):
        return {key: _typed(one, told[key]) if key in told else one for key, one in value.items()}
    if value != told:
        return value
    if isinstance(value, list):
        return [_typed(one, one) for one in value]
    with contextlib.suppress(yaml.YAMLError):  # a text that is no YAML stays one
        found = yaml.load(value, Loader) if isinstance(value, str) else value
        return value if isinstance(found, (dict, list)) else found
    return value
