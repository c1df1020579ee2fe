"""importing: what a VCF, bed or marker table becomes, and every defect it may have."""

import gzip

import numpy as np
import pytest
from genotype_files import CHROMOSOMES, PLINK, SETTINGS, random_counts, write_vcf

from soyfold.common.errors import UserError
from soyfold.common.files import read_table
from soyfold.genotypes import bed
from soyfold.genotypes.importing import import_genotypes
from soyfold.genotypes.sources import check_settings, file_format

SAMPLES = ["a_1", "PI1", "Ω", "d-4"]


def run(file, folder, settings=SETTINGS):
    """Import `file`; returns bim, samples, counts of ALT, table of input records."""
    import_genotypes(
        file, settings=settings, chromosomes=CHROMOSOMES, prefix=folder / "raw",
        variants=folder / "import_variants.tsv", **PLINK,
    )  # fmt: skip
    bim, samples = bed.read_bim(folder / "raw.bim"), bed.read_fam(folder / "raw.fam")
    rows = bed.open_bed(folder / "raw.bed", variants=len(bim), samples=len(samples))
    table = read_table(folder / "import_variants.tsv", dtype={"ref": str, "alt": str})
    return bim, samples, bed.unpack(rows, len(samples)), table


def refused(file, folder, match, settings=SETTINGS):
    """Assert that the import fails with `match` and leaves nothing behind."""
    out = folder / "out"
    with pytest.raises(UserError, match=match) as error:
        run(file, out, settings)
    assert "\n" not in str(error.value)
    assert list(out.glob("**/*")) == []


GOOD = [
    ("chr10", 500, "c", "A", "G", [0, 1, 2, -1]),
    ("1", 300, ".", "AT", "A", [2, 2, 0, 0]),
    ("chrII", 700, "dup", "C", "T", [0, 0, 0, 1]),
    ("chrII", 200, "dup", "C", "N", [1, 1, -1, 2]),
]


@pytest.mark.parametrize(("name", "end"), [("x.vcf", "\n"), ("x.vcf.gz", "\n"), ("x.vcf", "\r\n")])
def test_names_order_direction_and_ids(tmp_path, name, end):
    bim, samples, counts, _ = run(write_vcf(tmp_path / name, GOOD, SAMPLES, end=end), tmp_path)
    assert samples == SAMPLES
    assert bim["chromosome"].tolist() == ["chrI", "chrII", "chrII", "chrX"]
    assert bim["position"].tolist() == [300, 200, 700, 500]
    assert bim["variant"].tolist() == ["chrI_300", "chrII_200", "dup", "c"]
    assert bim["alt"].tolist() == ["A", "N", "T", "G"]
    assert bim["ref"].tolist() == ["AT", "C", "C", "A"]
    assert counts.tolist() == [GOOD[i][5] for i in (1, 3, 2, 0)]


def test_half_haploid_phased_and_annotated_calls(tmp_path):
    calls = ["./1:9", "1:3", "1|0:4", "."]
    path = write_vcf(tmp_path / "x.vcf", [("1", 5, "m", "A", "G", calls)], SAMPLES)
    path.write_text(path.read_text().replace("\tGT\t", "\tGT:DP\t"))
    assert run(path, tmp_path)[2].tolist() == [[-1, 2, 1, -1]]


def test_what_is_dropped_is_listed(tmp_path):
    records = [
        ("scaffold_21", 5, "s", "A", "G", [0] * 4),
        ("chrM", 0, "m", "A", "G", [0] * 4),
        ("1", 10, "keep", "A", "G", [0, 1, 2, -1]),
        ("1", 20, "comma", "A", "G,T", [0] * 4),
        ("1", 30, "first", "A", "G", [0] * 4),
        ("1", 30, "second", "A", "T", [0] * 4),
        ("1", 40, "none", "A", ".", [0] * 4),
        ("1", 50, "symbol", "A", "<DEL>", [0] * 4),
        ("1", 0, "no_place", "A", "G", [0] * 4),
        ("0", 60, "no_chromosome", "A", "G", [0] * 4),
        ("NA", "NA", "neither", "A", "G", [0] * 4),
        ("1", 70, "no_ref", "0", "G", [0] * 4),
    ]
    bim, _, counts, table = run(write_vcf(tmp_path / "x.vcf", records, SAMPLES), tmp_path)
    assert bim["variant"].tolist() == ["keep"] and counts.tolist() == [[0, 1, 2, -1]]
    assert table["variant"].tolist() == [record[2] for record in records]
    assert table["reason"].fillna("").tolist() == [
        "other contigs", "unplaced", "", "multiallelic", "multiallelic", "multiallelic",
        "no alternate allele", "no alternate allele", "unplaced", "unplaced", "unplaced",
        "no alternate allele",
    ]  # fmt: skip
    assert (table["kept"] == "yes").tolist() == table["reason"].isna().tolist()


