"""Kernels of products of SNPs whose groups go together, and the copies that they are held against.

E = sum over groups a, b of w_ab K_a o K_b, K_a = Z_a Z_a' of the centred dosages of group a and o
the product by entries: a product of two SNPs counts once for each pair of their groups, times its
weight. Groups stand where the contact kernel has chromosomes, and a group goes with itself. Of SNPs
in no group a hypothesis says nothing: their products are left out.
"""

import dataclasses

import numpy as np
from scipy import sparse

FLOATS = 2**25  # numbers that a block of kernels may hold: 128 MB


def group_products(z, groups, others=None):
    """E among lines, or between them and others: (m, n) float32.

    Parameters
    ----------
    z : ndarray (m, L) float32
        Centred dosages.
    groups : soyfold.common.groups.Groups
    others : ndarray (n, L) float32, optional
        Likewise; default these very lines.
    """
    right = z if others is None else others
    named, shape = groups.named, (len(z), len(right))
    snps, weights = named.snps(), sparse.csr_array(named.weights.astype(np.float32))
    if is_diagonal(named):  # a kernel at a time: half the operations, and no stack
        products = np.zeros(shape, np.float32)
        for own, weight in zip(snps, np.diag(named.weights), strict=True):
            part = z[:, own]
            kernel = part @ (part if others is None else right[:, own]).T
            kernel *= kernel
            products += np.float32(weight) * kernel
        return products
    products = np.empty(shape, np.float32)
    step = max(16, FLOATS // (max(1, len(snps)) * len(right)))
    for start in range(0, len(z), step):
        rows = slice(start, min(start + step, len(z)))
        kernels = stack_groups(z[rows], right, snps)
        flat = kernels.reshape(len(snps), -1)
        met = (weights @ flat).reshape(kernels.shape)
        products[rows] = np.einsum("gij,gij->ij", met, kernels)
    return products


def stack_groups(left, right, snps):
    """K_a between some lines and others, of each list of SNPs: (G, m, n) float32."""
    kernels = np.zeros((len(snps), len(left), len(right)), np.float32)
    for kernel, own in zip(kernels, snps, strict=True):
        np.matmul(left[:, own], right[:, own].T, out=kernel)
    return kernels


def permute_groups(groups, seed):
    """Groups of the same sizes that hold other SNPs.

    Neighbours that are in the same groups are a run, such as a gene's SNPs; the runs are laid out
    along the genome in another order. So all of a group's numbers stay: its SNPs, its runs and how
    long they are, the groups that it shares SNPs with, the weights.

    Parameters
    ----------
    groups : soyfold.common.groups.Groups
    seed : int
    """
    members = groups.members.astype(np.int8)
    differ = np.abs(members[1:] - members[:-1]).sum(1) > 0
    edges = np.concatenate([[0], np.flatnonzero(differ) + 1, [members.shape[0]]])
    order = np.random.default_rng(seed).permutation(len(edges) - 1)
    rows = np.concatenate([np.arange(edges[k], edges[k + 1]) for k in order])
    return dataclasses.replace(groups, members=groups.members[rows])


def scatter_groups(groups, seed):
    """Random groups of the same density: each SNP by itself, weights between groups shuffled."""
    rng = np.random.default_rng(seed)
    weights = groups.weights.copy()
    first, second = np.triu_indices(len(weights) - 1, 1)
    shuffled = rng.permutation(weights[first, second])
    weights[first, second] = weights[second, first] = shuffled
    rows = rng.permutation(groups.members.shape[0])
    return dataclasses.replace(groups, members=groups.members[rows], weights=weights)


def is_diagonal(groups):
    """Whether no group goes with another one."""
    return not np.any(groups.weights - np.diag(np.diag(groups.weights)))


def copies_of(groups, permuted):
    """A hypothesis and its controls, by name.

    Parameters
    ----------
    groups : soyfold.common.groups.Groups
    permuted : int
        How many copies of `permute_groups`.

    Yields
    ------
    name : str
        real, permuted1 and so on, random, and diagonal where groups go with others: each then goes
        with itself alone.
    groups : soyfold.common.groups.Groups
    """
    yield "real", groups
    for seed in range(1, permuted + 1):
        yield f"permuted{seed}", permute_groups(groups, seed)
    yield "random", scatter_groups(groups, 0)
    if not is_diagonal(groups):
        yield "diagonal", dataclasses.replace(groups, weights=np.diag(np.diag(groups.weights)))
