"""Accession keys: every spelling of one accession is one key, and no two accessions share one."""

import string
import time

import pandas as pd
import pytest
from cohort_files import PREFIXES
from hypothesis import given
from hypothesis import strategies as st

from soyfold.cohort.accessions import accession_keys, split_accessions

SUFFIXES = st.one_of(
    st.just(""),
    st.sampled_from(string.ascii_uppercase),
    st.integers(0, 99).map(lambda n: f"-{n}"),
    st.tuples(st.sampled_from("ABC"), st.integers(1, 9)).map(lambda t: f"{t[0]}-{t[1]}"),
)
ACCESSIONS = st.tuples(st.sampled_from(PREFIXES), st.integers(0, 10**7), SUFFIXES)
GAPS = st.sampled_from(["", " ", "_", "  "])


def key(text):
    return accession_keys([text], PREFIXES).iloc[0]


@st.composite
def spellings(draw, accession):
    prefix, number, suffix = accession
    prefix = draw(st.sampled_from([prefix, prefix.lower()]))
    zeros = "0" * draw(st.integers(0, 3))
    text = f"{prefix}{draw(GAPS)}{zeros}{number}{draw(GAPS)}{suffix}"
    return draw(st.sampled_from([text, f" {text} "]))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("PI 548402", "PI548402"),
        ("PI054613", "PI54613"),
        ("FC001547", "FC 1547"),
        ("PI 417479 B", "PI417479B"),
        ("PI407999-1", "PI 407999 -1"),
        ("pi_417479_b", "PI 417479 B"),
    ],
)
def test_spellings_of_one_accession(one, other):
    assert key(one) == key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("PI417479A", "PI417479B"),
        ("PI417479", "PI417479A"),
        ("PI407999-1", "PI407999-2"),
        ("PI407999-0", "PI407999"),
        ("PI407999-1", "PI4079991"),
        ("PI1547", "FC1547"),
        ("PI 12-3", "PI 123"),
    ],
)
def test_accessions_that_are_never_one(one, other):
    assert key(one) != key(other)


@given(st.data(), ACCESSIONS, ACCESSIONS)
def test_keys_are_equal_only_for_one_accession(data, one, other):
    keys = [key(data.draw(spellings(accession))) for accession in (one, other)]
    assert (keys[0] == keys[1]) == (one == other)


@given(st.data(), ACCESSIONS)
def test_a_key_is_its_own_key(data, accession):
    first = key(data.draw(spellings(accession)))
    assert key(first) == first


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1))
def test_other_ids_stay_as_they_are(text):
    parts = split_accessions([text], PREFIXES).iloc[0]
    if pd.isna(parts["prefix"]):
        assert key(text) == text.strip()
    else:
        assert text.strip(" _").upper().startswith(tuple(PREFIXES))


def test_only_the_prefixes_of_the_study_are_keyed():
    ids = ["DS11-02002", "Parent_PI-398-881", "FC 01", "PIONEER 9", "A01_01"]
    assert accession_keys(ids, ["PI"]).tolist() == ids
    assert accession_keys(["PI 01"], []).tolist() == ["PI 01"]
    assert accession_keys([], PREFIXES).tolist() == []


def test_twenty_thousand_ids_take_well_under_a_second():
    ids = [f"PI {number:06d} A" for number in range(20_000)]
    started = time.perf_counter()
    assert accession_keys(ids, PREFIXES).is_unique
    assert time.perf_counter() - started < 1
