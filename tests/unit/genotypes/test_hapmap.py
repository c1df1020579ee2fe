"""hapmap: TASSEL's HapMap tables against calls written out by hand and a VCF's."""

import gzip

import numpy as np
import pytest
from genotype_files import CHROMOSOMES, PLINK, random_counts, write_vcf
from hypothesis import given
from hypothesis import strategies as st

from soyfold.common.errors import UserError
from soyfold.common.files import read_table
from soyfold.genotypes import bed
from soyfold.genotypes.hapmap import call_table, split_alleles
from soyfold.genotypes.importing import import_genotypes

HEADER = (
    "rs#\talleles\tchrom\tpos\tstrand\tassembly#\tcenter\tprotLSID\tassayLSID\tpanelLSID\tQCcode"
)
IUPAC = {"AG": "R", "CT": "Y", "CG": "S", "AT": "W", "GT": "K", "AC": "M"}


def write_hapmap(path, records, samples):
    """A record is (name, alleles, chromosome, position, strand, cells)."""
    lines = ["\t".join([HEADER, *samples])]
    for name, alleles, chromosome, position, strand, cells in records:
        lines.append(
            "\t".join([name, alleles, chromosome, str(position), strand, *["NA"] * 6, *cells])
        )
    text = ("\n".join(lines) + "\n").encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


def run(file, folder):
    """Import; returns bim, samples, counts of ALT, table of input records."""
    folder.mkdir(exist_ok=True)
    import_genotypes(
        file, settings={"format": "auto"}, chromosomes=CHROMOSOMES, prefix=folder / "raw",
        variants=folder / "import.tsv", **PLINK,
    )  # fmt: skip
    bim, samples = bed.read_bim(folder / "raw.bim"), bed.read_fam(folder / "raw.fam")
    rows = bed.open_bed(folder / "raw.bed", variants=len(bim), samples=len(samples))
    table = read_table(folder / "import.tsv", dtype={"ref": str, "alt": str})
    return bim, samples, bed.unpack(rows, len(samples)), table


def test_one_letter_two_letters_missing_strands_and_indels(tmp_path):
    samples = ["a", "b", "c", "d"]
    records = [
        ("m1", "A/G", "1", 10, "+", ["A", "R", "G", "N"]),
        ("m2", "G/A", "chr01", 20, "+", ["AA", "GA", "AG", "NN"]),
        ("m3", "A/G", "1", 30, "-", ["A", "R", "G", "NA"]),
        ("m4", "+/-", "2", 40, "+", ["+", "0", "-", "N"]),
        ("m5", "A/C", "2", 50, ".", ["-", "--", "", "."]),
        ("m6", "c/t", "X", 60, "NA", ["c", "y", "T", "CC"]),
    ]
    bim, found, counts, table = run(
        write_hapmap(tmp_path / "x.hmp.txt", records, samples), tmp_path / "out"
    )
    assert found == samples and bim["variant"].tolist() == [r[0] for r in records]
    assert bim["ref"].tolist() == ["A", "G", "T", "+", "A", "C"]
    assert bim["alt"].tolist() == ["G", "A", "C", "-", "C", "T"]
    expected = [[0, 1, 2, -1], [2, 1, 1, -1], [0, 1, 2, -1], [0, 1, 2, -1], [-1] * 4, [0, 1, 2, 0]]
    np.testing.assert_array_equal(counts, expected)
    assert (table["uncertain_calls"] == 0).all()


