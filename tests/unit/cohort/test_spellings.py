"""Ids of one line in two spellings: joined where that is safe, one to one; else shown."""

import unicodedata

import pandas as pd
import pytest
from cohort_files import PREFIXES, sample_table, trait_row, write_text
from hypothesis import given, settings
from hypothesis import strategies as st

from soyfold.cohort.joins import identify
from soyfold.cohort.spellings import differ_in, near_pairs, safe_keys
from soyfold.cohort.traits import join_trait
from soyfold.common.errors import UserError

NO_MAP = pd.Series(dtype=object)


def join(ids, samples, removed=()):
    """Sample, reason and nearest by id."""
    table = identify(ids, sample_table(samples, removed), prefixes=PREFIXES, id_map=NO_MAP)
    return table.set_index("phenotype_id")[["sample", "how", "nearest"]]


@pytest.mark.parametrize(
    ("written", "sample", "why"),
    [
        ("2048.0", "2048", "a whole number's .0"),
        ("2048", "02048", "a whole number's .0 or zeros"),
        ("X2048", "2048", "R's X before a digit"),
        ("DS11.02002", "DS11-02002", "dots or other separators"),
        ("DS11 02002", "DS11_02002", "dots or other separators"),
        ("DS11\N{EN DASH}02002", "DS11-02002", "look alike"),
        ("IA\N{NO-BREAK SPACE}3023", "IA 3023", "can't be seen"),
        ("IA3023\N{ZERO WIDTH SPACE}", "IA3023", "can't be seen"),
        ("\N{CYRILLIC CAPITAL LETTER A}\N{CYRILLIC CAPITAL LETTER VE}12", "AB12", "look alike"),
        (unicodedata.normalize("NFD", "Größe"), "Größe", "can't be seen"),
        ("ia3023", "IA3023", "upper and lower case"),
        ("PI.417479.B", "PI417479B", "accession"),
        ("X1024.0", "1024", "a whole number's .0"),
    ],
)
def test_one_line_in_two_spellings_is_joined_with_the_reason(written, sample, why):
    found = join([written, "other"], [sample, "elsewhere"])
    assert found.loc[written, "sample"] == sample
    assert why in found.loc[written, "how"]
    assert found.loc["other", "sample"] is None


@pytest.mark.parametrize(
    ("ids", "samples", "removed"),
    [
        (["12.3", "12_3"], ["12-3"], []),  # two ids
        (["12.3", "12-3"], ["12-3"], []),  # one of them is the sample
        (["12.3"], ["12-3", "12_3"], []),  # two samples
        (["12.3"], ["12-3"], ["12_3"]),  # one of them removed
        (["PI417479"], ["PI417479B"], []),  # a suffix is another accession
        (["PI 12-3"], ["PI 123"], []),
        (["2048.5"], ["2048"], []),
        (["S01"], ["SO1"], []),
    ],
)
def test_what_is_not_one_to_one_or_differs_in_more_is_not_joined(ids, samples, removed):
    found = join(ids, samples, removed)
    assert found["sample"].dropna().tolist() == [name for name in ids if name in samples]


NAMES = st.lists(
    st.text(st.sampled_from("ABab01-_. "), min_size=1, max_size=6).filter(str.strip),
    min_size=1, max_size=12, unique=True,
)  # fmt: skip


@settings(max_examples=50)
@given(NAMES, NAMES)
def test_spelling_joins_one_id_to_one_sample_and_never_takes_an_equal_ones(ids, samples):
    found = join(ids, samples)
    by_spelling = found[found["how"].str.startswith("by the id, but")]
    assert by_spelling["sample"].is_unique
    assert not set(by_spelling["sample"]) & {name.strip() for name in ids}
    keys = safe_keys(pd.Series([*ids, *samples]), PREFIXES)
    same = dict(zip([*ids, *samples], keys, strict=True))
    for written, sample in by_spelling["sample"].items():
        assert same[written] == same[sample]
        assert differ_in(written, sample)


