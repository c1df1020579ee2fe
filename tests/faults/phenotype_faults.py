"""Faults of phenotypes, and of what joins them with the genotypes."""

from fault import Fault
from genotype_faults import content, directory
from tiny_road import LINES, OIL, PLOTS, sample_names

JOIN = "join_trait"
COUNTS = "cohort/join_counts.tsv"


def cell(text):
    """A fault of the first line's value of oil."""

    def spoil(study):
        lines = study.lines(OIL)
        lines[1] = f"{lines[1].split(',')[0]},{text}"
        study.write(OIL, lines)

    return spoil


def marks(*texts):
    """A fault of the first lines' values of oil."""

    def spoil(study):
        lines = study.lines(OIL)
        for k, text in enumerate(texts, start=1):
            lines[k] = f"{lines[k].split(',')[0]},{text}"
        study.write(OIL, lines)

    return spoil


def oil(*lines):
    """A fault that replaces oil's table."""
    return lambda study: study.write(OIL, lines)


def windows_line_ends(study):
    study.path(OIL).write_bytes(study.path(OIL).read_bytes().replace(b"\n", b"\r\n"))


def latin_1(study):
    study.path(OIL).write_bytes(
        study.path(OIL).read_text().replace("PI548401", "Größe").encode("latin-1")
    )


def half_a_row(study):
    study.path(OIL).write_text(study.path(OIL).read_text()[:-14])


