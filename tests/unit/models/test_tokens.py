"""Tokens: windows never cross a chromosome, and no SNP is lost."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_study import CHROMOSOMES

from soyfold.common.errors import UserError
from soyfold.models.tokens import make_layout

sizes = st.lists(st.integers(0, 40), min_size=1, max_size=6).filter(any)


@given(sizes=sizes, width=st.integers(1, 50))
def test_windows_never_cross_a_chromosome_and_keep_every_snp(sizes, width):
    codes = np.repeat(np.arange(len(sizes)), sizes)
    layout = make_layout(codes, [f"c{i}" for i in range(len(sizes))], width=width)
    # Every SNP lies in a token of its own chromosome ...
    assert np.array_equal(layout.chromosome[layout.token], codes)
    # ... at a place of its own, neighbours side by side ...
    assert len(np.unique(layout.place)) == len(codes)
    assert np.all(np.diff(layout.place) > 0)
    assert layout.slot.max() < layout.width == min(width, max(sizes))
    # ... and each chromosome has as few windows as can hold it, all full but the last.
    counts = np.bincount(layout.chromosome, minlength=len(sizes))
    assert np.array_equal(counts, [-(-size // width) for size in sizes])
    filled = np.bincount(layout.token)
    last = np.append(np.diff(layout.chromosome) > 0, True)
    assert np.all(filled[~last] == width) and np.all(filled >= 1)


def test_one_snp_a_token_is_a_window_of_one():
    layout = make_layout([0, 0, 2], CHROMOSOMES)
    assert layout.n_tokens == layout.n_snps == 3
    assert layout.chromosome.tolist() == [0, 0, 2]


def test_scattered_chromosomes_are_refused():
    with pytest.raises(UserError, match="sorted by chromosome"):
        make_layout([0, 1, 0], CHROMOSOMES, width=2)


def test_no_snps_are_refused():
    with pytest.raises(UserError, match="no SNPs"):
        make_layout([], CHROMOSOMES)
