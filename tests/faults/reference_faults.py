"""Faults of the reference that tells each SNP's motif."""

import gzip

from fault import Fault
from phenotype_faults import at_start
from tiny_road import LENGTHS, VCF

FASTA, COUNTS = "genome.fa", "cohort/variant_class_counts.tsv"


def reference(base="A", *, names=None, shorter=0, text=None, file=FASTA, **settings):
    """A study with a reference of one base: A is the REF of every SNP."""

    def spoil(study):
        named = dict(zip(names or LENGTHS, LENGTHS.values(), strict=True))
        whole = "".join(f">{name}\n{base * (n - shorter)}\n" for name, n in named.items())
        content = (whole if text is None else text).encode()
        study.path(file).write_bytes(gzip.compress(content) if file.endswith(".gz") else content)
        study.config["reference"] = {"file": file, **settings} if settings else file

    return spoil


def refused(name, spoil, *said, file=FASTA):
    """A fault that the job answers before imputation."""
    return Fault(
        f"reference: {name}", "cohort", "classify_variants", spoil, (file, *said), target=COUNTS
    )


def differing_once(study):
    """REF of one SNP isn't the reference's, whose names are aliases; it is gzipped."""
    reference(names=("chr1", "2", "Gm03"), file="genome.fa.gz")(study)
    row = next(line for line in study.lines(VCF) if line.startswith("Gm02"))
    study.edit(VCF, row, row.replace("\tA\tG\t", "\tC\tG\t"))


def cut_short(study):
    reference(file="genome.fa.gz")(study)
    path = study.path("genome.fa.gz")
    path.write_bytes(path.read_bytes()[:-20])


FAULTS = [
    at_start(
        "reference: no such file",
        lambda s: [reference()(s), s.path(FASTA).unlink()],
        FASTA, "reference", "no such file",
    ),
    at_start(
        "reference: a motif with letters that are no bases",
        reference(kmers=["TATAAX"]),
        "key reference.kmers[0]", "TATAAX",
    ),
    at_start("reference: a flank below 0", reference(flank=-1), "key reference.flank", "-1"),
    refused(
        "of another assembly", reference("C"), "at 30 of 30 variants", "at most 5%", "assembly",
    ),
    refused(
        "whose names aren't the table's", reference(names=("I", "II", "III")),
        "no sequence of Gm01, Gm02, Gm03; found I, II, III", "chromosomes.tsv",
    ),
    refused(
        "that ends before the variants", reference(shorter=590_000), "of Gm0", "and variant Gm0",
        "assembly",
    ),
    refused("a table in a FASTA's place", reference(text="chromosome\tlength\n"), "no sequence"),
    refused("cut off while it was copied", cut_short, "no FASTA", file="genome.fa.gz"),
    Fault(
        "reference: REF differs at one of 30 SNPs", "genotypes", "", differing_once,
        ("other\t1\t0.03333333333\t1\t1",), table=COUNTS,
    ),
]  # fmt: skip