def half_a_table(study):
    lines = study.lines(OIL)
    study.write(OIL, lines[: LINES // 2])


def constant(study):
    study.write(OIL, ["Plant ID,OIL", *(f"{name},20" for name in sample_names())])


def empty_environment(study):
    study.edit(PLOTS, "PI548400,IA_2012", "PI548400,")


def apart(study):
    """Half of the lines were grown in one environment alone, the rest in the other."""
    lines = study.lines(PLOTS)
    study.write(PLOTS, [lines[0], *lines[1:25], *lines[1 + LINES + 24 :]])


def semicolons(study):
    text = study.path(OIL).read_text().replace(".", ",").replace("PI", "PI")
    study.path(OIL).write_text("\n".join(line.replace(",", ";", 1) for line in text.splitlines()))


def join_fault(name, spoil, *said, mended=""):
    return Fault(name, "cohort", JOIN, spoil, said, mended=mended)


def at_start(name, spoil, *said, mended=""):
    return Fault(name, "config", "config", spoil, said, mended=mended)


def counted(name, spoil, *said, table=COUNTS, mended=""):
    return Fault(name, "cohort", "", spoil, said, table=table, mended=mended)


FAULTS = [
    at_start(
        "phenotypes: empty file",
        content(OIL, b""),
        OIL,
        "an empty file",
        mended="told only once the job ran",
    ),
    at_start(
        "phenotypes: a directory in their place",
        directory(OIL),
        OIL,
        "a directory",
        mended="traceback (IsADirectoryError)",
    ),
    join_fault(
        "phenotypes: header without records",
        oil("Plant ID,OIL"),
        "0 joined lines",
        "48 genotype_only",
    ),
    at_start(
        "phenotypes: half a row at their end",
        half_a_row,
        OIL,
        "line 49",
        "a row of 1 cells",
        "'OIL'",
    ),
    at_start("phenotypes: text in the value column", cell("high"), "'high'", "line 2", "'OIL'"),
    at_start("phenotypes: comma decimals", cell('"20,5"'), "'20,5'", "decimal point"),
    at_start(
        "phenotypes: semicolons and comma decimals (German Excel)",
        semicolons,
        "if it is a decimal mark",
        "column decimal",
        mended="save it with commas, or write ',' in the column decimal: only one of them helped",
    ),
    at_start(
        "phenotypes: commas between thousands",
        cell('"1,234"'),
        "write 1234, without marks between thousands",
        mended="write 1.234, with a decimal point: a thousandth of the value",
    ),
    at_start(
        "phenotypes: -9 for a missing value",
        cell("-9"),
        "-9 in 1 cells",
        "column missing",
        mended="averaged in without a word",
    ),
    at_start(
        "phenotypes: a value of two kinds of text",
        lambda s: s.write(OIL, ["Plant ID,OIL", "PI548400,n.d.", "PI548401,high", "PI548402,20"]),
        "'n.d.' (1), 'high' (1)",
        "column missing",
        mended="one at a time, each to be written NA",
    ),
    at_start(
        "phenotypes: an old .xls under another name",
        content(OIL, b"\xd0\xcf\x11\xe0" + bytes(600)),
        "an old .xls workbook",
    ),
    at_start(
        "phenotypes: a workbook with a password",
        content(OIL, b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le")),
        "with a password",
        mended="an old .xls workbook, to be saved as .xlsx, which it was",
    ),
    at_start("phenotypes: infinite value", cell("inf"), "'inf'", "finite numbers"),
    at_start("phenotypes: value beyond floating point", cell("1e999"), "'1e999'", "finite numbers"),
    at_start("phenotypes: latin-1", latin_1, "no UTF-8"),
    counted(
        "phenotypes: UTF-16",
        lambda s: s.path(OIL).write_text(s.path(OIL).read_text(), encoding="utf-16"),
        "oil\tmatched\tby the same id\t48",
        mended="refused",
    ),
    at_start(
        "phenotypes: an Excel file under the name .csv",
        content(OIL, b"PK\x03\x04\x14\x00\x06\x00" + bytes(range(128, 256)) * 20),
        OIL,
        mended="traceback (InvalidFileException)",
    ),
    at_start(
        "phenotypes: another column's name",
        oil("Plant ID,Oil content", "PI548400,20"),
        "'OIL'",
        "Oil content",
        mended="told after imputation",
    ),
    at_start(
        "phenotypes: the value column twice",
        oil("Plant ID,OIL,OIL", "PI548400,20,21"),
        "'OIL' twice",
    ),
    join_fault(
        "phenotypes: of other lines",
        oil("Plant ID,OIL", *(f"W{n},{n}" for n in range(40))),
        "0 joined lines",
        "'W0'",
    ),
    join_fault("phenotypes: no variance", constant, "no variance"),
    join_fault("phenotypes: environments that share no line", apart, "share no line"),
    at_start(
        "phenotypes: a value without an environment",
        empty_environment,
        "without an environment",
        "line 2",
    ),
    counted(
        "phenotypes: the marks of six programs for a missing value",
        marks("-", "*", "missing", "NULL", "#N/A", "."),
        "oil\tgenotype_only\tno value\t6",
        mended="refused one at a time, to be written NA",
    ),
    counted(
        "phenotypes: rows that leave out blank cells at their end",
        lambda s: s.write(OIL, [f"{s.lines(OIL)[0]},note,remark", *s.lines(OIL)[1:]]),
        "oil\tmatched\tby the same id\t48",
        mended="refused as cut off",
    ),
    counted("phenotypes: NaN", cell("NaN"), "oil\tgenotype_only\tno value\t1"),
    counted("phenotypes: Windows line ends", windows_line_ends, "oil\tmatched\tby the same id\t48"),
    counted(
        "phenotypes: a BOM and a title line",
        lambda s: s.path(OIL).write_text("\ufeffMy trial\n" + s.path(OIL).read_text()),
        "oil\tmatched\tby the same id\t48",
    ),
    counted(
        "phenotypes: a line without an id",
        lambda s: s.write(OIL, [*s.lines(OIL), ",21.5"]),
        "oil\tphenotype_only\trecord without an id\t1",
    ),
    counted(
        "phenotypes: a line twice",
        lambda s: s.write(OIL, [*s.lines(OIL), s.lines(OIL)[1]]),
        "oil\tmatched\tby the same id\t48",
    ),
    counted(
        "phenotypes: half of the lines missing",
        half_a_table,
        "oil\tgenotype_only\tno phenotype record\t25",
    ),
    counted(
        "phenotypes: ids with spaces and leading zeros",
        lambda s: s.edit(OIL, "PI5484", "pi 005484", count=-1),
        "oil\tmatched\tby the accession key\t48",
    ),
    counted(
        "phenotypes: dots in ids, as R writes them",
        lambda s: s.edit(OIL, "PI5484", "PI.5484", count=-1),
        "oil\tmatched\tby the id, but for the spelling of an accession\t48",
        mended="no line was joined",
    ),
    counted(
        "phenotypes: a letter O in an id",
        lambda s: s.edit(OIL, "PI548401", "PI5484O1"),
        "PI5484O1\tnot in the genotypes\tPI548401 (a letter for a digit)",
        table="cohort/join_report.tsv",
        mended="counted without a word of the line that it is",
    ),
    counted(
        "phenotypes: ids that are not ASCII",
        lambda s: s.edit(OIL, "PI548401", "Größe_1"),
        "oil\tphenotype_only\tnot in the genotypes\t1",
    ),
]
