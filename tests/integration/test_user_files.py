"""The demo's data as other laboratories keep them: the rules make the same of them."""

import gzip

import numpy as np
import pandas as pd
import pytest
import yaml

from soyfold.genotypes import bed

VCF = "resources/demo/genotypes.vcf.gz"
PAIRS = "resources/demo/hic/hic_results/data/leaf_pairs/leaf_pairs.allValidPairs.gz"


def split_vcf(project, folder):
    """A VCF for each chromosome of the demo, and of the rest; samples of each in its own order."""
    with gzip.open(project.folder / VCF, "rt") as file:
        lines = [line.rstrip("\n").split("\t") for line in file if not line.startswith("##")]
    header, *records = lines
    folder.mkdir()
    for k, contig in enumerate(dict.fromkeys(row[0] for row in records)):
        order = 9 + np.random.default_rng(k).permutation(len(header) - 9)
        part = [
            row[:9] + [row[i] for i in order]
            for row in [header, *records]
            if row[0] in ("#CHROM", contig)
        ]
        text = "##fileformat=VCFv4.2\n" + "".join("\t".join(row) + "\n" for row in part)
        (folder / f"snps_{contig}.vcf.gz").write_bytes(gzip.compress(text.encode()))


def rewrite_pairs(project, path):
    """The demo's valid pairs as a .pairs file of the 4DN."""
    table = pd.read_csv(project.folder / PAIRS, sep="\t", header=None, dtype=str)
    text = "## pairs format v1.0\n#columns: readID chr1 pos1 chr2 pos2 strand1 strand2\n"
    text += table[[0, 1, 2, 4, 5, 3, 6]].to_csv(sep="\t", header=False, index=False)
    path.write_bytes(gzip.compress(text.encode()))


@pytest.fixture(scope="module")
def study(fresh_project, root):
    """The demo, and beside it the same with its files in other formats."""
    folder = fresh_project.folder
    split_vcf(fresh_project, folder / "by_chromosome")
    rewrite_pairs(fresh_project, folder / "leaf.pairs.gz")
    (folder / "hic.tsv").write_text(
        "library\tformat\tfile\tbins\tresolution\nleaf\tpairs\tleaf.pairs.gz\tNA\t5000000\n"
    )
    study = yaml.safe_load((root / "config/config.yaml").read_text())
    study.update(study="theirs")
    study["genotypes"]["file"] = "by_chromosome/snps_{chromosome}.vcf.gz"
    study["contacts"]["libraries"] = "hic.tsv"
    (folder / "theirs.yaml").write_text(yaml.safe_dump(study))
    return fresh_project


def calls(folder):
    """Samples, variants and counts of ALT of the filtered genotypes, samples sorted by name."""
    bim, samples = bed.read_bim(folder / "filtered.bim"), bed.read_fam(folder / "filtered.fam")
    rows = bed.open_bed(folder / "filtered.bed", variants=len(bim), samples=len(samples))
    counts = bed.unpack(rows, len(samples))
    return sorted(samples), bim["variant"].tolist(), counts[:, np.argsort(samples)]


def test_files_by_chromosome_and_pairs_give_what_the_demos_files_give(study):
    ends = ("genotypes/filtered.bed", "contacts/libraries/{}.cool")
    ours = [f"results/demo/{end.format('leaf_pairs')}" for end in ends]
    theirs = [f"results/theirs/{end.format('leaf')}" for end in ends]
    for arguments in (ours, [*theirs, "--configfile", "theirs.yaml"]):
        done = study.snakemake(*arguments)
        assert done.returncode == 0, done.stdout[-3000:]
    results = study.folder / "results"
    for one, two in zip(
        *(calls(results / name / "genotypes") for name in ("demo", "theirs")), strict=True
    ):
        assert np.array_equal(one, two)
    kept = [
        pd.read_csv(results / name / "genotypes/qc_counts.tsv", sep="\t", index_col="step")
        for name in ("demo", "theirs")
    ]
    # The files of a pattern are those of the chromosomes: the scaffolds' file is never opened.
    own, other = (
        table.drop(columns="variants_left", index=["raw file", "other contigs"]) for table in kept
    )
    assert own.equals(other)
    assert kept[0]["variants_left"].iloc[-1] == kept[1]["variants_left"].iloc[-1]
    tables = [
        pd.read_csv(results / f"{name}/contacts/libraries/{library}.tsv", sep="\t").drop(
            columns=["library", "format"]
        )
        for name, library in (("demo", "leaf_pairs"), ("theirs", "leaf"))
    ]
    pd.testing.assert_frame_equal(*tables)


def test_a_chromosome_without_a_file_is_named_before_the_first_job(study):
    gone = study.folder / "by_chromosome" / "snps_Chr07.vcf.gz"
    content = gone.read_bytes()
    gone.unlink()
    try:
        done = study.snakemake("-n", "--configfile", "theirs.yaml")
    finally:
        gone.write_bytes(content)
    assert done.returncode == 1 and "Traceback" not in done.stdout
    assert "no file of chromosome Gm07 (tried" in done.stdout
