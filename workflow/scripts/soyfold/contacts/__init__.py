"""Hi-C: libraries of any format -> coolers on one grid -> merged, balanced -> chromosome sums ->
the CIM and its controls.

Imports `common` alone.
"""

import os

from soyfold.common.lazy import hand_on

# HDF5 locks a file against a second writer, which no rule has; where a network file system has no
# locks it can't open the file at all. It reads this when it is first imported.
os.environ.setdefault("HDF5_USE_FILE_LOCKING", "FALSE")

__getattr__, __all__ = hand_on(__name__, sum_by_chromosome="sums")
