"""Set lines of SoyNAM aside as untested: a VCF to learn from, one as another laboratory codes it.

    python benchmarks/untested/set_aside.py --set 1 --out results/untested/1

Every fifth family as a whole, and some lines of the others, are set aside: five sets hold each
family once. In their file chromosomes have other names and order, SNPs have no ids, and some are
missing, have REF and ALT swapped, or stand on the other strand.
"""

import argparse
import gzip
import os
from pathlib import Path

import numpy as np
import pandas as pd

FIXED = 9  # columns of a VCF before the samples
SETS = 5  # in which each family is set aside once
FAMILY = r"^DS\d\d-(\d\d)"
DROPPED, SWAPPED, FLIPPED = 0.10, 0.20, 0.10  # shares of SNPs
STRAND = str.maketrans("ACGT", "TGCA")
ALLELES = str.maketrans("01", "10")


def read_vcf(path):
    """Meta lines and the table of records, all text, of a VCF that fits into memory."""
    with gzip.open(path, "rt") as file:
        meta = []
        for line in file:
            if not line.startswith("##"):
                break
            meta.append(line)
        names = line.rstrip("\n").split("\t")
        return meta, pd.read_csv(file, sep="\t", names=names, dtype=str, keep_default_na=False)


def write_vcf(path, meta, table):
    """Write a VCF that `read_vcf` reads."""
    with gzip.open(path, "wt", compresslevel=6) as file:
        file.writelines(meta)
        table.to_csv(file, sep="\t", index=False)


def choose_lines(samples, number, count, rng):
    """Names to set aside: those of a set's families, and `count` of the other families.

    Set 1 has the last family and every fifth before it, set 2 the one before it, and so on.
    """
    families = pd.Series(samples, index=samples).str.extract(FAMILY)[0].dropna()
    asked = families.isin(sorted(families.unique())[-number::-SETS])
    others = families.index[~asked]
    return sorted([*families.index[asked], *rng.choice(others, size=count, replace=False)])


def recode(table, rng):
    """The same records in another laboratory's coding, and how many were changed in which way."""
    table = table[rng.random(len(table)) >= DROPPED].copy()
    calls = table.columns[FIXED:]
    table[calls] = table[calls].apply(lambda column: column.str.partition(":")[0])
    swapped, flipped = (rng.random(len(table)) < share for share in (SWAPPED, FLIPPED))
    table.loc[swapped, ["REF", "ALT"]] = table.loc[swapped, ["ALT", "REF"]].to_numpy()
    for name in calls:
        table.loc[swapped, name] = table.loc[swapped, name].str.translate(ALLELES)
    for name in ("REF", "ALT"):
        table.loc[flipped, name] = table.loc[flipped, name].str.translate(STRAND)
    table["#CHROM"] = table["#CHROM"].str.removeprefix("Gm").astype(int)
    table[["ID", "INFO", "FORMAT"]] = [".", ".", "GT"]
    table["POS"] = table["POS"].astype(int)
    table = table.sort_values(["#CHROM", "POS"], ascending=[False, True], kind="stable")
    return table, {"swapped": int(swapped.sum()), "flipped": int(flipped.sum())}


def main(arguments=None):
    """Read the command line, write train.vcf.gz and new.vcf.gz."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    data = Path(os.environ.get("SOYFOLD_DATA", "../shared/data"))
    parser.add_argument("--genotypes", type=Path, default=data / "soynam/genotypes.vcf.gz")
    parser.add_argument("--set", type=int, default=1, choices=range(1, SETS + 1),
                        help="which families; also seeds all that is drawn")  # fmt: skip
    parser.add_argument("--lines", type=int, default=160, help="of the other families")
    parser.add_argument("--out", required=True, type=Path)
    given = parser.parse_args(arguments)
    rng = np.random.default_rng(given.set)
    meta, table = read_vcf(given.genotypes)
    names = list(table.columns[FIXED:])
    chosen = choose_lines(names, given.set, given.lines, rng)
    new, changed = recode(table[[*table.columns[:FIXED], *chosen]], rng)
    given.out.mkdir(parents=True, exist_ok=True)
    write_vcf(given.out / "train.vcf.gz", meta, table.drop(columns=chosen))
    write_vcf(given.out / "new.vcf.gz", ["##fileformat=VCFv4.2\n"], new)
    print(f"{len(chosen)} lines set aside, {len(names) - len(chosen)} left;",
          f"{len(new)} of {len(table)} SNPs,",
          ", ".join(f"{count} {name}" for name, count in changed.items()))  # fmt: skip


if __name__ == "__main__":
    main()
