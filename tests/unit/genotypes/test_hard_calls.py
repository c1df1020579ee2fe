"""soyfold.genotypes.hard_calls: dosages and probabilities of a VCF without calls, against numpy."""

import numpy as np
import pytest
from genotype_files import CHROMOSOMES, PLINK, write_vcf
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from soyfold.common.errors import UserError
from soyfold.common.files import read_table
from soyfold.genotypes import bed
from soyfold.genotypes.calls import COUNT, UNCERTAIN
from soyfold.genotypes.hard_calls import HardCaller
from soyfold.genotypes.importing import import_genotypes

TEXT = {0: "0/0", 1: "0/1", 2: "1/1", -1: "./."}


def call(form, cells, certainty=0.9):
    """Calls of one record as text, and how many were uncertain."""
    caller = HardCaller([f"s{i}" for i in range(len(cells))], certainty)
    codes = caller.call(form.encode(), "\t".join(cells).encode(), file="x.vcf", line=7)
    return [TEXT[COUNT[code]] for code in codes], (codes == UNCERTAIN).sum()


@hypothesis_settings(max_examples=50)
@given(
    st.lists(st.floats(0, 2), min_size=1, max_size=30),
    st.sampled_from([0.6, 0.8, 0.9, 1.0]),
    st.sampled_from(["{:.3f}", "{!r}", "{:.2e}"]),
)
def test_dosages_go_to_the_nearest_whole_number_or_are_missing(dosages, certainty, form):
    cells = [form.format(d) for d in dosages]
    found, uncertain = call("DS", cells, certainty)
    values = np.array([float(cell) for cell in cells])
    near = np.rint(values)
    sure = np.abs(values - near) <= 1 - certainty + 1e-9
    assert found == [TEXT[int(n)] if ok else "./." for n, ok in zip(near, sure, strict=True)]
    assert uncertain == (~sure).sum()


@hypothesis_settings(max_examples=50)
@given(
    st.lists(st.tuples(*[st.integers(1, 100)] * 3), min_size=1, max_size=20),
    st.sampled_from([0.55, 0.9]),
)
def test_the_likeliest_genotype_is_called_if_it_is_certain(weights, certainty):
    p = np.array(weights) / np.sum(weights, axis=1, keepdims=True)
    p = np.round(p, 3)
    cells = [",".join(f"{x:.3f}" for x in row) for row in p]
    found, uncertain = call("GP", cells, certainty)
    sure = p.max(axis=1) >= certainty - 1e-9
    assert found == [TEXT[int(r.argmax())] if ok else "./." for r, ok in zip(p, sure, strict=True)]
    assert uncertain == (~sure).sum()


def test_fields_missing_haploid_and_which_is_taken():
    found, uncertain = call("DP:DS:GP", ["9:1.98:0,0,1", ".:.:.", "9", "3:0.5:0.9,0.1,0"])
    assert (found, uncertain) == (["1/1", "./.", "./.", "./."], 1)
    assert call("GP", ["0.02,0.98", "1,0", "."]) == (["1/1", "0/0", "./."], 0)


@pytest.mark.parametrize("form", ["DS:GP", "GP:AQ:DS"])
def test_a_haploid_dosage_of_1_is_alt(form):
    """Two probabilities make a call haploid; among three the same dosage is heterozygous."""
    cells = [("1", "0,1"), ("0.04", "0.96,0.04"), ("0.97", "0.03,0.97"), ("0.6", "0.4,0.6"),
             ("1", "0,1,0"), (".", "0,1"), ("1", "."), ("2", "0,0,1")]  # fmt: skip
    parts = [":".join({"DS": d, "GP": p, "AQ": "9"}[k] for k in form.split(":")) for d, p in cells]
    expected = ["1/1", "0/0", "1/1", "./.", "0/1", "1/1", "0/1", "1/1"]
    assert call(form, parts) == (expected, 1)


@pytest.mark.parametrize(
    ("form", "cell", "said"),
    [
        ("DS", "2.3", r"x\.vcf, line 7: found DS in '2\.3' for sample s1; allowed: a dosage"),
        ("DS", "-1", "DS in '-1'"),
        ("DS", "nan", "DS in 'nan'"),
        ("DS", "1e999", "DS in '1e999'"),
        ("DS", "1,0", "DS in '1,0'"),
        ("GP", "0.5,0.1,0.1", "add up to 1"),
        ("GP", "30,0,40", "add up to 1"),
        ("GP", "1,0,0,0", "add up to 1"),
        ("GP", "1,,0", "add up to 1"),
    ],
)
def test_cells_that_are_no_dosages(form, cell, said):
    with pytest.raises(UserError, match=said):
        call(form, ["0" if form == "DS" else "1,0,0", cell])


def imported(folder, records, samples, forms):
    """Counts (v, n) and table of variants of a VCF whose records have these FORMATs."""
    path = write_vcf(folder / "x.vcf", records, samples)
    lines = path.read_text().splitlines()
    for line, form in enumerate(forms, start=2):
        lines[line] = lines[line].replace("\tGT\t", f"\t{form}\t")
    path.write_text("\n".join(lines) + "\n")
    import_genotypes(
        path, settings={"format": "auto", "dosage_certainty": 0.9}, chromosomes=CHROMOSOMES,
        prefix=folder / "raw", variants=folder / "import.tsv", **PLINK,
    )  # fmt: skip
    table = read_table(folder / "import.tsv")
    kept = (table["kept"] == "yes").sum()
    rows = bed.open_bed(folder / "raw.bed", variants=kept, samples=len(samples))
    return bed.unpack(rows, len(samples)), table


def test_an_imputed_vcf_through_the_import(tmp_path):
    """Calls where there are calls, dosages elsewhere; uncertain ones are counted by record."""
    samples = ["a", "b", "c", "d"]
    records = [
        ("1", 10, "m1", "A", "G", ["0.01", "1.03", "1.97", "0.62"]),
        ("2", 20, "m2", "A", "G", ["0/0:2", "0/1:0", "./.:2", "1|1:0"]),
        ("2", 30, "m3", "A", "G,T", ["junk"] * 4),
        ("X", 40, "m4", "A", "G", ["0.5", "0.5", "1.5", "."]),
    ]
    counts, table = imported(tmp_path, records, samples, ["DS", "GT:DS", "DS", "DS"])
    np.testing.assert_array_equal(counts, [[0, 1, 2, -1], [0, 1, -1, 2], [-1] * 4])
    assert table["uncertain_calls"].tolist() == [1, 0, 0, 3]


@pytest.mark.parametrize("last", ["0.97", "1.97", "1:0,1,0"])
def test_a_file_of_dosages_alone_is_haploid_if_none_is_near_2(tmp_path, caplog, last):
    records = [
        ("1", 10, "m1", "A", "G", ["0", "1.0", "0.96", "0.5", "."]),
        ("X", 20, "m2", "A", "G", ["0.04", "0", "1", "1", last]),
    ]
    counts, table = imported(
        tmp_path, records, list("abcde"), ["DS", "DS:GP" if ":" in last else "DS"]
    )
    haploid = last == "0.97"
    alt = 2 if haploid else 1
    expected = [[0, alt, alt, -1, -1], [0, 0, alt, alt, 2 if last == "1.97" else alt]]
    np.testing.assert_array_equal(counts, expected)
    assert table["uncertain_calls"].tolist() == [1, 0]
    assert ("no dosage (DS) is near 2" in caplog.text) == haploid
