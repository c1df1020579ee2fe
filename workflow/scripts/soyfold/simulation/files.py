"""Files around a simulated study: gzip that never changes, the sheet of traits, study.yaml."""

import pandas as pd
import yaml

from soyfold.common.files import staged


def traits_sheet(out):
    """Rows of traits.tsv."""
    rows = [
        ("oil", out / "phenotypes" / "oil.csv", "npgs_wide", "Plant ID", "OIL", None, "%"),
        (
            "protein",
            out / "phenotypes" / "protein.csv",
            "npgs_descriptor",
            None,
            "observation_value",
            "method_name",
            "%",
        ),
    ]
    columns = "trait file format id_column value_column environment_column unit"
    return pd.DataFrame(rows, columns=columns.split())


def write_config(out, chromosomes_file):
    """Write study.yaml, ready for --configfile."""
    study = {
        "study": out.resolve().name,
        "title": "Simulated lines with two Hi-C libraries",
        "chromosomes": str(chromosomes_file),
        "genotypes": {"file": str(out / "genotypes.vcf.gz")},
        "contacts": {"libraries": str(out / "hic.tsv")},
        "cohort": {"traits": str(out / "traits.tsv")},
    }
    with staged(out / "study.yaml") as temporary:
        temporary.write_text(yaml.safe_dump(study, sort_keys=False), encoding="utf-8")
