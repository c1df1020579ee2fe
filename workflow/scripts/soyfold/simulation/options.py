"""What the options of a simulation share: limits that are checked, generators that stay apart."""

from typing import ClassVar

import numpy as np

from soyfold.common.errors import UserError


class Seeded:
    """Base of a dataclass of options with a field `seed`; `LIMITS` holds each field's range."""

    LIMITS: ClassVar = {}

    def __post_init__(self):
        """Refuse what can't be simulated.

        Raises
        ------
        UserError
            That names the option, what was found and its range.
        """
        for name, (low, high) in self.LIMITS.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise UserError(f"{value}", at=f"--{name}", allowed=f"{low} to {high}")

    def generator(self, *stream):
        """A random generator of its own for each part, so that no part moves another."""
        return np.random.default_rng([self.seed, *stream])
