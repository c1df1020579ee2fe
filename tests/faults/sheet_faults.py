"""Faults of the sheets beside the phenotypes: traits, id map, splits file, families."""

from fault import Fault
from genotype_faults import content
from phenotype_faults import at_start, counted
from tiny_road import OIL, PLOTS, TRAITS, sample_names


def several(columns, trait="NA", value="NA"):
    """A fault of a row of the traits sheet that stands for several columns of oil's table."""

    def spoil(study):
        header, first, *others = study.lines(TRAITS)
        cells = dict(zip(header.split("\t"), first.split("\t"), strict=True))
        cells |= {"trait": trait, "value_column": value}
        first = "\t".join([*cells.values(), columns])
        study.write(TRAITS, [f"{header}\tcolumns", first, *(f"{line}\tNA" for line in others)])

    return spoil


def coded(codes, kind="NA"):
    """A fault of what texts of oil stand for; the first lines are of classes."""

    def spoil(study):
        header, oil, protein = study.lines(TRAITS)
        rows = [f"{header}\tcodes\tkind", f"{oil}\t{codes}\t{kind}", f"{protein}\tNA\tNA"]
        study.write(TRAITS, rows)
        header, *rows = study.lines(OIL)
        names = [row.split(",")[0] for row in rows]
        classes = ["low", "mid", "high"] * len(names)
        study.write(OIL, [header, *map(",".join, zip(names, classes, strict=False))])

    return spoil


def fixed(terms, *columns):
    """A fault of protein's fixed effects; `columns` is what its table gets, row by row."""

    def spoil(study):
        header, oil, protein = study.lines(TRAITS)
        study.write(TRAITS, [f"{header}\tfixed", f"{oil}\tNA", f"{protein}\t{terms}"])
        if columns:
            header, *rows = study.lines(PLOTS)
            cells = [columns[k % len(columns)] for k in range(len(rows))]
            study.write(PLOTS, [f"{header},block", *map(",".join, zip(rows, cells, strict=True))])

    return spoil


def trait_named(name):
    """A fault of a trait's name."""
    return lambda study: study.edit(TRAITS, "oil\t", f"{name}\t")


def spreadsheet_tails(study):
    """A byte order mark, tabs behind the last column, and rows of tabs alone."""
    lines = [f"{line}\t\t" for line in study.lines(TRAITS)]
    study.write(TRAITS, [f"\ufeff{lines[0]}", lines[1], "\t" * 8, "", *lines[2:], "\t" * 8])


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


def covariates(*rows, columns=("sex",)):
    """A fault of the table of covariates."""

    def spoil(study):
        study.write("lines.tsv", rows)
        study.config["cohort"]["covariates"] = {"file": "lines.tsv", "columns": [*columns]}

    return spoil


def conditions(*rows):
    """A fault of the table of covariates of environments."""

    def spoil(study):
        study.write("rain.tsv", ["environment\train", *rows])
        study.config["cohort"]["environment_covariates"] = "rain.tsv"
        models = {"scheme": "cv2", "seeds": 1, "models": ["reaction_norm"]}
        study.config["splits"]["further"] = [models]

    return spoil


def families(*rows):
    """A fault of the table of families."""

    def spoil(study):
        study.write("families.tsv", rows)
        study.config["cohort"]["families"] = {"file": "families.tsv"}

    return spoil


def _parts(*parts):
    return [f"{name}\t{part}" for name, part in zip(sample_names(), parts, strict=False)]


