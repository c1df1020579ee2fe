"""Beagle's phasing iterations: CPU time and accuracy on masked calls, by chromosome.

    python benchmarks/imputation/compare_phasing.py --source results/STUDY/genotypes/filtered \\
        --chromosomes Gm01 Gm02 --out results/benchmark_imputation.tsv

All settings fill the same calls: those missing, and 1 % of the others, masked.
"""

import argparse
import os
import sys
import zlib
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow/scripts"))

from soyfold.genotypes import bed
from soyfold.imputation import imputing

SETTINGS = [(12, 3), (6, 2), (3, 1), (1, 1)]


def spent():
    """CPU seconds of ended child processes."""
    times = os.times()
    return times.children_user + times.children_system


def measure(source, chromosome, folder, *, settings=SETTINGS):
    """A row for each setting."""
    bim, samples = bed.read_bim(f"{source}.bim"), bed.read_fam(f"{source}.fam")
    rows = bed.open_bed(f"{source}.bed", variants=len(bim), samples=len(samples))
    here = np.flatnonzero(bim["chromosome"] == chromosome)
    rows, positions = np.array(rows[here[0] : here[-1] + 1]), bim["position"].to_numpy()[here]
    genotypes = imputing.count_genotypes(rows, len(samples))
    cells = imputing.draw_masked(rows, len(samples), 0.01, [1, zlib.crc32(chromosome.encode())])
    masked = imputing.put_missing(rows, len(samples), cells)
    for iterations, burnin in settings:
        options = {"seed": 1, "iterations": iterations, "burnin": burnin, "threads": 1}
        before = spent()
        filled = imputing._fill(masked, len(samples), positions, options, 4000, folder / chromosome)
        seconds = spent() - before
        pairs = imputing.count_pairs(rows, filled, len(samples), cells)
        yield {
            "chromosome": chromosome,
            "lines": len(samples),
            "variants": len(rows),
            "heterozygous": genotypes[1] / genotypes[:3].sum(),
            "missing": genotypes[3] / genotypes.sum(),
            "iterations": iterations,
            "burnin": burnin,
            "cpu_seconds": seconds,
            "concordance": imputing.concordance(pairs),
            "dosage_r2": imputing.dosage_r2(pairs),
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", required=True, help="prefix of the filtered bed")
    parser.add_argument("--chromosomes", nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    table = []
    for chromosome in options.chromosomes:
        for row in measure(options.source, chromosome, options.out.parent):
            table.append(row)
            print(*row.values(), flush=True)
            pd.DataFrame(table).to_csv(options.out, sep="\t", index=False, float_format="%.4g")


if __name__ == "__main__":
    main()
