"""soyfold.genotypes.vcf: headers, joined files and odd lines, each told for what it is."""

import gzip
import logging

import numpy as np
import pytest
from genotype_files import CHROMOSOMES, PLINK, random_counts, write_vcf

from soyfold.common.errors import UserError
from soyfold.common.files import read_table
from soyfold.genotypes import bed
from soyfold.genotypes.importing import import_genotypes

SAMPLES = [f"s{i}" for i in range(6)]
COUNTS = random_counts(12, 6)
RECORDS = [("1", 10 + k, f"m{k}", "A", "G", row) for k, row in enumerate(COUNTS)]
END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


def run(file, folder, **settings):
    """Counts of ALT, the table of records, the counts of samples."""
    folder.mkdir(exist_ok=True)
    import_genotypes(
        file, settings={"format": "auto", **settings}, chromosomes=CHROMOSOMES,
        prefix=folder / "raw", variants=folder / "records.tsv", **PLINK,
    )  # fmt: skip
    table = read_table(folder / "records.tsv", dtype={"ref": str, "alt": str})
    rows = bed.open_bed(
        folder / "raw.bed", variants=(table["kept"] == "yes").sum(), samples=len(SAMPLES)
    )
    return bed.unpack(rows, len(SAMPLES)), table, read_table(folder / "raw.samples.tsv")


def refused(path, folder, match):
    with pytest.raises(UserError, match=match) as error:
        run(path, folder / "out")
    assert "cut off" in match or "cut off" not in str(error.value)


def contigs(**lengths):
    return [f"##contig=<ID={name},length={n},assembly=x>" for name, n in lengths.items()]


def test_lengths_of_another_assembly_are_refused_before_the_first_record(tmp_path):
    header = contigs(chr01=1_000_000, chr02=90_000_321, X=500_017, scaffold_1=77)
    path = write_vcf(
        tmp_path / "x.vcf", [("1", "no number", *RECORDS[0][2:])], SAMPLES, header=header
    )
    refused(path, tmp_path, "2 of 3 chromosomes: chr02 of 90000321 bp in the header, 90000000 in")
    text = "".join(f"{line}\n" for line in path.read_text().splitlines() if "contig" not in line)
    path.write_text(text.replace("no number", "7"))
    assert np.array_equal(run(path, tmp_path / "mended")[0], COUNTS[:1])


def test_few_other_lengths_are_warned_of_and_what_can_be_compared_is(tmp_path, caplog):
    same = contigs(chrI=1_000_000, chr02=90_000_000, scaffold_1=77, chrM=9)
    harmless = [*same, "##contig=<ID=X>", "##contig=<length=500000,ID=chrX>", "##reference=a.fa"]
    whole = run(write_vcf(tmp_path / "x.vcf", RECORDS, SAMPLES, header=harmless), tmp_path / "a")
    assert not caplog.records or "WARNING" not in caplog.text
    one = [*same, *contigs(X=500_017)]
    again = run(write_vcf(tmp_path / "y.vcf", RECORDS, SAMPLES, header=one), tmp_path / "b")
    assert "1 of 3 chromosomes: X of 500017 bp in the header, 500000 in" in caplog.text
    assert np.array_equal(whole[0], again[0])


def bgzip(data):
    """One block of bgzip, without the empty one at the end."""
    packed = gzip.compress(data)
    extra = b"\x06\x00BC\x02\x00" + (len(packed) + 7).to_bytes(2, "little")
    return packed[:3] + b"\x04" + packed[4:10] + extra + packed[10:]


def other_extra(data):
    """A gzip member with an extra field that isn't bgzip's."""
    packed = gzip.compress(data)
    return packed[:3] + b"\x04" + packed[4:10] + b"\x06\x00XY\x02\x00ab" + packed[10:]