@settings(max_examples=50)
@given(st.text(min_size=1).filter(str.strip))
def test_a_safe_key_is_its_own_key(text):
    once = safe_keys(pd.Series([text]), PREFIXES)
    twice = safe_keys(once, PREFIXES)
    assert safe_keys(twice, PREFIXES).equals(twice)  # an X may come to stand before a digit once


@pytest.mark.parametrize(
    ("written", "sample", "why"),
    [
        ("PI5484O2", "PI548402", "a letter for a digit"),
        ("DS1102002", "DS11-02002", "separators left out"),
        ("1.00E+05", "1E05", "taken for a number"),
        ("100000", "1E05", "taken for a number"),
        ("Mar-01", "3-1", "taken for a date"),
        ("1-Mar", "MARCH1", "taken for a date"),
        ("2026-03-01", "3-1", "taken for a date"),
        ("2001-03-01", "MAR1", "taken for a date"),
        ("Gr\N{REPLACEMENT CHARACTER}n", "Grün", "letters lost to an encoding"),
        ("DS11-02002", "DS11-02002_DS11-02002", "more in one name"),
        ("DS11-02002", "DS11-02002.sorted.bam", "more in one name"),
    ],
)
def test_near_ids_are_shown_with_the_likely_cause(written, sample, why):
    found = join([written, "Hutcheson"], [sample, "Williams"])
    assert found["sample"].isna().all()
    told = found.loc[written, "nearest"]
    assert told.startswith(f"{sample} (") and why in told
    assert found.loc["Hutcheson", "nearest"] is None


def test_neighbours_are_not_shown_as_near():
    """Running numbers differ in one digit, accessions in a suffix: that says nothing."""
    ids = pd.Series(["PI548401", "PI417479A", "PI 12-3", "DS11-02002", "3-1", "2048"])
    samples = pd.Series(["PI548402", "PI417479B", "PI 123", "DS11-02003", "1-3", "2049"])
    assert near_pairs(ids, samples, PREFIXES) == {}


def rows(pairs):
    return "id,protein\n" + "".join(f"{name},{value}\n" for name, value in pairs)


def test_a_join_tells_what_it_joined_and_what_is_near(tmp_path, caplog):
    """Half of the ids became decimal numbers, two have a letter for a digit."""
    samples = [str(2048 + k) if k % 2 else f"DS12-0{3000 + k}" for k in range(40)]
    ids = [f"{name}.0" if k % 2 else name for k, name in enumerate(samples)]
    for k in (0, 2):
        ids[k] = ids[k].replace("-0", "-O")
    row = trait_row(write_text(tmp_path / "p.csv", rows(zip(ids, range(40), strict=True))))
    settings = {"prefixes": PREFIXES, "id_map": NO_MAP, "minimum_lines": 10}
    values, report = join_trait(row, sample_table(samples), **settings)
    expected = {name: float(k) for k, name in enumerate(samples) if k not in (0, 2)}
    assert values.set_index("sample")["value"].to_dict() == expected
    assert report["nearest"].dropna().tolist() == [
        f"{samples[k]} (a letter for a digit)" for k in (0, 2)
    ]
    # What `rule_log` shows on the terminal too.
    first, second = (text for text in caplog.messages if text.startswith("WARNING "))
    assert "20 lines joined by the id, but for a whole number's .0" in first
    assert "'2049.0' is '2049'" in first
    assert "2 ids without a genotype are near" in second and "'DS12-O3000' beside" in second


def test_a_hopeless_join_shows_the_nearest_names(tmp_path):
    row = trait_row(write_text(tmp_path / "p.csv", rows((f"line{k}", k) for k in range(40))))
    samples = sample_table([f"sample_line{k}x" for k in range(40)])
    with pytest.raises(UserError, match=r"nearest: 'line0' beside sample_line0x"):
        join_trait(row, samples, prefixes=PREFIXES, id_map=NO_MAP, minimum_lines=10)
