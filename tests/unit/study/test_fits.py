"""soyfold.study.fits and kernels: which fits a study has, and what their jobs take and give."""

import re
from collections import Counter
from types import SimpleNamespace as Wildcards
from unittest import mock

import pytest
from loaded_study import load_demo
from snakemake.io import regex_from_filepattern

SCHEMES = {
    "splits": {
        "seeds": 2,
        "further": [
            {"scheme": "kfold", "seeds": 4, "models": ["mean", "csafm_joint", "gblup_rkhs"]},
            {"scheme": "cv1", "seeds": 3},
        ],
    },
    "training": {"models": ["mean", "gblup", "rkhs", "cnn", "gblup_rkhs", "csafm_joint"]},
    "evaluation": {"controls": False, "paper_tables": False},
    "interpretation": False,
}
TUNED = {
    "training": {"models": ["gblup", "cnn", "csafm"], "tuning": {"trials": 5}},
    "evaluation": {"controls": {"models": ["csafm"]}},
}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Two traits of one group, three schemes, a blend and a joint model."""
    return load_demo(SCHEMES, sheet=tmp_path_factory.mktemp("sheet") / "traits.tsv")


@pytest.fixture(scope="module")
def demo():
    return load_demo()


def test_the_demos_fits_are_models_variants_and_controls_on_every_split(demo):
    counts = Counter((fit["trait"], fit["role"]) for fit in demo.fits.all)
    # Tables 4 to 6 have four variants; two models, each with three permuted CIMs and four others;
    # CV2 has three fits.
    assert counts == {
        ("oil", "model"): 30, ("oil", "variant"): 12,
        ("protein", "model"): 30 + 3, ("protein", "variant"): 12, ("protein", "control"): 2 * 7 * 3,
    }  # fmt: skip
    assert len({fit["folder"] for fit in demo.fits.all}) == len(demo.fits.all)
    assert {fit["cim"] for fit in demo.fits.all if fit["role"] == "model"} == {"none", "hic"}


def test_further_schemes_fit_their_own_models_and_what_these_weigh(study):
    on = {
        scheme: {fit["model"] for fit in study.fits.all if fit["scheme"] == scheme}
        for scheme in study.schemes
    }
    assert on["kfold"] == {"mean", "csafm_joint", "gblup_rkhs", "gblup", "rkhs"}
    assert on["cv1"] == {"mean", "gblup"}
    # Only protein has environments.
    assert {fit["trait"] for fit in study.fits.all if fit["scheme"] == "cv1"} == {"protein"}
    assert [fit["split"] for fit in study.fits.of("oil") if fit["model"] == "mean"] == [
        "seed0", "seed1",
    ]  # fmt: skip


def test_a_joint_model_shares_its_fits_and_learns_both_traits(study):
    folders = {fit["folder"] for fit in study.fits.all if fit["model"] == "csafm_joint"}
    assert folders == {f"training/seed/csafm_joint/seed{k}" for k in range(2)} | {
        f"training/seed/csafm_joint/kfold/seed{k}" for k in range(4)
    }
    assert study.fits.learnt["seed", "csafm_joint", "kfold/seed3"] == ["oil", "protein"]
    assert len(study.report.costs) == len(set(study.report.costs)) < len(study.fits.all)


def job_of(study, name):
    """The one kind of job of a rule."""
    jobs = [*study.fits.jobs, *study.fits.blend_jobs]
    return next(job for job in jobs if job.rule == name)


def test_each_fit_is_made_by_one_kind_of_job(study):
    """A wildcard path for each output, and no two rules for one file."""
    jobs = [*study.fits.jobs, *study.fits.blend_jobs]
    splits = "|".join(study.drawn)
    for fit in study.fits.all + study.fits.final:
        path = f"{study.results}/{fit['folder']}/predictions.tsv"
        makers = []
        for job in jobs:
            for output in job.outputs["predictions"]:
                pattern = output.replace(".", r"\.").replace("{trait}", "[^/]+")
                pattern = re.sub(r"\{model,(.*?)\}", r"(?:\1)", pattern)
                pattern = pattern.replace("{split}", rf"(?:(?:{splits})/)?seed\d+")
                if re.fullmatch(pattern, path):
                    makers.append(job.rule)
        assert len(makers) == 1, (path, makers)


def test_a_job_of_a_schemes_seeds_takes_and_gives_one_file_a_seed(study):
    job, wildcards = job_of(study, "fit_direct_kfold"), Wildcards(trait="oil", model="gblup")
    assert job.splits(wildcards) == [f"kfold/seed{k}" for k in range(4)]
    assert job.seeds(wildcards) == [0, 1, 2, 3]
    assert job.split_files(wildcards) == [
        f"{study.results}/cohort/splits/kfold/seed{k}.tsv" for k in range(4)
    ]
    assert {name: len(files) for name, files in job.outputs.items()} == {
        "predictions": 4, "history": 4, "estimates": 4, "cost": 4, "checkpoint": 4,
    }  # fmt: skip
    kernels = job.kernels(wildcards)
    assert kernels[0] == f"{study.results}/training/kernels/kfold/seed0/additive_train.npz"
    assert job.together(wildcards) == [] and job.phenotypes(wildcards) == [
        f"{study.results}/cohort/phenotypes/oil.tsv"
    ]


def test_schemes_of_environments_have_a_split_for_each_trait(study):
    job, wildcards = job_of(study, "fit_direct_cv1"), Wildcards(trait="protein", model="gblup")
    assert job.split_files(wildcards)[2] == f"{study.results}/cohort/splits/cv1/seed2/protein.tsv"
    (path,) = {path for path in job.kernels(wildcards) if "seed2" in path and "train." in path}
    assert path == f"{study.results}/training/kernels/cv1/seed2/protein/additive_train.npz"


def test_a_joint_job_takes_the_phenotypes_of_its_group(study):
    job = job_of(study, "fit_attention_network")
    wildcards = Wildcards(trait="seed", model="csafm_joint", split="kfold/seed1")
    assert job.together(wildcards) == ["oil", "protein"]
    assert [path.rsplit("/", 1)[1] for path in job.phenotypes(wildcards)] == [
        "oil.tsv", "protein.tsv",
    ]  # fmt: skip
    assert "attention" in job.outputs and "attention" not in job_of(study, "fit_network").outputs


def test_a_blend_reads_its_members_split_by_split(study):
    job, wildcards = job_of(study, "fit_blend_kfold"), Wildcards(trait="oil", model="gblup_rkhs")
    assert job.members(wildcards) == [
        f"{study.results}/training/oil/{member}/kfold/seed{k}/predictions.tsv"
        for k in range(4)
        for member in ("gblup", "rkhs")
    ]
    assert re.fullmatch(job.models, "gblup_rkhs") and not re.fullmatch(job.models, "gblup")


def test_a_final_fit_learns_from_all_lines_and_no_table_knows_it(study):
    assert {fit["split"] for fit in study.fits.final} == {"final/seed0"}
    assert not any(fit["scheme"] == "final" for fit in study.fits.all)
    job, wildcards = job_of(study, "fit_network"), Wildcards(trait="oil", model="cnn")
    wildcards.split = "final/seed0"
    assert job.block(wildcards)["parameters"]["refit"] is True
    wildcards.split = "seed0"
    assert not {"tuning", "label"} & set(job.block(wildcards))
    assert job.block(wildcards)["parameters"].get("refit", False) is False


def test_a_search_is_one_for_a_model_and_its_controls(demo):
    study = load_demo(TUNED)
    assert study.fits.tuned == [(t, m) for t in ("oil", "protein") for m in ("cnn", "csafm")]
    assert re.fullmatch(study.fits.tuned_names, "csafm")
    best = [f"{study.results}/training/protein/csafm/tuning/best.yaml"]
    for model in ("csafm", "csafm.zero"):
        wildcards = Wildcards(trait="protein", model=model)
        assert study.fits.tuned_parameters(wildcards) == best
    assert study.fits.tuned_parameters(Wildcards(trait="protein", model="gblup")) == []
    assert study.fits.search["trials"] == 5
    assert demo.fits.tuned == [] and demo.fits.tuned_names == "(?!)"


def test_a_model_takes_its_own_cim(demo):
    def cim(model):
        return demo.fits.cim(Wildcards(model=model))

    assert cim("cnn") == [] and cim("csafm") == [f"{demo.results}/contacts/cim.tsv"]
    assert cim("csafm.permuted2") == [f"{demo.results}/contacts/cim_permuted2.tsv"]


def test_kernels_go_when_all_that_read_them_are_fitted(study):
    notes = study.kernels.released(final=False) + study.kernels.released(final=True)
    assert notes == [f"{folder}/released.tsv" for folder in study.kernels.readers]
    assert study.kernels.released(final=True) == [
        f"{study.results}/training/kernels/final/seed0/released.tsv"
    ]
    read = study.kernels.read(Wildcards(parts="kfold/seed1"))
    assert sorted(read) == sorted(
        f"{study.results}/training/{trait}/{model}/kfold/seed1/predictions.tsv"
        for trait in ("oil", "protein")
        for model in ("gblup", "rkhs")
    )
    kept = load_demo({"training": {"keep_kernels": True}})
    assert kept.kernels.released(final=False) == kept.kernels.released(final=True) == []


def test_a_model_of_fewer_splits_is_fitted_on_the_first_of_each_scheme_with_its_controls():
    limits = {"gblup": 1, "csafm": 2}
    whole, study = load_demo(), load_demo({"training": {"seeds": limits}})
    expected = [
        fit
        for fit in whole.fits.all
        if fit["seed"] < limits.get(fit["model"], limits.get(fit["base"], 99))
    ]
    assert study.fits.all == expected and len(expected) < len(whole.fits.all)
    assert {fit["seed"] for fit in study.fits.all if fit["base"] == "csafm"} == {0, 1}
    # What a job gives is what is asked of it: each fit has one job, and no job another fit.
    asked = {f"results/demo/{fit['folder']}/predictions.tsv" for fit in study.fits.all}
    given = [path for job in study.fits.jobs for path in _given(job, study)]
    assert sorted(given) == sorted(asked)
    wildcards = Wildcards(trait="oil", model="gblup")
    asked = study.interpretation.files("checkpoint.npz")(wildcards)
    assert [int(path[-16]) for path in asked] == study.interpretation.seeds(wildcards) == [0]


def _given(job, study):
    """Predictions of the study's fits that the patterns of a job's outputs name."""
    paths = [f"results/demo/{fit['folder']}/predictions.tsv" for fit in study.fits.all]
    for pattern in job.outputs["predictions"]:
        whole = re.compile(regex_from_filepattern(pattern))
        yield from (path for path in paths if whole.fullmatch(path))


def test_small_controls_of_a_model_share_a_job_and_larger_ones_have_their_own(demo):
    (job,) = (job for job in demo.fits.jobs if job.rule == "fit_controls")
    wildcards = Wildcards(trait="protein", model="cisem")
    blocks, cims = job.block(wildcards), job.cim(wildcards)
    kinds = [path.partition("/cim_")[2].removesuffix(".tsv") for path in cims]
    assert [block["name"] for block in blocks.values()] == [f"cisem.{kind}" for kind in kinds]
    assert len({*cims}) == 7 and job.learnt(wildcards) == ["protein"]
    # Outputs stand model by model, as the script hands them out.
    given = [path.replace("{model,csafm|cisem}", "cisem") for path in job.outputs["attention"]]
    assert [path.split("/")[4] for path in given] == [
        name for name in blocks for _ in job.seeds(wildcards)
    ]
    own = next(job for job in demo.fits.jobs if job.rule == "fit_attention_network_seeds")
    assert own.block(Wildcards(trait="protein", model="cisem", split="seed0"))["cim"] == "real"
    larger = load_demo({"training": {"preset": "cpu"}})
    assert "fit_controls" not in {job.rule for job in larger.fits.jobs}
    assert re.fullmatch(job_of(larger, "fit_attention_network_seeds").models, "cisem.zero")


def test_weights_go_to_the_models_that_take_them_and_rerun_no_others(demo):
    models = [*demo.settings["training"]["models"], "gblup_rkhs"]
    demo = load_demo({"training": {"models": models}, "splits": {"further": []}})
    job = next(job for job in demo.fits.jobs if job.rule.startswith("fit_direct"))

    def given():
        return [job.weights(Wildcards(model=name)) for name in ("gblup", "mean", "gblup_rkhs")]

    assert given() == ["off"] * 3 and demo.fits.unweighted == []
    with mock.patch.dict(demo.settings["training"], weights="records"):
        assert given() == ["records", "records", "off"]
        assert demo.fits.unweighted == ["gblup_rkhs"] and "csafm" in demo.models


def test_the_kind_goes_to_the_models_that_have_a_loss_for_it(demo):
    job = next(job for job in demo.fits.jobs if job.rule == "fit_direct_seeds")

    def given():
        return [job.kind(Wildcards(trait="oil", model=name)) for name in ("lightgbm", "gblup")]

    assert given() == ["quantitative"] * 2
    with mock.patch.dict(demo.traits["oil"], kind="binary"):
        assert given() == ["binary", "quantitative"]


def test_networks_are_told_the_kind_of_each_trait_that_they_learn(study):
    alone, together = (job_of(study, f"fit_{name}network") for name in ("", "attention_"))
    one = Wildcards(trait="oil", model="cnn", split="seed0")
    group = Wildcards(trait="seed", model="csafm_joint", split="seed0")

    def given():
        return [alone.kind(one), together.kind(group)]

    assert given() == ["quantitative"] * 2
    with mock.patch.dict(study.traits["oil"], kind="ordinal"):
        assert given() == ["ordinal", ["ordinal", "quantitative"]]
