"""The paper's tables 4 to 6 from scores."""

import numpy as np
import pandas as pd
import pytest

from soyfold.common.errors import UserError
from soyfold.common.files import read_table
from soyfold.evaluation.paper_tables import variant_table
from soyfold.study.roles import VARIANT_TABLES

VARIANTS = {"none": "transformer", "CIM": "csafm", "CIM+GAU": "csafm_gau"}


@pytest.fixture(scope="module")
def paper(root):
    return read_table(root / "resources" / "paper_tables.tsv")


def scores_of(model, trait, **metrics):
    """Two seeds; the second is 0.1 higher in everything."""
    facts = {"trait": trait, "model": model, "label": model, "preset": "cpu", "cim": "hic"}
    facts |= {"role": "model", "base": model, "control": None}
    return pd.DataFrame(
        [
            {**facts, "seed": seed, "metric": metric, "value": value + 0.1 * seed}
            for metric, value in metrics.items()
            for seed in (0, 1)
        ]
    )


@pytest.fixture
def scores():
    attention = {"NAE": 0.9, "NAE_uniform": 1.0, "AAS": 0.7, "AAS_uniform": 0.5}
    coupling = {"negative_coupling_layer10": 0.1, "negative_coupling_layer2": 0.4,
                "negative_coupling_layer1": 0.3, "negative_coupling": 0.1}  # fmt: skip
    return pd.concat(
        [
            scores_of("transformer", "oil", MAE=1.0, PCC=0.3, **attention),
            scores_of("csafm", "oil", MAE=0.9, PCC=0.4, **attention, **coupling),
            scores_of("csafm_gau", "oil", MAE=0.8, PCC=0.5, parameters=7.0),
            scores_of("csafm", "protein", MAE=0.8, PCC=0.5),
            scores_of("csafm.zero", "oil", MAE=0.7, PCC=0.6),
        ]
    )


def test_rows_are_the_variants_with_the_papers_values_beside(scores, paper):
    table = variant_table(scores, VARIANTS, number=4, paper=paper)
    assert list(table.variant.unique()) == list(VARIANTS)
    assert set(table.trait) == {"oil"}, "protein lacks two of the three"
    rows = table.set_index(["variant", "metric"])
    assert rows["mean"]["CIM", "PCC"] == pytest.approx(0.45)
    assert rows.sd["CIM", "PCC"] == pytest.approx(np.std([0.4, 0.5], ddof=1))
    assert rows.seeds["CIM", "PCC"] == 2
    # [C], Table 4, oil.
    assert [rows.paper[v, "MAE"] for v in VARIANTS] == [1.3525, 1.0501, 0.8902]
    assert np.isnan(rows.paper["CIM", "negative_coupling"])


def test_floors_stand_beside_attention_and_nowhere_else(scores, paper):
    rows = variant_table(scores, VARIANTS, number=4, paper=paper).set_index(["variant", "metric"])
    assert rows.uniform["CIM", "AAS"] == pytest.approx(0.55)
    assert rows.uniform["CIM", "NAE"] == pytest.approx(1.05)
    assert np.isnan(rows.uniform["CIM", "PCC"])
    assert np.isnan(rows.within_chromosome["CIM", "AAS"]), "none was measured"


def test_uniform_attention_is_said_of_the_variant_that_has_it(scores, paper):
    assert variant_table(scores, VARIANTS, number=4, paper=paper).guards.isna().all()
    of_csafm = (scores.model == "csafm") & (scores.metric == "AAS")
    scores.loc[of_csafm, "value"] = 0.55  # no more than uniform attention's
    table = variant_table(scores, VARIANTS, number=4, paper=paper)
    assert set(table[table.variant == "CIM"].guards) == {"uniform attention"}
    assert table[table.variant != "CIM"].guards.isna().all()


def test_turned_rows_are_told_for_each_layer_in_order(scores, paper):
    table = variant_table(scores, VARIANTS, number=4, paper=paper)
    coupling = table[table.metric.str.startswith("negative")]
    assert set(coupling.variant) == {"CIM"}
    assert list(coupling.metric) == [
        f"negative_coupling{layer}" for layer in ("", "_layer1", "_layer2", "_layer10")
    ]


@pytest.mark.parametrize("table", [4, 5, 6])
def test_labels_of_the_studys_tables_are_the_papers(paper, table):
    rows = {int(name[5]): list(rows) for name, rows in VARIANT_TABLES.items()}
    assert rows[table] == list(paper[paper.table == table].model.unique())


def test_a_study_without_the_variants_is_told_so(scores, paper):
    with pytest.raises(UserError, match="no trait with scores of all of transformer"):
        variant_table(scores[scores.model == "csafm"], VARIANTS, number=4, paper=paper)
