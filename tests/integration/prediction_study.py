"""A study of two chromosomes with untested lines of its own: the workflow in a minute."""

import numpy as np
import pandas as pd
import yaml

CHROMOSOMES = {"Gm01": 2_000_000, "Gm02": 1_500_000}
SNPS = 40  # a chromosome
ALLELES = [("A", "G"), ("C", "T"), ("G", "T"), ("A", "C")]


def _haplotypes(random, lines):
    """Inbred lines (lines, SNPs) as mosaics of four founders, so that neighbours go together."""
    founders = random.integers(0, 2, (4, SNPS))
    switch = random.random((lines, SNPS)) < 0.1
    switch[:, 0] = True
    founder = random.integers(0, 4, (lines, SNPS))
    last = np.maximum.accumulate(np.where(switch, np.arange(SNPS), 0), axis=1)
    return founders[np.take_along_axis(founder, last, axis=1), np.arange(SNPS)]


def draw_lines(n, *, seed=0):
    """Dosages (n, 2 SNPS) of inbred lines and a trait that they explain mostly."""
    random = np.random.default_rng(seed)
    dosage = 2 * np.hstack([_haplotypes(random, n) for _ in CHROMOSOMES]).astype(np.int8)
    effects = random.standard_normal(dosage.shape[1]) * (random.random(dosage.shape[1]) < 0.2)
    genetic = dosage @ effects
    return dosage, 40 + genetic + 0.4 * genetic.std() * random.standard_normal(n)


def variant_table():
    """chromosome, position, variant, ref, alt of the study's SNPs."""
    rows = [
        (name, 1 + (place + 1) * (length // (SNPS + 2)), f"{name}_{place}", *ALLELES[place % 4])
        for name, length in CHROMOSOMES.items()
        for place in range(SNPS)
    ]
    return pd.DataFrame(rows, columns=["chromosome", "position", "variant", "ref", "alt"])


def write_vcf(path, variants, dosage, names, *, missing=0.0, seed=1):
    """Write dosages (n, L) as a VCF, a share of the calls missing."""
    hidden = np.random.default_rng(seed).random(dosage.shape) < missing
    calls = np.where(hidden, "./.", np.array(["0/0", "0/1", "1/1"])[dosage])
    fixed = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]
    lines = ["##fileformat=VCFv4.2", "\t".join([*fixed, *names])]
    for row, own in zip(variants.itertuples(), calls.T, strict=True):
        start = [row.chromosome, row.position, row.variant, row.ref, row.alt, ".", ".", ".", "GT"]
        lines.append("\t".join([*map(str, start), *own]))
    path.write_text("\n".join(lines) + "\n")


def write_study(folder, *, known=120, new=20):
    """Files of a study of `known` lines and the VCF of `new` ones; the study file, and the truth.

    Returns
    -------
    study, vcf : Path
    truth : DataFrame
        line, value: of the new ones.
    """
    dosage, value = draw_lines(known + new)
    names = [f"L{number:03d}" for number in range(known + new)]
    variants = variant_table()
    write_vcf(folder / "known.vcf", variants, dosage[:known], names[:known], missing=0.02)
    write_vcf(folder / "new lines.vcf", variants, dosage[known:], names[known:], missing=0.05)
    table = pd.DataFrame({"line": names, "value": value})
    table[:known].to_csv(folder / "height.csv", index=False)
    chromosomes = pd.DataFrame(
        [(name, length, f"Chr{name[2:]},{int(name[2:])}") for name, length in CHROMOSOMES.items()],
        columns=["chromosome", "length", "aliases"],
    )
    chromosomes.to_csv(folder / "chromosomes.tsv", sep="\t", index=False)
    traits = {
        "trait": "height", "file": folder / "height.csv", "format": "npgs_wide",
        "id_column": "line", "value_column": "value", "environment_column": "NA", "unit": "cm",
        "models": "NA",
    }  # fmt: skip
    pd.DataFrame([traits]).to_csv(folder / "traits.tsv", sep="\t", index=False)
    study = {
        "study": "tiny",
        "chromosomes": str(folder / "chromosomes.tsv"),
        "genotypes": {"file": str(folder / "known.vcf")},
        "imputation": {"mask_fraction": False},
        "contacts": "expected",
        "cohort": {"traits": str(folder / "traits.tsv")},
        "splits": {"seeds": 1},
        "training": {"models": ["mean", "gblup"], "preset": "demo"},
        "evaluation": {"paper_tables": False},
        "prediction": {"models": ["rr_blup", "gblup_rkhs"]},
    }
    (folder / "study.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
    return folder / "study.yaml", folder / "new lines.vcf", table[known:]
