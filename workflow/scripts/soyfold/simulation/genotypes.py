"""Genotypes of a simulated study: inbred lines from a breeding history, written as raw VCF."""

from dataclasses import dataclass

import msprime
import numpy as np

# Codes of a call in memory; the VCF text of each is CALLS[code].
HOM_REF, HET, HOM_ALT, MISSING, HOM_OTHER = range(5)
COLUMNS = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT")
CALLS = np.frombuffer(b"\t0/0\t0/1\t1/1\t./.\t2/2", dtype=np.uint8).reshape(5, 4)

# Three gene pools, each ten parents wide for ten rounds of crosses, with some exchange, out of few
# landraces: lines carry long haplotypes of few founders, so neighbouring SNPs correlate.
POOLS = ("early", "middle", "late")
POOL_SIZE = 10
POOL_AGE = 10
POOL_EXCHANGE = 0.03
LANDRACE_SIZE = 300

# Soybean's map of about 2,500 cM lies mostly on the arms; the pericentromere hardly recombines.
ARM_RATE = 4.5e-8
CENTRE_RATE = 0.4e-8
ARM_SHARE = 0.25

# Clear of the 5 % threshold on both sides, so that missing calls push no SNP over it.
COMMON_MAF = 0.07
RARE_MAF = 0.03
CANDIDATES = 6
BLOCK = 256


@dataclass(frozen=True)
class Lines:
    """The lines of a study and how well each was genotyped.

    Attributes
    ----------
    names : list of str
        Ids as the VCF writes them.
    heterozygous, missing : ndarray (n,) float64
        Share of calls made heterozygous at random, and share of calls lost.
    outcrossed : ndarray (k,) int64
        Rows of lines that were crossed by accident: the filter on heterozygosity removes them.
    kept : ndarray (n,) bool
        Lines meant to pass the filters.
    """

    names: list
    heterozygous: np.ndarray
    missing: np.ndarray
    outcrossed: np.ndarray
    kept: np.ndarray


@dataclass(frozen=True)
class Records:
    """VCF records of one contig, in order of position.

    Attributes
    ----------
    contig : str
    position : ndarray (L,) int64
        1-based bp.
    ref, alt : ndarray (L,) of str
        `alt` holds a comma in multiallelic records.
    calls : ndarray (L, n) int8
        Codes HOM_REF to HOM_OTHER, before calls are lost.
    usable : ndarray (L,) bool
        Biallelic and common: may carry a QTL.
    """

    contig: str
    position: np.ndarray
    ref: np.ndarray
    alt: np.ndarray
    calls: np.ndarray
    usable: np.ndarray


def draw_lines(names, *, outcrossed, poor, missing, rng):
    """Say which lines were outcrossed or badly genotyped, and each line's rates.

    Parameters
    ----------
    names : list of str
    outcrossed, poor : int
        Lines beyond 10 % heterozygosity and beyond 10 % missing calls.
    missing : float
        Share of calls lost in the other lines.
    rng : numpy.random.Generator

    Returns
    -------
    Lines
    """
    n = len(names)
    odd = rng.choice(n, size=outcrossed + poor, replace=False)
    lost = np.full(n, missing)
    lost[odd[outcrossed:]] = rng.uniform(0.15, 0.40, size=poor)
    kept = np.ones(n, dtype=bool)
    kept[odd] = False
    return Lines(names, rng.uniform(0.0, 0.02, size=n), lost, np.sort(odd[:outcrossed]), kept)


def _breeding_history():
    """Gene pools that split off the landraces POOL_AGE generations ago."""
    demography = msprime.Demography()
    for pool in POOLS:
        demography.add_population(name=pool, initial_size=POOL_SIZE)
    demography.add_population(name="landraces", initial_size=LANDRACE_SIZE)
    for pool in POOLS:
        for other in POOLS:
            if other != pool:
                demography.set_migration_rate(pool, other, POOL_EXCHANGE)
    demography.add_population_split(time=POOL_AGE, derived=list(POOLS), ancestral="landraces")
    return demography


def _recombination_map(length):
    ends = [0, int(ARM_SHARE * length), int((1 - ARM_SHARE) * length), length]
    return msprime.RateMap(position=ends, rate=[ARM_RATE, CENTRE_RATE, ARM_RATE])


def _simulate_sites(length, n, wanted, rng):
    """Positions (bp, 1-based) and haplotypes (L, n) int8 of about `wanted` segregating sites."""
    # A line's pool is its row modulo three, on every chromosome: structure that GBLUP can see.
    samples = [
        msprime.SampleSet(len(range(k, n, len(POOLS))), population=pool, ploidy=1)
        for k, pool in enumerate(POOLS)
    ]
    trees = msprime.sim_ancestry(
        samples,
        demography=_breeding_history(),
        recombination_rate=_recombination_map(length),
        ploidy=1,
        random_seed=int(rng.integers(1, 2**31)),
    )
    branches = trees.segregating_sites(mode="branch", span_normalise=False)
    trees = msprime.sim_mutations(
        trees,
        rate=wanted / float(branches),
        model=msprime.BinaryMutationModel(),
        random_seed=int(rng.integers(1, 2**31)),
    )
    order = np.concatenate([np.arange(k, n, len(POOLS)) for k in range(len(POOLS))])
    haplotypes = np.empty((trees.num_sites, n), dtype=np.int8)
    haplotypes[:, order] = trees.genotype_matrix()
    return trees.tables.sites.position.astype(np.int64) + 1, haplotypes


