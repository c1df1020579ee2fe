"""Alignment of new genotypes: whatever way a file writes the same lines, they come out the same."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soyfold.genotypes import bed
from soyfold.genotypes.counts import count_variants
from soyfold.prediction import alignment
from soyfold.prediction.alignment import align_variants, aligned_blocks, complement

CLEAR = [("A", "G"), ("C", "T"), ("T", "G"), ("C", "A")]
UNCLEAR = [("A", "T"), ("G", "C")]
FLIP = dict(zip("ACGT", "TGCA", strict=True))


def make_panel(size, *, unclear=(), frequency=None, seed=0):
    """Variants on two chromosomes; the alleles of those in `unclear` fit both strands."""
    random = np.random.default_rng(seed)
    pairs = [(UNCLEAR if i in unclear else CLEAR)[random.integers(2)] for i in range(size)]
    chromosome = np.where(np.arange(size) < size // 2, "Gm01", "Gm02")
    return pd.DataFrame(
        {
            "variant": [f"s{i}" for i in range(size)],
            "chromosome": chromosome,
            "position": np.arange(size) * 100 + 7,
            "ref": [ref for ref, _ in pairs],
            "alt": [alt for _, alt in pairs],
            "frequency": random.uniform(0.1, 0.35, size) if frequency is None else frequency,
            "most_frequent": 0,
        }
    )


def draw_dosage(panel, lines, *, seed=0, missing=0.1):
    """Counts (variants, lines) of ALT by the panel's frequencies; some missing."""
    random = np.random.default_rng(seed)
    counts = random.binomial(2, panel["frequency"].to_numpy()[:, None], (len(panel), lines))
    counts[random.random(counts.shape) < missing] = bed.MISSING
    return counts.astype(np.int8)


def rewrite(panel, counts, *, swap=(), flip=(), order=None):
    """The same lines as another file has them: alleles swapped, on the other strand, reordered."""
    new, counts = panel[["variant", "chromosome", "position", "ref", "alt"]].copy(), counts.copy()
    for i in swap:
        new.loc[i, ["ref", "alt"]] = new.loc[i, ["alt", "ref"]].to_numpy()
        counts[i] = np.where(counts[i] == bed.MISSING, bed.MISSING, 2 - counts[i])
    for i in flip:
        new.loc[i, ["ref", "alt"]] = [FLIP[a] for a in new.loc[i, ["ref", "alt"]]]
    order = np.arange(len(panel)) if order is None else np.asarray(order, dtype=int)
    return new.iloc[order].reset_index(drop=True), counts[order]


def align(panel, new, counts, policy="infer"):
    """What comes out: the table, and counts in the panel's order and alleles."""
    rows, lines = bed.pack(counts), counts.shape[1]
    seen = count_variants(rows, lines)
    called = {"called": seen.called, "frequency": seen.frequency}
    table = align_variants(panel, new, **called, policy=policy)
    return table, np.concatenate(list(aligned_blocks(rows, lines, table, cells=5 * lines)))


SUBSETS = st.lists(st.integers(0, 23), unique=True)


@settings(max_examples=60)
@given(swap=SUBSETS, flip=SUBSETS, order=st.permutations(range(24)))
def test_swaps_strands_and_order_change_nothing(swap, flip, order):
    panel = make_panel(24)
    counts = draw_dosage(panel, 7)
    table, aligned = align(panel, *rewrite(panel, counts, swap=swap, flip=flip, order=order))
    np.testing.assert_array_equal(aligned, counts)
    expected = [alignment.KNOWN[(i in swap) + 2 * (i in flip)] for i in range(24)]
    assert table["fate"].tolist() == expected


@settings(max_examples=30)
@given(lost=SUBSETS, order=st.permutations(range(24)))
def test_lost_variants_are_missing_and_counted(lost, order):
    panel = make_panel(24)
    counts = draw_dosage(panel, 7)
    kept = [i for i in order if i not in lost]
    table, aligned = align(panel, *rewrite(panel, counts, order=kept))
    np.testing.assert_array_equal(aligned[sorted(kept)], counts[sorted(kept)])
    assert (aligned[lost] == bed.MISSING).all()
    assert (table["fate"] == alignment.MISSING).sum() == len(lost)
    assert table["calls"].sum() == (aligned != bed.MISSING).sum()


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("lines", [1, 50])
def test_a_files_strand_tells_that_of_ambiguous_variants(flipped, lines):
    """One line is enough where the file's other variants are all on one strand."""
    panel = make_panel(40, unclear=(3, 30, 31))
    counts = draw_dosage(panel, lines)
    new = rewrite(panel, counts, flip=range(40) if flipped else (), swap=(30,))
    table, aligned = align(panel, *new)
    np.testing.assert_array_equal(aligned, counts)
    assert (table["told_by"] == alignment.BY_FILE).sum() == 3


