"""markers: tables of codes or letters, whose places stand in names or in columns."""

import gzip

import numpy as np
import pytest
from genotype_files import CHROMOSOMES, PLINK, random_counts

from soyfold.common.errors import UserError
from soyfold.common.files import read_table
from soyfold.genotypes import bed
from soyfold.genotypes.calls import HALF, MISSING, OTHER_CODE
from soyfold.genotypes.importing import import_genotypes
from soyfold.genotypes.markers import Codes

NAMED = {
    "format": "marker_table",
    "marker_name": r"\d+_(?P<chromosome>chr\d+)_(?P<position>\d+)_(?P<ref>\w)_(?P<alt>\w)",
    "codes": {"B": 0, "R": 2},
}
COUNTED = {"format": "marker_table", "codes": {-1: 0, 0: 1, 1: 2}}


def run(folder, text, settings):
    """Import; returns bim, samples, counts of ALT, table of input records."""
    path = folder / "x.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    import_genotypes(
        path, settings=settings, chromosomes=CHROMOSOMES, prefix=folder / "raw",
        variants=folder / "import.tsv", **PLINK,
    )  # fmt: skip
    bim, samples = bed.read_bim(folder / "raw.bim"), bed.read_fam(folder / "raw.fam")
    rows = bed.open_bed(folder / "raw.bed", variants=len(bim), samples=len(samples))
    return bim, samples, bed.unpack(rows, len(samples)), read_table(folder / "import.tsv")


def refused(folder, text, match, settings=NAMED):
    """Assert that the import fails with `match` and leaves nothing behind."""
    with pytest.raises(UserError, match=match) as error:
        run(folder, text, settings)
    assert "\n" not in str(error.value)
    assert [path.name for path in folder.iterdir()] == ["x.txt"]


TWO = [["9_chr10_70_T_C", "R", "B", "NA"], ["1_chr01_27_A_G", "B", "B", "R"]]


def table(rows, corner="marker", mark="\t", quote=""):
    head = [] if corner is None else [corner]
    lines = [[*head, "s1", "s2", "s3"], *rows]
    return "".join(mark.join(f"{quote}{c}{quote}" for c in line) + "\n" for line in lines)


@pytest.mark.parametrize(
    "text",
    [
        table(TWO),
        gzip.compress(gzip.compress(table(TWO).encode())),
        table(TWO, corner=None),  # R's write.table, whose row names have no name
        table(TWO, corner="", quote='"'),  # col.names=NA
        table(TWO, mark=","),
        table(TWO, "marker", ";", '"'),
        table(TWO, "marker", " "),
        table(TWO).replace("\n", "\t\t\r\n") + "\t\r\n\r\n",
        table(TWO).replace("\tB", "\tb").replace("\tNA", "\t??"),
        "#%platform=Axiom\n# 3 lines\n" + table(TWO, "probeset_id"),
        table(TWO) + table([]),  # joined by cat
        table(TWO).encode("utf-16"),
    ],
)
def test_one_table_however_it_is_written(tmp_path, text):
    bim, samples, counts, _ = run(tmp_path, text, NAMED)
    assert bim["chromosome"].tolist() == ["chrI", "chrX"] and samples == ["s1", "s2", "s3"]
    assert bim["variant"].tolist() == ["1_chr01_27_A_G", "9_chr10_70_T_C"]
    assert bim[["ref", "alt"]].to_numpy().tolist() == [["A", "G"], ["T", "C"]]
    assert counts.tolist() == [[0, 0, 2], [2, 0, -1]]


COLUMNS = "marker chrom pos alleles s1 s2 s3"


@pytest.mark.parametrize(
    ("header", "row", "settings", "alleles"),
    [
        (COLUMNS, "m 1 5 A/G AA AG NN", {}, "AG"),
        (COLUMNS, "m 1 5 NA A A/G N", {}, "AG"),
        ("SNP Chromosome Position REF ALT s1 s2 s3", "m 1 5 A G A R ?", {}, "AG"),
        ("marker chrom pos ref alt cM s1 s2 s3", "m 1 5 a g 0.2 -1 0 NA", COUNTED, "AG"),
        ("marker chrom pos s1 s2 s3", "m 1 1e0 -1 0.0 NA", COUNTED, ("REF", "ALT")),  # rrBLUP
        ("marker chrom pos s1 s2 s3", "r1 m 1 5 -1 0 NA", COUNTED, ("REF", "ALT")),
    ],
)
def test_places_and_alleles_in_columns(tmp_path, header, row, settings, alleles):
    text = f"{header}\n{row}\n".replace(" ", "\t")
    bim, samples, counts, _ = run(tmp_path, text, {"format": "marker_table"} | settings)
    assert samples == ["s1", "s2", "s3"] and counts.tolist() == [[0, 1, -1]]
    assert bim["chromosome"].tolist() == ["chrI"] and bim["variant"].tolist() == ["m"]
    assert tuple(bim[["ref", "alt"]].iloc[0]) == tuple(alleles)


