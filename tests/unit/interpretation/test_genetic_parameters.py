"""Tables of heritabilities and correlations: whose lines count, what is told where nothing is."""

import numpy as np
import pandas as pd
import pytest
from planted_traits import draw_lines

from soyfold.common.blocks import line_products
from soyfold.common.files import write_table
from soyfold.interpretation.genetic_parameters import estimate_parameters
from soyfold.interpretation.parameter_tables import CORRELATIONS, PARAMETERS, read_parameters
from soyfold.models import gblup

LINES = 150


@pytest.fixture(scope="module")
def dosage():
    return draw_lines(LINES, 120, seed=3)


@pytest.fixture(scope="module")
def traits(dosage):
    """Two traits that share half of their genes, a third that lacks lines."""
    rng = np.random.default_rng(1)
    genes = (dosage - dosage.mean(0)) @ rng.normal(size=(120, 3)) / 8
    genes[:, 1] += genes[:, 0]
    values = 30 + genes + rng.normal(size=(LINES, 3))
    table = pd.DataFrame(values, columns=["oil", "protein", "height"])
    table.loc[:4, "height"] = np.nan
    return table


def estimate(folder, dosage, table, order=None, **told):
    """The tables of traits (lines x traits), files written as the cohort storey leaves them."""
    order = np.arange(len(dosage)) if order is None else order
    names = np.array([f"PI{k:03d}" for k in range(len(dosage))])
    np.save(folder / "products.npy", line_products(dosage[order], dosage[order]))
    samples = pd.DataFrame({"sample": names[order], "row": range(len(order))})
    write_table(samples, folder / "samples.tsv")
    phenotypes = {}
    for trait in table:
        phenotypes[trait] = folder / f"{trait}.tsv"
        own = pd.DataFrame({"sample": names, "value": table[trait]}).dropna()
        write_table(own, phenotypes[trait], digits=17)
    return estimate_parameters(
        products=folder / "products.npy", samples=folder / "samples.tsv", phenotypes=phenotypes,
        **told,
    )  # fmt: skip


def test_each_figure_rests_on_all_lines_that_have_the_values(tmp_path, dosage, traits):
    parameters, correlations = estimate(tmp_path, dosage, traits)
    assert tuple(parameters) == PARAMETERS and tuple(correlations) == CORRELATIONS
    assert parameters["lines"].tolist() == [150, 150, 145]
    assert correlations["lines"].tolist() == [150, 145, 145]
    assert (parameters["remark"] == "").all() and (correlations["remark"] == "").all()
    for row in parameters.itertuples():
        known = traits[row.trait].notna().to_numpy()
        y = traits[row.trait][known].to_numpy()
        fitted = gblup.fit(dosage[known], y, parameters={}, seed=0).summary()
        assert row.heritability == pytest.approx(fitted["heritability"], rel=1e-5)
        assert row.genetic_variance == pytest.approx(fitted["variance_genetic"], rel=1e-5)
        assert 0 < row.heritability_se < 0.3
    first = correlations.iloc[0]
    assert first["genetic_correlation"] > 2 * first["genetic_correlation_se"] > 0
    observed = traits.corr()
    for row in correlations.itertuples():
        plain = observed.loc[row.trait, row.trait_2]
        assert abs(row.phenotypic_correlation - plain) < 2 * row.phenotypic_correlation_se


