"""Guards: what says that a fit has learned nothing, and what doesn't."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from tiny_study import block, fit, planted_lines, write_cohort

from soyfold.common.files import read_table, write_table
from soyfold.evaluation.guards import NOTHING_LEARNED, guards_of, has_learned, pcc_interval
from soyfold.evaluation.measures import measure_trait
from soyfold.evaluation.scores import collect_scores, trait_table
from soyfold.evaluation.verdicts import best_models, verdict
from soyfold.report.pages.opening import opening_text
from soyfold.report.summary import format_best, format_guards
from soyfold.training.health import UNIFORM


def fits(pcc, **values):
    """Seeds x metrics of a sound model; `values` are laid over."""
    pcc = np.asarray(pcc, dtype=float)
    sound = {"PCC": pcc, "MAE": 1.0, "CI": pcc / 2, "calibration_slope": 1.0, "at_bound": 0.0,
             "heritability": 0.5, "test_lines": 100.0, "test_share": 1 / 7}  # fmt: skip
    return pd.DataFrame({**sound, **values}, index=range(len(pcc)))


@pytest.mark.parametrize(
    ("pcc", "values", "guards"),
    [
        ([0.6, 0.5], {}, None),
        ([0.6], {}, None),
        ([0.6, 0.5], {"at_bound": [0, 1]}, "variance at its bound"),
        ([0.6, 0.5], {"heritability": 2e-6}, "variance at its bound"),
        ([0.6, 0.5], {"heritability": 1 - 1e-5}, "variance at its bound"),
        ([0.6, 0.5], {"calibration_slope": [0.2, 0.3]}, "calibration slope outside 0.3 to 3"),
        ([0.6, 0.5], {"calibration_slope": 3.2}, "calibration slope outside 0.3 to 3"),
        ([0.1], {}, "PCC whose interval holds 0 or lies below it"),
        ([-0.6], {}, "PCC whose interval holds 0 or lies below it"),
        ([0.6, -0.4], {"test_lines": 1e6}, "PCC whose interval holds 0 or lies below it"),
        ([0.6, np.nan], {}, "constant output"),
        ([-0.157], {"at_bound": 1, "heritability": 0.0, "calibration_slope": -6369},
         ", ".join(NOTHING_LEARNED[1:])),
    ],
)  # fmt: skip
def test_what_fires(pcc, values, guards):
    found = guards_of(fits(pcc, **values))
    assert found == guards and has_learned(found) == (guards is None)


def test_models_that_report_no_variance_have_none_at_its_bound():
    values = fits([0.6, 0.5]).drop(columns=["at_bound", "heritability", "calibration_slope"])
    assert guards_of(values) is None
    assert has_learned("CI above PCC, MAE above mean predictor") and has_learned(np.nan)


def test_uniform_attention_is_flagged_and_no_sign_that_nothing_was_learned():
    values = fits([0.6, 0.5], NAE=[0.97, 0.99], NAE_uniform=1.0, AAS=0.61, AAS_uniform=0.6)
    assert guards_of(values) == UNIFORM and has_learned(UNIFORM)
    for sees in ({"NAE": 0.5}, {"AAS": 0.9}):
        assert guards_of(values.assign(**sees)) is None


def test_interval_of_one_split_is_fishers():
    low, high = pcc_interval(fits([0.4]))
    ends = np.tanh(np.arctanh(0.4) + stats.norm.ppf(0.975) / np.sqrt(97) * np.array([-1, 1]))
    np.testing.assert_allclose([low, high], ends)
    # As software for one correlation gives it.
    x = np.random.default_rng(0).normal(size=(2, 100))
    x[1] += 0.5 * x[0]
    found = stats.pearsonr(*x)
    wanted = found.confidence_interval()
    np.testing.assert_allclose(pcc_interval(fits([found.statistic])), [wanted.low, wanted.high])


def test_interval_narrows_with_splits_only_as_far_as_these_share_no_lines():
    widths = {
        (splits, share): np.subtract(*pcc_interval(fits([0.4] * splits, test_share=share))[::-1])
        for splits in (1, 4, 100)
        for share in (0.0, 0.25)
    }
    assert widths[4, 0.0] == pytest.approx(widths[1, 0.0] / 2, rel=0.05)
    assert widths[100, 0.25] > 4 * widths[100, 0.0]
    assert widths[4, 0.25] == pytest.approx(widths[1, 0.0] / np.sqrt(2), rel=0.05)


def test_without_counts_the_splits_spread_is_all_there_is():
    values = fits([0.5, 0.4, 0.6])[["PCC", "MAE", "CI"]]
    low, high = pcc_interval(values)
    assert 0 < low < 0.4 < 0.6 < high < 1
    assert np.isnan(pcc_interval(values[:1])).all()


def test_noise_is_flagged_and_signal_is_not():
    """Correlations of pure noise hold 0 in 95 of 100 samples: 97.5 with the guard's one side."""
    random = np.random.default_rng(1)
    fired = 0
    for _ in range(120):
        y, p = random.normal(size=(2, 60))
        fired += guards_of(fits([np.corrcoef(y, p)[0, 1]], test_lines=60.0)) is not None
    assert fired / 120 == pytest.approx(0.975, abs=0.04)


def test_a_trait_without_a_genetic_variance_has_no_best_model(tmp_path):
    """Its heritability is 0 at its bound, by REML: what the SNPs could explain is taken out."""
    inputs = write_cohort(tmp_path)
    dosage, _ = planted_lines()
    centred = dosage - dosage.mean(0)
    noise = np.random.default_rng(1).normal(size=len(centred))
    left = noise - centred @ np.linalg.lstsq(centred, noise, rcond=None)[0]
    values = read_table(inputs["phenotypes"]).assign(value=50 + left)
    write_table(values, inputs["phenotypes"])
    fits = []
    for name in ("mean", "gblup"):
        model = block(name, kind="direct") | {"cim": "none"}
        given = {key: value for key, value in inputs.items() if key != "cim"}
        fit(model, folders=[tmp_path / name], **given)
        facts = {"trait": "oil", "scheme": "random", "seed": 0, "role": "model", "control": None}
        fits.append({**facts, "label": name.upper(), "model": name, "base": name, "preset": None,
                     "cim": "none", "file": tmp_path / name / "estimates.tsv"})  # fmt: skip
    told = [{**one, "file": tmp_path / one["model"] / "predictions.tsv"} for one in fits]
    write_table(measure_trait(told, "oil")[0], tmp_path / "measures.tsv")
    paper = pd.DataFrame(columns=["table", "trait", "model", "metric", "value"])
    table = trait_table(collect_scores(fits, [tmp_path / "measures.tsv"]), "oil", paper)
    guards = table.drop_duplicates("model").set_index("model").guards
    assert "variance at its bound" in guards["GBLUP"] and guards["MEAN"] is None
    best = best_models({"oil": table}, scheme="random")
    told = "no model learned anything"
    assert told in verdict(next(best.itertuples()))
    assert told in format_best({"oil": table}, None, scheme="random")
    assert "! variance at its bound: GBLUP (oil)" in format_guards({"oil": table})
    text = opening_text({"oil": table}, None, scheme="random", title="t", place="1 Results")
    assert f"**oil**: {told}" in text and "- variance at its bound: GBLUP (oil)" in text
