"""Write a finished study's outcome into docs/evidence: tables, comparisons, controls, figures.

    python workflow/scripts/write_evidence.py config/soynam_arena.yaml

A maintainer's tool, not a rule: what is committed there is what this command made.
"""

import argparse
import sys
from pathlib import Path

import yaml

from soyfold.common.errors import UserError
from soyfold.report.evidence import write_evidence
from soyfold.report.provenance import soyfold_version
from soyfold.study import settings

SCHEMAS = Path(__file__).resolve().parents[1] / "schemas"

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study", help="study file; its results must be there")
    parser.add_argument("--out", default="docs/evidence", help="folder of documents")
    parser.add_argument("--version", help="the soyfold that ran it (default this checkout)")
    arguments = parser.parse_args()
    content = yaml.safe_load(Path(arguments.study).read_text(encoding="utf-8"))
    try:
        study = settings.load_study(content, SCHEMAS, file=arguments.study)
        write_evidence(
            f"{settings.results_folder()}/{study['study']}",
            arguments.out,
            scheme=study["splits"]["scheme"],
            command=f"snakemake --cores 2 --configfile {arguments.study}",
            title=study["title"],
            version=arguments.version or soyfold_version(),
        )
    except UserError as error:
        sys.exit(f"soyfold: {error}")
