"""New lines of which only the variant sites were called: their missing calls mean REF.

Such a file has no REF homozygote, or next to none, where the study's lines have many. Filled as if
nothing were known, its gaps would be drawn towards ALT.
"""

import numpy as np
import pandas as pd

from soyfold.common.logs import log
from soyfold.genotypes import bed
from soyfold.prediction import alignment

# REF homozygotes that must be expected before their lack tells something: of all lines, of one.
FEWEST_EXPECTED, FEWEST_OF_ONE = 10, 20
NAMED = 5  # lines in a warning
LACK = 0.1  # share of those expected, up to which they are lacking
_MEND = (
    "if only variant sites were called, missing means REF, and filling the gaps draws these lines"
    " towards ALT: call them at all of the study's SNPs (gatk GenotypeGVCFs"
    " --include-non-variant-sites, bcftools mpileup -T)"
)


def count_reference(rows, samples, table, frequency):
    """Count each new line's REF homozygotes beside those that the study's lines let expect.

    Alleles are those of the new file: REF is its own, whichever the model's is.

    Parameters
    ----------
    rows : ndarray (v, b) uint8
        Packed genotypes of the new file.
    samples : int
    table : DataFrame
        As `alignment.align_variants` gives it.
    frequency : ndarray (L,)
        Of the model's ALT in the study.

    Returns
    -------
    DataFrame
        A row for each line: calls (known, at the model's variants), reference (REF homozygotes),
        alternate (copies of ALT), expected_reference and expected_alternate: those of so many calls
        at the study's frequencies and the line's own inbreeding, 1 less its heterozygous calls per
        those of random mating.
    """
    turned = table["fate"].isin([alignment.SWAPPED, alignment.STRAND_SWAPPED]).to_numpy()
    of_ref = np.where(turned, frequency, 1 - frequency)
    calls, reference, mixed, alternate, homozygous, unlike, expected = np.zeros((7, samples))
    start = 0
    for block in alignment.aligned_blocks(rows, samples, table):
        here = slice(start, start := start + len(block))
        known, f = block != bed.MISSING, of_ref[here]
        own = np.where(turned[here, None] & known, 2 - block, block)
        calls += known.sum(axis=0)
        reference += (own == 0).sum(axis=0)
        mixed += (own == 1).sum(axis=0)
        alternate += np.where(known, own, 0).sum(axis=0)
        homozygous += f**2 @ known
        unlike += f * (1 - f) @ known
        expected += 2 * (1 - f) @ known
    inbreeding = np.clip(1 - mixed / np.maximum(2 * unlike, 1e-9), 0, 1)
    return pd.DataFrame(
        {
            "calls": calls,
            "reference": reference,
            "alternate": alternate,
            "expected_reference": homozygous + inbreeding * unlike,
            "expected_alternate": expected,
        }
    )


def warn_of_variant_sites(counts, lines, *, file):
    """Warn of lines that lack REF homozygotes.

    Parameters
    ----------
    counts : DataFrame
        As `count_reference` gives it.
    lines : list of str
    file : path-like

    Returns
    -------
    str or None
        How to mend it, where lines were warned of.
    """
    total = counts.sum()
    if _lack(total, FEWEST_EXPECTED):
        who = f"all {len(lines)} lines together"
    else:
        lacking = _lack(counts, FEWEST_OF_ONE).to_numpy()
        if not lacking.any():
            return None
        names = np.array(lines, dtype=object)[lacking]
        more = ", ..." if len(names) > NAMED else ""
        who = f"{len(names)} of {len(lines)} lines ({', '.join(names[:NAMED])}{more})"
        total = counts[lacking].sum()
    log.warning(
        "WARNING %s: %s have %d REF homozygotes in %d known calls, where the study's frequencies"
        " let %d be expected; ALT makes %.0f %% of their alleles, of the study's %.0f %%;"
        " %s",
        *(file, who, total["reference"], total["calls"], total["expected_reference"]),
        *(50 * total[name] / total["calls"] for name in ("alternate", "expected_alternate")),
        _MEND,
    )
    return _MEND


def _lack(counts, fewest):
    expected = counts["expected_reference"]
    return (expected >= fewest) & (counts["reference"] <= LACK * expected)
