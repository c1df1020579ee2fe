"""Are products between chromosomes worth something beside families' departures? SoyNAM's splits.

    python benchmarks/kernels/family_products.py --cohort results/soynam_families/cohort \\
        --out family_products.tsv

Family GBLUP, the same with a kernel of products of SNPs on any two chromosomes (all pairs alike:
the CIM that lengths expect, over what they expect), and with those within families too. Variances
by REML of the same lines (`models.family_gblup`). Columns: benchmarks/README.md.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow" / "scripts"))

import numpy as np
import pandas as pd
from compare_gblup import real_case
from scipy.linalg import cho_factor

from soyfold.common.files import read_table, write_table
from soyfold.metrics import pearson
from soyfold.models.family_gblup import same_family
from soyfold.models.kernels.beside import solve_beside
from soyfold.models.kernels.pairs import pair_products
from soyfold.models.kernels.several import covariance, estimate

KERNELS = {
    "families": ("lines", "lines within"),
    "and products": ("lines", "lines within", "products"),
    "and products within": ("lines", "lines within", "products", "products within"),
}


def kernels_of(dosage, fitted, chromosomes, families):
    """Kernels of all lines (n, n) by name, each of mean diagonal 1 among the fitted ones."""
    means = dosage[fitted].mean(0, dtype=np.float64)
    pairs = 1 - np.eye(len(np.unique(chromosomes)))
    lines = dosage - means
    found = {
        "lines": lines @ lines.T,
        "products": pair_products(dosage, means, chromosomes, pairs),
    }
    for kernel in found.values():
        kernel /= kernel[fitted, fitted].mean()
    shared = same_family(families)
    return found | {f"{name} within": kernel * shared for name, kernel in found.items()}


def judge(kernels, y, fitted, tested, lines, seed):
    """Variances, likelihood and the test lines' PCC of one set of kernels."""
    drawn = np.sort(np.random.default_rng(seed).choice(fitted, lines, replace=False))
    variances, point, converged = estimate([k[np.ix_(drawn, drawn)] for k in kernels], y[drawn])
    own = [k[np.ix_(fitted, fitted)] for k in kernels]
    factor = cho_factor(covariance(own, variances), lower=True, overwrite_a=True)
    solved = solve_beside(factor, y[fitted], np.empty((len(fitted), 0)))
    across = sum(v * k[np.ix_(tested, fitted)] for v, k in zip(variances, kernels, strict=False))
    predicted = solved.mean + across @ solved.dual
    return variances, point.log_likelihood, converged, pearson(y[tested], predicted)


def measure(given):
    """A row a trait, split and set of kernels."""
    samples = read_table(given.cohort / "samples.tsv", dtype={"sample": str})["sample"]
    families = read_table(given.cohort / "families.tsv", dtype=str).set_index("sample").family
    families = families.reindex(samples).fillna("").to_numpy(dtype=str)
    variants = read_table(given.cohort / "variants.tsv", dtype={"chromosome": str})
    chromosomes = pd.factorize(variants.chromosome)[0]
    for trait in given.traits:
        dosage, values, parts = real_case(given.cohort, trait, given.splits)
        for split, (fitted, tested) in enumerate(parts):
            kernels = kernels_of(dosage, fitted, chromosomes, families)
            for name, parts_of in KERNELS.items():
                told = [kernels[part] for part in parts_of]
                found = judge(told, values, fitted, tested, given.lines, split)
                variances, log_likelihood, converged, pcc = found
                shares = dict(zip(parts_of, variances / variances.sum(), strict=False))
                yield {
                    "trait": trait, "split": split, "kernels": name, "reml_lines": given.lines,
                    "log_likelihood": log_likelihood, "converged": converged, "pcc": pcc,
                    "products": shares.get("products", 0),
                    "products_within": shares.get("products within", 0),
                }  # fmt: skip


def main():
    """Measure, and write the table as it grows."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cohort", type=Path, required=True, help="of config/soynam_families.yaml")
    parser.add_argument("--out", required=True)
    parser.add_argument("--traits", nargs="+", default=["oil", "protein"])
    parser.add_argument("--splits", type=int, default=10)
    parser.add_argument("--lines", type=int, default=1500, help="whose likelihood is maximised")
    given = parser.parse_args()
    rows = []
    for row in measure(given):
        rows.append(row)
        print(*row.values(), flush=True)
        write_table(pd.DataFrame(rows), given.out)


if __name__ == "__main__":
    main()
