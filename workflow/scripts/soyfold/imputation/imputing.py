"""Missing calls filled by Beagle, by chromosome, and how well it does on known ones."""

import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from soyfold.common.errors import UserError
from soyfold.common.files import read_table, scratch, write_table
from soyfold.common.logs import log
from soyfold.genotypes import bed
from soyfold.imputation.beagle import WINDOW_VARIANTS, run_beagle
from soyfold.imputation.masking import (
    NO_VARIANTS,
    NONE_MISSING,
    PAIRS,
    count_pairs,
    draw_masked,
    judge_imputation,
    put_missing,
)

BEAGLE = "beagle"
MOST_FREQUENT = "most frequent genotype"
OFF = "off"
# What `auto` stands for: Beagle's own defaults, and what is enough where hardly a call needs phase
# (benchmarks/imputation).
PHASING = {"iterations": (12, 3), "burnin": (3, 1)}
FEW_HETEROZYGOUS = 0.1  # as the filter of samples has it


@dataclass
class Chromosome:
    """One chromosome's share of the work.

    Attributes
    ----------
    name : str
    rows : ndarray (v, b) uint8
        Packed genotypes.
    positions : ndarray (v,) int64
    missing : int
        Calls.
    phasing : dict
        iterations, burnin.
    cells : ndarray (m,) int64
        Calls to hide for the accuracy, as `draw_masked` gives them.
    """

    name: str
    rows: np.ndarray
    positions: np.ndarray
    missing: int
    phasing: dict = field(default_factory=dict)
    cells: np.ndarray | None = None

    @property
    def method(self):
        """What it needs."""
        return choose_method(len(self.rows), self.missing)


def impute_chromosomes(source, chromosomes, *, settings, prefix, calls, memory_mb):
    """Fill the missing calls of chromosomes; called genotypes stay as they are.

    A chromosome with one variant is no work for Beagle, which needs neighbours: its missing calls
    become the most frequent genotype. Without a missing call, or without a variant, the chromosome
    is copied.

    Parameters
    ----------
    source : path-like
        Reads <source>.bed, .bim, .fam of the filtered genotypes.
    chromosomes : list of str
        Canonical names, in genome order.
    settings : mapping
        `imputation` of the study: seed, mask_fraction, iterations and burnin (a number, or auto:
        by the chromosome's share of heterozygous calls), threads.
    prefix : path-like
        Writes <prefix>.bed, .bim, .fam.
    calls : path-like
        Writes this table: a row a chromosome with variants, missing calls, method and the masked
        calls by true and imputed genotype.
    memory_mb : int
        Of the job: PLINK, or Java.
    """
    Path(prefix).parent.mkdir(parents=True, exist_ok=True)
    bim, samples = bed.read_bim(f"{source}.bim"), bed.read_fam(f"{source}.fam")
    rows = bed.open_bed(f"{source}.bed", variants=len(bim), samples=len(samples))
    shares = [_share(name, rows, bim, len(samples), settings) for name in chromosomes]
    gaps = [share for share in shares if share.missing]
    hidden = [share for share in gaps if share.cells is not None]
    work = [(share.rows, share.positions, share.phasing) for share in gaps]
    work += [
        (put_missing(share.rows, len(samples), share.cells), share.positions, share.phasing)
        for share in hidden
    ]
    filled = _fill(work, len(samples), memory_mb, settings, prefix)
    pairs = {
        share.name: count_pairs(share.rows, again, len(samples), share.cells)
        for share, again in zip(hidden, filled[len(gaps) :], strict=True)
    }
    imputed = {share.name: one for share, one in zip(gaps, filled, strict=False)}
    whole = [imputed.get(share.name, share.rows) for share in shares]
    bed.write_bed(np.concatenate(whole), f"{prefix}.bed")
    bed.write_bim(bim[bim["chromosome"].isin(chromosomes)], f"{prefix}.bim")
    bed.write_fam(samples, f"{prefix}.fam")
    write_table(_calls_table(shares, pairs), calls)


def _share(name, rows, bim, samples, settings):
    """What one chromosome asks for."""
    here = np.flatnonzero(bim["chromosome"] == name)
    # Out of the memory map: this chromosome's share only.
    rows = np.array(rows[here[0] : here[-1] + 1] if len(here) else rows[:0])
    genotypes = count_genotypes(rows, samples)
    share = Chromosome(name, rows, bim["position"].to_numpy()[here], int(genotypes[3]))
    log.info("%s: %d variants, %d calls missing: %s", name, len(rows), share.missing, share.method)
    if share.missing:
        share.phasing = choose_phasing(genotypes, settings)
        if settings["mask_fraction"] is not False:
            seed = [settings["seed"], zlib.crc32(name.encode())]
            share.cells = draw_masked(rows, samples, settings["mask_fraction"], seed)
    return share


def _calls_table(shares, pairs):
    none = np.zeros((3, 3), dtype=np.int64)
    table = [
        [s.name, len(s.rows), s.missing, s.method, *pairs.get(s.name, none).ravel()] for s in shares
    ]
    names = ["chromosome", "variants", "missing_before", "method", *PAIRS]
    return pd.DataFrame(table, columns=names)


def choose_method(variants, missing):
    """What a chromosome with so many variants and missing calls needs."""
    if variants == 0:
        return NO_VARIANTS
    if missing == 0:
        return NONE_MISSING
    return MOST_FREQUENT if variants == 1 else BEAGLE


