"""Groups of SNPs, which a hypothesis says go together: what the cohort writes and models read."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from soyfold.common.files import staged

KERNEL = "group_gblup"  # the model that products of groups are tried in
REST = "rest"  # the group of all SNPs that are in no other


@dataclass(frozen=True)
class Groups:
    """Groups of SNPs and how strongly pairs of groups go together.

    Attributes
    ----------
    names : list of str
        G groups with SNPs; the last is `REST`, with or without any.
    members : scipy.sparse.csr_array (L, G) bool
        Which groups each SNP is in: several, or `REST` alone.
    weights : ndarray (G, G) float64
        Symmetric, from 0 (nothing in common) on; above 0 on the diagonal.
    """

    names: list
    members: sparse.csr_array
    weights: np.ndarray

    @property
    def named(self):
        """The same without `REST`, of which a hypothesis says nothing."""
        return Groups(self.names[:-1], self.members[:, :-1], self.weights[:-1, :-1])

    def snps(self):
        """SNPs of each group: list of ndarray of int, ascending."""
        columns = sparse.csc_array(self.members)
        return np.split(columns.indices, columns.indptr[1:-1])


PREFIX = "groups/"  # of their arrays


def group_arrays(groups):
    """`Groups` as named arrays, which need no pickle."""
    members = groups.members
    arrays = {
        "names": np.array(groups.names), "weights": groups.weights, "indices": members.indices,
        "indptr": members.indptr, "shape": np.array(members.shape),
    }  # fmt: skip
    return {PREFIX + name: array for name, array in arrays.items()}


def groups_of(arrays):
    """The `Groups` among named arrays; None where there are none."""
    own = {name.removeprefix(PREFIX): arrays[name] for name in arrays if name.startswith(PREFIX)}
    if not own:
        return None
    parts = np.ones(len(own["indices"]), bool), own["indices"], own["indptr"]
    members = sparse.csr_array(parts, shape=tuple(own["shape"]))
    return Groups(own["names"].tolist(), members, own["weights"])


def write_groups(groups, path):
    """Write `Groups` as .npz, without pickle."""
    with staged(path) as temporary:
        np.savez_compressed(temporary, **group_arrays(groups))


def read_groups(path):
    """What `write_groups` wrote."""
    with np.load(path, allow_pickle=False) as stored:
        return groups_of(stored)
