"""Groups of SNPs for tests of models that take those of a hypothesis."""

import numpy as np
from scipy import sparse

from soyfold.common.groups import Groups, write_groups


def write_halves(path, snps):
    """Write two groups, of every other SNP each, and of one SNP in none; the path."""
    members = np.eye(3, dtype=bool)[np.arange(snps) % 2]
    members[-1] = [False, False, True]
    write_groups(Groups(["a", "b", "rest"], sparse.csr_array(members), np.eye(3)), path)
    return path
