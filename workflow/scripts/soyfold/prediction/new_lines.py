"""New lines' genotypes: aligned to the panel with reports, and made a dosage matrix."""

import numpy as np
import pandas as pd

from soyfold.cohort.dosage import write_matrix
from soyfold.common.errors import UserError
from soyfold.common.files import read_table
from soyfold.common.logs import log
from soyfold.genotypes import bed
from soyfold.genotypes.counts import count_variants
from soyfold.genotypes.sieve import ABSENT
from soyfold.prediction import alignment
from soyfold.prediction.matching import ID, POSITION, match_variants
from soyfold.prediction.variant_sites import count_reference, warn_of_variant_sites

_MEND = {
    POSITION: "check that positions are of the study's assembly, or that ids are the study's, or"
    " lower prediction.min_overlap",
    ID: "check that ids are those of the study's SNPs, or lower prediction.min_overlap",
}


def align_lines(source, records, panel, study_samples, *, settings, file, prefix):
    """Write new genotypes at the panel's variants, missing where they have none, and the reports.

    Parameters
    ----------
    source : path-like
        Prefix of the imported .bed, .bim, .fam.
    records : path-like
        The import's table of every record.
    panel : DataFrame
        As `panel.describe_panel` gives it.
    study_samples : collection of str
        Names of the panel's lines.
    settings : mapping
        `prediction` of the study: match, min_overlap, ambiguous, missing.
    file : path-like
        The user's file, for messages.
    prefix : path-like
        Writes <prefix>.bed, .bim, .fam.

    Returns
    -------
    variants, counts, lines : DataFrame
        As `alignment.align_variants` gives it, with id_elsewhere (where the file has the id, if
        not at its place); as `alignment.count_alignment` does; sample, calls, call_rate (of the
        model's variants), in_study.

    Raises
    ------
    UserError
        If too few of the model's variants are there, places are another assembly's and ids not the
        model's, `missing` is refuse and a call is, or calls name an ALT that the record lacks.
    """
    bim, samples = bed.read_bim(f"{source}.bim"), bed.read_fam(f"{source}.fam")
    rows = bed.open_bed(f"{source}.bed", variants=len(bim), samples=len(samples))
    seen = count_variants(rows, len(samples))
    _refuse_unnamed(bim, seen.frequency, file)
    every = _read_records(records)
    match = match_variants(
        panel, bim, every, how=settings["match"], least=settings["min_overlap"], file=file
    )
    variants = alignment.align_variants(
        panel,
        bim,
        called=seen.called,
        frequency=seen.frequency,
        policy=settings["ambiguous"],
        rows=match.rows,
    ).assign(id_elsewhere=match.elsewhere)
    known = pd.Series(samples).isin(set(study_samples))
    counts = alignment.count_alignment(
        variants,
        _placed(every) if match.by == POSITION else every,
        lines=len(samples),
        in_panel=int(known.sum()),
        match=match.rows_of_counts(),
    )
    reference = count_reference(rows, len(samples), variants, panel["frequency"].to_numpy())
    mend = warn_of_variant_sites(reference, samples, file=file)
    _refuse_little(variants, settings["min_overlap"], file, mend or _MEND[match.by])
    if settings["missing"] == "refuse":
        _refuse_gaps(variants, len(samples), file)
    calls = np.zeros(len(samples), dtype=np.int64)

    def packed():
        for block in alignment.aligned_blocks(rows, len(samples), variants):
            calls[:] += (block != bed.MISSING).sum(axis=0)
            yield bed.pack(block)

    bed.write_bed(packed(), f"{prefix}.bed")
    bed.write_bim(panel, f"{prefix}.bim")
    bed.write_fam(samples, f"{prefix}.fam")
    rate = calls / len(panel)
    lines = pd.DataFrame({"sample": samples, "calls": calls, "call_rate": rate, "in_study": known})
    for what, count in variants["fate"].value_counts().items():
        log.info("%s: %d of the model's %d variants", what, count, len(variants))
    return variants, counts, lines


def _read_records(path):
    """The import's table of every record."""
    names = ("variant", "kept", "reason", "id", "elsewhere")
    return read_table(path, required=names, dtype=dict.fromkeys(names, str))


def _placed(records):
    """The table as if no record were kept for its id alone."""
    reason = records["reason"].where(records["reason"].notna(), records["elsewhere"])
    return records.assign(reason=reason, kept=reason.isna().map({True: "yes", False: "no"}))


def _refuse_unnamed(bim, frequency, file):
    named = bim[bim["alt"].isin(ABSENT) & (frequency > 0)]
    if len(named):
        first = named.iloc[0]
        raise UserError(
            f"{len(named)} variants without ALT whose calls name one (first {first.variant},"
            f" {first.chromosome} {first.position})",
            file=file,
            allowed="calls of REF where ALT is absent",
            mend="write these variants' ALT",
        )


def _refuse_little(variants, least, file, mend):
    known = int(variants["fate"].isin(alignment.KNOWN).sum())
    if known and known >= least * len(variants):
        return
    fates = variants["fate"].value_counts()
    lost = [alignment.MISSING, alignment.OTHER_ALLELES, alignment.AMBIGUOUS]
    told = ", ".join(f"{fates.get(name, 0)} {name}" for name in lost)
    raise UserError(
        f"{known} of the model's {len(variants)} variants ({told})",
        file=file,
        allowed=f"at least {least:.0%} of them (prediction.min_overlap)",
        mend=mend,
    )


def _refuse_gaps(variants, lines, file):
    absent = int((~variants["fate"].isin(alignment.KNOWN)).sum())
    gaps = int((lines - variants["calls"]).sum())
    if gaps:
        raise UserError(
            f"{gaps} missing calls of {len(variants) * lines}; {absent} variants absent",
            file=file,
            at="key prediction.missing",
            allowed="refuse only where nothing is missing",
            mend="missing: impute",
        )


def write_new_dosage(parts, panel, samples, *, path):
    """Put the chromosomes together as a matrix of lines x the model's variants.

    Parameters
    ----------
    parts : dict of str to path-like
        The filled .bed of each chromosome.
    panel : DataFrame
        As `panel.describe_panel` gives it.
    samples : int
    path : path-like
        .npy to write: int8 (n, L), count of the model's ALT.
    """

    def blocks():
        for chromosome, file in parts.items():
            here = np.flatnonzero(panel["chromosome"] == chromosome)
            rows = bed.open_bed(file, variants=len(here), samples=samples)
            for part, counts in bed.blocks(rows, samples):
                yield here[part], counts

    write_matrix(path, samples, len(panel), blocks())
