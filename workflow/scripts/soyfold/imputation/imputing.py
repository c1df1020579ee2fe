"""Missing calls filled by Beagle, one chromosome at a time, and how well it does on known ones."""

import zlib
from pathlib import Path

import numpy as np
import pandas as pd

from soyfold.common.errors import UserError
from soyfold.common.files import read_table, scratch, write_table
from soyfold.common.logs import log
from soyfold.genotypes import bed
from soyfold.imputation.beagle import run_beagle

BEAGLE = "beagle"
MOST_FREQUENT = "most frequent genotype"
NONE_MISSING = "none missing"
NO_VARIANTS = "no variants"
OFF = "off"
TOTAL = "all"
# What `auto` stands for: Beagle's own defaults, and what is enough where hardly a call needs phase
# (benchmarks/imputation).
PHASING = {"iterations": (12, 3), "burnin": (3, 1)}
FEW_HETEROZYGOUS = 0.1  # as the filter of samples has it

# Columns of a chromosome's calls.tsv: masked calls by true and imputed count of ALT.
PAIRS = [f"true{t}_imputed{i}" for t in range(3) for i in range(3)]


def impute_chromosome(source, chromosome, *, settings, prefix, calls, memory_mb):
    """Fill the missing calls of one chromosome; called genotypes stay as they are.

    A chromosome with one variant is no work for Beagle, which needs neighbours: its missing calls
    become the most frequent genotype. Without a missing call, or without a variant, the chromosome
    is copied.

    Parameters
    ----------
    source : path-like
        Reads <source>.bed, .bim, .fam of the filtered genotypes.
    chromosome : str
        Canonical name.
    settings : mapping
        `imputation` of the study: seed, mask_fraction, iterations and burnin (a number, or auto:
        by the chromosome's share of heterozygous calls), threads.
    prefix : path-like
        Writes <prefix>.bed, .bim, .fam.
    calls : path-like
        Writes this table: one row with variants, missing calls, method and the masked calls by
        true and imputed genotype.
    memory_mb : int
        Of the job: PLINK, or Java.
    """
    Path(prefix).parent.mkdir(parents=True, exist_ok=True)
    bim, samples = bed.read_bim(f"{source}.bim"), bed.read_fam(f"{source}.fam")
    rows = bed.open_bed(f"{source}.bed", variants=len(bim), samples=len(samples))
    here = np.flatnonzero(bim["chromosome"] == chromosome)
    bim, rows = bim.iloc[here], rows[here[0] : here[-1] + 1] if len(here) else rows[:0]
    rows = np.array(rows)  # out of the memory map: this chromosome's share only
    genotypes = count_genotypes(rows, len(samples))
    missing = int(genotypes[3])
    method = choose_method(len(rows), missing)
    log.info("%s: %d variants, %d calls missing: %s", chromosome, len(rows), missing, method)
    pairs = np.zeros((3, 3), dtype=np.int64)
    imputed = rows
    if missing:
        settings = settings | choose_phasing(genotypes, settings)
        positions = bim["position"].to_numpy()
        imputed = _fill(rows, len(samples), positions, settings, memory_mb, prefix)
        if settings["mask_fraction"] is not False:
            seed = [settings["seed"], zlib.crc32(chromosome.encode())]
            cells = draw_masked(rows, len(samples), settings["mask_fraction"], seed)
            masked = put_missing(rows, len(samples), cells)
            again = _fill(masked, len(samples), positions, settings, memory_mb, prefix)
            pairs = count_pairs(rows, again, len(samples), cells)
    bed.write_bed(imputed, f"{prefix}.bed")
    bed.write_bim(bim, f"{prefix}.bim")
    bed.write_fam(samples, f"{prefix}.fam")
    row = [chromosome, len(rows), missing, method, *pairs.ravel()]
    write_table(
        pd.DataFrame([row], columns=["chromosome", "variants", "missing_before", "method", *PAIRS]),
        calls,
    )


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


def _fill(rows, samples, positions, settings, memory_mb, prefix):
    """Packed rows without a missing call; every call of `rows` is checked to be unchanged."""
    if len(rows) == 1:
        return fill_most_frequent(rows, samples)
    with scratch(prefix) as folder:
        imputed = run_beagle(
            rows, samples, positions, settings=settings, memory_mb=memory_mb, folder=folder
        )
    for part, before in bed.blocks(rows, samples):
        after = bed.unpack(imputed[part], samples)
        if (after == bed.MISSING).any() or ((before != after) & (before != bed.MISSING)).any():
            raise RuntimeError("Beagle left a call missing or changed a called genotype")
    return imputed


