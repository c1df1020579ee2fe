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
from soyfold.genotypes.calls import HALF, MISSING, OTHER_LETTERS
from soyfold.genotypes.hapmap import Letters, infer_alleles, on_plus, split_alleles
from soyfold.genotypes.importing import import_genotypes
from soyfold.genotypes.tables import WORDS

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
        (("m", "A/G", "1", 5, "+", ["A", "T"]), r", line 2: found 1 of 2 calls .*'T' for sample b"),
        (("m", "A/G", "1", 5, "+", ["A", "AT"]), r", line 2: found 1 of 2 .*'AT' for sample b\)"),
        (("m", "A=C/G", "1", 5, "+", ["G", "G"]), r", line 2: found alleles 'A=C/G' \(1 of 1"),
        (("m", "A/A", "1", 5, "+", ["A", "A"]), r": found no biallelic variant .*1 no alternate"),
        (("m", "A/G", "1", 5, "x", ["A", "G"]), r", line 2: found strand 'x' \(1 of 1 records"),
        (("m", "A/G", "1", 5, "+", ["A"]), r", line 2: found 12 fields; allowed: 13"),
        (("m", "A/G", "1", "1.5", "+", ["A", "G"]), r", line 2: found position '1.5'"),
        (("m", "A/G", "Chr77", 5, "+", ["A", "G"]), r", line 2: found chromosome 'Chr77'"),
    ],
)
def test_defects_that_are_the_rule_name_their_line(tmp_path, record, said):
    path = write_hapmap(tmp_path / "x.hmp.txt", [record], ["a", "b"])
    with pytest.raises(UserError, match=rf"x\.hmp\.txt{said}"):
        run(path, tmp_path / "out")
    assert list((tmp_path / "out").glob("*")) == []


def test_one_odd_snp_or_call_is_counted(tmp_path):
    samples = [f"s{k}" for k in range(40)]
    good = ["A", "G"] * 20
    records = [(f"m{k}", "A/G", "1", 10 + k, "+", good) for k in range(8)]
    records[1] = ("m1", "A=C/G", "1", 11, "+", good)
    records[2] = ("m2", "A/G", "1", 12, "TOP", good)
    records[3] = ("m3", "A/G", "1", 13, "+", ["T", "V", "AT", *good[3:]])  # other alleles
    records[4] = ("m4", "AT/A", "1", 14, "+", ["AT", "A", "AT/A", "ATA", "AA", *["A"] * 35])
    records[6] = ("m6", "A/G", "1", "16b", "+", good)
    records[7] = ("m7", "A/G", "1", 17, "+", ["C", "T"] * 20)
    records[5] = ("m5", "NA", "1", 15, "+", ["C", "T", "Y", "NN", *["T"] * 36])
    bim, _, counts, table = run(write_hapmap(tmp_path / "x.hmp.txt", records, samples), tmp_path)
    assert table["reason"].dropna().to_dict() == dict.fromkeys([1, 2, 6, 7], "unreadable")
    assert table["not_understood_calls"].tolist() == [0, 0, 0, 3, 0, 0, 0, 0]
    assert bim["variant"].tolist() == ["m0", "m3", "m4", "m5"]
    assert counts[1, :4].tolist() == [-1, -1, -1, 2]
    assert counts[2, :6].tolist() == [0, 2, 1, 1, 2, 2]
    assert bim[["ref", "alt"]].iloc[3].tolist() == ["T", "C"]  # the more frequent one first
    assert counts[3, :5].tolist() == [2, 0, 1, -1, 0]


LEADING = HEADER.split("\t")
ROWS = [["m1", "T/C", "1", "10", "+"], ["m2", "A/G", "2", "20", "-"]]
CALLS = [["TT", "CC", "TC"], ["AA", "NN", "GG"]]


def layout(columns, mark="\t", *, end="\n", quote="", numbered=False, corner=None, tail=""):
    """The same two SNPs as another program writes them."""
    place = {name: k for k, name in enumerate(LEADING[:5])}
    lines = [[*([] if corner is None else [corner]), *columns, "s1", "s2", "s3"]]
    for number, (row, calls) in enumerate(zip(ROWS, CALLS, strict=True), start=1):
        keys = [name.rstrip("#.").lower() + "#" * (name[:2].lower() == "rs") for name in columns]
        cells = [row[place[key]] if key in place else "NA" for key in keys]
        lines.append([*([str(number)] if numbered else []), *cells, *calls])
    return "".join(mark.join(f"{quote}{c}{quote}" for c in cells) + tail + end for cells in lines)


R_NAMES = [name.replace("#", ".") for name in LEADING]


