"""Faults of the user's genotypes and of the chromosome table."""

import gzip

from fault import Fault
from tiny_road import CHROMOSOMES, LINES, VCF, sample_names

IMPORT = "import_genotypes"
FILTER = "filter_genotypes"
HEADER, FIRST = 1, 2  # lines of the VCF, from 0: its #CHROM line, its first record
COUNTS = "genotypes/qc_counts.tsv"


def _records(study):
    lines = study.lines(VCF)
    return lines[:FIRST], [line.split("\t") for line in lines[FIRST:]]


def change(**cells):
    """A fault that changes cells of the first record."""
    return lambda study: study.edit_cells(VCF, FIRST, **cells)


def rewrite(of_records):
    """A fault that changes all records: a function of the list of their cells."""

    def spoil(study):
        head, records = _records(study)
        study.write(VCF, [*head, *("\t".join(cells) for cells in of_records(records))])

    return spoil


def content(name, data):
    """A fault that replaces a file's whole content by bytes."""
    return lambda study: study.path(name).write_bytes(data)


def directory(name):
    """A fault that puts a folder in a file's place."""

    def spoil(study):
        study.path(name).unlink()
        study.path(name).mkdir()

    return spoil


def rename(old, new, *further):
    """A fault that renames samples in every file: pairs of old, new."""

    def spoil(study):
        for name in (VCF, "oil.csv", "plots.csv"):
            for before, after in ((old, new), *further):
                study.edit(name, before, after, count=-1)

    return spoil


def as_gzip(cut):
    """A fault that gives the VCF gzipped, without its last `cut` bytes."""

    def spoil(study):
        data = gzip.compress(study.path(VCF).read_bytes(), mtime=0)
        study.path(VCF).unlink()
        study.path(f"{VCF}.gz").write_bytes(data[: len(data) - cut])
        study.config["genotypes"]["file"] = f"{VCF}.gz"

    return spoil


def half_a_record(study):
    text = study.path(VCF).read_text()
    study.path(VCF).write_text(text[: len(text) - 100])


def windows_line_ends(study):
    study.path(VCF).write_bytes(study.path(VCF).read_bytes().replace(b"\n", b"\r\n"))


def few_lines(lines):
    """A fault that leaves so many samples in the VCF."""

    def spoil(study):
        text = study.lines(VCF)
        body = ["\t".join(line.split("\t")[: 9 + lines]) for line in text[HEADER:]]
        study.write(VCF, [text[0], *body])

    return spoil


def _uncalled(records):
    return [[*cells[:9], *["./."] * LINES] for cells in records]


def _monomorphic(records):
    return [
        [*cells[:9], *(["0/0"] * LINES if cells[0] == "Gm02" else cells[9:])] for cells in records
    ]


def _one_a_chromosome(records):
    seen = set()
    return [cells for cells in records if not (cells[0] in seen or seen.add(cells[0]))]


def _multiallelic(records):
    return [[*records[0][:4], "G,T", *records[0][5:]], *records[1:]]


def _same_place(records):
    return [records[0], [*records[0][:3], "A", "T", *records[0][5:]], *records[1:]]


def _other_contig(records):
    return [["scaffold_21", *records[0][1:]], *records[1:]]


def _all_heterozygous(records):
    return [[*cells[:9], *["0/1"] * LINES] for cells in records]


def bed_without_bim(study):
    study.path("lines.bed").write_bytes(bytes([0x6C, 0x1B, 0x01, 0, 0]))
    study.config["genotypes"]["file"] = "lines.bed"


def bed_of_another_size(study):
    bed_without_bim(study)
    study.write("lines.bim", ["Gm01 v1 0 100 G A", "Gm01 v2 0 200 G A"])
    study.write("lines.fam", [f"{name} {name} 0 0 0 -9" for name in sample_names()])


def marker_table(cell):
    """A fault that gives a marker table with an odd cell."""

    def spoil(study):
        study.write(
            "markers.txt", ["marker\tPI1\tPI2", "Gm01_100_A_G\tB\tR", f"Gm01_200_A_G\tB\t{cell}"]
        )
        study.config["genotypes"] = {
            "file": "markers.txt", "format": "marker_table", "codes": {"B": 0, "R": 2},
            "marker_name": "^(?P<chromosome>[^_]+)_(?P<position>[0-9]+)_(?P<ref>.)_(?P<alt>.)$",
        }  # fmt: skip

    return spoil


def filters(**thresholds):
    """A fault of thresholds that leave nothing."""
    return lambda study: study.config["genotypes"].update(filters=thresholds)


def importing(name, spoil, *said, mended=""):
    return Fault(name, "genotypes", IMPORT, spoil, said, mended=mended)


def _config(name, spoil, *said, mended=""):
    return Fault(name, "config", "config", spoil, said, mended=mended)


def counted(name, spoil, table, *said, mended=""):
    return Fault(name, "genotypes", "", spoil, said, table=table, mended=mended)