@pytest.mark.parametrize(
    ("name", "join"),
    [
        ("x.vcf", lambda one, two: one + two),
        ("x.vcf.gz", lambda one, two: gzip.compress(one) + gzip.compress(two)),
        ("x.vcf.gz", lambda one, two: bgzip(one) + END + bgzip(two) + END),
        ("x.vcf.gz", lambda one, two: bgzip(one) + END + gzip.compress(two)),
        ("x.vcf.gz", lambda one, two: other_extra(one + two)),
        ("x.vcf", lambda one, two: gzip.compress(gzip.compress(one + two))),
    ],
)
def test_files_joined_by_cat_are_read_as_one(tmp_path, name, join, caplog):
    caplog.set_level(logging.INFO)
    one, two = (
        write_vcf(tmp_path / "part.vcf", part, SAMPLES).read_bytes()
        for part in (RECORDS[:5], RECORDS[5:])
    )
    (tmp_path / name).write_bytes(join(one, two))
    assert np.array_equal(run(tmp_path / name, tmp_path / "out")[0], COUNTS)
    assert "line 8: the header again" in caplog.text


def test_a_second_header_with_other_samples_is_told_with_its_line(tmp_path):
    one = write_vcf(tmp_path / "a.vcf", RECORDS[:5], SAMPLES).read_text()
    for names, words in (
        (
            ["s0", "s1", "s9", "s3", "s4", "s5"],
            "6 samples, the first has 6; s9 stands where it has s2",
        ),
        (SAMPLES[:5], "5 samples, the first has 6; none stands where it has s5"),
        ([*SAMPLES, "t"], "7 samples, the first has 6; t stands where it has none"),
    ):
        two = write_vcf(tmp_path / "b.vcf", [(*r[:5], [0] * len(names)) for r in RECORDS], names)
        (tmp_path / "x.vcf").write_text(one + two.read_text())
        refused(
            tmp_path / "x.vcf", tmp_path, f"line 8: found a second header: {words}.*bcftools concat"
        )


def test_lines_of_another_width(tmp_path):
    path = write_vcf(tmp_path / "x.vcf", RECORDS, SAMPLES)
    lines = path.read_text().splitlines()
    narrow = lines[4].rsplit("\t", 1)[0]
    path.write_text("\n".join([*lines[:4], narrow, *lines[5:]]))
    refused(
        path, tmp_path, "line 5: found 14 fields; allowed: 15 .*another file, with other samples"
    )
    path.write_text("\n".join([*lines[:4], narrow]))
    refused(path, tmp_path, "line 5: found 14 fields; .*the last line, where .* cut off")
    path.write_text("\n".join([*lines[:4], lines[4].replace("\t", " ")]))
    refused(path, tmp_path, "line 5: found 1 fields; .*write tabs")
    path.write_text("\n".join(line + "\t" for line in lines))  # each line ends with a tab
    assert np.array_equal(run(path, tmp_path / "out")[0], COUNTS)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO", "no samples: a VCF of sites alone"),
        ("#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT s0 s1", "write tabs between the fields"),
        ("rs#\talleles\tchrom\tpos\tstrand", "set genotypes.format: hapmap"),
        ('"#CHROM"\t"POS"\t"ID"\t"REF"', "take the quotes out"),
        ("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\ts0", "write the header so"),
    ],
)
def test_headers_that_are_none(tmp_path, line, words):
    (tmp_path / "x.vcf").write_text(f"##fileformat=VCFv4.2\n{line}\n")
    refused(tmp_path / "x.vcf", tmp_path, f"line 2: .*{words}")


def test_lines_that_say_nothing_are_passed_over(tmp_path):
    lines = write_vcf(tmp_path / "x.vcf", RECORDS, SAMPLES).read_text().splitlines()
    lines[1] = lines[1].removeprefix("#")  # as R writes it
    lines = [*lines[:4], "", "# a note", *lines[4:], "\t" * 14, "\x1a"]
    (tmp_path / "x.vcf").write_text("\n".join(lines))
    assert np.array_equal(run(tmp_path / "x.vcf", tmp_path / "out")[0], COUNTS)


