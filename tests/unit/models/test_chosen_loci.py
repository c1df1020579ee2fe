"""Loci are chosen one after the other, by score or along the genome, unless they are copies."""

from unittest import mock

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soyfold.models import chosen_loci
from soyfold.models.chosen_loci import choose_loci, independent_loci


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


def along_the_genome(dosage, chromosome, bound):
    """Greedily and literally, and of each SNP that is left out the first that it copies."""
    taken, copied = [], {}
    for snp in np.flatnonzero(dosage.std(0)):
        before = [other for other in taken if chromosome[other] == chromosome[snp]]
        r = [abs(np.corrcoef(dosage[:, snp], dosage[:, other])[0, 1]) for other in before]
        if max(r, default=0) > bound:
            copied[snp] = before[int(np.argmax(r))]
        else:
            taken.append(snp)
    return taken, copied


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 0.97), st.sampled_from([1, 4, 512]))
def test_loci_along_the_genome_are_the_literal_ones(seed, bound, size):
    rng = np.random.default_rng(seed)
    walk = rng.integers(0, 3, (30, 1)) + np.cumsum(rng.random((30, 19)) < 0.08, axis=1)
    dosage = (walk % 3).astype(np.int8)
    dosage[:, 6] = 2
    chromosome = np.repeat(["Gm02", "Gm01", "Gm03"], [7, 1, 11])
    with mock.patch.object(chosen_loci, "BLOCK", size):
        found = independent_loci(dosage, chromosome, bound=bound)
    taken, copied = along_the_genome(dosage, chromosome, bound)
    assert np.flatnonzero(found).tolist() == taken
    assert len(taken) + len(copied) == 18 and all(one < snp for snp, one in copied.items())


def test_chromosomes_are_looked_at_each_by_itself():
    one = np.random.default_rng(0).integers(0, 3, (40, 1))
    dosage = np.hstack([one, one, 2 - one, one]).astype(np.int8)
    found = independent_loci(dosage, np.array(["a", "a", "a", "b"]), bound=0.94)
    assert found.tolist() == [True, False, False, True]


@pytest.mark.real_data
def test_yeast_has_as_many_as_others_count(real_data):
    table = pd.read_csv(real_data / "yeast/genotypes.txt.gz", sep="\t", index_col="marker")
    chromosome = table.index.str.split("_").str[1].to_numpy()
    dosage = 2 * (table.to_numpy().T == "R").astype(np.int8)
    assert independent_loci(dosage, chromosome, bound=0.94).sum() == 1144
