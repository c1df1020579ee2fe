"""Make a simulated study of any size; the demo study under resources/demo is one.

    python workflow/scripts/simulate_study.py --out my_study --lines 2000 --snps 5000 --seed 7
    snakemake --cores 8 --configfile my_study/study.yaml

A maintainer's tool, not a rule: no study needs it to run.
"""

import argparse
import logging
import os
import sys
from dataclasses import fields
from pathlib import Path

from soyfold.common.errors import UserError
from soyfold.simulation import Options, simulate_study

ROOT = Path(__file__).resolve().parents[2]
CHROMOSOMES = ROOT / "resources" / "chromosomes" / "soybean_wm82.a2.tsv"
HELP = {
    "lines": "lines left after the filters, about",
    "snps": "SNPs left after the filters, about",
    "pairs": "valid pairs of the first Hi-C library; the second has three times as many contacts",
    "seed": "the same seed makes the same files",
    "missing": "share of calls lost",
    "heritability": "genetic share of the variance of one record",
    "epistasis": "share of the genetic variance from SNP pairs on touching chromosomes",
    "resolution": "bin size of the Hi-C matrices in bp",
}


def main():
    """Read the command line and make the study."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", required=True, help="folder of the study")
    parser.add_argument("--sheets", help="folder of the sheets, if not --out; then no study.yaml")
    parser.add_argument("--chromosomes", default=os.path.relpath(CHROMOSOMES), help="the assembly")
    for field in fields(Options):
        text = f"{HELP[field.name]} (default {field.default})"
        parser.add_argument(f"--{field.name}", type=field.type, default=field.default, help=text)
    given = vars(parser.parse_args())
    out, sheets, chromosomes = (given.pop(name) for name in ("out", "sheets", "chromosomes"))
    logging.basicConfig(format="%(message)s")
    logging.getLogger("soyfold").setLevel(logging.INFO)
    try:
        simulate_study(out, Options(**given), chromosomes, sheets=sheets)
    except UserError as error:
        sys.exit(f"simulate_study: ERROR {error}")


if __name__ == "__main__":
    main()
