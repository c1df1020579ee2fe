"""Files around a simulated study: gzip that never changes, the sheet of traits, study.yaml."""

import numpy as np
import pandas as pd
import yaml

from soyfold.common.files import staged

PATHWAYS, GENES, GENE, FLANK = 8, 12, 100_000, 200_000  # genes a pathway; bp: few have no SNP


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


def hypotheses_sheet(out):
    """Rows of hypotheses.tsv."""
    rows = [("pathways", out / "pathways.gff3", FLANK, None)]
    return pd.DataFrame(rows, columns=["hypothesis", "file", "flank", "weights"])


def write_pathways(path, chromosomes, names, rng):
    """Write genes in pathways as GFF3: drawn from anywhere, the traits know nothing of them.

    Parameters
    ----------
    path : path-like
    chromosomes : soyfold.common.chromosomes.Chromosomes
    names : list of str
        Of the chromosomes, as the file has them.
    rng : numpy.random.Generator
    """
    genes = PATHWAYS * GENES
    on = rng.choice(len(names), genes, p=chromosomes.lengths / chromosomes.lengths.sum())
    start = rng.integers(1, chromosomes.lengths[on] - GENE)
    first = np.arange(genes) % PATHWAYS
    second = (first + rng.integers(1, PATHWAYS, genes)) % PATHWAYS
    lines = ["##gff-version 3"]
    for k in np.lexsort([start, on]):
        groups = f"pathway{first[k] + 1}"
        groups += f",pathway{second[k] + 1}" if k % 8 == 0 else ""  # every eighth is in two
        cells = (names[on[k]], "simulated", "gene", start[k], start[k] + GENE - 1, ".", "+", ".")
        lines.append("\t".join([*map(str, cells), f"ID=gene{k + 1};group={groups}"]))
    with staged(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


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
