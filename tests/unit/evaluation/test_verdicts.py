"""A trait's verdict claims no more than its interval and Holm's p."""

import numpy as np
import pandas as pd
import pytest

from soyfold.evaluation.guards import NOTHING_LEARNED
from soyfold.evaluation.verdicts import best_models, fired_guards, verdict


def table(**means):
    rows = [
        {"metric": "PCC", "model": name, "mean": mean, "sd": 0.02, "seeds": 5}
        for name, mean in means.items()
    ]
    return pd.DataFrame(rows)


def compared(label, low, high, p_holm, *, reference="GBLUP"):
    row = {
        "trait": "oil", "scheme": "random", "metric": "PCC", "label": label,
        "reference_label": reference, "difference": (low + high) / 2, "low": low, "high": high,
        "p_holm": p_holm,
    }  # fmt: skip
    return pd.DataFrame([row])


@pytest.mark.parametrize(
    ("low", "high", "p_holm", "ends"),
    [
        (0.01, 0.05, 0.002, "better, Holm p 0.002"),
        (0.01, 0.05, 0.2, "better alone, not among all compared (Holm p 0.2)"),
        (-0.01, 0.05, 0.2, "no difference shown"),
    ],
)
def test_a_claim_needs_the_interval_and_holm(low, high, p_holm, ends):
    best = best_models(
        {"oil": table(CNN=0.6, GBLUP=0.57, Mean=np.nan, LSTM=0.5)},
        compared("CNN", low, high, p_holm),
        scheme="random",
    )
    text = verdict(next(best.itertuples()))
    assert text.startswith("CNN, PCC 0.600 (0.020), best of 3, ") and text.endswith(ends)


def test_the_reference_may_be_the_best():
    rows = compared("CNN", -0.1, -0.02, 0.01)
    best = best_models({"oil": table(CNN=0.5, GBLUP=0.57)}, rows, scheme="random")
    assert best.model.item() == best.reference.item() == "GBLUP"
    assert "no model's mean is above that of GBLUP" in verdict(next(best.itertuples()))


def test_without_comparisons_nothing_is_claimed():
    best = best_models({"oil": table(CNN=0.5, GBLUP=0.57)}, None, scheme="random")
    assert "no reference to compare with" in verdict(next(best.itertuples()))


def test_a_trait_whose_metric_is_nowhere_defined_has_no_row():
    assert best_models({"oil": table(Mean=np.nan)}, None, scheme="random").empty


@pytest.mark.parametrize("guard", NOTHING_LEARNED)
def test_no_model_that_learned_nothing_is_best(guard):
    found = table(CNN=0.6, GBLUP=0.57, Mean=np.nan)
    found["guards"] = [f"{guard}, CI above PCC", "MAE above mean predictor", None]
    best = best_models({"oil": found}, None, scheme="random")
    assert best.model.item() == "GBLUP" and best.models.item() == 2
    found["guards"] = [guard, guard, None]
    best = best_models({"oil": found}, None, scheme="random")
    assert verdict(next(best.itertuples())) == (
        "no model learned anything: a guard fired for all 2"
    )
    assert fired_guards({"oil": found}) == {guard: ["CNN (oil)", "GBLUP (oil)"]}


def test_constant_models_are_told_of_too():
    found = table(Lasso=np.nan, Mean=np.nan).assign(guards=["constant output", None])
    best = best_models({"oil": found}, None, scheme="random")
    assert verdict(next(best.itertuples())) == "no model learned anything: a guard fired for 1"


def test_one_split_has_no_interval():
    best = best_models(
        {"oil": table(CNN=0.6, GBLUP=0.5)}, compared("CNN", np.nan, np.nan, np.nan).assign(
            difference=0.1), scheme="random",
    )  # fmt: skip
    assert verdict(next(best.itertuples())).endswith("+0.100 to GBLUP: one split, no interval")


@pytest.mark.parametrize(("paired", "named"), [(-0.02, "GBLUP"), (0.05, "BayesB"), (None, "GBLUP")])
def test_a_model_of_fewer_splits_stands_where_its_paired_difference_puts_it(paired, named):
    """Its three splits were easy ones: its mean of 0.70 is of other lines than GBLUP's."""
    found = table(BayesB=0.70, RKHS=0.60, GBLUP=0.61).assign(seeds=[3, 10, 10])
    rows = None if paired is None else compared("BayesB", paired, paired, 0.01)
    best = best_models({"oil": found}, rows, scheme="random")
    assert best.model.item() == named
    assert best["mean"].item() == {"GBLUP": 0.61, "BayesB": 0.70}[named]
