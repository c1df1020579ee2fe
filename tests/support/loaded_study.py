"""Studies on the demo's files, loaded but never run."""

import contextlib
from pathlib import Path

import yaml

from soyfold.study.loading import load
from soyfold.study.registry import overlay

ROOT = Path(__file__).resolve().parents[2]
GROUPED = """\
trait\tfile\tformat\tid_column\tvalue_column\tenvironment_column\tunit\tgroup
oil\tresources/demo/phenotypes/oil.csv\tnpgs_wide\tPlant ID\tOIL\tNA\t%\tseed
protein\tresources/demo/phenotypes/protein.csv\tnpgs_descriptor\tNA\tobservation_value\tmethod_name\t%\tseed
"""


def load_demo(changes=None, *, sheet=None):
    """The demo study with changes laid over its config.

    Parameters
    ----------
    changes : dict, optional
    sheet : path-like, optional, keyword only
        Where to write a sheet that groups both traits, and to read it instead of the demo's.
    """
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    if sheet:
        sheet.write_text(GROUPED)
        config["cohort"]["traits"] = str(sheet)
    with contextlib.chdir(ROOT):
        return load(overlay(config, changes or {}), ROOT / "workflow/schemas", file="study.yaml")
