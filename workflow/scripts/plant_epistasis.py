"""Plant epistasis between chromosomes of high or low contact: the control of the 3D claim.

    snakemake results/yeast/cohort/dosage.npy results/yeast/contacts/cim_sums.tsv \\
        --cores 2 --configfile config/yeast.yaml
    python workflow/scripts/plant_epistasis.py --study config/yeast.yaml --out yeast_planted
    snakemake --cores 2 --configfile yeast_planted/study.yaml

A maintainer's tool, not a rule. Traits: contact_high (products of SNPs on the chromosome pairs of
highest observed/expected contact), contact_low (of lowest), additive_only; truth.tsv tells all.
"""

import argparse
import logging
import sys
from dataclasses import fields
from pathlib import Path

import yaml

from soyfold.common.errors import UserError
from soyfold.simulation.epistasis import TRAITS, Planting
from soyfold.simulation.planted import write_planted

SCHEMAS = Path(__file__).resolve().parents[1] / "schemas"
HELP = {
    "heritability": "genetic share of the variance",
    "epistasis": "share of the genetic variance from products of SNPs",
    "pairs": "chromosome pairs with products",
    "products": "products of two SNPs for each pair",
    "additive": "additive QTL",
    "seed": "the same seed makes the same files",
}


def read_arguments():
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--study", required=True, help="study file; its results must be there")
    parser.add_argument("--out", required=True, help="folder, and name, of the new study")
    for field in fields(Planting):
        text = f"{HELP[field.name]} (default {field.default})"
        parser.add_argument(f"--{field.name}", type=field.type, default=field.default, help=text)
    parser.add_argument("--contacts", nargs="+", choices=TRAITS, default=list(TRAITS))
    parser.add_argument("--lines", type=int, help="lines with phenotypes (default all)")
    parser.add_argument("--crosses", type=int, default=0, help="offspring in silico in their place")
    parser.add_argument("--morgans-per-mb", type=float, default=3.5, help="map of the crosses")
    return vars(parser.parse_args())


def main():
    """Plant the traits and write the study."""
    given = read_arguments()
    file, out = given.pop("study"), given.pop("out")
    logging.basicConfig(format="%(message)s")
    logging.getLogger("soyfold").setLevel(logging.INFO)
    try:
        planting = Planting(**{field.name: given.pop(field.name) for field in fields(Planting)})
        if not Path(file).is_file():
            raise UserError("no such file", file=file, mend="check --study")
        config = yaml.safe_load(Path(file).read_text(encoding="utf-8"))
        write_planted(config, SCHEMAS, out, planting, file=file, **given)
    except UserError as error:
        sys.exit(f"plant_epistasis: ERROR {error}")


if __name__ == "__main__":
    main()
