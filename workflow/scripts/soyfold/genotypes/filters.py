"""The paper's three filters in its order, counted from the raw file to the last variant.

soyfold counts, PLINK 1.9 filters, and the two must agree: a difference is a defect, not a result.
"""

import numpy as np
import pandas as pd

from soyfold.common.errors import UserError
from soyfold.common.files import read_table, scratch, write_table
from soyfold.common.logs import log
from soyfold.genotypes import bed
from soyfold.genotypes.counts import count_samples, count_variants
from soyfold.genotypes.plink import chromosome_codes, read_numbers, run_plink, write_numbered
from soyfold.genotypes.sieve import IMPORT_REASONS

HETEROZYGOSITY = "sample heterozygosity"
SAMPLE_MISSING = "sample missing"
MINOR_ALLELE = "minor allele frequency"
# Filter step -> its key under genotypes.filters in the config.
KEYS = {
    HETEROZYGOSITY: "sample_heterozygosity",
    SAMPLE_MISSING: "sample_missing",
    MINOR_ALLELE: "minor_allele_frequency",
}
# Ratios of counts that equal a threshold are kept, whatever their rounding; PLINK does the same.
SLACK = 1e-11
CHECKED_VARIANTS = 200


def _above(ratio, threshold):
    """Where a ratio exceeds a threshold; nowhere if the filter is off or the ratio unknown."""
    if threshold is False:
        return np.zeros(len(ratio), dtype=bool)
    return ratio > threshold * (1 + SLACK)


def filter_genotypes(
    raw, imported, *, chromosomes, thresholds, prefix, samples, variants, counts, threads, memory_mb
):
    """Filter samples by heterozygosity and missing calls, then variants by allele frequency.

    Parameters
    ----------
    raw : path-like
        Reads <raw>.bed, .bim, .fam, .samples.tsv from `importing.import_genotypes`.
    imported : path-like
        Reads its table of input records.
    chromosomes : soyfold.common.chromosomes.Chromosomes
    thresholds : mapping
        sample_heterozygosity, sample_missing, minor_allele_frequency: a number, or False for off.
    prefix : path-like
        Writes <prefix>.bed, .bim, .fam.
    samples, variants, counts : path-like
        Writes these tables.
    threads, memory_mb : int
        For PLINK and Python together.

    Raises
    ------
    UserError
        If a filter leaves no sample or no variant.
    """
    bim, people = bed.read_bim(f"{raw}.bim"), np.array(bed.read_fam(f"{raw}.fam"), dtype=object)
    rows = bed.open_bed(f"{raw}.bed", variants=len(bim), samples=len(people))
    by_sample = count_samples(rows, len(people))
    lost = {
        HETEROZYGOSITY: _above(by_sample.heterozygosity, thresholds[KEYS[HETEROZYGOSITY]]),
        SAMPLE_MISSING: _above(by_sample.missing, thresholds[KEYS[SAMPLE_MISSING]]),
    }
    lost[SAMPLE_MISSING] &= ~lost[HETEROZYGOSITY]
    keep = ~(lost[HETEROZYGOSITY] | lost[SAMPLE_MISSING])
    by_variant = count_variants(rows, len(people), keep)
    lost[MINOR_ALLELE] = _rare(by_variant, thresholds[KEYS[MINOR_ALLELE]])
    table = read_table(imported, dtype={"chromosome": str, "variant": str, "ref": str, "alt": str})
    steps = count_steps(table["reason"], len(people), lost, thresholds)
    lacking = read_table(f"{raw}.samples.tsv", dtype={"sample": str}).drop(columns="sample")
    refuse_empty(steps, lacking.sum(), file=f"{raw}.bed")
    plink = {"threads": threads, "memory_mb": memory_mb}
    code = chromosome_codes(chromosomes.names)
    _run_filters(raw, bim, people, lost, thresholds, prefix, code, plink)
    _check_result(prefix, by_variant, ~lost[MINOR_ALLELE])
    write_table(_sample_table(people, by_sample, lacking, lost, thresholds), samples)
    write_table(_variant_table(table, bim, by_variant, lost, thresholds), variants)
    write_table(steps, counts)
    for row in steps.itertuples():
        log.info(
            "%-24s %6d samples, %8d variants left", row.step, row.samples_left, row.variants_left
        )


def _rare(by_variant, threshold):
    """Variants under the frequency; one without any call counts as frequency 0."""
    if threshold is False:
        return np.zeros(len(by_variant.called), dtype=bool)
    return np.nan_to_num(by_variant.minor_allele_frequency) < threshold * (1 - SLACK)


def count_steps(reasons, samples, lost, thresholds):
    """Counts from the raw file to the last filter.

    Parameters
    ----------
    reasons : Series
        `reason` of every input record: an import reason, or missing.
    samples : int
        Samples in the file.
    lost : dict of str to ndarray of bool
        By filter step: the samples, or variants, that it removes.
    thresholds : mapping

    Returns
    -------
    DataFrame
        step, threshold (number, off, or NA), samples_removed, samples_left, variants_removed,
        variants_left.
    """
    steps = [("raw file", None, 0, 0)]
    steps += [(reason, None, 0, int((reasons == reason).sum())) for reason in IMPORT_REASONS]
    for step, removed in lost.items():
        threshold = thresholds[KEYS[step]]
        count = int(removed.sum())
        gone = (0, count) if step == MINOR_ALLELE else (count, 0)
        steps.append((step, "off" if threshold is False else f"{threshold:g}", *gone))
    columns = ["step", "threshold", "samples_removed", "variants_removed"]
    table = pd.DataFrame(steps, columns=columns)
    table.insert(3, "samples_left", samples - table["samples_removed"].cumsum())
    table["variants_left"] = len(reasons) - table["variants_removed"].cumsum()
    return table


