"""Regions and groups of config/yeast_hypotheses.yaml, from the genes and GO slim of yeast.

    python workflow/scripts/name_yeast_groups.py

writes into results/yeast_groups: processes.tsv and components.tsv, the open reading frames by their
GO slim terms (Saccharomyces Genome Database, R64), and process_pairs.tsv, how many genes two
processes share. A maintainer's tool, not a rule.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from soyfold.common.files import read_table, write_table
from soyfold.study.settings import expand_path

# Terms that are roots, or say where most genes are.
LEFT_OUT = {
    "processes": ("biological_process", "other", "not_yet_annotated"),
    "components": (
        "cellular_component", "other", "not_yet_annotated", "cytoplasm", "nucleus", "membrane",
        "mitochondrion",
    ),
}  # fmt: skip
ASPECTS = {"processes": "P", "components": "C"}


def regions_of(genes, terms, aspect, left_out):
    """A row for each gene and term: chromosome, start, end, group; genes without have NA."""
    own = terms[(terms.aspect == aspect) & ~terms.term.isin(left_out)]
    table = genes.merge(own[["orf", "term"]].drop_duplicates(), on="orf", how="left")
    return table[["chromosome", "start", "end", "term"]].rename(columns={"term": "group"})


def pairs_of(genes_in):
    """Pairs of groups that share genes: group, group_2, weight (shared / in either, Jaccard).

    Parameters
    ----------
    genes_in : DataFrame
        A row for each gene and group: orf, term.
    """
    member = pd.crosstab(genes_in.orf, genes_in.term).clip(upper=1)
    shared = (member.T @ member).to_numpy()
    either = np.add.outer(shared.diagonal(), shared.diagonal()) - shared
    first, second = np.triu_indices(len(shared), 1)
    names = member.columns.to_numpy()
    table = {"group": names[first], "group_2": names[second]}
    table = pd.DataFrame(table | {"weight": (shared / either)[first, second]})
    return table[table.weight > 0]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default="results/yeast_groups")
    out = Path(parser.parse_args().out)
    out.mkdir(parents=True, exist_ok=True)
    data = expand_path("${SOYFOLD_DATA}/yeast")
    genes, terms = (read_table(f"{data}/{name}") for name in ("genes.tsv", "go_slim.tsv.gz"))
    for name, aspect in ASPECTS.items():
        table = regions_of(genes, terms, aspect, LEFT_OUT[name])
        write_table(table, out / f"{name}.tsv")
        print(f"{name}: {table.group.nunique()} groups, {len(table)} rows")
    own = terms[(terms.aspect == "P") & ~terms.term.isin(LEFT_OUT["processes"])]
    pairs = pairs_of(own[own.orf.isin(genes.orf)])
    write_table(pairs, out / "process_pairs.tsv")
    print(f"process_pairs: {len(pairs)} pairs that share genes")
