"""Faults of a VCF: what its header says, its calls, files joined, duplicates."""

from genotype_faults import COUNTS, FIRST, change, content, counted, importing, rewrite
from tiny_road import LINES, VCF

VARIANTS, SAMPLES = "genotypes/variants.tsv", "genotypes/samples.tsv"
PLINKS = "taken, or refused, as PLINK has it"


def _in_every(step, call, *, alternate=None):
    """Change the calls of every so manieth record by a function; its ALT."""

    def of_records(records):
        return [
            cells
            if k % step
            else [*cells[:4], alternate or cells[4], *cells[5:9], *map(call, cells[9:])]
            for k, cells in enumerate(records)
        ]

    return rewrite(of_records)


def header(*lines):
    """A fault that adds lines to the header."""
    return lambda study: study.write(VCF, [study.lines(VCF)[0], *lines, *study.lines(VCF)[1:]])


def _read_backed(records):
    """Reads behind every call but the missing ones, which are 0/0 then."""
    reads = {"0/0": "0/0:7:0,21,210", "1/1": "1/1:7:210,21,0", "./.": "0/0:0:0,0,0"}
    return [[*cells[:8], "GT:DP:PL", *(reads[call] for call in cells[9:])] for cells in records]


def _without_reads(records):
    return [[*cells[:8], "GT:DP", *(f"{call}:0" for call in cells[9:])] for cells in records]


def joined(rename=lambda line: line):
    """A fault that puts the header in again, behind the twelfth record."""

    def spoil(study):
        lines = study.lines(VCF)
        again = [lines[0], rename(lines[1])]
        study.write(VCF, [*lines[: FIRST + 12], *again, *lines[FIRST + 12 :]])

    return spoil


def narrower(study):
    lines = study.lines(VCF)
    study.write(VCF, [*lines[:9], lines[9].rsplit("\t", 1)[0], *lines[10:]])


def in_gbk(study):
    data = study.path(VCF).read_text().replace("PI548401", "中黄35")
    study.path(VCF).write_bytes(data.encode("gbk"))


def first_of_duplicates(study):
    rewrite(lambda r: [*r, *r[:2]])(study)
    study.config["genotypes"]["duplicates"] = "first"


FAULTS = [
    importing(
        "VCF: lengths of another assembly in its header",
        header("##contig=<ID=Chr01,length=1012345>", "##contig=<ID=scaffold_9,length=7>"),
        "Chr01 of 1012345 bp in the header, 1000000 in chromosomes.tsv",
        mended="read as of this assembly",
    ),
    importing(
        "VCF: sample names in GBK", in_gbk, "line 2", "'中黄35' as GBK", "save it as UTF-8",
        mended="names with replacement characters",
    ),
    importing(
        "VCF: sites without samples",
        lambda s: s.write(VCF, ["\t".join(line.split("\t")[:8]) for line in s.lines(VCF)]),
        "a VCF of sites alone",
    ),
    importing(
        "VCF: blanks for tabs",
        lambda s: s.write(VCF, [line.replace("\t", " ") for line in s.lines(VCF)]),
        "write tabs",
    ),
    importing(
        "VCF: a BCF under its name", content(VCF, b"BCF\x02\x02rest"), "a BCF", "bcftools view",
    ),
    importing(
        "VCF: a second header with other samples",
        joined(lambda line: line.replace("PI548401", "PI9")),
        "line 15", "PI9 stands where it has PI548401", "bcftools concat",
        mended="`cut off or damaged`",
    ),
    importing(
        "VCF: a record with a field too few", narrower, "line 10", "56 fields", "other samples",
        mended="`cut off or damaged`",
    ),
    importing(
        "VCF: tetraploid calls", _in_every(3, lambda call: f"{call}/{call}"),
        "line 3", "'1/1/1/1'", "more than two alleles", mended=PLINKS,
    ),
    importing(
        "VCF: calls of an allele beyond ALT", _in_every(3, lambda call: call.replace("1", "2")),
        "line 3", "'2/2'", "beyond ALT", mended=PLINKS,
    ),
    importing(
        "VCF: calls without a separator", _in_every(3, lambda call: call.replace("/", "")),
        "line 3", "without a separator", "write / between", mended=PLINKS,
    ),
    importing(
        "VCF: NA/NA for missing calls",
        rewrite(lambda r: [[*c[:9], *["NA/NA"] * 6, *c[15:]] for c in r]),
        "'NA/NA'", "missing ones as ./.", mended=PLINKS,
    ),
    importing(
        "VCF: depth 0 for all calls", rewrite(_without_reads), "no call with reads", "remove these",
        mended="read as calls",
    ),
    importing(
        "VCF: three variants twice", rewrite(lambda r: [*r, *r[:3]]), "3 variants twice", "line 3",
        "line 33", "line 35", "duplicates: first", mended="one at a time",
    ),
    counted(
        "VCF: duplicates, of which the first is asked for", first_of_duplicates, COUNTS,
        "duplicate\tNA\t0\t48\t2\t30",
    ),
    counted(
        "VCF: a header that comes again", joined(), COUNTS, "raw file\tNA\t0\t48\t0\t30",
        mended="`cut off or damaged`",
    ),
    counted(
        "VCF: 0/0 without reads", rewrite(_read_backed), SAMPLES, "calls_without_reads",
        "PI548400\t28\t0.06666666667\t0\t0\t2\t0\t0\t0\tyes", mended="read as REF",
    ),
    counted(
        "VCF: <NON_REF> beside ALT",
        _in_every(30, lambda call: "0/2" if call == "1/1" else call, alternate="G,<NON_REF>"),
        VARIANTS, "placeholder_calls", "126964\tA\tG\t0\t0\t22\t0\t0\t",
        mended="the SNP was dropped as multiallelic",
    ),
    counted(
        "VCF: a record with tetraploid calls", _in_every(30, lambda call: f"{call}/{call}"),
        VARIANTS, "not_understood_calls", "126964\tA\tG\t0\t0\t0\t0\t45\t", mended=PLINKS,
    ),
    counted(
        "VCF: a call that is none", change(c9="A/G"), VARIANTS, "126964\tA\tG\t0\t0\t0\t0\t1\t",
        mended="one call refused the file",
    ),
    counted(
        "VCF: a record without GT", change(c8="GQ"), VARIANTS, "126964\tA\tG\t0\t0\t0\t0\t48\t",
        mended="one record refused the file",
    ),
]  # fmt: skip
assert LINES == 48  # fields and calls above
