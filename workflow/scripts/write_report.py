"""Finish a study where something is missing, and write its HTML report.

    python workflow/scripts/write_report.py config/yeast.yaml --cores 8

What follows the study file goes to snakemake, targets too: `all predict --config
new_genotypes=lines.vcf` adds the predictions of untested lines. Needs no network.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import yaml
from snakemake.assets import Assets

from soyfold.common.errors import UserError
from soyfold.common.files import staged
from soyfold.study import settings

SCHEMAS = settings.HOME / "workflow" / "schemas"
TEXTS = settings.HOME / "workflow" / "report"


def report_file(study):
    """Where a study's report goes.

    Raises
    ------
    UserError
        If there is no such study file, or something in it is not allowed.
    """
    if not Path(study).is_file():
        raise UserError("no such file", file=study, allowed="a study file", mend="STUDY=config/...")
    content = yaml.safe_load(Path(study).read_text(encoding="utf-8"))
    checked = settings.load_study(content, SCHEMAS, file=study)
    return Path(settings.results_folder()) / checked["study"] / "report" / "report.html"


def drop_second_vega(path):
    """Take Snakemake's copies of Vega out of a report: 2.2 MB that its opening brings packed."""
    page = path.read_text(encoding="utf-8")
    for name in ("vega", "vega-lite", "vega-embed"):
        page = page.replace(f"<script>{Assets.get_content(f'{name}/{name}.js')}</script>", "")
    with staged(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study", help="study file")
    known, arguments = parser.parse_known_args()
    try:
        path = report_file(known.study)
    except UserError as error:
        sys.exit(f"soyfold: {error}")
    run = [sys.executable, "-m", "snakemake", *arguments, "--configfile", known.study]
    marks = ["--report", str(path), "--report-stylesheet", str(TEXTS / "report.css")]
    marks += ["--report-metadata", str(TEXTS / "metadata.yaml")]
    for command in (run, [*run, *marks]):
        if status := subprocess.run(command, check=False).returncode:
            sys.exit(status)
    drop_second_vega(path)
    print(f"report   {path}")
