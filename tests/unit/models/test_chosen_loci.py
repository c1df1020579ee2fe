"""Loci are chosen one after the other by their scores, unless they are copies: literally so."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from soyfold.models.chosen_loci import choose_loci


def literal(dosage, scores, count, independence):
    taken, copies = [], 0
    for snp in sorted(range(len(scores)), key=lambda k: -scores[k]):
        if scores[snp] == 0 or dosage[:, snp].std() == 0 or len(taken) == count:
            continue
        r = [abs(np.corrcoef(dosage[:, snp], dosage[:, other])[0, 1]) for other in taken]
        if max(r, default=0) > independence:
            copies += 1
        else:
            taken.append(snp)
    return taken, copies


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 20), st.floats(0.1, 0.99))
def test_the_choice_is_the_literal_one(seed, count, independence):
    rng = np.random.default_rng(seed)
    dosage = rng.integers(0, 3, (25, 18)).astype(np.int8)
    dosage[:, 9:] = dosage[:, :9]
    dosage[rng.integers(0, 25, 9), np.arange(9, 18)] = 1  # nearly copies
    dosage[:, 3] = 2
    scores = rng.permutation(18) / 17.0
    loci, copies = choose_loci(dosage, scores, count=count, independence=independence)
    wanted, left_out = literal(dosage, scores, count, independence)
    assert loci.tolist() == wanted
    # Copies of the last that is taken are counted by both, those beyond it by neither of need.
    assert copies >= left_out if len(wanted) == count else copies == left_out