@pytest.mark.parametrize(
    ("missing", "alternate", "told"),
    [("0/0:.:.", "1/1:9:30", True), ("./.:.:.", "1/1:9:30", False), ("0/0:.:.", "1/1:.:.", False)],
)
def test_missing_calls_that_a_merge_filled_with_ref_are_told(
    tmp_path, missing, alternate, told, caplog
):
    """They stay REF: the user may have meant it."""
    cells = {0: "0/0:9:30", 1: "0/1:9:30", 2: alternate, -1: missing}
    records = [(*r[:5], [cells[int(c)] for c in r[5]]) for r in RECORDS]
    path = write_vcf(tmp_path / "x.vcf", records, SAMPLES)
    path.write_text(path.read_text().replace("\tGT\t", "\tGT:DP:GQ\t"))
    counts, *_ = run(path, tmp_path / "out")
    filled = 0 if missing[0] == "0" else -1
    assert np.array_equal(counts, np.where(COUNTS < 0, filled, COUNTS))
    words = f"{(COUNTS < 0).sum()} of 72 calls are 0/0 with nothing told of their reads"
    assert (words in caplog.text) == told


def test_letters_of_alleles_are_the_same_small_or_large(tmp_path):
    records = [("1", 5, "a", "a", "g", COUNTS[0]), ("1", 5, "b", "A", "G", COUNTS[1])]
    path = write_vcf(tmp_path / "x.vcf", records, SAMPLES)
    refused(path, tmp_path, r"1 variants twice: chrI 5 A G \(line 3, line 4\)")
    counts, table, _ = run(path, tmp_path / "out", duplicates="first")
    assert np.array_equal(counts, COUNTS[:1])
    assert table["reason"].fillna("").tolist() == ["", "duplicate"]


