"""Tokens: which SNPs form a token, and which chromosome each token lies on."""

from dataclasses import dataclass, replace

import numpy as np

from soyfold.common.errors import UserError


@dataclass(frozen=True)
class Layout:
    """SNPs of a study grouped into tokens.

    A token is one SNP, or a window of up to `width` neighbouring SNPs of one chromosome; the last
    window of a chromosome may be shorter. Tokens follow the order of the SNPs. Or it is a group of
    up to `width` SNPs, wherever they are (`lay_out_groups`); a SNP then may be in several.

    Attributes
    ----------
    chromosomes : tuple of str
        Names in genome order: G of them, with or without SNPs.
    snp_chromosome : ndarray (L,) int64
        Index into `chromosomes` of each SNP; neighbours of one chromosome stand together.
    width : int
        SNPs a token at most.
    token : ndarray (L,) int64
        Token of each SNP; of groups, of each entry of `snp`.
    slot : ndarray (L,) int64
        Place of each SNP (or entry) inside its token, below `width`.
    chromosome : ndarray (n,) int64
        Index into `chromosomes` of each token; of a group, the one with most of its SNPs.
    outputs : int
        Values that a network tells of each line: traits learnt together, T.
    snp : ndarray (entries,) int64, or None
        Of groups: SNPs by token.
    shares : ndarray (n, G) float32, or None
        Of groups: share of each token's SNPs on each chromosome.
    groups : soyfold.common.groups.Groups, or None
        What `snp` was made of; tokens are those of its groups that have SNPs.
    position : ndarray (n,) float64, or None
        bp, of each token on its chromosome: the mean of its SNPs'. None where none were given.
    kept : ndarray of bool, or None
        Which of the study's SNPs these are, where a fit takes some of them.
    classes : tuple of str
        Classes of variants, C of them; empty where none were given.
    class_shares : ndarray (n, C) float32, or None
        Share of each token's SNPs that are of each class.
    """

    chromosomes: tuple
    snp_chromosome: np.ndarray
    width: int
    token: np.ndarray
    slot: np.ndarray
    chromosome: np.ndarray
    outputs: int = 1
    snp: np.ndarray | None = None
    shares: np.ndarray | None = None
    groups: object = None
    position: np.ndarray | None = None
    kept: np.ndarray | None = None
    classes: tuple = ()
    class_shares: np.ndarray | None = None

    @property
    def n_snps(self):
        """Number of SNPs, L."""
        return len(self.snp_chromosome)

    @property
    def n_tokens(self):
        """Number of tokens, n."""
        return len(self.chromosome)

    @property
    def place(self):
        """ndarray int64: each SNP's, or entry's, place in a padded array of n x width, by rows."""
        return self.token * self.width + self.slot


def make_layout(snp_chromosome, chromosomes, *, width=1, outputs=1, position=None):
    """Group SNPs into tokens of up to `width` neighbours; none crosses a chromosome.

    Parameters
    ----------
    snp_chromosome : array (L,) of int
        Index into `chromosomes` of each SNP, in the order of the dosage matrix's columns.
    chromosomes : sequence of str
        Names in genome order.
    width : int
        SNPs a token.
    outputs : int
        Traits learnt together.
    position : array (L,), optional
        bp of each SNP.

    Returns
    -------
    Layout

    Raises
    ------
    UserError
        If there is no SNP, or the SNPs of a chromosome don't stand together.
    """
    snp_chromosome = np.asarray(snp_chromosome, dtype=np.int64)
    if snp_chromosome.size == 0:
        raise UserError("no SNPs", mend="loosen the filters of the config")
    starts = np.flatnonzero(np.diff(snp_chromosome, prepend=-1))
    if len(np.unique(snp_chromosome[starts])) != len(starts):
        raise UserError(
            "SNPs of one chromosome in several runs", allowed="variants sorted by chromosome"
        )
    sizes = np.diff(starts, append=snp_chromosome.size)
    width = min(width, sizes.max())  # a window of more SNPs than any chromosome has is as wide
    rank = np.arange(snp_chromosome.size) - np.repeat(starts, sizes)
    windows = -(-sizes // width)
    first = np.cumsum(windows) - windows
    token = np.repeat(first, sizes) + rank // width
    if position is not None:
        position = np.bincount(token, np.asarray(position, np.float64)) / np.bincount(token)
    return Layout(
        chromosomes=tuple(chromosomes),
        snp_chromosome=snp_chromosome,
        width=int(width),
        token=token,
        slot=rank % width,
        chromosome=np.repeat(snp_chromosome[starts], windows),
        outputs=int(outputs),
        position=position,
    )


def lay_out_groups(snp_chromosome, chromosomes, groups, *, outputs=1):
    """A token for each group of SNPs, in the order of the groups.

    Parameters
    ----------
    snp_chromosome, chromosomes, outputs
        As for `make_layout`.
    groups : soyfold.common.groups.Groups
        Of these SNPs; the rest is a token where it has any.

    Returns
    -------
    Layout

    Raises
    ------
    UserError
        If the groups are of other SNPs.
    """
    snp_chromosome = np.asarray(snp_chromosome, dtype=np.int64)
    if groups.members.shape[0] != len(snp_chromosome):
        raise UserError(
            f"groups of {groups.members.shape[0]} SNPs", allowed=f"{len(snp_chromosome)}",
            mend="delete cohort/hypotheses in the results, and run again",
        )  # fmt: skip
    own = groups.snps()
    own = own if len(own[-1]) else own[:-1]
    sizes = np.array([len(snps) for snps in own])
    snp = np.concatenate(own).astype(np.int64)
    token = np.repeat(np.arange(len(own)), sizes)
    on = np.zeros((len(own), len(chromosomes)), np.float32)
    np.add.at(on, (token, snp_chromosome[snp]), 1)
    return Layout(
        chromosomes=tuple(chromosomes),
        snp_chromosome=snp_chromosome,
        width=int(sizes.max()),
        token=token,
        slot=np.arange(len(snp)) - np.repeat(np.cumsum(sizes) - sizes, sizes),
        chromosome=on.argmax(1),
        outputs=int(outputs),
        snp=snp,
        shares=on / sizes[:, None].astype(np.float32),
        groups=groups,
    )


def with_classes(layout, classes):
    """A layout that knows the classes of its variants.

    Parameters
    ----------
    layout : Layout
    classes : ndarray (L,) of str
        Class of each SNP.

    Returns
    -------
    Layout
    """
    names, codes = np.unique(classes, return_inverse=True)
    counts = np.zeros((layout.n_tokens, len(names)), np.float32)
    np.add.at(counts, (layout.token, codes if layout.snp is None else codes[layout.snp]), 1)
    shares = counts / counts.sum(1, keepdims=True)
    return replace(layout, classes=tuple(names.tolist()), class_shares=shares)
