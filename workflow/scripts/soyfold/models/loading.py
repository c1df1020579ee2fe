"""A model's code by name, at run time."""

import importlib


def import_model(module):
    """Import `soyfold.models.<module>`: by name at run time, so that source digests stay apart."""
    return importlib.import_module(f"soyfold.models.{module}")