def test_all_duplicates_are_named_at_once(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    many = [("1", 10 + k, ".", "A", "G", [0] * 6) for k in range(30)]
    path = write_vcf(tmp_path / "x.vcf", [*many, *many[::-1]], SAMPLES)
    refused(
        path, tmp_path, r"30 variants twice: chrI 39 A G \(line 32, line 33\), .*10 more in the log"
    )
    assert caplog.text.count("twice: chrI") == 30
    multiallelic = [("1", 5, ".", "A", "G,T", [0] * 6)] * 2  # neither would be kept
    assert len(run(write_vcf(path, [*many, *multiallelic], SAMPLES), tmp_path / "out")[0]) == 30


def read_backed(counts, rng):
    """Cells GT:AD:DP:GQ:PL of a joint call, in which what is missing is 0/0 without a read."""
    text = {0: "0/0:9,0:9:27:0,27,300", 1: "0/1:4,5:9:99:90,0,90", 2: "1/1:0,8:8:24:280,24,0"}
    none = ["0/0:0,0:0:.:0,0,0", "0/0:.:0:.:.", "0/0:0,0:.:0:0,0,0", "0|0:0,0:5:0:0,0,0"]
    return [text[int(c)] if c >= 0 else rng.choice(none) for c in counts]


def test_calls_without_reads_are_missing_and_add_up(tmp_path, caplog):
    rng = np.random.default_rng(0)
    records = [(*record[:5], read_backed(record[5], rng)) for record in RECORDS]
    path = write_vcf(tmp_path / "x.vcf", records, SAMPLES)
    path.write_text(path.read_text().replace("\tGT\t", "\tGT:AD:DP:GQ:PL\t"))
    counts, table, samples = run(path, tmp_path / "out")
    assert np.array_equal(counts, COUNTS)
    missing = COUNTS < 0
    assert table["calls_without_reads"].tolist() == missing.sum(axis=1).tolist()
    assert samples["calls_without_reads"].tolist() == missing.sum(axis=0).tolist()
    assert f"{missing.sum()} of 72 calls have no reads behind them" in caplog.text


def test_a_file_without_any_read_is_refused_and_its_advice_helps(tmp_path):
    records = [
        (*r[:5], [f"{call}:0" for call in ("0/0", "0/1", "1/1", "0/0", ".", "1/1")])
        for r in RECORDS
    ]
    path = write_vcf(tmp_path / "x.vcf", records, SAMPLES)
    text = path.read_text()
    path.write_text(text.replace("\tGT\t", "\tGT:DP\t"))
    refused(path, tmp_path, "no call with reads: 60 of 72 .*remove these fields")
    path.write_text(text.replace(":0", ""))
    assert run(path, tmp_path / "out")[0].tolist() == [[0, 1, 2, 0, -1, 2]] * 12


def test_records_of_many_kinds_keep_their_real_allele(tmp_path, caplog):
    records = [
        ("1", 1, "a", "A", "G,<NON_REF>", ["0/0", "0/1", "1/1", "0/2", "2/2", "./1"]),
        ("1", 2, "b", "A", "*,G", ["0/0", "0/2", "2|2", "1/1", "0|1", "."]),
        ("1", 3, "c", "A", "G,T,<NON_REF>", [0] * 6),
        ("1", 4, "d", "A", "<NON_REF>", ["0/0"] * 6),
        ("1", 5, "e", "A", "<DEL>", ["0/1"] * 6),
    ]
    counts, table, samples = run(write_vcf(tmp_path / "x.vcf", records, SAMPLES), tmp_path / "out")
    assert counts.tolist() == [[0, 1, 2, -1, -1, -1], [0, 1, 2, -1, -1, -1]]
    assert table["alt"].tolist()[:3] == ["G", "G", "G,T"]
    assert table["placeholder_calls"].tolist() == [2, 2, 0, 0, 0]
    assert samples["placeholder_calls"].tolist() == [0, 0, 0, 2, 2, 0]
    assert samples["half_calls"].tolist() == [0, 0, 0, 0, 0, 1]
    assert "4 of 12 calls are of <NON_REF>" in caplog.text


def test_blocks_of_a_gvcf_are_told(tmp_path, caplog):
    path = write_vcf(
        tmp_path / "x.vcf", [("1", 4, "d", "A", "<NON_REF>", ["0/0"] * 6), *RECORDS], SAMPLES
    )
    path.write_text(path.read_text().replace("\t.\tGT\t", "\tEND=9\tGT\t", 1))
    counts, *_ = run(path, tmp_path / "out", invariant=True)
    assert counts[0].tolist() == [0] * 6 and "1 records are blocks of places" in caplog.text


@pytest.mark.parametrize(
    ("call", "alternate", "advice", "mended"),
    [
        ("01", "G", "write / between the two alleles", ("0/1", "G")),
        ("2/2", "G", "write all alleles of such records in ALT", ("2/2", "G,T")),
        ("NA/NA", "G", "missing ones as \\./\\.", ("./.", "G")),
    ],
)
def test_what_is_advised_for_odd_calls_gives_right_data(tmp_path, call, alternate, advice, mended):
    """Record by record: what was odd becomes right, the others stay as they are."""

    def write(call, alternate):
        odd = [("1", 100 + k, f"o{k}", "A", alternate, [call] * 6) for k in range(6)]
        return write_vcf(tmp_path / "x.vcf", [*RECORDS, *odd], SAMPLES)

    refused(write(call, alternate), tmp_path, advice)
    counts, table, _ = run(write(*mended), tmp_path / "mended")
    assert np.array_equal(counts[:12], COUNTS)
    right = {"0/1": [[1] * 6] * 6, "./.": [[-1] * 6] * 6, "2/2": []}
    assert counts[12:].tolist() == right[mended[0]]
    assert (table["reason"] == "multiallelic").sum() == (0 if len(counts) > 12 else 6)
