"""What the command line lays over a study file."""

import contextlib

import yaml

from soyfold.common.schema import Loader, overlay


def as_in_file(config, told):
    """A config whose nested values from the command line are typed as those of a file.

    Snakemake types a key's own value alone: of `--config "selection={crosses: {best: 8}}"` it makes
    the text '8'.

    Parameters
    ----------
    config : dict
        What was told laid over the study file.
    told : mapping
        By the command line.
    """
    nested = {key: _typed(value) for key, value in told.items() if isinstance(value, dict)}
    return overlay(config, nested)


def _typed(value):
    """The values in a mapping, in depth, texts of numbers and the like as YAML has them."""
    if isinstance(value, dict):
        return {key: _typed(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_typed(one) for one in value]
    with contextlib.suppress(yaml.YAMLError):  # a text that is no YAML stays one
        found = yaml.load(value, Loader) if isinstance(value, str) else value
        return value if isinstance(found, (dict, list)) else found
    return value
