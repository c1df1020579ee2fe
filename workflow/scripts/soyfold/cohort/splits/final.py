"""Scheme `final`: no test; all lines teach, and a few judge epochs, weights and intervals first.

The fits on it predict lines that no one has grown. Networks stop by the validation lines and are
then trained anew on all; intervals come from what the fits before told of these lines.
"""

from soyfold.cohort.splits.parts import as_tables, draw_parts, generator, kept_names


def draw(samples, settings, *, seed):
    """One split into train and val, and no line lost; `validation` is the share of val."""
    names, share = kept_names(samples), settings["validation"]
    return as_tables(names, draw_parts(names, (1 - share, share), generator(seed)))
