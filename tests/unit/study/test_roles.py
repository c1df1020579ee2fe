"""Variants of the paper's tables and control CIMs: who is fitted, and what a control changes."""

import pytest
import yaml

from soyfold.common.errors import UserError
from soyfold.study import registry, roles

ALL = ["mean", "transformer", "csafm", "cisem"]
CONTROLS = {"models": ["csafm", "cisem"], "traits": None, "permuted": 2}


def plan(models=ALL, *, paper_tables=True, controls=False, has_contacts=True, blends=None):
    return roles.plan_roles(
        {"oil": models},
        paper_tables=paper_tables,
        controls=controls,
        has_contacts=has_contacts,
        blends=blends,
    )


def names(items, role):
    return [item["model"] for item in items if item["role"] == role]


def test_every_row_of_the_tables_is_an_entry_of_models_yaml(root):
    entries = yaml.safe_load((root / "config/models.yaml").read_text())["models"]
    for rows in roles.VARIANT_TABLES.values():
        assert set(rows.values()) <= set(entries)
    for variant, base in roles.VARIANTS.items():
        assert entries[variant]["extends"] == base


def test_the_rows_are_those_that_the_paper_prints(root):
    lines = (root / "resources/paper_tables.tsv").read_text().splitlines()[1:]
    for table, rows in roles.VARIANT_TABLES.items():
        number = table.removeprefix("table")[0]
        found = {line.split("\t")[2] for line in lines if line.startswith(f"{number}\t")}
        assert found == set(rows)


def test_a_study_of_all_models_fits_the_variants_of_three_tables():
    items = plan()
    assert names(items, "model") == ALL
    assert names(items, "variant") == ["csafm_gau", "cisem_cim", "cisem_gamma0", "cisem_gamma1e-3"]
    assert names(plan(paper_tables=False), "variant") == []


@pytest.mark.parametrize(
    ("models", "tables"),
    [
        (["mean", "gblup"], []),
        (["transformer", "csafm"], ["table4_csafm"]),
        (["cisem"], ["table6_gamma"]),
        (["transformer", "cisem"], ["table5_cisem", "table6_gamma"]),
    ],
)
def test_a_table_needs_its_own_models(models, tables):
    assert roles.tables_of(models) == tables


def test_a_variant_that_the_study_fits_anyway_is_a_model_not_a_variant():
    items = plan([*ALL, "csafm_gau"])
    assert "csafm_gau" in names(items, "model")
    assert "csafm_gau" not in names(items, "variant")


def test_controls_are_every_model_under_every_other_cim():
    items = [item for item in plan(controls=CONTROLS) if item["role"] == "control"]
    kinds = ["permuted1", "permuted2", "expected", "identity", "constant", "zero"]
    assert [(i["base"], i["control"]) for i in items] == [
        (base, kind) for base in ("csafm", "cisem") for kind in kinds
    ]
    without = plan(controls=CONTROLS, has_contacts=False)
    assert "expected" not in {item["control"] for item in without}
    assert names(plan(controls={**CONTROLS, "traits": ["protein"]}), "control") == []


def test_a_control_changes_the_cim_and_nothing_that_decides_the_fit(root):
    study = {
        "training": {
            "models_file": str(root / "config/models.yaml"),
            "preset": "cpu",
            "parameters": {},
        }
    }
    blocks = registry.load_models(study, root / "workflow/schemas", ["csafm", "cisem"])
    controls = roles.control_blocks(plan(controls=CONTROLS), blocks)
    for item in plan(controls=CONTROLS):
        if item["role"] == "control":
            control, base = controls[item["model"]], blocks[item["base"]]
            assert control["cim"] == item["control"]
            changed = {key for key in base if control[key] != base[key]}
            assert changed <= {"name", "label", "cim", "seeds_per_job"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"models": ["csafn"]}, ["csafn", "key evaluation.controls.models", "csafm, cisem"]),
        ({"models": ["mean"]}, ["mean", "with cim: real"]),
        (
            {"traits": ["yield"]},
            ["yield", "key evaluation.controls.traits", "oil (traits of the study)"],
        ),
    ],
)
def test_a_control_of_nothing_is_refused(changes, said):
    cims = {"mean": "none", "csafm": "real", "cisem": "real"}
    with pytest.raises(UserError) as caught:
        roles.refuse_idle_controls({**CONTROLS, **changes}, {"oil": ALL}, cims, file="study.yaml")
    for part in said:
        assert part in str(caught.value)