def test_covariates_are_in_none_of_the_variances(tmp_path, dosage, traits):
    """Batches that differ by three sd of the traits, and are no part of what is inherited."""
    rng = np.random.default_rng(7)
    names = np.array([f"PI{k:03d}" for k in range(LINES)])
    table = pd.DataFrame({"sample": names, "batch": rng.choice(["a", "b", "c"], LINES)})
    write_table(table, tmp_path / "covariates.tsv")
    traits = traits[["oil", "protein"]]
    moved = traits.add(table["batch"].map({"a": 0.0, "b": 5.0, "c": -4.0}), axis=0)
    order = rng.permutation(LINES)
    told = {"covariates": tmp_path / "covariates.tsv"}
    wanted = estimate(tmp_path, dosage, traits, **told)
    found = estimate(tmp_path, dosage, moved, order, **told)
    for one, other in zip(wanted, found, strict=True):
        numbers = one.select_dtypes("number").columns
        np.testing.assert_allclose(one[numbers], other[numbers], rtol=2e-3)
    without = estimate(tmp_path, dosage, moved)
    assert (without[0]["residual_variance"] > 3 * found[0]["residual_variance"]).all()
    assert (without[1]["residual_correlation"] > found[1]["residual_correlation"] + 0.3).all()
    y = traits["oil"].to_numpy()
    dummies = pd.get_dummies(table["batch"]).to_numpy(float)[:, 1:]
    base = np.linalg.qr(dummies - dummies.mean(0))[0]
    fitted = gblup.fit(dosage, y, parameters={}, seed=0, beside=base).summary()
    assert wanted[0]["heritability"][0] == pytest.approx(fitted["heritability"], rel=1e-5)


def test_files_order_of_lines_and_gaps_that_share_no_decomposition_change_nothing(
    tmp_path, dosage, traits
):
    traits = traits.assign(height=traits["height"].where(np.arange(LINES) > 40))
    before = estimate(tmp_path, dosage, traits)
    order = np.random.default_rng(0).permutation(LINES)
    for one, other in zip(before, estimate(tmp_path, dosage, traits, order), strict=True):
        numbers = one.select_dtypes("number").columns
        np.testing.assert_allclose(one[numbers], other[numbers], rtol=1e-4)
        assert one["lines"].tolist() == other["lines"].tolist()
    assert before[1]["lines"].tolist() == [150, 109, 109]
    lone, none = estimate(tmp_path, dosage, traits[["oil"]])
    assert len(none) == 0 and lone["heritability"][0] == pytest.approx(
        before[0]["heritability"][0], rel=1e-6
    )


def test_what_can_t_be_told_is_missing_and_says_why(tmp_path, dosage, traits):
    table = traits.assign(
        double=2 * traits["oil"] + 1,
        few=traits["oil"].where(np.arange(LINES) < 20),
        other=traits["protein"].where(np.arange(LINES) >= 15),
    )
    parameters, correlations = estimate(tmp_path, dosage, table)
    parameters = parameters.set_index("trait")
    pairs = correlations.set_index(["trait", "trait_2"])
    assert parameters.loc["few", "remark"] == "30 lines needed"
    assert np.isnan(parameters.loc["few", "heritability"])
    assert pairs.loc[("few", "other"), "lines"] == 5
    assert pairs.loc[("oil", "double"), "remark"] == "values that follow from each other"
    assert np.isnan(pairs.loc[("oil", "double"), "genetic_correlation"])
    assert len(pairs) == 15 and pairs["remark"].str.contains("converged").sum() == 0
    assert pairs.loc[("oil", "protein"), "remark"] == ""
    # One trait varies, but not where the other one has values.
    oil, late = traits["oil"], np.arange(LINES) >= 20
    some = pd.DataFrame({"flat": oil.where(~late, 5.0), "oil": oil.where(late)})
    assert estimate(tmp_path, dosage, some)[1]["remark"].tolist() == ["values that don't differ"]


def test_tables_are_read_as_written(tmp_path, dosage, traits):
    names = traits.rename(columns={"oil": "1", "protein": "02", "height": "3"})
    tables = estimate(tmp_path, dosage, names)
    for table, name in zip(tables, "ab", strict=True):
        write_table(table, tmp_path / name)
    parameters, correlations = read_parameters(tmp_path / "a", tmp_path / "b")
    assert parameters["trait"].tolist() == ["1", "02", "3"]
    assert correlations["trait_2"].tolist() == ["02", "3", "3"]
    assert read_parameters(tmp_path / "a")[1] is None