def fill_most_frequent(rows, samples):
    """Packed rows whose missing calls are each variant's most frequent genotype.

    The smaller count of ALT wins a tie; a variant without any call becomes 0.
    """
    counts = bed.unpack(rows, samples).copy()
    frequency = np.stack([(counts == g).sum(axis=1) for g in range(3)])
    fill = frequency.argmax(axis=0).astype(np.int8)
    return bed.pack(np.where(counts == bed.MISSING, fill[:, None], counts))


def draw_masked(rows, samples, fraction, seed):
    """Draw the called genotypes to hide.

    Parameters
    ----------
    rows : ndarray (v, b) uint8
        Packed genotypes.
    samples : int
    fraction : float
        Share of all genotypes that is drawn; those among them that are missing fall out, so that
        the same share of the called ones is left, in the mean.
    seed : int or list of int

    Returns
    -------
    ndarray (m,) int64
        Sorted indices variant * samples + sample; in a small chromosome there may be none.
    """
    size = len(rows) * samples
    rng = np.random.default_rng(seed)
    cells = np.sort(rng.choice(size, size=max(1, round(fraction * size)), replace=False))
    return cells[_take(rows, samples, cells) != bed.MISSING]


def _take(rows, samples, cells):
    """Counts of ALT of single genotypes, (m,) int8, by index variant * samples + sample."""
    variant, sample = np.divmod(cells, samples)
    found = bed.unpack(rows[variant, sample // 4][:, None], 4)
    return found[np.arange(len(cells)), sample % 4]


def put_missing(rows, samples, cells):
    """Copy of packed rows in which the genotypes at `cells` are missing."""
    variant, sample = np.divmod(cells, samples)
    masked = rows.copy()
    shift = (2 * (sample % 4)).astype(np.uint8)
    np.bitwise_and.at(masked, (variant, sample // 4), ~(np.uint8(3) << shift))
    np.bitwise_or.at(masked, (variant, sample // 4), np.uint8(1) << shift)
    return masked


def count_pairs(true, imputed, samples, cells):
    """Masked calls by true (row) and imputed (column) count of ALT, (3, 3) int64."""
    pairs = np.zeros((3, 3), dtype=np.int64)
    np.add.at(pairs, (_take(true, samples, cells), _take(imputed, samples, cells)), 1)
    return pairs


def concordance(pairs):
    """Share of masked calls that were imputed exactly; NaN without any."""
    return float(np.trace(pairs) / pairs.sum()) if pairs.sum() else float("nan")


def dosage_r2(pairs):
    """Squared correlation of true and imputed counts of ALT; NaN where either is constant.

    Parameters
    ----------
    pairs : ndarray (3, 3) int64
        Calls by true (row) and imputed (column) count.
    """
    if not pairs.sum():
        return float("nan")
    weights = pairs / pairs.sum()
    value = np.arange(3)
    true, imputed = weights.sum(axis=1), weights.sum(axis=0)
    variances = [w @ value**2 - (w @ value) ** 2 for w in (true, imputed)]
    if min(variances) < 1e-12:
        return float("nan")
    covariance = value @ weights @ value - (true @ value) * (imputed @ value)
    return float(covariance**2 / (variances[0] * variances[1]))


def merge_chromosomes(parts, chromosomes, *, source, prefix, accuracy):
    """Put the chromosomes together again and judge the imputation over all.

    Parameters
    ----------
    parts : list of path-like
        Prefix of each chromosome's bed, with <prefix>.calls.tsv beside it; empty for imputation
        off, when <source> is copied.
    chromosomes : list of str
        Names in genome order, one for each part.
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


def judge_imputation(calls):
    """accuracy.tsv: a row a chromosome and a row for all of them.

    Parameters
    ----------
    calls : DataFrame
        chromosome, variants, missing_before, method and the columns `PAIRS`.

    Returns
    -------
    DataFrame
        chromosome, variants, missing_before, method, masked (calls), concordance and dosage_r2
        (on masked calls; missing where none was masked).
    """
    total = calls[["variants", "missing_before", *PAIRS]].sum()
    used = calls.loc[~calls["method"].isin([NO_VARIANTS, NONE_MISSING]), "method"]
    total["chromosome"], total["method"] = TOTAL, ", ".join(used.unique()) or NONE_MISSING
    calls = pd.concat([calls, total.to_frame().T], ignore_index=True)
    pairs = calls[PAIRS].to_numpy(dtype=np.int64).reshape(-1, 3, 3)
    return calls[["chromosome", "variants", "missing_before", "method"]].assign(
        masked=pairs.sum(axis=(1, 2)),
        concordance=[concordance(table) for table in pairs],
        dosage_r2=[dosage_r2(table) for table in pairs],
    )
