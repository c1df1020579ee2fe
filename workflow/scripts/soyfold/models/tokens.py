"""Tokens: which SNPs form a token, and which chromosome each token lies on."""

from dataclasses import dataclass

import numpy as np

from soyfold.common.errors import UserError


@dataclass(frozen=True)
class Layout:
    """SNPs of a study grouped into tokens.

    A token is one SNP, or a window of up to `width` neighbouring SNPs of one chromosome; the last
    window of a chromosome may be shorter. Tokens follow the order of the SNPs.

    Attributes
    ----------
    chromosomes : tuple of str
        Names in genome order: G of them, with or without SNPs.
    snp_chromosome : ndarray (L,) int64
        Index into `chromosomes` of each SNP; neighbours of one chromosome stand together.
    width : int
        SNPs a token at most.
    token : ndarray (L,) int64
        Token of each SNP.
    slot : ndarray (L,) int64
        Place of each SNP inside its token, below `width`.
    chromosome : ndarray (n,) int64
        Index into `chromosomes` of each token.
    outputs : int
        Values that a network tells of each line: traits learnt together, T.
    """

    chromosomes: tuple
    snp_chromosome: np.ndarray
    width: int
    token: np.ndarray
    slot: np.ndarray
    chromosome: np.ndarray
    outputs: int = 1

    @property
    def n_snps(self):
        """Number of SNPs, L."""
        return len(self.token)

    @property
    def n_tokens(self):
        """Number of tokens, n."""
        return len(self.chromosome)

    @property
    def place(self):
        """ndarray (L,) int64: each SNP's place in a padded array of n x width, row by row."""
        return self.token * self.width + self.slot


def make_layout(snp_chromosome, chromosomes, *, width=1, outputs=1):
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
    rank = np.arange(snp_chromosome.size) - np.repeat(starts, sizes)
    windows = -(-sizes // width)
    first = np.cumsum(windows) - windows
    return Layout(
        chromosomes=tuple(chromosomes),
        snp_chromosome=snp_chromosome,
        width=int(width),
        token=np.repeat(first, sizes) + rank // width,
        slot=rank % width,
        chromosome=np.repeat(snp_chromosome[starts], windows),
        outputs=int(outputs),
    )