def refuse_empty(steps, lacking, *, file):
    """Raise `UserError` naming the first filter that leaves no sample or no variant.

    `lacking` has the calls that the import made missing, by reason: where one stands behind what
    a filter sees, a laxer filter is no help.
    """
    told = "".join(f", {n} {name.replace('_', ' ')}" for name, n in lacking.items() if n)
    mend = "relax this threshold or switch it off"
    if told:
        mend = "see the calls that the import made missing (its log names the first); then, if they"
        mend += " are rightly so, relax this threshold or switch it off"
    for row in steps.itertuples():
        for what, left, removed in (
            ("sample", row.samples_left, row.samples_removed),
            ("variant", row.variants_left, row.variants_removed),
        ):
            if left == 0 and removed:
                before = f"{row.samples_left + row.samples_removed} samples and"
                before += f" {row.variants_left + row.variants_removed} variants before it{told}"
                raise UserError(
                    f"no {what} left after the filter on {row.step} ({row.threshold}; {before})",
                    file=file,
                    at=f"key genotypes.filters.{KEYS[row.step]}",
                    allowed="a filter that leaves some",
                    mend=mend,
                )


def _run_filters(raw, bim, people, lost, thresholds, prefix, code, plink):
    """Filter with PLINK, see that it agrees, put the names back."""
    with scratch(prefix) as folder:
        numbered = write_numbered(bim, len(people), folder, code=code)
        heterozygous = np.flatnonzero(lost[HETEROZYGOSITY])
        (folder / "remove.txt").write_text("".join(f"s{i} s{i}\n" for i in heterozygous))
        flags = ["--remove", folder / "remove.txt"] if len(heterozygous) else []
        most_missing, least_frequent = (
            thresholds[KEYS[SAMPLE_MISSING]],
            thresholds[KEYS[MINOR_ALLELE]],
        )
        if most_missing is not False:
            flags += ["--mind", f"{most_missing:.12g}"]
        if least_frequent:  # 0 removes nothing, and PLINK refuses it
            # By --maf alone PLINK keeps a variant without any call; --geno removes that one.
            flags += ["--maf", f"{least_frequent:.12g}", "--geno", "0.999999999"]
        left = folder / "left"
        run_plink("--bed", f"{raw}.bed", *numbered, *flags, "--make-bed", "--out", left, **plink)
        variants, samples = read_numbers(left)
        kept = np.flatnonzero(~(lost[HETEROZYGOSITY] | lost[SAMPLE_MISSING]))
        if not np.array_equal(samples, kept):
            raise RuntimeError(f"PLINK left {len(samples)} samples where {len(kept)} were counted")
        if not np.array_equal(variants, np.flatnonzero(~lost[MINOR_ALLELE])):
            raise RuntimeError(f"PLINK left {len(variants)} variants, other than those counted")
        left.with_suffix(".bed").replace(f"{prefix}.bed")
    bed.write_bim(bim.iloc[variants], f"{prefix}.bim")
    bed.write_fam(people[samples], f"{prefix}.fam")


def _check_result(prefix, by_variant, kept):
    """Read the result with pandas-plink: ALT counts of evenly spaced variants must be ours."""
    from pandas_plink import read_plink1_bin  # takes a second to import

    files = (f"{prefix}.{suffix}" for suffix in ("bed", "bim", "fam"))
    dosage = read_plink1_bin(*files, ref="a0", verbose=False)
    columns = np.unique(np.linspace(0, kept.sum() - 1, CHECKED_VARIANTS).astype(int))
    found = np.nansum(dosage.data[:, columns].compute(), axis=0)
    if not np.array_equal(found, by_variant.alternate[kept][columns]):
        raise RuntimeError(
            f"pandas-plink reads other ALT counts from {prefix}.bed than were counted"
        )


def _reasons(size, lost, thresholds, steps):
    """Text of each row's reason; None where the row is kept."""
    reasons = np.full(size, None, dtype=object)
    for step in steps:
        sign = "<" if step == MINOR_ALLELE else ">"
        reasons[lost[step]] = f"{step} {sign} {thresholds[KEYS[step]]:g}"
    return reasons


def _sample_table(people, by_sample, lacking, lost, thresholds):
    reasons = _reasons(len(people), lost, thresholds, (HETEROZYGOSITY, SAMPLE_MISSING))
    return pd.DataFrame(
        {
            "sample": people,
            "called": by_sample.called,
            "missing": by_sample.missing,
            "heterozygosity": by_sample.heterozygosity,
            **lacking,
            "kept": np.where(pd.isna(reasons), "yes", "no"),
            "reason": reasons,
        }
    )


def _variant_table(table, bim, by_variant, lost, thresholds):
    """Every input record in the file's order; statistics of those that were imported."""
    statistics = pd.DataFrame(
        {
            "missing": by_variant.missing,
            "maf": by_variant.minor_allele_frequency,
            "rare": _reasons(len(bim), lost, thresholds, (MINOR_ALLELE,)),
        },
        index=bim["variant"],
    )
    imported = table["reason"].isna().to_numpy()
    joined = statistics.reindex(table["variant"].where(imported)).reset_index(drop=True)
    joined.loc[~imported] = np.nan
    result = table.drop(columns=["kept", "reason"]).assign(
        missing=joined["missing"], maf=joined["maf"]
    )
    reasons = table["reason"].where(~imported, joined["rare"])
    return result.assign(kept=np.where(reasons.isna(), "yes", "no"), reason=reasons)
