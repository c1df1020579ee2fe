"""CPU seconds of a trait with gaps, by all lines' decomposition and by one of its own lines.

    python benchmarks/kernels/gaps.py --out gaps.tsv [--lines 900 2000 4782]

What `SHARED` in soyfold.models.kernels.shared is chosen by. Columns: benchmarks/README.md.
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow" / "scripts"))

import numpy as np
import pandas as pd
from compare_gblup import machine, simulated_case

from soyfold.common.blocks import line_products
from soyfold.common.files import write_table
from soyfold.models.kernels.likelihood import fit_by_reml
from soyfold.models.kernels.matrices import decompose_kernel, select

SHARES = (0.0, 0.01, 0.02, 0.05, 0.1)


def timed(work):
    """What `work` returns, and the CPU seconds that it took."""
    started = time.process_time()
    found = work()
    return found, time.process_time() - started


def measure(lines, snps, kernel):
    """Yield a row for each share of lines without a value."""
    dosage, values, _ = simulated_case(lines, snps, 1)
    products, every = line_products(dosage, dosage), np.arange(lines)
    whole = decompose_kernel(products, every, kernel)
    for share in SHARES:
        rows = np.sort(np.random.default_rng(0).permutation(lines)[int(share * lines) :])
        y = values[rows] - values[rows].mean()
        (dual, _), shared = timed(
            lambda r=rows, y=y: fit_by_reml(select(whole, products, every, r), y)
        )
        (wanted, _), own = timed(
            lambda r=rows, y=y: fit_by_reml(
                decompose_kernel(products, r, kernel, width=whole.width), y
            )
        )
        apart = np.abs(dual - wanted).max() / np.abs(wanted).max()
        yield {"lines": lines, "without": lines - len(rows), "shared_cpu_seconds": shared,
               "own_cpu_seconds": own, "ratio": shared / own, "apart": apart}  # fmt: skip


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, help="TSV to write")
    parser.add_argument("--lines", type=int, nargs="+", default=[900, 2000, 4782])
    parser.add_argument("--snps", type=int, default=4341)
    parser.add_argument("--kernel", default="additive")
    options = parser.parse_args(arguments)
    print(machine(), flush=True)
    rows = []
    for lines in options.lines:
        for row in measure(lines, options.snps, options.kernel):
            rows.append(row)
            print(row, flush=True)
            write_table(pd.DataFrame(rows), options.out)


if __name__ == "__main__":
    main()
