"""Which decomposition a kernel gets, and its arrays by name."""

import dataclasses

from soyfold.models.kernels import band, tridiagonal

# Below, a matrix lies in the processor's caches, and a band's reduction saves less than its ridges
# cost: O(n b^2) each in place of O(n).
BANDED = 1500


def decompose(matrix):
    """Decompose a symmetric matrix (n, n) float64, which is overwritten.

    Returns
    -------
    tridiagonal.Decomposition or band.BandDecomposition
        The latter from `BANDED` lines on.
    """
    return (band if len(matrix) >= BANDED else tridiagonal).decompose(matrix)


def small_arrays(found):
    """All arrays of a decomposition but its reflectors, by name."""
    names = [field.name for field in dataclasses.fields(found)]
    return {name: getattr(found, name) for name in names if name != "reflectors"}


def from_arrays(reflectors, small):
    """The decomposition of these reflectors and `small_arrays`."""
    kind = band.BandDecomposition if "band" in small else tridiagonal.Decomposition
    return kind(reflectors=reflectors, **small)