@pytest.mark.parametrize(
    "text",
    [
        layout(LEADING),
        layout(LEADING[:10]),  # without QCcode
        layout(LEADING[:5]),
        layout(LEADING[:4]).replace("A/G", "T/C").replace("AA", "TT").replace("GG", "CC"),
        layout(R_NAMES),
        layout(R_NAMES, quote='"'),
        layout(LEADING, numbered=True),  # R's row names, whose column has no name
        layout(R_NAMES, numbered=True, corner="", quote='"'),
        layout(LEADING, ","),
        layout(R_NAMES, ";", quote='"', numbered=True, corner=""),
        layout(LEADING, " "),
        layout(["pos", "chrom", "cM", "alleles", "strand", "rs#"]),  # other order, one more
        layout(LEADING, end="\r\n", tail="\t\t") + "\t\t\r\n\r\n",
        "##converted\n" + layout(["RS#", *[name.upper() for name in LEADING[1:]]]),
        layout(LEADING) + layout(LEADING[:5] + LEADING[5:]).split("\n")[0] + "\n",  # cat
        "\ufeff" + layout(LEADING),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_columns_are_found_by_name(tmp_path, text, encoding):
    (tmp_path / "x.hmp.txt").write_bytes(text.encode(encoding))
    bim, samples, counts, table = run(tmp_path / "x.hmp.txt", tmp_path)
    assert samples == ["s1", "s2", "s3"] and bim["variant"].tolist() == ["m1", "m2"]
    assert counts.tolist() == [[0, 2, 1], [0, -1, 2]] and (table["kept"] == "yes").all()


def test_what_stands_between_the_columns_is_named(tmp_path, caplog):
    (tmp_path / "x.hmp.txt").write_text(layout([*LEADING[:3], "MAF", *LEADING[3:]]))
    assert run(tmp_path / "x.hmp.txt", tmp_path)[1] == ["s1", "s2", "s3"]
    assert "columns before the samples left out: MAF" in caplog.text
    (tmp_path / "x.hmp.txt").write_text(layout([LEADING[0], *LEADING[2:]]))
    with pytest.raises(UserError, match="header should be, without alleles; allowed: rs# alleles"):
        run(tmp_path / "x.hmp.txt", tmp_path)


def test_a_column_that_holds_no_calls_is_no_sample(tmp_path):
    rows = [(f"m{k}", "A/G", "1", 10 + k, "+", [*["A", "G"] * 20, "0.31"]) for k in range(5)]
    path = write_hapmap(tmp_path / "x.hmp.txt", rows, [*(f"s{k}" for k in range(40)), "MAF"])
    with pytest.raises(UserError, match="no call that is understood in the column MAF; allowed"):
        run(path, tmp_path / "out")


def test_names_in_another_encoding_are_refused(tmp_path):
    (tmp_path / "x.hmp.txt").write_bytes(layout(LEADING).replace("s2", "中黄35").encode("gbk"))
    with pytest.raises(UserError, match=r"x\.hmp\.txt, line 1: .*no UTF-8 .*'中黄35' as GBK"):
        run(tmp_path / "x.hmp.txt", tmp_path)


def test_a_table_of_another_kind(tmp_path):
    path = tmp_path / "x.hmp.txt"
    path.write_text("marker\ta\tb\nm\tA\tG\n")
    with pytest.raises(UserError, match=r"'marker a b' where the header should be, without alle"):
        run(path, tmp_path)


SIGNS = ["", "/", "|", ":", " "]


@given(st.permutations("ACGT"), st.sampled_from("+-"), st.sampled_from(SIGNS), st.booleans())
def test_every_pair_of_alleles_has_its_letter_and_complements(order, strand, sign, lower):
    one, two, three, _ = order
    calls = Letters(one, two)

    def read(text):
        return calls[(text.lower() if lower else text).encode()]

    letter = IUPAC["".join(sorted(one + two))]
    assert read(letter) == read(one + sign + two) == read(two + sign + one) == 1
    assert read(one) == read(one + sign + one) == 0 and read(two + sign + two) == 2
    for mark in ("N", "?", "-", "0", ".", "X"):
        assert read(mark) == read(mark + sign + mark) == MISSING
        for text in (one + sign + mark, mark + sign + two):
            assert read(text) == (MISSING if text in WORDS else HALF)
    for text in ("NA", "n/a", "NoCall", "#N/A", "null", "-9", "", "U"):
        assert calls[text.encode()] == MISSING
    for text in (three, three + sign + three, one + sign + three, "V", 3 * one, "0.3", "#REF!"):
        assert read(text) == OTHER_LETTERS
    ref, alt = on_plus(split_alleles(f"{one}/{two}"), strand)
    turned = {"A": "T", "T": "A", "C": "G", "G": "C"}
    assert (ref, alt) == ((one, two) if strand == "+" else (turned[one], turned[two]))


def test_a_text_that_may_mean_two_genotypes_is_none():
    calls = Letters("A", "AA")
    assert calls[b"A"] == 0 and calls[b"AAAA"] == 2 and calls[b"A/AA"] == 1
    assert calls[b"AA"] == OTHER_LETTERS and calls[b"AAA"] == 1
    indel = Letters("+", "-")
    assert [indel[t] for t in (b"+", b"0", b"-", b"--", b"+-", b"N")] == [0, 1, 2, 2, 1, MISSING]


@pytest.mark.parametrize(
    ("text", "alleles"),
    [
        ("A/G", ["A", "G"]), ("[a/g]", ["A", "G"]), ("AT/A", ["AT", "A"]), ("A|G", ["A", "G"]),
        ("A/T/G", ["A", "T", "G"]), ("+/-", ["+", "-"]), ("A/-", ["A", "-"]), ("T/N", ["T"]),
        ("NA", []), ("N", []), ("", []), ("N/A", []), ("A/A", ["A"]), ("A>G", ["A", "G"]),
        ("AG", ["A", "G"]), ("AA", ["A"]), ("#N/A", []),
    ],
)  # fmt: skip
def test_the_column_of_alleles(text, alleles):
    assert split_alleles(text) == alleles


def test_alleles_of_the_calls_themselves():
    assert infer_alleles(b"AA\tGG\tA/G\tR\tNN\tA\t--") == ["A", "G"]
    assert infer_alleles(b"T\tC\tY\tC\tG") == ["C", "T", "G"]
    assert infer_alleles(b"NN\tN\t--") == []
