"""A whole study from a seed: the embedded demo, and any size for scale tests.

Imports `study` and `contacts`.
"""

from soyfold.common.lazy import hand_on

__getattr__, __all__ = hand_on(__name__, Options="study", simulate_study="study")
