"""soyfold.genotypes.calls: what each cell of a VCF says, cell by cell and by whole records."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from soyfold.genotypes.calls import (
    BEYOND_ALT,
    HALF,
    MISSING,
    PLACEHOLDER,
    PLOIDY,
    UNREADABLE,
    UNSEPARATED,
    WITHOUT_READS,
    grammar,
    read_alleles,
    read_calls,
    split_alternates,
)

SNP = (0, 1)


@pytest.mark.parametrize(
    ("codes", "texts"),
    [
        ([0, 0, 0, 0, 0], ["0/0", "0|0", "0", "|0|0", " 0/0 "]),
        ([1, 1, 1], ["0/1", "1|0", "/0/1"]),
        ([2, 2], ["1/1", "1"]),
        ([MISSING] * 6, ["./.", ".|.", ".", "", "./././.", "."]),
        ([HALF] * 3, ["./1", "0|.", "1/."]),
        ([BEYOND_ALT] * 4, ["2/2", "0/2", "3", "./2"]),
        ([PLOIDY] * 4, ["0/0/0/0", "0/0/1/1", "0|1|1", "./0/1/1"]),
        ([UNSEPARATED] * 5, ["01", "00", "11", "10", "0011"]),
        ([UNREADABLE] * 7, ["NA/NA", "A/G", "NN", "-", "-1/-1", "0/", "0,1"]),
    ],
)
def test_a_call_is_understood_or_named_for_what_it_is(codes, texts):
    assert [read_alleles(text.encode(), SNP) for text in texts] == codes


@pytest.mark.parametrize(
    ("ref", "alt", "real", "codes"),
    [
        # calls 0/0, 0/1, 1/1, 0/2, 2/2, 1/2
        ("A", "G,<NON_REF>", "G", [0, 1, 2, PLACEHOLDER, PLACEHOLDER, PLACEHOLDER]),
        ("A", "<*>,G", "G", [0, PLACEHOLDER, PLACEHOLDER, 1, 2, PLACEHOLDER]),
        ("A", "G,*", "G", [0, 1, 2, PLACEHOLDER, PLACEHOLDER, PLACEHOLDER]),
        ("A", "<NON_REF>", ".", [0, PLACEHOLDER, PLACEHOLDER, *[BEYOND_ALT] * 3]),
        ("A", "A", ".", [0, PLACEHOLDER, PLACEHOLDER, *[BEYOND_ALT] * 3]),
        ("A", ".", ".", [0, *[BEYOND_ALT] * 5]),
        ("A", "G,T", "G,T", [0, 1, 2, 1, 2, 2]),
        ("A", "<DEL>", "<DEL>", [0, 1, 2, *[BEYOND_ALT] * 3]),
    ],
)
def test_placeholders_go_and_the_real_allele_stays(ref, alt, real, codes):
    found, roles = split_alternates(ref, alt)
    calls = [b"0/0", b"0/1", b"1/1", b"0/2", b"2/2", b"1/2"]
    assert (found, [read_alleles(call, roles) for call in calls]) == (real, codes)


@pytest.mark.parametrize(
    ("form", "reads", "none"),
    [
        ("GT:DP", ["0/0:1", "0/0:.", "0/0", "0/0:10"], ["0/0:0", "1/1:0"]),
        ("GT:NR", ["0/0:3"], ["0/0:0"]),
        ("GT:PL", ["0/0:0,27,300", "0/0:.", "0/0:0,0,5", "0/0:0"], ["0/0:0,0,0", "0/1:0,0"]),
        ("GT:GL", ["0/0:0,-3,-30", "0/0:-0.1,-2,-9"], ["0/0:0.00,0.00,0.00", "0/0:-0,-0,-0"]),
        ("GT:AD", ["0/0:9,0", "0/0:0,8", "0/0:0", "0/0:."], ["0/0:0,0", "0/0:0,0,0"]),
        ("GT:AD:DP:GQ", ["0/0:0,0:3:9", "0/0:0,0:3:."], ["0/0:0,0:.:9", "0/0:0,0:3:0"]),
        ("GT:DP:PL", ["0/0:4:0,12,99"], ["0/0:4:0,0,0", "0/0:0:0,12,99"]),
        ("GQ:DP:GT", ["0:4:0/0"], ["0:0:0/0"]),
        # imputed, whatever the reads
        ("GT:DS:DP", ["0/0:0.1:0"], []),
        ("GT:DP:GP", ["0/0:0:1,0,0"], []),
        # a VCF of an array has no reads to tell of
        ("GT:GQ", ["0/0:0"], []),
    ],
)
def test_a_call_without_reads_is_missing(form, reads, none):
    rules = grammar(form.encode(), SNP)
    assert all(rules[cell.encode()] < MISSING for cell in reads)
    assert all(rules[cell.encode()] == WITHOUT_READS for cell in none)
    missing = re.sub(r"\d/\d", "./.", (reads + none)[-1])
    assert rules[missing.encode()] == MISSING


GTS = ["0/0", "0/1", "1|1", "./.", ".", "0", "1", "", "./1", "2/2", "01", "0/0/1", "NA", "|0|1"]
NUMBERS = [
    "0",
    "7",
    "10",
    ".",
    "",
    "0,0",
    "9,0",
    "0,9",
    "0,0,0",
    "0,27,300",
    "0.0,0.0,0.0",
    "-0,-0",
]
NUMBERS += ["-0.0,-1", "0,-3,-9", "0.01,2,3"]
FORMS = ["GT", "GT:DP", "GT:AD:DP:GQ:PL", "DP:GT", "GT:GL:NR", "GT:DS:DP", "PL:AD:GT:GQ"]


@st.composite
def records(draw):
    """FORMAT, alternates and more cells than are read one by one."""
    form = draw(st.sampled_from(FORMS))
    cell = st.tuples(
        *(st.sampled_from(GTS if key == "GT" else NUMBERS) for key in form.split(":")),
        st.integers(1, 9),  # parts at a cell's end may be left out
    ).map(lambda parts: ":".join(parts[: min(parts[-1], len(parts) - 1)]))
    few = draw(st.lists(cell, min_size=1, max_size=12))
    return form, draw(st.sampled_from(["G", "G,<*>", "*,G", "."])), few


@hypothesis_settings(max_examples=150)
@given(records())
def test_whole_records_give_what_their_cells_give(record):
    form, alt, few = record
    rules = grammar(form.encode(), split_alternates("A", alt)[1])
    cells = few * (100 // len(few) + 1)
    found = read_calls("\t".join(cells).encode(), rules, len(cells))
    assert found.tolist() == [rules[cell.encode()] for cell in cells]


def test_cells_of_one_width_and_of_many(monkeypatch):
    cells = ["0/0", "1/1", "./.", "0|1"] * 50
    rules = grammar(b"GT", SNP)
    plain = read_calls("\t".join(cells).encode(), rules, 200)
    assert np.bincount(plain).tolist() == [50, 50, 50, 50]
    monkeypatch.setattr(type(rules), "__missing__", None)  # none is read by itself
    assert np.array_equal(read_calls("\t".join(cells).encode(), rules, 200), plain)
    ragged = "\t".join([*cells[:-1], "1"])
    assert read_calls(ragged.encode(), rules, 200).tolist() == [*plain[:-1], 2]