FAULTS = [
    at_start(
        "traits: a trait listed twice",
        lambda s: s.write(TRAITS, [*s.lines(TRAITS), s.lines(TRAITS)[1]]),
        "trait 'oil' twice",
        "line 4",
    ),
    at_start("traits: empty file", content(TRAITS, b""), "an empty file"),
    at_start(
        "traits: header without rows", lambda s: s.write(TRAITS, s.lines(TRAITS)[:1]), "no rows"
    ),
    at_start(
        "traits: commas for tabs",
        lambda s: s.edit(TRAITS, "\t", ",", count=-1),
        "no column",
        "tab-separated",
    ),
    at_start(
        "traits: latin-1",
        lambda s: s.path(TRAITS).write_bytes(
            s.path(TRAITS).read_text().replace("%", "\xb5g").encode("latin-1")
        ),
        "no UTF-8",
        TRAITS,
        mended="traceback (UnicodeDecodeError)",
    ),
    at_start(
        "traits: a row of too many cells",
        lambda s: s.edit(TRAITS, "NA\t%", "NA\t%\tx\ty"),
        TRAITS,
        "a row of 9 cells",
        mended="cells shifted by one: a misleading line",
    ),
    at_start(
        "traits: a row of too few cells",
        lambda s: s.edit(TRAITS, "\tnpgs_wide\tPlant ID\tOIL\tNA\t%", ""),
        TRAITS,
        "line 2",
    ),
    at_start("traits: name with a slash", trait_named("oil/2012"), "'oil/2012'", "letters, digits"),
    at_start("traits: name with wildcard braces", trait_named("{trait}"), "'{trait}'"),
    at_start("traits: name that leads elsewhere", trait_named("../oil"), "'../oil'"),
    at_start("traits: no file named", lambda s: s.edit(TRAITS, OIL, "NA"), "line 2", "key file"),
    counted(
        "traits: a mark, tabs and rows without content, as spreadsheets leave them",
        spreadsheet_tails,
        "oil\tmatched\tby the same id\t48",
        mended="refused as cells beyond the header, or as a trait without a name",
    ),
    at_start(
        "id map: one id for two samples",
        id_map("id\tsample", "a\tPI548400", "a\tPI548401"),
        "'a'",
        "PI548400",
        "one sample for an id",
        mended="told after imputation",
    ),
    at_start("id map: one column", id_map("id", "a"), "1 column", mended="told after imputation"),
    Fault(
        "splits file: a sample that isn't there",
        "cohort",
        "draw_split",
        given_split("sample\tseed0", *_parts(*["train"] * 48), "PI1\ttest"),
        ("'PI1'", "line 50"),
    ),
    at_start(
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
    at_start(
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
    at_start(
        "columns: a pattern that fits none",
        several("BLUP_*"),
        "no column that fits 'BLUP_*'",
        "OIL",
    ),
    at_start("columns: a misspelt one", several("OLI"), "no column 'OLI'", "write OIL"),
    at_start("columns: one twice", several("OIL, O*"), "column 'OIL' twice", "line 2"),
    at_start("columns: one name for all", several("OIL", trait="oil"), "trait 'oil'", "with a *"),
    at_start(
        "columns beside value_column", several("O*", value="OIL"), "columns beside value_column"
    ),
    at_start(
        "columns: a trait that another row has",
        several("OIL*", trait="protein*"),
        "'protein' twice",
    ),
    at_start("fixed: a column that isn't there", fixed("blok"), "no column 'blok'", PLOTS),
    at_start("fixed: text as a number", fixed("number(block)", "a"), "'a' (96)", "'block'"),
    at_start("fixed: a product with a number", fixed("environment:number(block)"), "number(R8)"),
    counted(
        "fixed: blank cells",
        fixed("block", *"1212", "NA"),
        "protein\tleft_out\trecord without a value of fixed block\t19",
    ),
    at_start(
        "covariates: a column that isn't there",
        covariates("sample\tsex", "PI548400\tF", columns=["seks"]),
        "no column 'seks'",
        "lines.tsv",
    ),
    at_start(
        "covariates: text as a number",
        covariates("sample\tsex", "PI548400\tF", columns=["number(sex)"]),
        "'F' (1)",
        "'sex'",
    ),
    Fault(
        "covariates: a line without a row, and one without a value",
        "cohort",
        "",
        covariates(
            "sample\tsex",
            *(f"{name}\t{'FM'[k % 2]}" for k, name in enumerate(sample_names()[2:])),
            f"{sample_names()[0]}\tNA",
        ),
        ("sex\tno value\t1", "sex\tno row\t1"),
        table="cohort/covariate_counts.tsv",
    ),
    at_start(
        "covariates of environments: text as a number",
        conditions("2011\t30", "2012\twet"),
        "'wet' (1)",
        "line 3, column 'rain'",
    ),
    at_start(
        "covariates of environments: one twice",
        conditions("2011\t30", "2011\t40"),
        "environment '2011' twice",
        "line 3",
    ),
    at_start("codes: no number", coded("low=0, mid=1, high"), "'high' in codes", TRAITS),
    at_start("codes: a text that has none", coded("low=0, high=1"), "'mid' (16)", "line 3"),
    at_start(
        "codes: three of a binary trait",
        coded("low=0, mid=1, high=2", kind="binary"),
        "2 (16 cells)",
        "0 and 1",
        "kind: ordinal",
    ),
    counted(
        "codes: ordered classes",
        coded("low=0, mid=1, high=2", kind="ordinal"),
        "oil\tmatched\tby the same id\t48",
    ),
]