def test_a_bed_gives_what_its_vcf_gives(tmp_path):
    counts = random_counts(30, 7)
    place = np.random.default_rng(1).permutation(30)
    records = [(("X", "1", "chr02")[i % 3], 10 + i, f"m{i}", "A", "G", counts[i]) for i in place]
    records.insert(3, ("scaffold_1", 4, "other", "A", "G", [0] * 7))
    samples = [f"s{i}" for i in range(7)]
    first = run(write_vcf(tmp_path / "x.vcf", records, samples), tmp_path)
    rows = [[r[0], r[2], "0", str(r[1]), r[4], r[3]] for r in records]
    (tmp_path / "y.bim").write_text("".join("\t".join(row) + "\n" for row in rows))
    (tmp_path / "y.fam").write_text("".join(f"F{s} {s} {s} 0 1 -9\n" for s in samples))
    bed.write_bed(bed.pack(np.array([record[5] for record in records])), tmp_path / "y.bed")
    second = run(tmp_path / "y.bed", tmp_path)
    assert first[0].equals(second[0]) and first[1] == second[1]
    assert np.array_equal(first[2], second[2]) and first[3].equals(second[3])


def test_a_bim_of_another_converter(tmp_path):
    """Five columns, places and alleles that aren't known, chromosomes in the ids alone."""
    counts = random_counts(4, 7)
    bed.write_bed(bed.pack(counts), tmp_path / "y.bed")
    (tmp_path / "y.fam").write_text("".join(f"s{i} 0 0 1 -9\n" for i in range(7)))
    rows = ["1 a 10 G A", "0 b 20 G A", "1 c 0 G A", "1 d -5 0 A"]
    (tmp_path / "y.bim").write_text("\n".join(rows) + "\n")
    bim, samples, found, table = run(tmp_path / "y.bed", tmp_path)
    assert bim["variant"].tolist() == ["a"] and samples == [f"s{i}" for i in range(7)]
    assert np.array_equal(found, counts[:1])
    assert table["reason"].fillna("").tolist() == ["", "unplaced", "unplaced", "unplaced"]
    (tmp_path / "y.bim").write_text(
        "".join(f"0 chr0{2 - k % 2}:{k} {k} G A\n" for k in range(1, 5))
    )
    bim, _, found, table = run(tmp_path / "y.bed", tmp_path)
    assert bim["chromosome"].tolist() == ["chrI", "chrI", "chrII", "chrII"]
    assert np.array_equal(found, counts[[0, 2, 1, 3]]) and (table["kept"] == "yes").all()
    (tmp_path / "y.bim").write_text("".join(f"0 ss{k} 0 {k} G A\n" for k in range(1, 5)))
    refused(
        tmp_path / "y.bed", tmp_path, "no place of any of 4 variants .*write each variant's own"
    )


def test_settings_are_checked_before_the_file():
    assert file_format("a/B.VCF.GZ") == "vcf" and file_format("b.bed") == "bed"
    with pytest.raises(UserError, match=r"genotypes\.format"):
        file_format("b.txt")
    with pytest.raises(UserError, match="bcftools view"):
        file_format("b.bcf")
    whole = {"file": "m.txt", "format": "marker_table"}
    assert check_settings(whole) == "marker_table"
    for pattern, match in (
        ("(?P<chromosome>.)", "without position, ref, alt"),
        ("(", "marker_name"),
    ):
        with pytest.raises(UserError, match=match):
            check_settings({**whole, "marker_name": pattern})


@pytest.mark.parametrize(
    ("records", "samples", "match"),
    [
        (GOOD, ["a", "b", "a", "d"], r"line 2: found 1 sample ids twice: a;"),
        (GOOD, ["a", "b c", "0", "d"], r"2 sample ids with spaces, empty, 0 or NA: 'b c', '0'"),
        ([], SAMPLES, "no records"),
        (
            [*GOOD, GOOD[0]],
            SAMPLES,
            r"x\.vcf: found 1 variants twice: chrX 500 A G \(line 3, line 7\)",
        ),
        (
            [("Chr21", 5, ".", "A", "G", [0] * 4)],
            SAMPLES,
            r"line 3: found chromosome 'Chr21', which no",
        ),
        (
            [("chrXVII", 5, ".", "A", "G", [0] * 4)],
            SAMPLES,
            r"chromosome 'chrXVII'.*chromosomes.tsv",
        ),
        ([("NC_1.1", 5, ".", "A", "G", [0] * 4)], SAMPLES, r"chromosome 'NC_1.1', which no alias"),
        (
            [("1", 1_000_001, ".", "A", "G", [0] * 4)],
            SAMPLES,
            r"line 3: .*1000001 on chrI; allowed: 1 to",
        ),
        (
            [("1", 0, ".", "A", "G", [0] * 4)],
            SAMPLES,
            r"no place of any of 1 variants \(the first, '\.': chromosome 'chrI', position 0; 0 is",
        ),
        (
            [("1", "1.5", ".", "A", "G", [0] * 4)],
            SAMPLES,
            r"line 3: found position '1\.5' \(1 of 1 records can't be read\); allowed: base",
        ),
        (
            [*GOOD, ("1", 9, ".", "A", "G", [0] * 3)],
            SAMPLES,
            "line 7: found 12 fields; allowed: 13",
        ),
        ([("1", 9, ".", "A", "G,T", [0] * 4)], SAMPLES, r"no biallelic variant .*1 multiallelic"),
        (
            [*GOOD, ("1", 9, ".", "A", "G", ["x/y"] * 4)],
            SAMPLES,
            r"line 7: found 4 of 20 calls .*\(4 of other signs; first 'x/y' for sample a_1\)",
        ),
    ],
)
def test_vcf_defects(tmp_path, records, samples, match):
    refused(write_vcf(tmp_path / "x.vcf", records, samples), tmp_path, match)


