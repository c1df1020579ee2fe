"""A study file of genotypes and a phenotype table: new_study.py NAME GENOTYPES PHENOTYPES."""

import sys
from pathlib import Path

import yaml

from soyfold.common.errors import UserError
from soyfold.study import load
from soyfold.study.new_study import write_study
from soyfold.study.tables import check_tables

SCHEMAS = Path(__file__).resolve().parents[1] / "schemas"


def main(name, genotypes, phenotypes):
    """Write the study, say what is uncertain, and what a run would refuse."""
    (study, sheet), told = write_study(name, genotypes, phenotypes)
    print(f"wrote {study} and {sheet}", *told, sep="\n")
    try:
        loaded = load(yaml.safe_load(Path(study).read_text()), SCHEMAS, file=study)
        check_tables(loaded.settings, loaded.traits, loaded.schemes)
    except UserError as error:
        print("to be mended before it runs:", error, sep="\n")
    print(f"look through both, then: snakemake --cores 8 --configfile {study}")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except UserError as error:
        sys.exit(f"soyfold: ERROR {error}")