def test_frequencies_tell_strands_in_a_file_of_mixed_strands():
    frequency = np.full(40, 0.2)
    frequency[31] = 0.47  # close to a half: nothing can tell
    panel = make_panel(40, unclear=(3, 30, 31), frequency=frequency)
    counts = draw_dosage(panel, 200)
    new = rewrite(panel, counts, flip=range(0, 40, 3), swap=(30,))
    table, aligned = align(panel, *new)
    known = np.arange(40) != 31
    np.testing.assert_array_equal(aligned[known], counts[known])
    assert table.loc[[3, 30], "told_by"].eq(alignment.BY_FREQUENCY).all()
    assert table.loc[31, "fate"] == alignment.AMBIGUOUS and (aligned[31] == bed.MISSING).all()


def test_few_lines_of_mixed_strands_tell_nothing():
    panel = make_panel(40, unclear=(3, 30))
    counts = draw_dosage(panel, alignment.FEWEST_LINES - 1, missing=0)
    table, _ = align(panel, *rewrite(panel, counts, flip=range(0, 40, 3)))
    assert table.loc[[3, 30], "fate"].eq(alignment.AMBIGUOUS).all()


@pytest.mark.parametrize(("policy", "used"), [("same", 2), ("drop", 0)])
def test_policies_for_ambiguous_variants(policy, used):
    panel = make_panel(40, unclear=(3, 30))
    counts = draw_dosage(panel, 3)
    table, aligned = align(panel, *rewrite(panel, counts, flip=range(0, 30, 2)), policy=policy)
    assert (table["fate"] == alignment.AMBIGUOUS).sum() == 2 - used
    if policy == "same":
        np.testing.assert_array_equal(aligned, counts)
        assert table.loc[[3, 30], "told_by"].eq(alignment.AS_GIVEN).all()


def test_other_alleles_are_no_calls():
    panel = make_panel(10)
    counts = draw_dosage(panel, 4)
    new, counts = rewrite(panel, counts)
    new.loc[2, "alt"] = "AT"
    new.loc[5, ["ref", "alt"]] = ["B", "R"]
    table, aligned = align(panel, new, counts)
    assert table.index[table["fate"] == alignment.OTHER_ALLELES].tolist() == [2, 5]
    assert (aligned[[2, 5]] == bed.MISSING).all()


def test_a_file_in_which_no_line_has_the_other_allele():
    """PLINK writes allele 0, VCFs ALT `.`, where all lines of a small file are alike."""
    panel = make_panel(6)
    new = panel[["variant", "chromosome", "position", "ref", "alt"]].copy()
    new.loc[0, ["ref", "alt"]] = [panel.ref[0], "0"]
    new.loc[1, ["ref", "alt"]] = [panel.alt[1], "."]
    new.loc[2, ["ref", "alt"]] = [FLIP[panel.alt[2]], "."]
    table, aligned = align(panel, new, np.zeros((6, 3), np.int8))
    assert table["fate"].tolist()[:3] == ["used", "swapped", "other strand, swapped"]
    assert aligned[:3].tolist() == [[0] * 3, [2] * 3, [2] * 3]


def test_complement_of_what_is_no_base_is_unknown():
    told = complement(pd.Series(["A", "ACG", "N", "B", None], dtype=object))
    assert told[:2].tolist() == ["T", "CGT"] and told[2:].isna().all()


def test_counts_add_up():
    panel = make_panel(24, unclear=(1,))
    counts = draw_dosage(panel, 6)
    new, rows = rewrite(panel, counts, swap=(0, 4), order=range(3, 24))
    new = pd.concat([new, new.iloc[[0]].assign(position=99_999)], ignore_index=True)
    table, aligned = align(panel, new, np.vstack([rows, rows[:1]]))
    records = new.assign(kept="yes", reason=None)
    told = alignment.count_alignment(table, records, lines=6, in_panel=2)
    count = told.set_index(["of", "what"])["count"]
    fates = count["model's variants"]
    assert fates["all"] == 24 == fates.drop("all").sum()
    assert fates["missing"] == 3 and fates["swapped"] == 1
    assert count["file's records", "unknown to the model"] == 1
    assert count["calls", "known"] == (aligned != bed.MISSING).sum()
    assert count["calls"].sum() == 24 * 6
