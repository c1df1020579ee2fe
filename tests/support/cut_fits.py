"""Fits that end in the middle of an epoch, as a kill ends them."""

import pytest
from tiny_study import fit

from soyfold.training import loop


def run(folder, inputs, chosen):
    """Fit, with a resume file at each epoch's start."""
    fit(chosen, folders=[folder], seconds=0, **inputs)


class Killed(BaseException):
    """What a test ends a fit with."""


def cut_short(folder, inputs, chosen, monkeypatch, *, epoch=4):
    """Run a fit up to the validation of an epoch; returns the resume file that it leaves."""
    known = loop.train

    def train(*arguments, **options):
        def on_epoch(number, _):
            if number == epoch:
                raise Killed

        return known(*arguments, **{**options, "on_epoch": on_epoch})

    with monkeypatch.context() as patch:
        patch.setattr(loop, "train", train)
        with pytest.raises(Killed):
            run(folder, inputs, chosen)
    return folder / "resume.ckpt"