def _choose_sites(haplotypes, kept, common, rare, rng):
    """Rows of `common` common and `rare` rare sites, sorted; None if there are too few."""
    frequency = haplotypes[:, kept].mean(axis=1)
    frequency = np.minimum(frequency, 1 - frequency)
    often = np.flatnonzero(frequency >= COMMON_MAF)
    seldom = np.flatnonzero(frequency <= RARE_MAF)
    if len(often) < common or len(seldom) < rare:
        return None, None
    often = rng.choice(often, size=common, replace=False)
    seldom = rng.choice(seldom, size=rare, replace=False)
    rows = np.sort(np.concatenate([often, seldom]))
    return rows, np.isin(rows, often)


def _cross(calls, lines, rng):
    """Give each outcrossed line another line's haplotype on most of the chromosome (in place)."""
    n_snps, n = calls.shape
    width = int(np.ceil(0.7 * n_snps))
    starts = rng.integers(0, n_snps - width + 1, size=len(lines.outcrossed))
    inside = np.arange(n_snps)[:, None] - starts
    inside = (inside >= 0) & (inside < width)
    # The next row belongs to another gene pool, so the two haplotypes differ at many SNPs.
    donors = calls[:, (lines.outcrossed + 1) % n]
    own = calls[:, lines.outcrossed]
    calls[:, lines.outcrossed] = np.where(inside & (own != donors), HET, own)


def simulate_records(contig, length, lines, *, common, rare, multiallelic, rng):
    """Simulate the records of one chromosome.

    Parameters
    ----------
    contig : str
        Name as the VCF writes it.
    length : int
        Base pairs.
    lines : Lines
    common, rare, multiallelic : int
        Records beyond and below the MAF threshold, and with two ALT alleles.
    rng : numpy.random.Generator

    Returns
    -------
    Records
    """
    n = len(lines.names)
    wanted = CANDIDATES * (common + rare + multiallelic) + 50
    rows = None
    while rows is None:
        position, haplotypes = _simulate_sites(length, n, wanted, rng)
        rows, usable = _choose_sites(haplotypes, lines.kept, common + multiallelic, rare, rng)
        wanted *= 2
    calls = np.where(haplotypes[rows] == 1, HOM_ALT, HOM_REF).astype(np.int8)
    _cross(calls, lines, rng)
    for start in range(0, len(rows), BLOCK):
        block = calls[start : start + BLOCK]
        block[rng.random(block.shape, dtype=np.float32) < lines.heterozygous] = HET
    alleles = np.array([list("AGC"), list("CTA"), list("GAT"), list("TCG")])
    drawn = alleles[rng.integers(0, 4, size=len(rows))]
    ref, alt = drawn[:, 0], drawn[:, 1].astype("U3")
    triple = rng.choice(np.flatnonzero(usable), size=multiallelic, replace=False)
    for row in triple:
        alt[row] = f"{drawn[row, 1]},{drawn[row, 2]}"
        calls[row, (calls[row] == HOM_ALT) & (rng.random(n) < 0.3)] = HOM_OTHER
    usable[triple] = False
    return Records(contig, position[rows], ref, alt, calls, usable)


def write_header(stream, chromosomes, others, names):
    """Write a VCF header that declares the canonical names, as the SoySNP50K file does.

    Parameters
    ----------
    stream : binary file
    chromosomes : soyfold.common.chromosomes.Chromosomes
    others : dict of str to int
        Other contigs and their lengths.
    names : list of str
        Sample ids.
    """
    contigs = dict(zip(chromosomes.names, chromosomes.lengths.tolist(), strict=True)) | others
    lines = [
        "##fileformat=VCFv4.2",
        '##FILTER=<ID=PASS,Description="All filters passed">',
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
        *(f"##contig=<ID={name},length={length}>" for name, length in contigs.items()),
        "\t".join([*COLUMNS, *names]),
    ]
    stream.write("".join(f"{line}\n" for line in lines).encode())


def write_records(stream, records, lines, first_id, rng):
    """Lose calls at random and write the records, BLOCK of them at a time.

    Parameters
    ----------
    stream : binary file
    records : Records
    lines : Lines
        Their share of calls to lose.
    first_id : int
        Number of the first record; ids are ss715578788 and on, with every id used once.
    rng : numpy.random.Generator
    """
    ids = record_ids(first_id, len(records.position))
    for start in range(0, len(records.position), BLOCK):
        rows = slice(start, start + BLOCK)
        calls = records.calls[rows].copy()
        calls[rng.random(calls.shape, dtype=np.float32) < lines.missing] = MISSING
        text = CALLS[calls].reshape(len(calls), -1)
        fixed = zip(
            records.position[rows].tolist(),
            ids[rows],
            records.ref[rows],
            records.alt[rows],
            strict=True,
        )
        for row, (position, name, ref, alt) in zip(text, fixed, strict=True):
            head = f"{records.contig}\t{position}\t{name}\t{ref}\t{alt}\t.\t.\t.\tGT"
            stream.write(head.encode() + row.tobytes() + b"\n")


def record_ids(first, count):
    """Names of `count` records from number `first` on, in the style of SoySNP50K."""
    return [f"ss{715578788 + 3 * number}" for number in range(first, first + count)]
