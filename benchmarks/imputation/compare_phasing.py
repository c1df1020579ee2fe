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

from soyfold.common.files import scratch
from soyfold.genotypes import bed
from soyfold.imputation import imputing, masking
from soyfold.imputation.beagle import run_beagle

SETTINGS = [(12, 3), (6, 2), (3, 1), (1, 1)]


def pair(text):
    """Iterations and burn-in of a text such as 3,1."""
    iterations, burnin = text.split(",")
    return int(iterations), int(burnin)


def spent():
    """CPU seconds of ended child processes."""
    times = os.times()
    return times.children_user + times.children_system


def measure(source, chromosome, folder, *, settings=SETTINGS, lines=None):
    """A row for each setting, of all lines or of the first ones."""
    bim, samples = bed.read_bim(f"{source}.bim"), bed.read_fam(f"{source}.fam")
    rows = bed.open_bed(f"{source}.bed", variants=len(bim), samples=len(samples))
    here = np.flatnonzero(bim["chromosome"] == chromosome)
    rows, positions = np.array(rows[here[0] : here[-1] + 1]), bim["position"].to_numpy()[here]
    lines = min(lines or len(samples), len(samples))
    rows = bed.pack(bed.unpack(rows, len(samples))[:, :lines])
    genotypes = imputing.count_genotypes(rows, lines)
    cells = masking.draw_masked(rows, lines, 0.01, [1, zlib.crc32(chromosome.encode())])
    masked = masking.put_missing(rows, lines, cells)
    for iterations, burnin in settings:
        options = {"seed": 1, "iterations": iterations, "burnin": burnin, "threads": 1}
        before = spent()
        with scratch(folder / chromosome) as own:
            [filled] = run_beagle(
                [(masked, positions)], lines, settings=options, memory_mb=4000, folder=own
            )
        seconds = spent() - before
        pairs = masking.count_pairs(rows, filled, lines, cells)
        yield {
            "chromosome": chromosome,
            "lines": lines,
            "variants": len(rows),
            "heterozygous": genotypes[1] / genotypes[:3].sum(),
            "missing": genotypes[3] / genotypes.sum(),
            "iterations": iterations,
            "burnin": burnin,
            "cpu_seconds": seconds,
            "concordance": masking.concordance(pairs),
            "dosage_r2": masking.dosage_r2(pairs),
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", required=True, help="prefix of the filtered bed")
    parser.add_argument("--chromosomes", nargs="+", required=True)
    parser.add_argument(
        "--settings", nargs="+", type=pair, default=SETTINGS, metavar="ITERATIONS,BURNIN"
    )
    parser.add_argument("--lines", type=int, help="as many of the first lines")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    table = []
    for chromosome in options.chromosomes:
        settings = {"settings": options.settings, "lines": options.lines}
        for row in measure(options.source, chromosome, options.out.parent, **settings):
            table.append(row)
            print(*row.values(), flush=True)
            pd.DataFrame(table).to_csv(options.out, sep="\t", index=False, float_format="%.4g")


if __name__ == "__main__":
    main()
