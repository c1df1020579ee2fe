"""soyfold.genotypes.sources: which files hold the genotypes, and whether they belong together."""

import gzip

import numpy as np
import pytest
import yaml
from genotype_files import CHROMOSOMES, PLINK, random_counts, write_vcf

from soyfold.common.errors import UserError
from soyfold.common.files import read_table
from soyfold.genotypes import bed
from soyfold.genotypes.importing import import_genotypes
from soyfold.genotypes.sources import (
    FORMATS,
    check_settings,
    common_format,
    file_format,
    format_like,
    list_files,
    match_samples,
)

SAMPLES = [f"s{i}" for i in range(7)]


def run(file, folder, **settings):
    """Import; returns bim, samples, counts of ALT, table of input records."""
    folder.mkdir(exist_ok=True)
    import_genotypes(
        file, settings={"format": "auto", **settings}, chromosomes=CHROMOSOMES,
        prefix=folder / "raw", variants=folder / "import.tsv", **PLINK,
    )  # fmt: skip
    bim, samples = bed.read_bim(folder / "raw.bim"), bed.read_fam(folder / "raw.fam")
    rows = bed.open_bed(folder / "raw.bed", variants=len(bim), samples=len(samples))
    return bim, samples, bed.unpack(rows, len(samples)), read_table(folder / "import.tsv")


