"""Small phenotype files, sample tables and trait rows for the tests."""

import gzip

import pandas as pd

PREFIXES = ["PI", "FC"]


def write_text(path, text, *, encoding="utf-8"):
    """Write text as it is, gzipped if the name says so."""
    data = text.encode(encoding)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return str(path)


def trait_row(file, kind="npgs_wide", *, value="protein", identity=None, environment=None):
    """A row of traits.tsv as the workflow hands it on."""
    return {
        "trait": "protein",
        "file": str(file),
        "format": kind,
        "id_column": identity,
        "value_column": value,
        "environment_column": environment,
    }


def sample_table(kept, removed=()):
    """Samples that passed QC, and those that it removed."""
    return pd.DataFrame(
        {
            "sample": [*kept, *removed],
            "kept": [True] * len(kept) + [False] * len(removed),
            "reason": [None] * len(kept) + ["sample missing > 0.1"] * len(removed),
        }
    )
