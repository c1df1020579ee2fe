"""A whole study from a seed: the embedded demo, and any size for scale tests."""

from soyfold.simulation.study import Options, simulate_study

__all__ = ["Options", "simulate_study"]
