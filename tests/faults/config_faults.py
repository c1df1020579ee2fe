"""Faults of the study file and of names that become files, and results that belong elsewhere."""

import yaml
from fault import Fault
from tiny_road import LIBRARIES, ROOT, TRAITS, VCF

# What a shell would run, what a path would lead out of, what Snakemake would fill in.
HOSTILE = ("x; touch y", "$(touch y)", "`touch y`", "../x", "a b", "x|y", "{seed}", "-x", "")


def at(*keys, value):
    """A fault of one value of the config, by its keys."""

    def spoil(study):
        place = study.config
        for key in keys[:-1]:
            place = place.setdefault(key, {})
        place[keys[-1]] = value

    return spoil


def model_named(name):
    """A fault of a model's name in a models file of the user's own."""

    def spoil(study):
        models = yaml.safe_load((ROOT / "config" / "models.yaml").read_text())
        models["models"][name] = {"extends": "gblup"}
        study.path("models.yaml").write_text(yaml.safe_dump(models))
        study.config["training"] |= {"models_file": "models.yaml", "models": ["mean", name]}

    return spoil


def models_file(text):
    """A fault of a whole models file."""

    def spoil(study):
        study.path("models.yaml").write_text(text)
        study.config["training"]["models_file"] = "models.yaml"

    return spoil


def gone(name):
    """A fault of a file that isn't there."""
    return lambda study: study.path(name).unlink()


def _config(name, spoil, *said, mended=""):
    return Fault(name, "config", "config", spoil, said, mended=mended)


def _hostile():
    """Names that a shell or a path would take for something else."""
    for name in HOSTILE:
        shown = repr(name)
        yield _config(f"study named {shown}", at("study", value=name), "key study", shown)
        yield _config(f"model named {shown}", model_named(name), "models.yaml")
        if name:
            yield _config(
                f"trait named {shown}",
                lambda s, name=name: s.edit(TRAITS, "oil\t", f"{name}\t"),
                "key trait",
                shown,
            )
            yield _config(
                f"library named {shown}",
                lambda s, name=name: s.edit(LIBRARIES, "leaf\t", f"{name}\t"),
                "key library",
                shown,
            )
            yield _config(
                f"chromosome named {shown}",
                lambda s, name=name: s.edit("chromosomes.tsv", "Gm03\t", f"{name}\t"),
                "chromosomes.tsv",
                shown,
            )


