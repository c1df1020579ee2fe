"""A package's public names, loaded when they are asked for: importing a package costs nothing."""

import importlib


def hand_on(package, **homes):
    """`__getattr__` and `__all__` of a package that hands on names of its modules (PEP 562).

    Parameters
    ----------
    package : str
        Its dotted name.
    **homes : str
        Public name = the module of the package that has it.
    """

    def __getattr__(name):
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{package}.{homes[name]}"), name)

    return __getattr__, list(homes)