def test_a_hapmap_gives_what_the_vcf_of_the_same_calls_gives(tmp_path):
    counts, samples = random_counts(30, 6), [f"s{i}" for i in range(6)]
    alleles = [("A", "C"), ("G", "A"), ("T", "G"), ("C", "G")]
    vcf, hapmap = [], []
    for k, row in enumerate(counts):
        ref, alt = alleles[k % 4]
        contig = ("1", "2", "X")[k % 3]
        het = IUPAC["".join(sorted(ref + alt))]
        letters = {0: ref, 1: het, 2: alt, -1: "N"}
        pairs = {0: 2 * ref, 1: alt + ref, 2: 2 * alt, -1: "NN"}
        cells = [(letters, pairs)[k % 2][int(c)] for c in row]
        vcf.append((contig, 10 + k, f"m{k}", ref, alt, row))
        hapmap.append((f"m{k}", f"{ref}/{alt}", contig, 10 + k, "+", cells))
    first = run(write_vcf(tmp_path / "x.vcf", vcf, samples), tmp_path / "one")
    second = run(write_hapmap(tmp_path / "x.hmp.txt.gz", hapmap, samples), tmp_path / "two")
    assert first[0].equals(second[0]) and first[1] == second[1] and first[3].equals(second[3])
    np.testing.assert_array_equal(first[2], second[2])


def test_what_is_dropped_is_counted(tmp_path):
    records = [
        ("keep", "A/G", "1", 10, "+", ["A", "G"]),
        ("three", "A/G/T", "1", 20, "+", ["A", "K"]),
        ("one", "A", "1", 30, "+", ["A", "A"]),
        ("far", "A/G", "scaffold_3", 40, "+", ["A", "G"]),
    ]
    _, _, counts, table = run(write_hapmap(tmp_path / "x.hmp.txt", records, ["a", "b"]), tmp_path)
    assert counts.tolist() == [[0, 2]]
    assert table["reason"].fillna("").tolist() == [
        "", "multiallelic", "no alternate allele", "other contigs",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (("m", "A/G", "1", 5, "+", ["A", "T"]), r"line 2: found 'T' for sample b; allowed: .*R"),
        (("m", "A/G", "1", 5, "+", ["A", "AT"]), r"line 2: found 'AT' for sample b"),
        (("m", "AC/G", "1", 5, "+", ["G", "G"]), r"line 2: found alleles 'AC/G'"),
        (("m", "A/A", "1", 5, "+", ["A", "A"]), r"line 2: found alleles 'A/A'"),
        (("m", "A/G", "1", 5, "x", ["A", "G"]), r"line 2: found strand 'x'"),
        (("m", "A/G", "1", 5, "+", ["A"]), r"line 2: found 12 fields; allowed: 13"),
        (("m", "A/G", "1", "1.5", "+", ["A", "G"]), r"line 2: found position '1.5'"),
        (("m", "A/G", "Chr77", 5, "+", ["A", "G"]), r"line 2: found chromosome 'Chr77'"),
    ],
)
def test_defects_name_their_line(tmp_path, record, said):
    path = write_hapmap(tmp_path / "x.hmp.txt", [record], ["a", "b"])
    with pytest.raises(UserError, match=rf"x\.hmp\.txt, {said}"):
        run(path, tmp_path / "out")
    assert list((tmp_path / "out").glob("*")) == []


def test_a_table_of_another_kind(tmp_path):
    path = tmp_path / "x.hmp.txt"
    path.write_text("marker\ta\tb\nm\tA\tG\n")
    with pytest.raises(UserError, match=r"line 1: found 'marker a b' where the header should be"):
        run(path, tmp_path)


@given(st.permutations("ACGT"), st.sampled_from("+-"))
def test_every_pair_of_alleles_has_its_letter_and_complements(order, strand):
    one, two = order[:2]
    calls = call_table(one, two)
    letter = IUPAC["".join(sorted(one + two))].encode()
    assert calls[letter] == calls[(one + two).encode()] == calls[(two + one).encode()] == b"0/1"
    assert calls[one.encode()] == b"0/0" and calls[2 * two.encode()] == b"1/1"
    ref, alt = split_alleles(f"{one}/{two}", strand)
    assert (ref, alt) == (
        (one, two)
        if strand == "+"
        else tuple({"A": "T", "T": "A", "C": "G", "G": "C"}[a] for a in (one, two))
    )