FAULTS = [
    _config("config: an unknown key", at("genotypes", "filter", value={}), "unknown key 'filter'"),
    _config(
        "config: a URL of genotypes without format: brapi",
        at("genotypes", "file", value="https://a.b/brapi/v2?variantSetDbId=1"),
        "key genotypes.file",
        "a file, or a URL with format: brapi",
    ),
    _config(
        "config: a token in the URL of a BrAPI server",
        at("genotypes", value={"file": "https://a.b/brapi/v2?token=x", "format": "brapi"}),
        "key genotypes.file",
        "a secret in the URL (token)",
        "name that as token_env",
    ),
    _config("config: a wrong type", at("splits", "seeds", value="many"), "splits.seeds", "'many'"),
    _config(
        "config: no splits at all", at("splits", "seeds", value=0), "splits.seeds", "at least 1"
    ),
    _config(
        "config: a threshold above 1",
        at("genotypes", "filters", value={"sample_missing": 10}),
        "sample_missing",
        "10",
    ),
    _config("config: a negative memory", at("imputation", "memory_gb", value=-1), "memory_gb"),
    _config(
        "config: an unknown model", at("training", "models", value=["resnet"]), "'resnet'", "csafm"
    ),
    _config(
        "config: a misspelt model",
        at("training", "models", value=["mean", "gbulp"]),
        "study.yaml, key training.models: found model 'gbulp'",
        "write gblup",
        mended="blamed on models.yaml, with its 50 names",
    ),
    _config(
        "traits: a misspelt model",
        lambda s: s.write(
            TRAITS, [f"{s.lines(TRAITS)[0]}\tmodels", f"{s.lines(TRAITS)[1]}\tgbulp"]
        ),
        "traits.tsv, trait oil, column models: found model 'gbulp'",
        "write gblup",
        mended="blamed on models.yaml, with its 50 names",
    ),
    _config(
        "config: a model twice", at("training", "models", value=["mean", "mean"]), "training.models"
    ),
    _config(
        "config: a misspelt parameter of a model",
        at("training", "parameters", value={"gblup": {"ridge_lamda": 1.0}}),
        "training.parameters.gblup",
        "unknown key 'ridge_lamda'",
        "write ridge_lambda",
    ),
    _config(
        "config: an endless number",
        at("training", "parameters", value={"gblup": {"ridge_lambda": float("inf")}}),
        "training.parameters.gblup key ridge_lambda",
        "found inf",
        mended="late: in the fit",
    ),
    _config(
        "selection: a misspelt trait in the index",
        at("selection", value={"index": {"weights": {"oli": 1}}}),
        "key selection.index: found trait 'oli' in weights",
        "write oil",
    ),
    _config(
        "selection: a model without SNP effects",
        at("selection", value={"model": "mean"}),
        "key selection.model: found model 'mean'",
        "gblup",
    ),
    _config(
        "selection: a genetic map that isn't there",
        at("selection", value={"crosses": {"genetic_map": "map.tsv"}}),
        "map.tsv, selection.crosses.genetic_map: found no such file",
    ),
    _config("selection: ten per cent as 10", at("share", value=10), "key share", "found 10"),
    _config("config: an unknown scheme", at("splits", "scheme", value="loo"), "'loo'", "kfold"),
    _config(
        "config: a group of families that is none",
        at("cohort", "families", value={"pattern": "DS("}),
        "cohort.families.pattern",
    ),
    _config("config: a missing genotype file", gone(VCF), VCF, "no such file"),
    _config("config: a missing traits sheet", gone(TRAITS), TRAITS, "no such file"),
    _config("config: a missing libraries sheet", gone(LIBRARIES), LIBRARIES, "no such file"),
    _config(
        "config: a missing chromosome table",
        gone("chromosomes.tsv"),
        "chromosomes.tsv",
        "no such file",
    ),
    _config(
        "config: a missing models file", at("training", "models_file", value="no.yaml"), "no.yaml"
    ),
    _config(
        "model of lines in environments on a scheme of lines",
        at("training", "models", value=["gblup", "reaction_norm"]),
        "key splits",
        "'reaction_norm', which predicts lines in environments",
        "cv1, cv2, leave_environment_out",
    ),
    _config(
        "known traits: one that no other is learnt with",
        lambda s: s.config["training"].update(
            models=["multi_trait_gblup"],
            parameters={"multi_trait_gblup": {"known_traits": ["oil"]}},
        ),
        "model multi_trait_gblup, parameter known_traits",
        "trait 'oil'",
        "none: no traits share a group",
    ),
    _config(
        "transfer: a target that is no trait",
        at("evaluation", "transfer", value={"targets": ["oill"], "models": ["gblup"]}),
        "key evaluation.transfer.targets",
        "trait 'oill'",
    ),
    _config(
        "transfer: a target that is learnt beside nothing",
        at("evaluation", "transfer", value={"targets": ["oil"], "models": ["gblup"]}),
        "key evaluation.transfer.targets",
        "trait 'oil', which shares its group with no other",
        "traits of a group",
    ),
    _config(
        "transfer: no target",
        at("evaluation", "transfer", value={"targets": [], "models": ["gblup"]}),
        "key evaluation.transfer",
    ),
    _config("models file: empty", models_file(""), "models.yaml", mended="traceback (TypeError)"),
    _config(
        "models file: no YAML",
        models_file("models: {mean: [}"),
        "models.yaml",
        mended="traceback (yaml.ParserError)",
    ),
    _config(
        "models file: a model that extends itself",
        models_file("models: {mean: {extends: mean}}"),
        "models.yaml",
    ),
    _config(
        "models file: a module that there isn't",
        models_file("models: {mean: {module: mean}, gblup: {module: gblub}}"),
        "models.yaml, key models.gblup",
        "module 'gblub'",
        "write gblup",
        mended="unexpected FileNotFoundError",
    ),
    _config(
        "models file: a kind that the module isn't of",
        models_file("models: {mean: {module: mean}, gblup: {module: gblup, kind: network}}"),
        "models.yaml, key models.gblup.kind",
        "allowed: direct",
        mended="late: in the fit",
    ),
    _config(
        "splits of a model that isn't fitted",
        at("training", "seeds", value={"gblub": 1}),
        "key training.seeds.gblub",
        "write gblup",
    ),
    _config(
        "more splits of a model than there are",
        at("training", "seeds", value={"gblup": 3}),
        "key training.seeds.gblup",
        "at most 1",
    ),
    _config(
        "genotypes of another study, and filters of its own",
        at("genotypes", value={"from": "other.yaml", "filters": {"sample_missing": 0.2}}),
        "key genotypes.from",
        "genotypes.filters, imputation beside it",
    ),
    *_hostile(),
]