def choose_phasing(genotypes, settings):
    """Iterations and burn-in of Beagle: the study's, or by how many calls are heterozygous.

    Parameters
    ----------
    genotypes : ndarray (4,) int64
        From `count_genotypes`.
    settings : mapping

    Returns
    -------
    dict
        iterations, burnin.
    """
    share = genotypes[1] / max(genotypes[:3].sum(), 1)
    few = int(share <= FEW_HETEROZYGOUS)
    chosen = {
        name: auto[few] if settings[name] == "auto" else settings[name]
        for name, auto in PHASING.items()
    }
    log.info(
        "%.1f %% of the calls are heterozygous: %d phasing iterations after %d of burn-in",
        100 * share, chosen["iterations"], chosen["burnin"],
    )  # fmt: skip
    return chosen


def count_genotypes(rows, samples):
    """Calls of packed rows by count of ALT, missing ones last: ndarray (4,) int64."""
    counts = np.zeros(4, dtype=np.int64)
    for _, block in bed.blocks(rows, samples):
        counts += np.bincount(np.where(block == bed.MISSING, 3, block).ravel(), minlength=4)
    return counts


def _fill(work, samples, memory_mb, settings, prefix):
    """Packed rows without a missing call, for each item of work.

    What Beagle does alike goes into one run of it, chromosome after chromosome: for small ones a
    start of Java costs more than they do. Every call is checked to be unchanged.

    Parameters
    ----------
    work : list of (rows, positions, phasing)
    """
    filled, runs = [None] * len(work), {}
    for place, (rows, positions, phasing) in enumerate(work):
        if len(rows) == 1:
            filled[place] = fill_most_frequent(rows, samples)
        else:
            alike = (*phasing.items(), len(positions) > WINDOW_VARIANTS)
            runs.setdefault(alike, []).append(place)
    for places in runs.values():
        parts = [work[place][:2] for place in places]
        phased = settings | work[places[0]][2]
        with scratch(prefix) as folder:
            told = run_beagle(parts, samples, settings=phased, memory_mb=memory_mb, folder=folder)
        for place, imputed in zip(places, told, strict=True):
            filled[place] = imputed
    for (rows, _, _), imputed in zip(work, filled, strict=True):
        _refuse_changed(rows, imputed, samples)
    return filled


def _refuse_changed(rows, imputed, samples):
    for part, before in bed.blocks(rows, samples):
        after = bed.unpack(imputed[part], samples)
        if (after == bed.MISSING).any() or ((before != after) & (before != bed.MISSING)).any():
            raise RuntimeError("Beagle left a call missing or changed a called genotype")


def fill_most_frequent(rows, samples):
    """Packed rows whose missing calls are each variant's most frequent genotype.

    The smaller count of ALT wins a tie; a variant without any call becomes 0.
    """
    counts = bed.unpack(rows, samples).copy()
    frequency = np.stack([(counts == g).sum(axis=1) for g in range(3)])
    fill = frequency.argmax(axis=0).astype(np.int8)
    return bed.pack(np.where(counts == bed.MISSING, fill[:, None], counts))


def merge_chromosomes(parts, chromosomes, *, source, prefix, accuracy):
    """Put the chromosomes together again and judge the imputation over all.

    Parameters
    ----------
    parts : list of path-like
        Prefix of each bed, of one chromosome or several, with <prefix>.calls.tsv beside it; empty
        for imputation off, when <source> is copied.
    chromosomes : list of str
        All names in genome order.
    source : path-like
        Filtered genotypes: what the result must match, variant for variant.
    prefix : path-like
        Writes <prefix>.bed, .bim, .fam.
    accuracy : path-like
        Writes this table: a row a chromosome, and `all`.

    Raises
    ------
    UserError
        If imputation is off and calls are missing.
    """
    bim, samples = bed.read_bim(f"{source}.bim"), bed.read_fam(f"{source}.fam")
    rows = bed.open_bed(f"{source}.bed", variants=len(bim), samples=len(samples))
    if parts:
        calls = pd.concat([read_table(f"{part}.calls.tsv") for part in parts], ignore_index=True)
        rows, merged = _join(parts, samples)
        if not merged.equals(bim):
            raise RuntimeError(
                "the merged chromosomes are not the variants that passed the filters"
            )
    else:
        _refuse_missing(rows, len(samples))
        variants = bim["chromosome"].value_counts().reindex(chromosomes, fill_value=0)
        calls = pd.DataFrame({"chromosome": chromosomes, "variants": variants.to_numpy()})
        calls = calls.assign(missing_before=0, method=OFF, **dict.fromkeys(PAIRS, 0))
    bed.write_bed(rows, f"{prefix}.bed")
    bed.write_bim(bim, f"{prefix}.bim")
    bed.write_fam(samples, f"{prefix}.fam")
    write_table(judge_imputation(calls), accuracy)


def _join(parts, samples):
    """The parts' packed rows, one block a part, and their variants."""
    bims = [bed.read_bim(f"{part}.bim") for part in parts]
    rows = []
    for part, bim in zip(parts, bims, strict=True):
        if bed.read_fam(f"{part}.fam") != samples:
            raise RuntimeError(f"{part}.fam holds other samples than the filtered genotypes")
        rows.append(bed.open_bed(f"{part}.bed", variants=len(bim), samples=len(samples)))
    return rows, pd.concat([bim for bim in bims if len(bim)], ignore_index=True)


def _refuse_missing(rows, samples):
    missing = int(count_genotypes(rows, samples)[3])
    if missing:
        raise UserError(
            f"{missing} missing calls among {len(rows) * samples}",
            at="key imputation",
            allowed="off only where nothing is missing",
            mend="switch imputation on (drop imputation: off)",
        )
