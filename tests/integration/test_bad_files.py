"""Bad files through the whole pipeline: one line, exit 1, and no output that a rerun would take."""

import gzip

import pytest
import yaml

VCF = "resources/demo/genotypes.vcf.gz"
HIC = "resources/demo/hic/hic_results"
PAIRS = f"{HIC}/data/leaf_pairs/leaf_pairs.allValidPairs.gz"
BINS = f"{HIC}/matrix/root_matrix/raw/5000000/root_matrix_5000000_abs.bed"


def lines_of(path):
    with gzip.open(path, "rt") as file:
        return file.read().splitlines()


def write_gz(lines, path):
    with gzip.open(path, "wt") as file:
        file.write("\n".join(lines) + "\n")


def change_vcf(project, change):
    """Rewrite the demo's VCF through `change(header cells, records)` under another name."""
    lines = lines_of(project.folder / VCF)
    start = next(i for i, line in enumerate(lines) if line.startswith("#CHROM"))
    header, *records = (line.split("\t") for line in lines[start:])
    change(header, records)
    body = ["\t".join(cells) for cells in (header, *records)]
    write_gz(lines[:start] + body, project.folder / "bad.vcf.gz")


def truncated(project, study):
    content = (project.folder / VCF).read_bytes()
    (project.folder / "bad.vcf.gz").write_bytes(content[: len(content) // 2])


def duplicate_sample(project, study):
    change_vcf(project, lambda header, records: header.__setitem__(10, header[9]))


def duplicate_variant(project, study):
    change_vcf(project, lambda header, records: records.insert(1, list(records[0])))


def unknown_chromosome(project, study):
    change_vcf(project, lambda header, records: records[5].__setitem__(0, "Chr21"))


def beyond_the_end(project, study):
    change_vcf(project, lambda header, records: records[5].__setitem__(1, "990000000"))


def no_sample_left(project, study):
    study["genotypes"].update(file=VCF, filters={"sample_missing": 0.0})


def no_variant_left(project, study):
    change_vcf(project, lambda header, records: records.__setitem__(slice(20, None), []))
    study["genotypes"]["filters"] = {"minor_allele_frequency": 0.5}


def hic_without_a_chromosome(project, study):
    lines = [line for line in lines_of(project.folder / PAIRS) if "chr20\t" not in line]
    write_gz(lines, project.folder / "bad.allValidPairs.gz")
    sheet = (project.folder / "config/hic.tsv").read_text().replace(PAIRS, "bad.allValidPairs.gz")
    (project.folder / "bad_hic.tsv").write_text(sheet)
    study["contacts"]["libraries"] = "bad_hic.tsv"


def bins_of_another_assembly(project, study):
    text = (project.folder / BINS).read_text().splitlines()
    cells = [line.split("\t") for line in text]
    last = max(i for i, row in enumerate(cells) if row[0] == cells[0][0])
    cells[last][2] = str(int(cells[last][2]) + 1_000_000)
    (project.folder / "bad_abs.bed").write_text("\n".join("\t".join(c) for c in cells) + "\n")
    sheet = (project.folder / "config/hic.tsv").read_text().replace(BINS, "bad_abs.bed")
    (project.folder / "bad_hic.tsv").write_text(sheet)
    study["contacts"]["libraries"] = "bad_hic.tsv"


@pytest.mark.parametrize(
    ("spoil", "target", "said"),
    [
        (truncated, "genotypes/raw.bed", ["bad.vcf.gz"]),
        (duplicate_sample, "genotypes/raw.bed", ["bad.vcf.gz", "twice"]),
        (duplicate_variant, "genotypes/raw.bed", ["bad.vcf.gz", "line"]),
        (unknown_chromosome, "genotypes/raw.bed", ["Chr21", "soybean_wm82.a2.tsv"]),
        (beyond_the_end, "genotypes/raw.bed", ["990000000", "chromosomes"]),
        (no_sample_left, "genotypes/filtered.bed", ["no sample"]),
        (no_variant_left, "genotypes/filtered.bed", ["no "]),
        (hic_without_a_chromosome, "contacts/libraries/leaf_pairs.cool", ["Gm20"]),
        (bins_of_another_assembly, "contacts/libraries/root_matrix.cool", ["bad_abs.bed", "Gm01"]),
    ],
)
def test_one_line_exit_1_nothing_left(fresh_project, root, spoil, target, said):
    study = yaml.safe_load((root / "config/config.yaml").read_text())
    study.update(study=spoil.__name__)
    study["genotypes"]["file"] = "bad.vcf.gz"
    if "contacts" in target:
        study["genotypes"]["file"] = VCF
    spoil(fresh_project, study)
    (fresh_project.folder / "bad.yaml").write_text(yaml.safe_dump(study))
    wanted = f"results/{spoil.__name__}/{target}"
    done = fresh_project.snakemake(wanted, "--configfile", "bad.yaml")
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stdout
    errors = [line for line in done.stdout.splitlines() if line.startswith("soyfold: ERROR")]
    assert len(errors) == 1, done.stdout
    for part in ["found ", *said]:
        assert part in errors[0]
    folder = (fresh_project.folder / wanted).parent
    left = {path.name for path in folder.glob("*")} - {"raw.bed", "raw.bim", "raw.fam"}
    assert left <= {"import_variants.tsv"}
