"""What a row of the fault table is."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """A bad input and the answer that it must get.

    Attributes
    ----------
    name : str
        What is wrong, in a user's words; each once.
    storey : str
        The storey that must notice: it and those after it are made anew.
    job : str
        Script that answers with an error; `config` before the first job; "" where the run goes
        on and the loss is counted.
    spoil : callable
        Takes a `tiny_road.Study` and makes the fault.
    said : tuple of str
        Words of the one line; or, where the run goes on, of `table`.
    table : str
        Under results/<study>: where the loss is counted.
    mended : str
        How it was answered before the code was mended for it; "" if it was answered well.
    target : str
        Under results/<study>: what the user asks for; by default the end of the storey.
    """

    name: str
    storey: str
    job: str
    spoil: Callable
    said: tuple
    table: str = ""
    mended: str = ""
    target: str = ""
