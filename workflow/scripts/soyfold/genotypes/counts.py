"""Counting calls in a PLINK bed, block by block: of each sample, of each variant."""

from dataclasses import dataclass

import numpy as np

from soyfold.genotypes import bed


@dataclass(frozen=True)
class SampleCounts:
    """Calls of each sample over all imported variants.

    Attributes
    ----------
    called, heterozygous : ndarray (n,) int64
    variants : int
    """

    called: np.ndarray
    heterozygous: np.ndarray
    variants: int

    @property
    def missing(self):
        """Share of missing calls, (n,)."""
        return 1 - self.called / self.variants

    @property
    def heterozygosity(self):
        """Heterozygous among called genotypes, (n,); NaN where none is called."""
        return _ratio(self.heterozygous, self.called)


@dataclass(frozen=True)
class VariantCounts:
    """Calls of each variant over the samples left.

    Attributes
    ----------
    called, alternate : ndarray (v,) int64
        Called genotypes; copies of ALT among them.
    samples : int
    """

    called: np.ndarray
    alternate: np.ndarray
    samples: int

    @property
    def missing(self):
        """Share of missing calls, (v,)."""
        return 1 - self.called / self.samples

    @property
    def frequency(self):
        """Frequency of ALT, (v,); NaN where no genotype is called."""
        return _ratio(self.alternate, 2 * self.called)

    @property
    def minor_allele_frequency(self):
        """Frequency of the rarer allele, (v,); NaN where no genotype is called."""
        return _ratio(np.minimum(self.alternate, 2 * self.called - self.alternate), 2 * self.called)


def _ratio(part, whole):
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)


def count_samples(rows, samples):
    """Count each sample's calls; `rows` as from `bed.open_bed`, read in blocks."""
    called = np.zeros(samples, dtype=np.int64)
    heterozygous = np.zeros(samples, dtype=np.int64)
    for _, counts in bed.blocks(rows, samples):
        called += np.count_nonzero(counts != bed.MISSING, axis=0)
        heterozygous += np.count_nonzero(counts == 1, axis=0)
    return SampleCounts(called, heterozygous, len(rows))


def count_variants(rows, samples, keep=None):
    """Count each variant's calls, of samples with `keep` (n,) bool alone; read in blocks."""
    called = np.zeros(len(rows), dtype=np.int64)
    alternate = np.zeros(len(rows), dtype=np.int64)
    for part, counts in bed.blocks(rows, samples):
        left = counts if keep is None else counts[:, keep]
        missing = np.count_nonzero(left == bed.MISSING, axis=1)
        called[part] = left.shape[1] - missing
        alternate[part] = left.sum(axis=1, dtype=np.int64) - bed.MISSING * missing
    return VariantCounts(called, alternate, samples if keep is None else int(keep.sum()))
