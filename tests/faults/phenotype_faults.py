"""Faults of phenotypes, of the sheet of traits, and of what joins them with the genotypes."""

from fault import Fault
from genotype_faults import content, directory
from tiny_road import LINES, OIL, PLOTS, TRAITS, sample_names

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


def several(columns, trait="NA", value="NA"):
    """A fault of a row of the traits sheet that stands for several columns of oil's table."""

    def spoil(study):
        header, first, *others = study.lines(TRAITS)
        cells = dict(zip(header.split("\t"), first.split("\t"), strict=True))
        cells |= {"trait": trait, "value_column": value}
        first = "\t".join([*cells.values(), columns])
        study.write(TRAITS, [f"{header}\tcolumns", first, *(f"{line}\tNA" for line in others)])

    return spoil


def trait_named(name):
    """A fault of a trait's name."""
    return lambda study: study.edit(TRAITS, "oil\t", f"{name}\t")


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


def spreadsheet_tails(study):
    """A byte order mark, tabs behind the last column, and rows of tabs alone."""
    lines = [f"{line}\t\t" for line in study.lines(TRAITS)]
    study.write(TRAITS, [f"\ufeff{lines[0]}", lines[1], "\t" * 8, "", *lines[2:], "\t" * 8])


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


def id_map(*lines):
    """A fault of the id map."""

    def spoil(study):
        study.write("ids.tsv", lines)
        study.config["cohort"]["id_map"] = "ids.tsv"

    return spoil


def given_split(*rows):
    """A fault of the user's splits."""

    def spoil(study):
        study.write("splits.tsv", rows)
        study.config["splits"] = {"scheme": "given", "file": "splits.tsv", "seeds": 1}

    return spoil


def left_out_families(*rows):
    """A fault of the table of families that a scheme needs."""
    return lambda s: [
        families(*rows)(s),
        s.config.update(splits={"scheme": "leave_family_out", "seeds": 1}),
    ]


def families(*rows):
    """A fault of the table of families."""

    def spoil(study):
        study.write("families.tsv", rows)
        study.config["cohort"]["families"] = {"file": "families.tsv"}

    return spoil


def _parts(*parts):
    return [f"{name}\t{part}" for name, part in zip(sample_names(), parts, strict=False)]


def _join(name, spoil, *said, mended=""):
    return Fault(name, "cohort", JOIN, spoil, said, mended=mended)


def _config(name, spoil, *said, mended=""):
    return Fault(name, "config", "config", spoil, said, mended=mended)


def _counted(name, spoil, *said, table=COUNTS, mended=""):
    return Fault(name, "cohort", "", spoil, said, table=table, mended=mended)


