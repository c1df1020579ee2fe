"""Faults of hypotheses: their sheet, regions and weights."""

from fault import Fault
from phenotype_faults import at_start

SHEET, REGIONS, WEIGHTS = "hypotheses.tsv", "pathways.tsv", "weights.tsv"
HEAD = "chromosome\tstart\tend\tgroup"
GOOD = (HEAD, "Gm01\t1\t400000\ta", "Chr02\t1\t300000\tb", "Gm03\t1\t600000\ta")


def hypothesis(*rows, name=REGIONS, sheet="hypothesis\tfile\tflank\tweights", weights=None,
               flank="500"):  # fmt: skip
    """A fault of the regions, the weights, or the sheet of a study with one hypothesis."""

    def spoil(study):
        study.write(name, rows)
        if weights:
            study.write(WEIGHTS, ("group\tgroup_2\tweight", *weights))
        study.write(SHEET, (sheet, f"pathways\t{name}\t{flank}\t{WEIGHTS if weights else 'NA'}"))
        study.config["hypotheses"] = {"sheet": SHEET}

    return spoil


def regions(name, row, *said, **options):
    """A fault of one row of the regions, the third of the file."""
    return at_start(f"hypotheses: {name}", hypothesis(*GOOD[:2], row, **options), REGIONS, *said)


def weights(name, row, *said):
    """A fault of one row of the weights, the third of the file."""
    spoil = hypothesis(*GOOD, weights=("a\tb\t0.5", row))
    return at_start(f"hypotheses: {name}", spoil, WEIGHTS, "line 3", *said)


FAULTS = [
    at_start(
        "hypotheses: no such file of regions",
        lambda s: [hypothesis(*GOOD)(s), s.path(REGIONS).unlink()],
        REGIONS, "hypothesis pathways in hypotheses.tsv", "no such file",
    ),
    at_start(
        "hypotheses: a sheet without the column file",
        hypothesis(*GOOD, sheet="hypothesis\tfiles\tflank\tweights"),
        SHEET, "no column file",
    ),
    at_start(
        "hypotheses: a negative flank", hypothesis(*GOOD, flank="-5"), SHEET, "line 2", "flank"
    ),
    at_start(
        "hypotheses: a trait that there isn't",
        lambda s: [hypothesis(*GOOD)(s), s.config["hypotheses"].update(traits=["oli"])],
        "key hypotheses.traits", "'oli'",
    ),
    at_start(
        "hypotheses: regions without the column group",
        hypothesis("chromosome\tstart\tend\tpathway", "Gm01\t1\t9\ta"),
        REGIONS, "'group'",
    ),
    at_start("hypotheses: header without regions", hypothesis(HEAD), REGIONS, "no rows"),
    regions("a start that is no number", "Gm01\tone\t9\ta", "line 3", "'start'", "'one'"),
    regions("a start without a value", "Gm01\tNA\t9\ta", "line 3", "'start'", "'NA'"),
    regions("an end before its start", "Gm01\t90\t9\ta", "line 3", "'end'", "90 to 9"),
    regions(
        "a region beyond the chromosome", "Gm03\t1\t700000\ta", "line 3", "1 to 700000 on Gm03",
        "chromosomes.tsv",
    ),
    at_start(
        "hypotheses: chromosomes of another species",
        hypothesis(HEAD, "chrX\t1\t9\ta"),
        REGIONS, "no chromosome of the study",
    ),
    at_start(
        "hypotheses: regions in no group", hypothesis(HEAD, "Gm01\t1\t9\tNA"), REGIONS, "no group"
    ),
    regions("a group called rest", "Gm01\t1\t9\trest", "line 3", "'rest'"),
    at_start(
        "hypotheses: a BED of three columns",
        hypothesis("Gm01\t0\t9", name="pathways.bed"),
        "pathways.bed", "line 1", "3 fields",
    ),
    at_start(
        "hypotheses: a GFF3 without attributes",
        hypothesis("##gff-version 3", "Gm01\t.\tgene\t1\t9\t.\t+\t.", name="genes.gff3"),
        "genes.gff3", "line 2", "8 fields",
    ),
    weights("a weight of a group that there isn't", "a\tc\t1", "group 'c'", "'group_2'"),
    weights("a negative weight", "b\tb\t-1", "'-1'", "'weight'"),
    weights("a group that doesn't go with itself", "b\tb\t0", "'weight'", "itself"),
    Fault(
        "hypotheses: a gene without SNPs, and one on a scaffold", "cohort", "",
        hypothesis(*GOOD, "Gm02\t1\t1\tb", "scaffold_21\t5\t10\tb", flank="0"),
        ("b\t3\t1\t1\t",), table="cohort/hypotheses/pathways/groups.tsv",
    ),
]  # fmt: skip
