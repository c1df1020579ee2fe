"""Gaps of new lines filled from the study's lines, one chromosome at a time."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from soyfold.common.files import scratch, staged, write_table, zipped
from soyfold.common.logs import log
from soyfold.genotypes import bed
from soyfold.genotypes.counts import count_variants
from soyfold.imputation.beagle import impute_from_panel, phase_panel
from soyfold.imputation.imputing import (
    BEAGLE,
    MOST_FREQUENT,
    choose_phasing,
    count_genotypes,
)
from soyfold.imputation.masking import NO_VARIANTS, NONE_MISSING

FEWEST_SHARED = 2  # variants of a chromosome that Beagle needs
# Beagle holds up to 13 kB for each known call of the lines that it fills, whatever its heap; fewer
# lines than LEAST_LINES at a time would read the panel too often.
BATCH_CALLS = 100_000
LEAST_LINES = 100


def phase_chromosome(source, chromosome, *, settings, path, memory_mb):
    """Phase one chromosome of the study's imputed genotypes.

    Parameters
    ----------
    source : path-like
        Prefix of a .bed, .bim, .fam without missing calls.
    chromosome : str
    settings : mapping
        `imputation` of the study: seed, iterations and burnin (numbers or auto, by these lines'
        heterozygous calls), threads.
    path : path-like
        Writes this gzipped VCF, in Beagle's numbers for names; an empty one where the chromosome
        has fewer than two variants, which is no work for Beagle.
    memory_mb : int
        Of the job.
    """
    bim, samples = bed.read_bim(f"{source}.bim"), bed.read_fam(f"{source}.fam")
    rows = bed.open_bed(f"{source}.bed", variants=len(bim), samples=len(samples))
    here = np.flatnonzero(bim["chromosome"] == chromosome)
    log.info("%s: phasing %d variants of %d lines", chromosome, len(here), len(samples))
    with staged(path) as temporary:
        if len(here) < 2:
            with zipped(temporary):
                return
        rows = np.array(rows[here])
        with scratch(Path(path).with_suffix(".phasing")) as folder:
            phased = phase_panel(
                rows,
                len(samples),
                bim["position"].to_numpy()[here],
                settings=_phasing(rows, len(samples), settings),
                memory_mb=memory_mb,
                folder=folder,
            )
            shutil.move(phased, temporary)


def fill_chromosome(source, chromosome, *, panel, phased, settings, prefix, calls, memory_mb):
    """Fill what new lines lack on one chromosome; their own calls stay as they are.

    Parameters
    ----------
    source : path-like
        Prefix of the aligned .bed, .bim, .fam.
    chromosome : str
    panel : DataFrame
        As `panel.describe_panel` gives it.
    phased : path-like or None
        The phased panel of this chromosome; None fills with its most frequent genotypes.
    settings : mapping
        `imputation` of the study: seed, iterations and burnin (numbers or auto, by the new lines'
        heterozygous calls), threads.
    prefix : path-like
        Writes <prefix>.bed.
    calls : path-like
        Writes this table: one row with chromosome, variants, shared (with a call of some line),
        filled (calls), method.
    memory_mb : int
        Of the job.
    """
    Path(prefix).parent.mkdir(parents=True, exist_ok=True)
    samples = len(bed.read_fam(f"{source}.fam"))
    rows = bed.open_bed(f"{source}.bed", variants=len(panel), samples=samples)
    here = np.flatnonzero(panel["chromosome"] == chromosome)
    rows, panel = np.array(rows[here]), panel.iloc[here]
    called = count_variants(rows, samples).called
    shared, missing = np.flatnonzero(called), len(rows) * samples - int(called.sum())
    method = _method(len(here), missing, len(shared), phased)
    log.info("%s: %d variants, %d shared: %s", chromosome, len(here), len(shared), method)
    filled = rows
    if method == MOST_FREQUENT:
        filled = fill_rows(rows, samples, panel["most_frequent"].to_numpy())
    elif method == BEAGLE:
        settings = _phasing(rows, samples, settings)
        counts, told = bed.unpack(rows, samples), []
        for lines in batches(samples, len(shared)):
            with scratch(prefix) as folder:
                own = impute_from_panel(
                    bed.pack(counts[:, lines]),
                    len(lines),
                    panel["position"].to_numpy(),
                    shared,
                    phased,
                    settings=settings,
                    memory_mb=memory_mb,
                    folder=folder,
                )
            told.append(bed.unpack(own, len(lines)))
        filled = keep_calls(rows, bed.pack(np.concatenate(told, axis=1)), samples)
    bed.write_bed(filled, f"{prefix}.bed")
    row = [chromosome, len(here), len(shared), missing, method]
    columns = ["chromosome", "variants", "shared", "filled", "method"]
    write_table(pd.DataFrame([row], columns=columns), calls)


def batches(samples, shared):
    """Lines that Beagle fills together: even shares that its memory holds, in their order.

    Parameters
    ----------
    samples : int
    shared : int
        Variants with a call of some line.

    Returns
    -------
    list of ndarray of int
    """
    most = max(LEAST_LINES, BATCH_CALLS // shared)
    found = np.array_split(np.arange(samples), -(-samples // most))
    if len(found) > 1:
        log.info("in %d batches of up to %d lines, by Beagle's memory", len(found), len(found[0]))
    return found


def _phasing(rows, samples, settings):
    """Settings whose iterations and burn-in are numbers."""
    return {**settings, **choose_phasing(count_genotypes(rows, samples), settings)}


def _method(variants, missing, shared, phased):
    if not variants:
        return NO_VARIANTS
    if not missing:
        return NONE_MISSING
    return BEAGLE if phased is not None and shared >= FEWEST_SHARED else MOST_FREQUENT


def fill_rows(rows, samples, genotypes):
    """Packed rows whose missing calls are the given genotype of each variant, (v,) int."""
    counts = bed.unpack(rows, samples)
    fill = np.asarray(genotypes, dtype=np.int8)[:, None]
    return bed.pack(np.where(counts == bed.MISSING, fill, counts))


def keep_calls(rows, imputed, samples):
    """Packed rows of `imputed` where `rows` has no call; its own calls elsewhere."""
    before, after = bed.unpack(rows, samples), bed.unpack(imputed, samples)
    if (after == bed.MISSING).any():
        raise RuntimeError("Beagle left a call missing")
    return bed.pack(np.where(before == bed.MISSING, after, before))