def test_a_marker_or_a_cell_that_is_odd_is_counted(tmp_path):
    counts = random_counts(30, 20, missing=0)
    counts[counts == 1] = 2
    rows = [[f"1_chr01_{10 + k}_A_G", *("BxR"[c] for c in row)] for k, row in enumerate(counts)]
    rows[3][0] = "control"
    rows[5][4] = "Q"
    text = "".join("\t".join(row) + "\n" for row in [["m", *(f"s{k}" for k in range(20))], *rows])
    _, _, found, listed = run(tmp_path, text, NAMED)
    counts[5, 3] = -1
    assert np.array_equal(found, np.delete(counts, 3, axis=0))
    assert listed["reason"].dropna().to_dict() == {3: "unreadable"}
    assert listed["not_understood_calls"].to_numpy().nonzero()[0].tolist() == [5]


@pytest.mark.parametrize(
    ("line", "match"),
    [
        ("1_chr01_28_A_G\tB\tQ", "line 3: found 1 of 4 calls .* first 'Q' for sample s2.*codes"),
        ("1_chr01_28_A_G\tB", "line 3: found 2 fields; allowed: 3.*last line, where the file may"),
        ("1_chr01_28_A_G\tB\nc", "line 3: found 2 fields; allowed: 3 .*a cell for each column"),
        ("chr01-28\tB\tR\nc\tB\tR", r"line 3: found marker 'chr01-28' \(2 of 3 records"),
    ],
)
def test_what_is_the_rule_is_refused(tmp_path, line, match):
    refused(tmp_path, f"marker\ts1\ts2\n1_chr01_27_A_G\tB\tR\n{line}\n", match)


def test_rows_narrower_than_their_header_are_not_called_cut_off(tmp_path):
    match = "line 2: found 3 fields; allowed: 4 fields, as in the header; to mend: give each column"
    refused(tmp_path, "marker\ts1\ts2\ts3\n1_chr01_27_A_G\tB\tR\n", match)


def test_tables_that_lie_on_their_side_or_have_no_places(tmp_path):
    sideways = "taxa\t1_chr01_27_A_G\t1_chr01_28_A_G\ns1\tB\tR\n"
    refused(tmp_path, sideways, "markers in the header .*a row for each marker.*transpose")
    numeric = "taxa\tm1\tm2\ns1\t0\t2\n"  # of GAPIT, whose places stand in a map
    match = "no column chromosome or position before the samples.*transposed first"
    refused(tmp_path, numeric, match, {"format": "marker_table", "codes": {0: 0, 2: 2}})


def test_names_in_another_encoding_are_refused(tmp_path):
    text = table(TWO).replace("s2", "Größe").encode("latin-1")
    refused(tmp_path, text, "x.txt, line 1: .*no UTF-8 .*'Größe' as Windows-1252")


def test_codes_before_marks():
    codes = Codes({"A": 0, "H": 1, "b": 2, "B": 1, "-": 2, 3: 0})
    cells = (b"A", b"a", b" H ", b"b", b"B", b"-", b"3.0", b"N", b"./.", b"2", b"0.5", b"")
    found = [codes[cell] for cell in cells]
    odd, missing = OTHER_CODE, MISSING
    assert found == [0, 0, 1, 2, 1, 2, 0, missing, missing, odd, odd, missing]


def test_letters_of_homozygotes_in_pairs():
    codes = Codes({"B": 0, "R": 2})
    cells = (b"B/B", b"b|R", b"RR", b"N/R", b"N/N", b"B/Q", b"BRB")
    assert [codes[cell] for cell in cells] == [0, 1, 2, HALF, MISSING, OTHER_CODE, OTHER_CODE]
    numbers = Codes({0: 0, 1: 1, 2: 2})  # 0/1 may be of alleles: it isn't read
    assert [numbers[cell] for cell in (b"0/1", b"22", b"0/0")] == [OTHER_CODE] * 3
    assert [numbers[cell] for cell in (b"N/N", b"./.", b"NN", b"#N/A")] == [MISSING] * 4
