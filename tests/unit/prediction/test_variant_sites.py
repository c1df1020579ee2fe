"""soyfold.prediction.variant_sites: whether new lines lack the REF calls that they must have."""

import numpy as np
import pandas as pd
import pytest

from soyfold.genotypes import bed
from soyfold.prediction import alignment
from soyfold.prediction.variant_sites import count_reference, warn_of_variant_sites

SNPS, LINES = 60, 6


def draw(*, inbreeding, seed=0):
    """A study's frequencies, and new lines' counts of ALT of that inbreeding."""
    rng = np.random.default_rng(seed)
    frequency = rng.uniform(0.2, 0.8, SNPS)
    first, second = rng.random((2, SNPS, LINES)) < frequency[:, None]
    alike = rng.random((SNPS, LINES)) < inbreeding
    return frequency, np.where(alike, 2 * first, first.astype(int) + second).astype(np.int8)


def check(frequency, counts, *, swapped=False):
    """Counts of the lines, and what is warned of; `swapped`: the file's REF is the study's ALT."""
    fate = alignment.SWAPPED if swapped else alignment.USED
    table = pd.DataFrame({"row": np.arange(SNPS), "fate": fate})
    told = count_reference(bed.pack(counts), counts.shape[1], table, frequency)
    return told, warn_of_variant_sites(told, [f"s{i}" for i in range(LINES)], file="new.vcf")


@pytest.mark.parametrize("inbreeding", [0, 0.5, 1])
@pytest.mark.parametrize("swapped", [False, True])
def test_calls_of_variant_sites_alone_are_told(inbreeding, swapped, caplog):
    frequency, counts = draw(inbreeding=inbreeding)
    told, mend = check(1 - frequency if swapped else frequency, counts, swapped=swapped)
    assert mend is None
    assert told["reference"].sum() == (counts == 0).sum()
    assert told["expected_reference"].sum() == pytest.approx((counts == 0).sum(), rel=0.2)
    assert told["expected_alternate"].sum() == pytest.approx(counts.sum(), rel=0.2)
    only = np.where(counts == 0, bed.MISSING, counts)
    told, mend = check(1 - frequency if swapped else frequency, only, swapped=swapped)
    assert "missing means REF" in mend
    share = 50 * only[only > 0].sum() / (only > 0).sum()
    assert "all 6 lines together have 0 REF homozygotes" in caplog.text
    assert f"ALT makes {share:.0f} % of their alleles" in caplog.text


def test_single_lines_are_named(caplog):
    frequency, counts = draw(inbreeding=1)
    counts[counts[:, 2] == 0, 2] = bed.MISSING
    frequency[:] = 0.4  # 0.6 of the calls of a line are expected to be REF
    assert check(frequency, counts)[1] is None or "s2" in caplog.text
    counts[:, 2] = 2
    assert check(frequency, counts)[1]
    assert "1 of 6 lines (s2) have 0 REF homozygotes in 60 known calls" in caplog.text


def test_few_calls_and_files_of_ref_alone_are_no_reason():
    frequency, counts = draw(inbreeding=1)
    assert check(frequency, np.zeros_like(counts))[1] is None
    few = np.full_like(counts, bed.MISSING)
    few[:2] = 2
    assert check(frequency, few)[1] is None
    assert check(frequency, np.full_like(counts, bed.MISSING))[1] is None
