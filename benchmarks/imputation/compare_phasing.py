"""Beagle's phasing iterations: CPU time and accuracy on masked calls, by chromosome.

    python benchmarks/imputation/compare_phasing.py --source results/STUDY/genotypes/filtered \\
        --chromosomes Gm01 Gm02 --out results/benchmark_imputation.tsv

    python benchmarks/imputation/compare_phasing.py --source results/STUDY/genotypes/filtered \\
        --chromosomes Gm01 --lines 2000 --heterozygous --out results/benchmark_imputation.tsv

    python benchmarks/imputation/compare_phasing.py --simulated 20000 \\
        --chromosomes Gm11 --settings 3,1 12,3 --out results/benchmark_imputation.tsv

All settings fill the same calls: those missing, and 1 % of the others, masked. A simulated
chromosome is the scale benchmark's at 42,000 SNPs a genome, all of whose SNPs pass the filters.
"""

import argparse
import os
import sys
import zlib
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow/scripts"))

from soyfold.common.chromosomes import read_chromosomes
from soyfold.common.files import scratch
from soyfold.genotypes import bed
from soyfold.imputation import imputing, masking
from soyfold.imputation.beagle import run_beagle
from soyfold.simulation.genotypes import draw_lines, simulate_records
from soyfold.simulation.study import Options

ROOT = Path(__file__).resolve().parents[2]
CHROMOSOMES = ROOT / "resources/chromosomes/soybean_wm82.a2.tsv"
SNPS = 42_000  # of a genome
SETTINGS = [(12, 3), (6, 2), (3, 1), (1, 1)]


def pair(text):
    """Iterations and burn-in of a text such as 3,1."""
    iterations, burnin = text.split(",")
    return int(iterations), int(burnin)


def spent():
    """CPU seconds of ended child processes."""
    times = os.times()
    return times.children_user + times.children_system


def read(source, chromosome, lines=None, heterozygous=False):
    """Packed rows and positions of a chromosome, and the number of lines.

    All lines, or the first, or those with the most heterozygous calls over the genome.
    """
    bim, samples = bed.read_bim(f"{source}.bim"), bed.read_fam(f"{source}.fam")
    rows = bed.open_bed(f"{source}.bed", variants=len(bim), samples=len(samples))
    here = np.flatnonzero(bim["chromosome"] == chromosome)
    lines = min(lines or len(samples), len(samples))
    chosen = np.arange(lines)
    if heterozygous:
        calls = sum((block == 1).sum(axis=0) for _, block in bed.blocks(rows, len(samples)))
        chosen = np.sort(np.argsort(-calls, kind="stable")[:lines])
    positions = bim["position"].to_numpy()[here]
    rows = bed.unpack(np.array(rows[here[0] : here[-1] + 1]), len(samples))
    return bed.pack(rows[:, chosen]), positions, lines


def simulate(chromosome, lines):
    """The same of simulated lines."""
    chromosomes, options = read_chromosomes(CHROMOSOMES), Options(lines=lines, snps=SNPS)
    drawn = draw_lines(
        [f"L{k}" for k in range(lines)], outcrossed=0, poor=0, missing=options.missing,
        rng=options.generator(3),
    )  # fmt: skip
    number = chromosomes.names.index(chromosome)
    length = int(chromosomes.lengths[number])
    records = simulate_records(
        chromosome, length, drawn, common=-int(-SNPS * length // chromosomes.lengths.sum()), rare=0,
        multiallelic=0, rng=options.generator(6, number),
    )  # fmt: skip
    calls, rng = records.calls, options.generator(7, number)
    calls[rng.random(calls.shape, dtype=np.float32) < drawn.missing] = -1
    return bed.pack(calls), records.position, lines


def measure(chromosome, rows, positions, lines, folder, *, settings=SETTINGS):
    """A row for each setting."""
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
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--source", help="prefix of the filtered bed")
    source.add_argument("--simulated", type=int, metavar="LINES", help="so many, simulated")
    parser.add_argument("--chromosomes", nargs="+", required=True)
    parser.add_argument(
        "--settings", nargs="+", type=pair, default=SETTINGS, metavar="ITERATIONS,BURNIN"
    )
    parser.add_argument("--lines", type=int, help="as many of the first lines")
    parser.add_argument(
        "--heterozygous", action="store_true", help="those with the most heterozygous calls instead"
    )
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    table = []
    for chromosome in options.chromosomes:
        if options.simulated:
            given = simulate(chromosome, options.simulated)
        else:
            given = read(options.source, chromosome, options.lines, options.heterozygous)
        folder = options.out.parent
        for row in measure(chromosome, *given, folder, settings=options.settings):
            table.append(row)
            print(*row.values(), flush=True)
            pd.DataFrame(table).to_csv(options.out, sep="\t", index=False, float_format="%.4g")


if __name__ == "__main__":
    main()