def records_of(counts, contigs=("chr01", "chr02", "X")):
    """Ten records on each chromosome."""
    return [
        (contigs[k // 10], 10 + k, f"m{k}", "A", "G", counts[k]) for k in range(10 * len(contigs))
    ]


@pytest.fixture(scope="module")
def counts():
    return random_counts(30, 7)


@pytest.fixture(scope="module")
def whole(counts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    return run(write_vcf(folder / "x.vcf", records_of(counts), SAMPLES), folder / "out")


def write_parts(folder, counts, names, *, suffix=".vcf.gz", orders=None):
    """A VCF for each chromosome, its samples in an order of its own."""
    records, paths = records_of(counts), []
    for k, name in enumerate(names):
        order = (orders or [np.random.default_rng(k).permutation(7) for _ in names])[k]
        part = [(*r[:5], r[5][order]) for r in records[10 * k : 10 * k + 10]]
        samples = [SAMPLES[i] for i in order]
        paths.append(write_vcf(folder / f"{name}{suffix}", part, samples))
    return paths


def same(one, two, samples):
    """Whether two imports hold the same calls, whatever the order of their samples."""
    order = [two[1].index(name) for name in samples]
    first = [one[1].index(name) for name in samples]
    assert one[0].equals(two[0]) and one[3].equals(two[3])
    np.testing.assert_array_equal(one[2][:, first], two[2][:, order])


def test_files_by_chromosome_are_the_whole_whatever_their_samples_order(tmp_path, counts, whole):
    paths = write_parts(tmp_path, counts, ("chr01", "chr02", "X"))
    parts = run(paths, tmp_path / "out")
    assert parts[1] != SAMPLES and sorted(parts[1]) == SAMPLES
    same(whole, parts, SAMPLES)


def test_beds_by_chromosome_are_the_whole(tmp_path, counts, whole):
    paths = []
    for k, vcf in enumerate(write_parts(tmp_path, counts, ("chr01", "chr02", "X"))):
        order = np.random.default_rng(k).permutation(7)
        rows = records_of(counts)[10 * k : 10 * k + 10]
        stem = tmp_path / f"part{k}"
        bim = [[r[0], r[2], "0", str(r[1]), r[4], r[3]] for r in rows]
        stem.with_suffix(".bim").write_text("".join("\t".join(row) + "\n" for row in bim))
        bed.write_fam([SAMPLES[i] for i in order], stem.with_suffix(".fam"))
        bed.write_bed(bed.pack(np.array([r[5][order] for r in rows])), stem.with_suffix(".bed"))
        paths.append(stem.with_suffix(".bed"))
        vcf.unlink()
    same(whole, run(paths, tmp_path / "out"), SAMPLES)


def test_a_pattern_finds_each_chromosome_by_any_name(tmp_path, counts):
    pattern = str(tmp_path / "snps_{chromosome}.vcf")
    for name in ("chr01", "2", "chrX"):
        (tmp_path / f"snps_{name}.vcf").write_text("x")
    found = [str(tmp_path / f"snps_{name}.vcf") for name in ("chr01", "2", "chrX")]
    assert list_files(pattern, CHROMOSOMES) == found
    (tmp_path / "snps_chr02.vcf").write_text("x")
    with pytest.raises(UserError, match=r"several files of chromosome chrII: .*chr02.*_2\.vcf"):
        list_files(pattern, CHROMOSOMES)
    for name in ("chr02", "2", "chrX"):
        (tmp_path / f"snps_{name}.vcf").unlink()
    with pytest.raises(UserError, match=r"no file of chromosome chrII, chrX \(tried .*chrII\.vcf"):
        list_files(pattern, CHROMOSOMES)


def test_lists_and_single_files_are_taken_as_they_are():
    assert list_files("a.vcf", CHROMOSOMES) == ["a.vcf"]
    assert list_files(["b.vcf", "a.vcf"], CHROMOSOMES) == ["b.vcf", "a.vcf"]
    with pytest.raises(UserError, match=r"a\.vcf, key genotypes\.file: found the file twice"):
        list_files(["a.vcf", "b.vcf", "a.vcf"], CHROMOSOMES)


def test_one_format_for_all_files():
    assert check_settings({"file": ["a.hmp.txt.gz", "b.HMP.txt"], "format": "auto"}) == "hapmap"
    with pytest.raises(UserError, match=r"several formats: a\.vcf \(vcf\), b\.bed \(bed\)"):
        common_format(["a.vcf", "b.bed"])


def test_samples_agree_as_a_set():
    files = {"file": "b.vcf", "first_file": "a.vcf"}
    assert match_samples(["x", "y"], ["x", "y"], **files) is None
    assert match_samples(["y", "x"], ["x", "y"], **files) == [1, 0]
    with pytest.raises(UserError) as caught:
        match_samples(["x", "z"], ["x", "y"], **files)
    message = str(caught.value)
    assert message.startswith("b.vcf: found 1 samples absent (y) and 1 samples that")
    assert "(z)" in message and "the samples of a.vcf, in any order" in message


def test_other_samples_a_lost_chromosome_and_a_repeated_variant_name_their_files(tmp_path, counts):
    first, second, third = write_parts(tmp_path, counts, ("chr01", "chr02", "X"))
    with pytest.raises(UserError, match=r"no record of chromosome chrX in 2 files"):
        run([first, second], tmp_path / "out")
    assert list((tmp_path / "out").glob("*")) == []
    text = gzip.decompress(third.read_bytes()).replace(b"\ts3", b"\tother")
    (tmp_path / "other.vcf").write_bytes(text)
    with pytest.raises(UserError, match=r"other\.vcf: found 1 samples absent \(s3\)"):
        run([first, second, tmp_path / "other.vcf"], tmp_path / "out")
    again = tmp_path / "again.vcf.gz"
    again.write_bytes(first.read_bytes())
    match = r"again\.vcf\.gz: found 10 variants twice: .*\(line 3 of .*chr01.*line 3 of .*again"
    with pytest.raises(UserError, match=match):
        run([first, second, third, again], tmp_path / "out")


def test_calls_that_are_none_are_told_with_their_own_file_and_sample(tmp_path, counts):
    """A single one is a missing call. Samples stand in another order in each file."""
    paths = write_parts(tmp_path, counts, ("chr01", "chr02", "X"), suffix=".vcf")
    before = run(paths, tmp_path / "out")[2]
    lines = [line.split("\t") for line in paths[1].read_text().splitlines()]
    lines[5][-1] = "x/y"
    paths[1].write_text("".join("\t".join(line) + "\n" for line in lines))
    *_, after, table = run(paths, tmp_path / "one")
    assert (before != after).sum() == 1 and after[before != after] == bed.MISSING
    assert table["not_understood_calls"].sum() == 1
    for line in lines[2:]:
        line[-2:] = ["2/2", "1/3"]
    paths[1].write_text("".join("\t".join(line) + "\n" for line in lines))
    two, three = lines[1][-2:]
    first = f"'2/2' for sample {two}|'1/3' for sample {three}"
    with pytest.raises(UserError, match=rf"chr02\.vcf, line 3: .*beyond ALT; first ({first})"):
        run(paths, tmp_path / "many")


def test_the_table_of_formats_is_what_the_schema_allows(root):
    schema = yaml.safe_load((root / "workflow/schemas/config.schema.yaml").read_text())
    assert schema["properties"]["genotypes"]["properties"]["format"]["enum"] == [
        "auto", *FORMATS, "brapi",  # which is a VCF before it is read
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (b"##fileformat=VCFv4.2\n", "vcf"),
        (b"#CHROM\tPOS\n", "vcf"),
        ("rs#\talleles\tchrom\tpos\n".encode("utf-16"), "hapmap"),
        (b'"rs.","alleles","chrom","pos"\n', "hapmap"),
        (bed.MAGIC + bytes(40), "bed"),
    ],
)
@pytest.mark.parametrize("name", ["x.txt", "x.vcf", "x.bed", "x.hmp.txt"])
def test_content_tells_more_than_a_name(tmp_path, text, kind, name):
    (tmp_path / name).write_bytes(gzip.compress(text) if kind == "hapmap" else text)
    assert file_format(tmp_path / name) == kind
    assert file_format(tmp_path / name, "marker_table") == "marker_table"


def test_other_programs_files_are_told_how_they_are_made_anew():
    for name, words in (("x.map", "plink --file"), ("x.FAM", "name the .bed"), ("x.csv", "format")):
        with pytest.raises(UserError, match=words):
            file_format(name)
    assert format_like("x.csv", "marker_table") == "marker_table"
    assert format_like("x.vcf.gz", "marker_table") == "vcf"
