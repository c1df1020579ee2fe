"""Bringing the genotypes of new lines to a model's variants, REF, ALT and strand.

Two files that name one variant may differ in which allele is REF, in the strand, or in both. From
the four letters one reads which, but for A/T and C/G, whose alleles are each other's complement:
there the file's other variants say which strand it is on, else the allele's frequency.
"""

import dataclasses

import numpy as np
import pandas as pd

from soyfold.genotypes import bed
from soyfold.genotypes.sieve import ABSENT

# Fates of a model's variants. The first four give calls.
USED, SWAPPED = "used", "swapped"
STRAND, STRAND_SWAPPED = "other strand", "other strand, swapped"
AMBIGUOUS, OTHER_ALLELES, MISSING = "ambiguous", "other alleles", "missing"
KNOWN = (USED, SWAPPED, STRAND, STRAND_SWAPPED)
FATES = (*KNOWN, AMBIGUOUS, OTHER_ALLELES, MISSING)
# What told the strand of an ambiguous variant.
BY_FILE, BY_FREQUENCY, AS_GIVEN = "strand of the file", "frequency", "as given"

# Of what the rows of alignment.tsv are.
VARIANTS, RECORDS = "model's variants", "file's records"

FEWEST_VARIANTS = 20  # whose letters tell a strand, before a file is said to have one
ONE_STRAND = 0.99  # share of them on it
FEWEST_LINES = 30  # whose frequencies are compared
CLEAR = 0.1  # least distance of a frequency from 1/2 that tells one allele from the other
_COMPLEMENT = str.maketrans("ACGT", "TGCA")


@dataclasses.dataclass(frozen=True)
class Evidence:
    """What tells strands: the policy, and how often each ALT was seen.

    Attributes
    ----------
    policy : {'infer', 'same', 'drop'}
    panel, new : ndarray (L,)
        Frequency of the panel's ALT, and of the new file's; NaN where it is unknown.
    lines : ndarray (L,) int
        New lines with a call.
    """

    policy: str
    panel: np.ndarray
    new: np.ndarray
    lines: np.ndarray


def complement(alleles):
    """Alleles (Series of str) as the other strand has them; missing for other than A, C, G, T."""
    bases = alleles.str.fullmatch("[ACGT]+")
    return alleles.str[::-1].str.translate(_COMPLEMENT).where(bases)


def match_alleles(ref, alt, new_ref, new_alt):
    """How the alleles of a new file relate to the model's, by their letters alone.

    Parameters
    ----------
    ref, alt, new_ref, new_alt : Series (L,) of str
        `new_ref` is missing where the new file lacks the variant. A `new_alt` of ".", "0" or ""
        is of a file in which no line has the other allele.

    Returns
    -------
    same, swapped, strand, strand_swapped : ndarray (L,) of bool
        More than one where the letters don't tell.
    """
    ref, alt, new_ref, new_alt = (s.str.upper() for s in (ref, alt, new_ref, new_alt))
    alone = new_alt.isin(ABSENT)
    pairs = ((ref, alt), (alt, ref), (complement(ref), complement(alt)))
    pairs += ((pairs[2][1], pairs[2][0]),)
    return [
        ((new_ref == first) & ((new_alt == second) | alone)).to_numpy() for first, second in pairs
    ]


def find_fates(matches, present, evidence):
    """Fate of each of a model's variants.

    Parameters
    ----------
    matches : tuple of ndarray (L,) of bool
        As `match_alleles` gives them.
    present : ndarray (L,) of bool
        Whether the new file has a variant at the place.
    evidence : Evidence

    Returns
    -------
    fate : ndarray (L,) of str
        One of `FATES`.
    told_by : ndarray (L,) of object
        What told the strand of an ambiguous variant that is used; None for others.
    """
    same, swapped, strand, strand_swapped = matches
    unclear = (same | swapped) & (strand | strand_swapped)
    clear = [m & ~unclear for m in matches]
    choices = [~present, unclear, *clear]
    fate = np.select(choices, [MISSING, AMBIGUOUS, *KNOWN], OTHER_ALLELES).astype(object)
    plus, told_by = _tell_strand(clear, unclear, same, evidence)
    # The letters of an ambiguous variant fit both ways on both strands: `same` tells which are REF.
    ways = [plus & same, plus & ~same, ~plus & ~same, ~plus & same]
    told = unclear & (told_by != "")
    fate[told] = np.select(ways, KNOWN, AMBIGUOUS)[told]
    return fate, np.where(told, told_by, None)


def _tell_strand(clear, unclear, same, evidence):
    """For ambiguous variants: whether they are on the model's strand, and what says so."""
    told_by = np.full(len(unclear), "", dtype=object)
    plus = np.ones(len(unclear), dtype=bool)
    if evidence.policy == "drop":
        return plus, told_by
    if evidence.policy == "same":
        told_by[unclear] = AS_GIVEN
        return plus, told_by
    on_plus, on_minus = (int((a | b).sum()) for a, b in (clear[:2], clear[2:]))
    told = on_plus + on_minus
    if told >= FEWEST_VARIANTS and max(on_plus, on_minus) >= ONE_STRAND * told:
        told_by[unclear] = BY_FILE
        plus[:] = on_plus > on_minus
        return plus, told_by
    # Read on the model's strand, the new file's frequency of the model's ALT would be:
    read = np.where(same, evidence.new, 1 - evidence.new)
    sure = [np.abs(f - 0.5) >= CLEAR for f in (evidence.panel, evidence.new)]
    enough = unclear & sure[0] & sure[1] & (evidence.lines >= FEWEST_LINES)
    told_by[enough] = BY_FREQUENCY
    return (read > 0.5) == (evidence.panel > 0.5), told_by