def test_vcf_without_genotypes_or_header(tmp_path):
    path = write_vcf(tmp_path / "x.vcf", GOOD, SAMPLES)
    text = path.read_text()
    path.write_text(text.replace("\tGT\t", "\tDP\t"))
    refused(
        path, tmp_path, "line 3: found 16 of 16 calls .*16 of records without GT.*first 'FORMAT DP'"
    )
    path.write_text("\n".join(line for line in text.split("\n") if not line.startswith("#CHROM")))
    refused(path, tmp_path, "line 2: .*where the header's last line should be")
    path.write_text("##fileformat=VCFv4.2\n")
    refused(path, tmp_path, "no #CHROM line")
    path.write_text("")
    refused(path, tmp_path, "an empty file")
    refused(tmp_path / "absent.vcf", tmp_path, "absent.vcf: found no such file")


def test_truncated_gzip(tmp_path):
    path = write_vcf(tmp_path / "x.vcf.gz", GOOD, SAMPLES)
    whole = path.read_bytes()
    path.write_bytes(whole[:-12])
    refused(path, tmp_path, "x.vcf.gz, after line .*gzip file that is cut off or damaged")
    path.write_bytes(whole[:40] + b"\xff\xff\xff\xff" + whole[44:])
    refused(path, tmp_path, "cut off or damaged")


def test_bgzip_cut_between_two_blocks(tmp_path):
    """A whole block is a whole gzip file: only the end marker tells that lines are lost."""
    text = write_vcf(tmp_path / "x.vcf", GOOD, SAMPLES).read_bytes()
    packed = gzip.compress(text)
    extra = b"\x06\x00BC\x02\x00" + (len(packed) + 7).to_bytes(2, "little")
    block = packed[:3] + b"\x04" + packed[4:10] + extra + packed[10:]
    end = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
    path = tmp_path / "x.vcf.gz"
    path.write_bytes(block + end)
    assert len(run(path, tmp_path)[0]) == 4
    path.write_bytes(block)
    refused(path, tmp_path, "after line 6: .*no end-of-file block")


def test_bed_defects(tmp_path):
    path = tmp_path / "x.bed"
    path.write_bytes(bed.MAGIC + b"\x00\x00")
    refused(path, tmp_path, "x.bim: found no such file")
    (tmp_path / "x.bim").write_text("1 a 0 10 G A\n1 b 0 11 G A\n")
    refused(path, tmp_path, "x.fam: found no such file")
    (tmp_path / "x.fam").write_text("f s1 0 0 0 -9\nf s2 0 0 0 -9\nf s3 0 0 0 -9\n")
    assert len(run(path, tmp_path)[0]) == 2
    (tmp_path / "z.bed").write_bytes(gzip.compress(bed.MAGIC + b"\x00\x00"))
    refused(tmp_path / "z.bed", tmp_path, "z.bed: found a gzipped bed; .*gunzip")
    path.write_bytes(bed.MAGIC + b"\x00")
    refused(path, tmp_path, "x.bed: found 4 bytes; allowed: 5 bytes for the 2 variants")
    path.write_bytes(bed.MAGIC + b"\x00\x00")
    (tmp_path / "x.fam").write_text("f s1 0 0 0 -9\ng s1 0 0 0 -9\nf s3 0 0 0 -9\n")
    refused(path, tmp_path, "x.fam: found 1 sample ids twice: s1")
    (tmp_path / "x.fam").write_text("f s1 0 0 0 -9\nf s2 0 0 0 -9\nf s3 0 0 0 -9\n")
    (tmp_path / "x.bim").write_text("1 a 0 10 G A\nchr12 b 0 11 G A\n")
    refused(path, tmp_path, r"x.bim, line 2: found chromosome 'chr12'")
