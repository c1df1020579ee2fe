"""new_lines: a file of new lines, through import and alignment, at a panel's variants."""

import pandas as pd
import pytest
from genotype_files import CHROMOSOMES, PLINK, write_vcf

from soyfold.common.errors import UserError
from soyfold.genotypes import bed
from soyfold.genotypes.importing import import_genotypes
from soyfold.prediction import alignment
from soyfold.prediction.new_lines import align_lines

PANEL = pd.DataFrame(
    {
        "variant": ["a", "b", "c", "d"],
        "chromosome": ["chrI", "chrI", "chrII", "chrX"],
        "position": [10, 20, 30, 40],
        "ref": ["A", "C", "G", "T"],
        "alt": ["G", "T", "A", "G"],
        "frequency": 0.3,
        "most_frequent": 0,
    }
)
SETTINGS = {"match": "auto", "min_overlap": 0.5, "ambiguous": "infer", "missing": "impute"}


READING = {"format": "auto", "invariant": True}


def align(folder, records, **changed):
    """Counts of the panel's ALT, fate of each variant, and the counts of alignment.tsv."""
    return align_file(write_vcf(folder / "new.vcf", records, ["x", "y"]), folder, **changed)


def align_file(path, folder, **changed):
    """The same of a file of two lines."""
    import_genotypes(
        path, settings=READING | {"match": (SETTINGS | changed)["match"]},
        chromosomes=CHROMOSOMES, prefix=folder / "raw", variants=folder / "records.tsv", **PLINK,
    )  # fmt: skip
    variants, counts, _ = align_lines(
        folder / "raw", folder / "records.tsv", PANEL, [], settings=SETTINGS | changed,
        file=path, prefix=folder / "aligned",
    )  # fmt: skip
    rows = bed.open_bed(folder / "aligned.bed", variants=len(PANEL), samples=2)
    told = counts.set_index(["of", "what"])["count"]
    return bed.unpack(rows, 2).tolist(), variants["fate"].tolist(), told


def test_records_in_which_all_lines_have_ref_are_calls(tmp_path):
    records = [
        ("1", 10, "a", "A", ".", [0, 0]),  # the panel's REF
        ("1", 20, "b", "T", ".", [0, -1]),  # the panel's ALT
        ("2", 30, "c", "C", ".", [0, 0]),  # the panel's REF on the other strand
        ("X", 40, "d", "T", "G", [1, 2]),
    ]
    counts, fates, told = align(tmp_path, records)
    assert counts == [[0, 0], [2, -1], [0, 0], [1, 2]]
    assert fates == ["used", "swapped", "other strand", "used"]
    assert told["calls", "known"] == 7 and told["calls", "missing"] == 1


def test_one_letter_of_a_hapmap_is_a_call_too(tmp_path):
    columns = (
        "rs# alleles chrom pos strand assembly# center protLSID assayLSID panelLSID QCcode x y"
    )
    rows = [
        "a A 1 10 + . . . . . . AA A",
        "b T/N 1 20 + . . . . . . TT NN",
        "c C 2 30 + . . . . . . C C",
        "d T/G X 40 + . . . . . . K G",
    ]
    path = tmp_path / "new.hmp.txt"
    path.write_text("".join(line.replace(" ", "\t") + "\n" for line in [columns, *rows]))
    counts, fates, _ = align_file(path, tmp_path)
    assert counts == [[0, 0], [2, -1], [0, 0], [1, 2]]
    assert fates == ["used", "swapped", "other strand", "used"]


def test_a_variant_goes_before_a_record_without_alt_beside_it(tmp_path):
    records = [
        ("1", 10, "a", "A", ".", [0, 0]),
        ("1", 10, "a2", "A", "G", [0, 1]),
        ("1", 20, "b", "C", "T", [1, 1]),
        ("1", 20, "b2", "C", ".", [0, 0]),
        ("2", 30, "c", "G", "A", [0, 0]),
        ("2", 30, "c2", "G", "T", [0, 0]),
        ("2", 30, "c3", "G", ".", [0, 0]),
    ]
    counts, fates, told = align(tmp_path, records)
    assert counts == [[0, 1], [1, 1], [-1, -1], [-1, -1]]
    assert fates == ["used", "used", "missing", "missing"]
    assert told["file's records", "no alternate allele"] == 2
    assert told["file's records", "multiallelic"] == 3


def test_a_call_of_an_allele_that_the_record_lacks_is_refused(tmp_path):
    records = [("1", 10, "a", "A", ".", [0, 1]), ("1", 20, "b", "C", "T", [0, 1])]
    with pytest.raises(UserError, match=r"line 3: .*1 of an allele beyond ALT; first '0/1'"):
        align(tmp_path, records)
    assert not (tmp_path / "aligned.bed").exists()


def test_missing_calls_are_refused_where_the_study_says_so(tmp_path):
    records = [
        (contig, position, "n", ref, alt, [0, 1])
        for contig, position, ref, alt in zip(
            ["1", "1", "2", "X"], PANEL["position"], PANEL["ref"], PANEL["alt"], strict=True
        )
    ]
    assert align(tmp_path, records, missing="refuse")[1] == ["used"] * 4
    records[2] = (*records[2][:5], [-1, 1])
    with pytest.raises(UserError, match="1 missing calls of 8; 0 variants absent"):
        align(tmp_path, records, missing="refuse")
    with pytest.raises(UserError, match="2 missing calls of 8; 1 variants absent"):
        align(tmp_path, records[:1] + records[1:2] + records[3:], missing="refuse")


def test_few_of_the_models_variants_are_refused(tmp_path):
    records = [("1", 10, "a", "A", "G", [0, 1]), ("1", 11, "z", "A", "G", [0, 1])]
    with pytest.raises(UserError, match=f"1 of the model's 4 variants .3 {alignment.MISSING}"):
        align(tmp_path, records)
