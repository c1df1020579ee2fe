"""Small VCFs, beds and chromosome tables for the tests; genotypes as plain numpy arrays."""

import gzip

import numpy as np

from soyfold.common.chromosomes import Chromosomes

# chrX is yeast's tenth chromosome: PLINK would take it for a sex chromosome, and 10 > 2 in text.
CHROMOSOMES = Chromosomes(
    names=["chrI", "chrII", "chrX"],
    lengths=np.array([1_000_000, 90_000_000, 500_000]),
    aliases={
        "chrI": "chrI", "chr01": "chrI", "1": "chrI",
        "chrII": "chrII", "chr02": "chrII", "2": "chrII",
        "chrX": "chrX", "chr10": "chrX", "X": "chrX",
    },
    file="chromosomes.tsv",
)  # fmt: skip
PLINK = {"threads": 1, "memory_mb": 1500}
CALL = {0: "0/0", 1: "0/1", 2: "1/1", -1: "./."}
SETTINGS = {"format": "auto"}


def write_vcf(path, records, samples, *, end="\n", header=()):
    """Write a VCF; a record is (contig, position, id, ref, alt, calls of text or counts)."""
    columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *samples]
    lines = ["##fileformat=VCFv4.2", *header, "\t".join(columns)]
    for contig, position, name, ref, alt, calls in records:
        calls = [call if isinstance(call, str) else CALL[int(call)] for call in calls]
        fields = [contig, str(position), name, ref, alt, ".", ".", ".", "GT", *calls]
        lines.append("\t".join(fields))
    text = "".join(line + end for line in lines).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


def random_counts(variants, samples, *, missing=0.1, seed=0):
    """Counts of ALT with neighbours alike, (variants, samples) int8; -1 is missing."""
    rng = np.random.default_rng(seed)
    founders = rng.integers(0, 2, (variants, 4))
    haplotypes = [founders[:, rng.integers(0, 4, samples)] for _ in range(2)]
    counts = (haplotypes[0] + haplotypes[1]).astype(np.int8)
    counts[rng.random(counts.shape) < missing] = -1
    return counts
