"""How much two groups of genes share."""

import pandas as pd

from name_yeast_groups import pairs_of


def test_pairs_weigh_the_genes_in_both_of_those_in_either():
    genes_in = pd.DataFrame({
        "orf": ["a", "b", "c", "b", "c", "d", "e", "e"],
        "term": ["repair", "repair", "repair", "cycle", "cycle", "cycle", "cycle", "fusion"],
    })  # fmt: skip
    told = pairs_of(pd.concat([genes_in, genes_in.head(1)]))  # a row twice is one gene
    rows = told.set_index(["group", "group_2"]).weight.to_dict()
    assert rows == {("cycle", "fusion"): 1 / 4, ("cycle", "repair"): 2 / 5}