BLENDS = {"mix": ["gblup", "rkhs", "nets"], "mixes": ["mix", "mean"]}


def test_members_of_blends_are_fitted_once_and_told_from_models():
    items = plan(["gblup", "mix"], blends=BLENDS)
    assert names(items, "model") == ["gblup", "mix"]
    assert names(items, "member") == ["rkhs", "nets"]
    items = plan(["mixes", "mix"], blends=BLENDS)
    assert names(items, "member") == ["mean", "gblup", "rkhs", "nets"]
    assert names(plan(["gblup"], blends=BLENDS), "member") == []
    assert roles.with_members(["mix"], BLENDS) == ["mix", *BLENDS["mix"]]


def test_a_member_that_is_fitted_as_a_variant_is_no_member_too():
    items = plan(blends={"cisem": ["cisem_cim", "rkhs"]})
    assert "cisem_cim" in names(items, "variant") and names(items, "member") == ["rkhs"]


def test_a_trait_without_group_is_its_own():
    sheet = {"oil": {"group": "quality"}, "protein": {"group": "quality"}, "yield": {}}
    groups = roles.trait_groups(sheet, file="traits.tsv")
    assert groups == {"oil": "quality", "protein": "quality", "yield": "yield"}
    with pytest.raises(UserError, match=r"traits\.tsv.*group 'oil' of trait yield"):
        roles.trait_groups({**sheet, "yield": {"group": "oil"}}, file="traits.tsv")
    assert roles.trait_groups({"oil": {"group": "oil"}}, file="x") == {"oil": "oil"}


def test_known_traits_are_learnt_together_with_others():
    groups = {"oil": "quality", "protein": "quality", "yield": "yield"}
    models = {"gblup": {"parameters": {}}, "several": {"parameters": {"known_traits": ["oil"]}}}
    roles.refuse_idle_known_traits(models, groups, file="study.yaml")
    models["several"]["parameters"]["known_traits"] = ["yield"]
    with pytest.raises(UserError, match=r"study\.yaml.*trait 'yield'.*allowed: oil, protein"):
        roles.refuse_idle_known_traits(models, groups, file="study.yaml")
    with pytest.raises(UserError, match="no traits share a group"):
        roles.refuse_idle_known_traits(models, {"yield": "yield"}, file="study.yaml")


@pytest.mark.parametrize(("chromosomes", "count"), [(1, 0), (2, 1), (3, 5), (4, 20), (20, 20)])
def test_no_more_shuffles_are_planned_than_there_are(chromosomes, count):
    found = roles.control_names(20, has_contacts=True, chromosomes=chromosomes)
    assert [n for n in found if n.startswith("permuted")] == [
        f"permuted{k}" for k in range(1, count + 1)
    ]
    assert found[-4:] == ["expected", "identity", "constant", "zero"]


def test_references_are_those_that_are_fitted():
    found = roles.choose_references(None, ["csafm", "mean", "gblup"], file="s.yaml")
    assert found == ["gblup", "mean"]
    assert roles.choose_references(["csafm"], ["csafm", "mean"], file="s.yaml") == ["csafm"]
    with pytest.raises(UserError, match=r"key evaluation\.references: found lasso; allowed: csafm"):
        roles.choose_references(["lasso"], ["csafm"], file="s.yaml")
