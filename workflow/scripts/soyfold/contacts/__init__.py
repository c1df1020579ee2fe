"""Hi-C: libraries of any format -> coolers on one grid -> merged, balanced -> chromosome sums ->
the CIM and its controls.

Imports `common` alone.
"""

from soyfold.common.lazy import hand_on

__getattr__, __all__ = hand_on(__name__, sum_by_chromosome="sums")
