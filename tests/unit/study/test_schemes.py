"""Validation schemes of a study: which fits they mean, where these lie, what is refused."""

import importlib
import re

import numpy as np
import pandas as pd
import pytest
import yaml

from soyfold.common.errors import UserError
from soyfold.evaluation.scheme_tables import scheme_table
from soyfold.study import roles, schemes, settings

TRAITS = {"oil": {"environment_column": "place"}, "protein": {"environment_column": None}}
PLAN = roles.plan_roles(
    {"oil": ["mean", "csafm"], "protein": ["mean"]},
    paper_tables=True,
    controls={"models": ["csafm"], "traits": None, "permuted": 1},
    has_contacts=False,
)


def read(root, further, *, families=False, **main):
    """Schemes of the demo's config with other splits."""
    config = yaml.safe_load((root / "config/config.yaml").read_text())
    config["splits"] = {"scheme": "random", "seeds": 2, **main, "further": further}
    study = settings.load_study(config, root / "workflow/schemas", file="study.yaml")
    return schemes.read_schemes(study["splits"], TRAITS, families=families, file="study.yaml")


GIVEN = {"scheme": "given", "file": "splits.tsv", "seeds": 3}


def test_fits_of_the_main_scheme_are_those_of_the_plan_with_or_without_others(root):
    alone = schemes.plan_fits(PLAN, read(root, []))
    fits = schemes.plan_fits(PLAN, read(root, [GIVEN]))
    assert fits[: len(alone)] == alone
    assert len(alone) == 2 * len(PLAN)
    assert {fit["folder"] for fit in alone if fit["trait"] == "protein"} == {
        "training/protein/mean/seed0",
        "training/protein/mean/seed1",
    }


def test_a_further_scheme_fits_its_models_under_its_own_name(root):
    found = read(root, [{**GIVEN, "models": ["gblup", "csafm_gau"], "traits": ["oil"]}])
    fits = [fit for fit in schemes.plan_fits(PLAN, found) if fit["scheme"] == "given"]
    assert [fit["folder"] for fit in fits] == [
        f"training/oil/{model}/given/seed{seed}"
        for model in ("gblup", "csafm_gau")
        for seed in range(3)
    ]
    assert {fit["role"] for fit in fits} == {"model"}
    assert schemes.further_models(found) == ["gblup", "csafm_gau"]


def test_all_folders_of_fits_differ(root):
    fits = schemes.plan_fits(PLAN, read(root, [GIVEN]))
    folders = [fit["folder"] for fit in fits]
    assert len(set(folders)) == len(folders)
    assert all(re.fullmatch(r"training/\w+/[\w.]+/(given/)?seed\d", folder) for folder in folders)


def test_a_variant_takes_its_bases_tuning_on_further_schemes_too(root):
    plan = roles.plan_roles(
        {"oil": ["transformer", "csafm"]}, paper_tables=True, controls=False, has_contacts=True
    )
    found = read(root, [{**GIVEN, "models": ["csafm_gau"], "traits": ["oil"]}])
    assert schemes.plan_fits(plan, found)[-1]["base"] == "csafm"


def test_settings_hold_what_decides_a_split_and_no_more(root):
    found = read(root, [GIVEN, {"scheme": "kfold", "folds": 3}, {"scheme": "cluster"}])
    assert [scheme["settings"] for scheme in found.values()] == [
        {"scheme": "random", "ratio": [7, 2, 1], "stratify": False},
        {"scheme": "given", "file": "splits.tsv"},
        {"scheme": "kfold", "folds": 3, "ratio": [7, 2, 1], "stratify": False},
        {"scheme": "cluster", "identity": 0.98, "ratio": [7, 2, 1]},
    ]


def test_every_scheme_of_the_schema_has_options_and_a_module(root):
    schema = yaml.safe_load((root / "workflow/schemas/config.schema.yaml").read_text())
    properties = schema["properties"]["splits"]["properties"]
    assert list(schemes.OPTIONS) == properties["scheme"]["enum"]
    for name, options in schemes.OPTIONS.items():
        assert set(options) <= set(properties)
        assert set(options) <= set(properties["further"]["items"]["properties"])
        assert callable(importlib.import_module(f"soyfold.cohort.splits.{name}").draw)


def test_schemes_of_environments_pass_over_traits_without_them(root):
    found = read(root, [{"scheme": "cv1"}])
    assert found["cv1"]["traits"] == ["oil"]
    assert schemes.split_path("oil", "cv1/seed2", main="random") == "cv1/seed2/oil.tsv"
    assert schemes.split_path("oil", "seed2", main="cv2") == "cv2/seed2/oil.tsv"
    assert schemes.split_path("oil", "seed2", main="random") == "random/seed2.tsv"


@pytest.mark.parametrize(
    ("further", "message"),
    [
        ([{"scheme": "leave_family_out"}], r"further\[0\]: found leave_family_out without fam"),
        ([{"scheme": "cv1", "traits": ["protein"]}], "'cv1' for protein; allowed: traits with an"),
        (
            [{"scheme": "kfold", "identity": 0.9}],
            "identity beside scheme 'kfold'; allowed.*folds",
        ),
        (
            [{"scheme": "kfold", "stratify": {"trait": "yield"}}],
            r"further\[0\].stratify.trait: found trait 'yield'; allowed: oil, protein",
        ),
        ([{**GIVEN, "stratify": {"trait": "oil"}}], "stratify beside scheme 'given'"),
        ([{"scheme": "random"}], r"splits.further\[0\]: found scheme 'random' twice"),
        ([GIVEN, GIVEN], r"splits.further\[1\]: found scheme 'given' twice"),
        ([{"scheme": "given"}], "scheme 'given' with file None"),
        ([{**GIVEN, "traits": ["yield"]}], r"further\[0\].traits: found trait 'yield'.*oil"),
        ([{**GIVEN, "model": ["mean"]}], r"further\[0\]: found unknown key 'model'"),
        ([{"scheme": "loo"}], r"further\[0\].scheme: found 'loo'.*random, given"),
    ],
)
def test_refusals(root, further, message):
    with pytest.raises(UserError, match=message):
        read(root, further)


def test_a_main_scheme_of_environments_wants_them_of_every_trait(root):
    with pytest.raises(UserError, match="key splits: found scheme 'cv2' for protein"):
        read(root, [], scheme="cv2")


def test_table_puts_schemes_side_by_side():
    rows = [
        {"trait": "oil", "model": model, "label": model.upper(), "scheme": scheme, "seed": seed,
         "metric": metric, "value": value + seed, "role": role}
        for scheme, value in (("random", 1.0), ("given", 3.0))
        for model, role in (("mean", "model"), ("gblup", "model"), ("csafm.zero", "control"))
        for seed in (0, 1)
        for metric in ("R2", "coverage90", "PCC", "parameters")
    ]  # fmt: skip
    rows[-1]["value"] = np.nan
    table = scheme_table(pd.DataFrame(rows))
    assert table.columns.tolist() == ["trait", "model", "scheme", "metric", "mean", "sd", "splits"]
    assert table.groupby("model", sort=False).size().to_dict() == {"MEAN": 6, "GBLUP": 6}
    first = table[table.model == "MEAN"]
    assert first.scheme.tolist() == ["random"] * 3 + ["given"] * 3
    assert first.metric.tolist() == ["PCC", "coverage90", "R2"] * 2
    assert first["mean"].tolist() == [1.5] * 3 + [3.5] * 3
    assert (table.splits == 2).all() and np.allclose(table.sd, np.sqrt(0.5))