def find_places(panel, new):
    """Row of `new` at the place of each of a model's variants, (L,) int64; -1 where none is."""
    columns = ["chromosome", "position"]
    here = new.loc[new["position"] > 0, columns]
    rows = panel[columns].merge(here.assign(row=here.index), on=columns, how="left", validate="1:1")
    return rows["row"].fillna(-1).to_numpy(dtype=np.int64)


def align_variants(panel, new, *, called, frequency, policy, rows=None):
    """Compare each of a model's variants with that of new genotypes which is the same.

    Parameters
    ----------
    panel : DataFrame
        variant, chromosome, position, ref, alt, frequency: the model's, each place once.
    new : DataFrame
        variant, chromosome, position, ref, alt: the new file's, each place once; index 0 to v - 1.
    called : ndarray (v,) int
        New lines with a call of each of `new`.
    frequency : ndarray (v,)
        Of the new file's ALT among them.
    policy : {'infer', 'same', 'drop'}
        What becomes of A/T and C/G variants.
    rows : ndarray (L,) int, optional
        Which of `new` each variant is, -1 where none; default the one at its place.

    Returns
    -------
    DataFrame
        The panel's keys; new_variant, new_ref, new_alt (missing where there is none); row (int,
        of `new`; -1); fate (one of `FATES`); told_by; calls (of new lines).
    """
    rows = find_places(panel, new) if rows is None else rows
    present = rows >= 0
    table = pair_alleles(panel, new, rows)
    evidence = Evidence(
        policy,
        panel["frequency"].to_numpy(),
        np.append(frequency, np.nan)[rows],  # the last of them for a row of -1
        np.append(called, 0)[rows],
    )
    fate, told_by = find_fates(match_alleles(*_four(table)), present, evidence)
    used = np.isin(fate, KNOWN)
    table = table.assign(
        row=np.where(used, rows, -1),
        fate=fate,
        told_by=told_by,
        calls=np.where(used, evidence.lines, 0),
    )
    keys = ["variant", "chromosome", "position", "ref", "alt"]
    return table[[*keys, "new_variant", "new_ref", "new_alt", "row", "fate", "told_by", "calls"]]


def pair_alleles(panel, new, rows):
    """The panel's keys beside new_variant, new_ref, new_alt of the rows of `new`, missing at -1."""
    beside = new[["variant", "ref", "alt"]].add_prefix("new_").reindex(rows)
    return panel.join(beside.set_axis(panel.index))


def count_fitting(table):
    """How many variants of `pair_alleles` have alleles that fit, in any order, on either strand."""
    return int(np.any(match_alleles(*_four(table)), axis=0).sum())


def _four(table):
    return [table[name].astype("object") for name in ("ref", "alt", "new_ref", "new_alt")]


def aligned_blocks(rows, samples, table, *, cells=1 << 25):
    """Walk over new genotypes in the order, and the alleles, of the model's variants.

    Parameters
    ----------
    rows : ndarray (v, b) uint8
        Packed genotypes of the new file.
    samples : int
    table : DataFrame
        As `align_variants` gives it.
    cells : int
        Genotypes of a block.

    Yields
    ------
    ndarray (variants of a block, samples) int8
        Count of the model's ALT; -1 is missing.
    """
    row = table["row"].to_numpy()
    turned = table["fate"].isin([SWAPPED, STRAND_SWAPPED]).to_numpy()
    step = max(1, cells // max(1, samples))
    for start in range(0, len(row), step):
        own = row[start : start + step]
        counts = np.full((len(own), samples), bed.MISSING, dtype=np.int8)
        known = own >= 0
        counts[known] = bed.unpack(rows[own[known]], samples)
        swap = turned[start : start + step, None] & (counts != bed.MISSING)
        yield np.where(swap, 2 - counts, counts)


def count_alignment(table, records, *, lines, in_panel, match=()):
    """alignment.tsv: what became of the model's variants, the file's records and its lines.

    Parameters
    ----------
    table : DataFrame
        As `align_variants` gives it.
    records : DataFrame
        The import's variants.tsv: every record of the file, kept (yes | no), reason.
    lines, in_panel : int
        Of the file; those that the study has too.
    match : sequence of (str, str, int)
        Further rows: how the variants were found (`matching.Match.rows_of_counts`).

    Returns
    -------
    DataFrame
        of (model's variants | file's records | lines | calls | of `match`), what, count.
    """
    fate, told = table["fate"], table["told_by"]
    kept = int((records["kept"] == "yes").sum())
    rows = [(VARIANTS, "all", len(table))]
    rows += [(VARIANTS, name, int((fate == name).sum())) for name in FATES]
    rows += [
        ("ambiguous variants used", by, int((told == by).sum()))
        for by in (BY_FILE, BY_FREQUENCY, AS_GIVEN)
    ]
    rows += match
    rows += [(RECORDS, "all", len(records))]
    rows += [(RECORDS, why, n) for why, n in records["reason"].value_counts().items()]
    rows += [(RECORDS, "unknown to the model", kept - int(table["new_ref"].count()))]
    rows += [("lines", "all", lines), ("lines", "also in the study", in_panel)]
    calls = int(table["calls"].sum())
    rows += [("calls", "known", calls), ("calls", "missing", len(table) * lines - calls)]
    return pd.DataFrame(rows, columns=["of", "what", "count"])
