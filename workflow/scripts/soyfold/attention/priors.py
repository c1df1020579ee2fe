"""What attention may know beforehand about a pair of tokens, at O(n) cost.

A prior adds to q_i . k_j, before the softmax's scale 1 / sqrt(d_k), a term

    coupling_i * phi(i) . psi(j),

whose two factors are concatenated to q and k: no pairwise matrix is ever built, and priors add up.
Whatever has `query_columns(q)` and `key_columns(k)` is a prior; `GroupPrior` is the family whose
pairs are pairs of groups (chromosomes, genes, pathways, variant classes), which has a second exact
form as well, one attention call per group of queries.
"""

import abc
from typing import Protocol

import torch

FORBIDDEN = -1e4  # of a logit: exp leaves nothing of it, and half precision holds it


class Prior(Protocol):
    """The two factors of a pairwise term."""

    def query_columns(self, q):
        """coupling_i * phi(i): (batch | 1, heads | 1, n, r) for q (batch, heads, n, d_k)."""

    def key_columns(self, k):
        """psi(j): (batch | 1, heads | 1, n, r) for k (batch, heads, n, d_k)."""


def one_hot(group, count, dtype):
    """Membership of tokens in groups: (n,) int64 -> (n, count) of 0 and 1."""
    return (group[:, None] == torch.arange(count, device=group.device)).to(dtype)


def at_least_float32(tensor):
    """Dtype for sums that a half-precision tensor takes part in."""
    return torch.promote_types(tensor.dtype, torch.float32)


def check_groups(table, group, *, heads, tokens):
    """Refuse a pair table and a grouping that do not fit each other or the queries.

    Parameters
    ----------
    table : Tensor (G, G) or (heads, G, G)
    group : Tensor (n,) int64
    heads, tokens : int
        Of the queries.

    Raises
    ------
    ValueError
        Saying what was found and what would fit.
    """
    if table.ndim not in (2, 3) or table.shape[-1] != table.shape[-2]:
        raise ValueError(f"H of shape {tuple(table.shape)}; allowed: (G, G) or (heads, G, G)")
    if table.ndim == 3 and table.shape[0] != heads:
        raise ValueError(f"H for {table.shape[0]} heads; q has {heads}")
    if group.shape != (tokens,):
        raise ValueError(
            f"chromosome of shape {tuple(group.shape)}; allowed: ({tokens},), as q's tokens"
        )
    if group.dtype != torch.int64:
        raise ValueError(f"chromosome of {group.dtype}; allowed: torch.int64")
    low, high = (int(x) for x in torch.aminmax(group))
    if low < 0 or high >= table.shape[-1]:
        raise ValueError(
            f"chromosome indices {low} to {high}; allowed: 0 to {table.shape[-1] - 1}, as H"
        )


class GroupPrior(abc.ABC):
    """A table over pairs of groups: phi(i) = table[group(i), :], psi(j) = onehot(group(j)).

    Subclasses give the coupling.

    Parameters
    ----------
    table : Tensor (G, G) or (heads, G, G)
        Row: the query's group; column: the key's group.
    group : Tensor (n,) int64
        Group of each token, in any order.
    """

    def __init__(self, table, group):
        self.table = table
        self.group = group
        self.count = table.shape[-1]

    # Whether coupling is the sum of q's components: adding the table to each of a key's does it.
    on_all_components = False

    @abc.abstractmethod
    def coupling(self, q):
        """Strength of the prior for each query, broadcastable to (batch, heads, n, 1).

        At least float32.
        """

    def key_columns(self, k):
        return one_hot(self.group, self.count, k.dtype)

    def query_columns(self, q):
        # A product with the one-hot matrix, not an index: its gradient is deterministic.
        dtype = at_least_float32(q)  # so that half precision rounds s_i H once, not three times
        members = one_hot(self.group, self.count, dtype)
        return (self.coupling(q) * (members @ self.table.to(dtype))).to(q.dtype)

    def pair_rows(self, dtype):
        """Value of the table for each (query's group, key): (..., G, n)."""
        return self.table.to(dtype) @ one_hot(self.group, self.count, dtype).T


class ChromosomeOnKeys(GroupPrior):
    """CSAFM ([C] eq. 1): H[c(i), c(j)] is added to every component of key j.

    The coupling is s_i = sum_d q_id, which may be negative: there the prior is turned round.
    """

    on_all_components = True

    def coupling(self, q):
        return q.sum(-1, keepdim=True, dtype=at_least_float32(q))


class ChromosomeDirect(GroupPrior):
    """The logit plus beta_h * H[c(i), c(j)], with beta_h >= 0 learned by its owner.

    Parameters
    ----------
    table, group
        As in `GroupPrior`.
    beta : Tensor () or (heads,)
        Weight of the CIM on the logit, one for all heads or one each.
    """

    def __init__(self, table, group, beta):
        super().__init__(table, group)
        self.beta = beta

    def coupling(self, q):
        # The softmax's scale divides the whole sum, and beta is meant for the logit.
        return self.beta.to(at_least_float32(q)).reshape(-1, 1, 1) * q.shape[-1] ** 0.5


class GroupWeights(ChromosomeDirect):
    """The logit plus log W[group(i), group(j)]: what a hypothesis says of pairs of groups.

    Parameters
    ----------
    weights : Tensor (G, G)
        From 0 on; 0 forbids a pair, and the diagonal is above 0, so that no row is empty.
    group : Tensor (n,) int64
    """

    def __init__(self, weights, group):
        logs = weights.log().clamp_min(FORBIDDEN)
        super().__init__(logs, group, logs.new_ones(()))


class SharesOnKeys:
    """`ChromosomeOnKeys` for tokens of several chromosomes, by the shares of each on them.

    The pair's number is sum over g, h of shares[i, g] H[g, h] shares[j, h]: the mean of H over
    the pairs of their SNPs. With `beta` it is weighed as `ChromosomeDirect` does.

    Parameters
    ----------
    table : Tensor (G, G) or (heads, G, G)
    shares : Tensor (n, G)
        Rows sum to 1.
    beta : Tensor () or (heads,), optional
    """

    def __init__(self, table, shares, beta=None):
        self.table, self.shares = table, shares
        of_one = shares.new_zeros(len(shares), dtype=torch.int64)
        self.prior = (
            ChromosomeOnKeys(table, of_one) if beta is None else
            ChromosomeDirect(table, of_one, beta)
        )  # fmt: skip

    def key_columns(self, k):
        return self.shares.to(k.dtype)

    def query_columns(self, q):
        dtype = at_least_float32(q)
        met = self.shares.to(dtype) @ self.table.to(dtype)
        return (self.prior.coupling(q) * met).to(q.dtype)