FAULTS = [
    _config(
        "phenotypes: empty file",
        content(OIL, b""),
        OIL,
        "an empty file",
        mended="told only once the job ran",
    ),
    _config(
        "phenotypes: a directory in their place",
        directory(OIL),
        OIL,
        "a directory",
        mended="traceback (IsADirectoryError)",
    ),
    _join(
        "phenotypes: header without records",
        oil("Plant ID,OIL"),
        "0 joined lines",
        "48 genotype_only",
    ),
    _config(
        "phenotypes: half a row at their end",
        half_a_row,
        OIL,
        "line 49",
        "a row of 1 cells",
        "'OIL'",
    ),
    _config("phenotypes: text in the value column", cell("high"), "'high'", "line 2", "'OIL'"),
    _config("phenotypes: comma decimals", cell('"20,5"'), "'20,5'", "decimal point"),
    _config(
        "phenotypes: semicolons and comma decimals (German Excel)",
        semicolons,
        "if it is a decimal mark",
        "column decimal",
        mended="save it with commas, or write ',' in the column decimal: only one of them helped",
    ),
    _config(
        "phenotypes: commas between thousands",
        cell('"1,234"'),
        "write 1234, without marks between thousands",
        mended="write 1.234, with a decimal point: a thousandth of the value",
    ),
    _config(
        "phenotypes: -9 for a missing value",
        cell("-9"),
        "-9 in 1 cells",
        "column missing",
        mended="averaged in without a word",
    ),
    _config(
        "phenotypes: a value of two kinds of text",
        lambda s: s.write(OIL, ["Plant ID,OIL", "PI548400,n.d.", "PI548401,high", "PI548402,20"]),
        "'n.d.' (1), 'high' (1)",
        "column missing",
        mended="one at a time, each to be written NA",
    ),
    _config(
        "phenotypes: an old .xls under another name",
        content(OIL, b"\xd0\xcf\x11\xe0" + bytes(600)),
        "an old .xls workbook",
    ),
    _config(
        "phenotypes: a workbook with a password",
        content(OIL, b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le")),
        "with a password",
        mended="an old .xls workbook, to be saved as .xlsx, which it was",
    ),
    _config("phenotypes: infinite value", cell("inf"), "'inf'", "finite numbers"),
    _config("phenotypes: value beyond floating point", cell("1e999"), "'1e999'", "finite numbers"),
    _config("phenotypes: latin-1", latin_1, "no UTF-8"),
    _counted(
        "phenotypes: UTF-16",
        lambda s: s.path(OIL).write_text(s.path(OIL).read_text(), encoding="utf-16"),
        "oil\tmatched\tby the same id\t48",
        mended="refused",
    ),
    _config(
        "phenotypes: an Excel file under the name .csv",
        content(OIL, b"PK\x03\x04\x14\x00\x06\x00" + bytes(range(128, 256)) * 20),
        OIL,
        mended="traceback (InvalidFileException)",
    ),
    _config(
        "phenotypes: another column's name",
        oil("Plant ID,Oil content", "PI548400,20"),
        "'OIL'",
        "Oil content",
        mended="told after imputation",
    ),
    _config(
        "phenotypes: the value column twice",
        oil("Plant ID,OIL,OIL", "PI548400,20,21"),
        "'OIL' twice",
    ),
    _join(
        "phenotypes: of other lines",
        oil("Plant ID,OIL", *(f"W{n},{n}" for n in range(40))),
        "0 joined lines",
        "'W0'",
    ),
    _join("phenotypes: no variance", constant, "no variance"),
    _join("phenotypes: environments that share no line", apart, "share no line"),
    _config(
        "phenotypes: a value without an environment",
        empty_environment,
        "without an environment",
        "line 2",
    ),
    _counted(
        "phenotypes: the marks of six programs for a missing value",
        marks("-", "*", "missing", "NULL", "#N/A", "."),
        "oil\tgenotype_only\tno value\t6",
        mended="refused one at a time, to be written NA",
    ),
    _counted(
        "phenotypes: rows that leave out blank cells at their end",
        lambda s: s.write(OIL, [f"{s.lines(OIL)[0]},note,remark", *s.lines(OIL)[1:]]),
        "oil\tmatched\tby the same id\t48",
        mended="refused as cut off",
    ),
    _counted("phenotypes: NaN", cell("NaN"), "oil\tgenotype_only\tno value\t1"),
    _counted(
        "phenotypes: Windows line ends", windows_line_ends, "oil\tmatched\tby the same id\t48"
    ),
    _counted(
        "phenotypes: a BOM and a title line",
        lambda s: s.path(OIL).write_text("\ufeffMy trial\n" + s.path(OIL).read_text()),
        "oil\tmatched\tby the same id\t48",
    ),
    _counted(
        "phenotypes: a line without an id",
        lambda s: s.write(OIL, [*s.lines(OIL), ",21.5"]),
        "oil\tphenotype_only\trecord without an id\t1",
    ),
    _counted(
        "phenotypes: a line twice",
        lambda s: s.write(OIL, [*s.lines(OIL), s.lines(OIL)[1]]),
        "oil\tmatched\tby the same id\t48",
    ),
    _counted(
        "phenotypes: half of the lines missing",
        half_a_table,
        "oil\tgenotype_only\tno phenotype record\t25",
    ),
    _counted(
        "phenotypes: ids with spaces and leading zeros",
        lambda s: s.edit(OIL, "PI5484", "pi 005484", count=-1),
        "oil\tmatched\tby the accession key\t48",
    ),
    _counted(
        "phenotypes: dots in ids, as R writes them",
        lambda s: s.edit(OIL, "PI5484", "PI.5484", count=-1),
        "oil\tmatched\tby the id, but for the spelling of an accession\t48",
        mended="no line was joined",
    ),
    _counted(
        "phenotypes: a letter O in an id",
        lambda s: s.edit(OIL, "PI548401", "PI5484O1"),
        "PI5484O1\tnot in the genotypes\tPI548401 (a letter for a digit)",
        table="cohort/join_report.tsv",
        mended="counted without a word of the line that it is",
    ),
    _counted(
        "phenotypes: ids that are not ASCII",
        lambda s: s.edit(OIL, "PI548401", "Größe_1"),
        "oil\tphenotype_only\tnot in the genotypes\t1",
    ),
    _config(
        "traits: a trait listed twice",
        lambda s: s.write(TRAITS, [*s.lines(TRAITS), s.lines(TRAITS)[1]]),
        "trait 'oil' twice",
        "line 4",
    ),
    _config("traits: empty file", content(TRAITS, b""), "an empty file"),
    _config(
        "traits: header without rows", lambda s: s.write(TRAITS, s.lines(TRAITS)[:1]), "no rows"
    ),
    _config(
        "traits: commas for tabs",
        lambda s: s.edit(TRAITS, "\t", ",", count=-1),
        "no column",
        "tab-separated",
    ),
    _config(
        "traits: latin-1",
        lambda s: s.path(TRAITS).write_bytes(
            s.path(TRAITS).read_text().replace("%", "\xb5g").encode("latin-1")
        ),
        "no UTF-8",
        TRAITS,
        mended="traceback (UnicodeDecodeError)",
    ),
    _config(
        "traits: a row of too many cells",
        lambda s: s.edit(TRAITS, "NA\t%", "NA\t%\tx\ty"),
        TRAITS,
        "a row of 9 cells",
        mended="cells shifted by one: a misleading line",
    ),
    _config(
        "traits: a row of too few cells",
        lambda s: s.edit(TRAITS, "\tnpgs_wide\tPlant ID\tOIL\tNA\t%", ""),
        TRAITS,
        "line 2",
    ),
    _config("traits: name with a slash", trait_named("oil/2012"), "'oil/2012'", "letters, digits"),
    _config("traits: name with wildcard braces", trait_named("{trait}"), "'{trait}'"),
    _config("traits: name that leads elsewhere", trait_named("../oil"), "'../oil'"),
    _config("traits: no file named", lambda s: s.edit(TRAITS, OIL, "NA"), "line 2", "key file"),
    _counted(
        "traits: a mark, tabs and rows without content, as spreadsheets leave them",
        spreadsheet_tails,
        "oil\tmatched\tby the same id\t48",
        mended="refused as cells beyond the header, or as a trait without a name",
    ),
    _config(
        "id map: one id for two samples",
        id_map("id\tsample", "a\tPI548400", "a\tPI548401"),
        "'a'",
        "PI548400",
        "one sample for an id",
        mended="told after imputation",
    ),
    _config("id map: one column", id_map("id", "a"), "1 column", mended="told after imputation"),
    Fault(
        "splits file: a sample that isn't there",
        "cohort",
        "draw_split",
        given_split("sample\tseed0", *_parts(*["train"] * 48), "PI1\ttest"),
        ("'PI1'", "line 50"),
    ),
    _config(
        "splits file: an unknown part",
        given_split("sample\tseed0", *_parts("training")),
        "'training'",
        "line 2",
        mended="told after imputation",
    ),
    Fault(
        "splits file: nobody to test",
        "cohort",
        "draw_split",
        given_split("sample\tseed0", *_parts(*["train", "val"] * 24)),
        ("no sample in test",),
    ),
    Fault(
        "splits file: header without records",
        "cohort",
        "draw_split",
        given_split("sample\tseed0"),
        ("no sample in",),
    ),
    _config(
        "families: a sample twice",
        families("sample\tfamily", "PI548400\t1", "PI548400\t2"),
        "'PI548400' twice",
        mended="told after imputation",
    ),
    Fault(
        "families: of other samples",
        "cohort",
        "name_families",
        left_out_families("sample\tfamily", "W1\t1"),
        ("no family for any of 48 samples",),
        mended="told after imputation",
    ),
    _config(
        "columns: a pattern that fits none",
        several("BLUP_*"),
        "no column that fits 'BLUP_*'",
        "OIL",
    ),
    _config("columns: a misspelt one", several("OLI"), "no column 'OLI'", "write OIL"),
    _config("columns: one twice", several("OIL, O*"), "column 'OIL' twice", "line 2"),
    _config("columns: one name for all", several("OIL", trait="oil"), "trait 'oil'", "with a *"),
    _config(
        "columns beside value_column", several("O*", value="OIL"), "columns beside value_column"
    ),
    _config(
        "columns: a trait that another row has",
        several("OIL*", trait="protein*"),
        "'protein' twice",
    ),
]