FAULTS = [
    _config("VCF: empty file", content(VCF, b""), VCF, "an empty file"),
    importing("VCF: only blank lines", content(VCF, b"\n\n\n"), VCF, "#CHROM"),
    _config(
        "VCF: a directory in its place",
        directory(VCF),
        VCF,
        "a directory",
        mended="`no such file`, once the job ran",
    ),
    importing("VCF: gzip cut off", as_gzip(cut=200), "cut off or damaged"),
    importing("VCF: gzip without its last bytes", as_gzip(cut=4), "cut off or damaged"),
    importing("VCF: half a record at its end", half_a_record, "fields", "cut off"),
    importing("VCF: header without records", rewrite(lambda r: []), "no records"),
    importing("VCF: no sample", few_lines(0), "no samples"),
    importing("VCF: binary rubbish", content(VCF, bytes(range(256)) * 40), VCF, "header"),
    importing(
        "VCF: an HTML page of a failed download",
        content(VCF, b"<!DOCTYPE html>\n<html>\n"),
        "DOCTYPE",
    ),
    importing("VCF: a sample twice", rename("PI548401", "PI548400"), "twice: PI548400"),
    importing(
        "VCF: a sample called NA",
        rename("PI548401", "NA"),
        "empty, 0 or NA: 'NA'",
        mended="taken for a missing id: no line was joined",
    ),
    importing(
        "VCF: a sample id with a space", rename("PI548401", "PI 548401"), "'PI 548401'", "one word"
    ),
    importing("VCF: a variant twice", rewrite(lambda r: [r[0], *r]), "twice", "line 4"),
    importing("VCF: an unknown numbered chromosome", change(c0="Chr21"), "'Chr21'", CHROMOSOMES),
    importing(
        "VCF: all chromosomes unknown", rewrite(lambda r: [["LG_A", *c[1:]] for c in r]), "'LG_A'"
    ),
    importing(
        "VCF: a position beyond the chromosome (64 bit)",
        change(c1="9223372036854775808"),
        "9223372036854775808",
        "1 to 1000000",
    ),
    importing("VCF: too many fields in a record", lambda s: change(c9="0/0\t0/0")(s), "58 fields"),
    importing("bed: without bim and fam", bed_without_bim, "lines.bim", "no such file"),
    importing("bed: too short for its bim and fam", bed_of_another_size, "5 bytes"),
    importing("marker table: an unknown code", marker_table("X"), "'X'", "PI2", "line 3"),
    importing("marker table: a missing cell", marker_table("R\tR"), "4 fields", "line 3"),
    Fault(
        "VCF: all calls missing",
        "genotypes",
        FILTER,
        rewrite(_uncalled),
        ("no sample left", "sample missing"),
    ),
    Fault(
        "VCF: all calls heterozygous",
        "genotypes",
        FILTER,
        rewrite(_all_heterozygous),
        ("no sample left", "heterozygosity"),
    ),
    Fault(
        "filters: a frequency that no SNP reaches",
        "genotypes",
        FILTER,
        filters(minor_allele_frequency=0.5),
        ("no variant left", "minor allele frequency"),
    ),
    counted("VCF: Windows line ends", windows_line_ends, COUNTS, "raw file\tNA\t0\t48\t0\t30"),
    counted(
        "VCF: ids that are not ASCII",
        rename("PI548401", "Größe_1"),
        "genotypes/samples.tsv",
        "Größe_1",
    ),
    counted(
        "VCF: ids with leading zeros",
        rename("PI548401", "PI048401"),
        "cohort/join_counts.tsv",
        "oil\tmatched\tby the same id\t48",
    ),
    counted(
        "VCF: ids that are numbers with leading zeros",
        rename("PI548401", "007", ("PI548402", "7")),
        "cohort/join_counts.tsv",
        "oil\tmatched\tby the same id\t48",
    ),
    counted(
        "VCF: a monomorphic chromosome",
        rewrite(_monomorphic),
        COUNTS,
        "minor allele frequency\t0.05\t0\t48\t10\t20",
    ),
    counted(
        "VCF: one SNP per chromosome",
        rewrite(_one_a_chromosome),
        COUNTS,
        "raw file\tNA\t0\t48\t0\t3",
    ),
    counted(
        "VCF: a multiallelic record",
        rewrite(_multiallelic),
        COUNTS,
        "multiallelic\tNA\t0\t48\t1\t29",
    ),
    counted(
        "VCF: two SNPs at one position",
        rewrite(_same_place),
        COUNTS,
        "multiallelic\tNA\t0\t48\t2\t29",
    ),
    counted("VCF: a scaffold", rewrite(_other_contig), COUNTS, "other contigs\tNA\t0\t48\t1\t29"),
    counted(
        "VCF: a negative position",
        change(c1="-5"),
        COUNTS,
        "unplaced\tNA\t0\t48\t1\t29",
        mended="the file was refused",
    ),
    counted(
        "VCF: position 0",
        change(c1="0"),
        COUNTS,
        "unplaced\tNA\t0\t48\t1\t29",
        mended="the file was refused",
    ),
    counted(
        "VCF: a position that is no number",
        change(c1="1.5"),
        COUNTS,
        "unreadable\tNA\t0\t48\t1\t29",
        mended="the file was refused",
    ),
    counted("VCF: unsorted", rewrite(lambda r: r[::-1]), COUNTS, "raw file\tNA\t0\t48\t0\t30"),
    counted(
        "VCF: blank lines at its end",
        lambda s: s.write(VCF, [*s.lines(VCF), "", ""]),
        COUNTS,
        "raw file\tNA\t0\t48\t0\t30",
    ),
    Fault(
        "VCF: 3 lines",
        "genotypes",
        "impute_chromosomes",
        few_lines(3),
        ("3 samples", "at least 10"),
        mended="Beagle's stack trace in the line",
        target="imputation/accuracy.tsv",
    ),
    Fault(
        "imputation off though calls are missing",
        "imputation",
        "merge_chromosomes",
        lambda s: s.config.update(imputation=False),
        ("missing calls", "key imputation"),
    ),
]
