# Which fits there are, and their files. No rules here: training, evaluation and report share it.
PAPER_TABLES = {"oil": "table1_oil", "protein": "table2_protein"}
TABLES = {
    trait: f"{RESULTS}/evaluation/tables/{PAPER_TABLES.get(trait, f'table_{trait}')}.tsv"
    for trait in TRAITS
}
TRAIT_OF_TABLE = {Path(path).stem: trait for trait, path in TABLES.items()}
CIM_NAME = "hic" if LIBRARIES else "expected"
FIT_TABLES = ["predictions", "history", "metrics", "cost"]
SHARING = {
    "blends": BLENDS,
    "groups": GROUPS,
    "joint": [name for name, block in MODELS.items() if block["joint"]],
}
FITS = [
    {
        **fit,
        "label": MODELS[fit["model"]]["label"],
        "preset": MODELS[fit["model"]]["preset"],
        "cim": CIM_NAME if MODELS[fit["model"]]["cim"] == "real" else MODELS[fit["model"]]["cim"],
    }
    for fit in schemes.plan_fits(PLAN, SCHEMES, **SHARING)
]
# Fits on all lines, for untested ones: no table or figure of the study knows them.
FINAL_FITS = schemes.plan_final(FINAL_MODELS, PLAN, **SHARING)
ALL_FITS = FITS + FINAL_FITS
# The traits that each fit learns: several where a joint model has a group.
LEARNT = {}
for fit in ALL_FITS:
    LEARNT.setdefault((fit["home"], fit["model"], fit["split"]), []).append(fit["trait"])
VARIANT_TABLES = {
    table: rows
    for table, rows in experiments.VARIANT_TABLES.items()
    if SETTINGS["evaluation"]["paper_tables"]
    and any(table in experiments.tables_of(models) for models in TRAIT_MODELS.values())
}
CONTROLLED = sorted({(fit["trait"], fit["base"]) for fit in FITS if fit["role"] == "control"})
PERMUTED = [
    name
    for name in dict.fromkeys(fit["control"] for fit in FITS if fit["role"] == "control")
    if name.startswith("permuted")
]
# Networks of Table 3, and traits with a model whose attention can be drawn.
COSTED = [
    name
    for name in dict.fromkeys(
        plan["model"] for plan in PLAN if plan["role"] == "model" or plan["model"] == "csafm_gau"
    )
    if MODELS[name]["kind"] == "network"
]
ATTENTIVE = [
    trait for trait in TRAITS if any(MODELS[name]["attention"] for name in TRAIT_MODELS[trait])
]
TUNING = SETTINGS["training"]["tuning"]
# One search for each trait and model: its variants and controls take the same parameters.
TUNED = sorted(
    {
        (fit["trait"], fit["base"])
        for fit in FITS
        if TUNING
        and MODELS[fit["base"]]["kind"] == "network"
        and MODELS[fit["base"]]["tuning"]
        and not MODELS[fit["base"]]["joint"]
    }
)


def fits_of(trait, *roles):
    """A trait's fits on the main splits, in table order: the study's models, or the roles named."""
    return [
        fit
        for fit in FITS
        if (fit["trait"], fit["scheme"]) == (trait, SCHEME) and fit["role"] in (roles or ("model",))
    ]


def fit_files(trait, name, *roles):
    """The file `name` of each fit of a trait, in the order of `fits_of`."""
    return [f"{RESULTS}/{fit['folder']}/{name}" for fit in fits_of(trait, *roles)]


def measured_fits(trait):
    """A trait's fits on all splits of all schemes, but for those with control CIMs."""
    return [fit for fit in FITS if fit["trait"] == trait and fit["role"] != "control"]


def cells_of(fit):
    """The values by environment of a fit's split, as a list of one file; none where lines count."""
    if fit["scheme"] not in schemes.OF_ENVIRONMENTS:
        return []
    folder = f"{RESULTS}/cohort/splits/{fit['scheme']}/cells"
    return [f"{folder}/seed{fit['seed']}/{fit['trait']}.tsv"]


def counted_split(trait):
    """A main split of a trait whose rows count in one unit what is trained on and what is tested."""
    first = {"trait": trait, "scheme": SCHEME, "seed": SEEDS[0]}
    return cells_of(first) or split_file(trait, f"seed{SEEDS[0]}")


def split_file(trait, split):
    """The parts of a split (`seed3`, or `<scheme>/seed3`) for a trait."""
    return f"{RESULTS}/cohort/splits/{schemes.split_path(trait, split, main=SCHEME)}"


def split_inputs(wildcards):
    """What a scheme's splits are drawn from beside the samples, by name."""
    settings = DRAWN[wildcards.scheme]["settings"]
    stratify = settings.get("stratify")
    files = {
        "splits": settings.get("file"),
        "values": stratify and f"{RESULTS}/cohort/phenotypes/{stratify['trait']}.tsv",
        "families": wildcards.scheme == "leave_family_out" and f"{RESULTS}/cohort/samples.tsv",
        "clusters": wildcards.scheme == "cluster" and f"{RESULTS}/cohort/clusters.tsv",
        "cells": wildcards.scheme in schemes.OF_ENVIRONMENTS
        and f"{RESULTS}/cohort/environments/{wildcards.trait}.tsv",
    }
    return {name: file for name, file in files.items() if file}


def names_like(attention, seeds_per_job):
    """Regular expression of the models of one kind; one that matches nothing if there are none."""
    return any_of(
        name
        for name, block in MODELS.items()
        if (block["attention"], block["seeds_per_job"]) == (attention, seeds_per_job)
        and block["kind"] != "blend"
    )


def any_of(names):
    """Regular expression of some names; one that matches nothing if there are none."""
    return "|".join(map(re.escape, names)) or "(?!)"


def learnt_of(splits, wildcards):
    """The traits that a fit job learns; wildcards.trait is a group where the model is joint."""
    return LEARNT[wildcards.trait, wildcards.model, splits[0].format(**wildcards)]


def phenotypes_of(splits, wildcards):
    """Values of the traits that a fit job learns."""
    return [f"{RESULTS}/cohort/phenotypes/{trait}.tsv" for trait in learnt_of(splits, wildcards)]


def names_of(splits, wildcards):
    """The traits that a joint model learns together in a fit job; none for a lone trait's fit."""
    return [] if wildcards.trait in TRAITS else learnt_of(splits, wildcards)


def members_of(splits, wildcards):
    """Predictions of a blend's members, split by split."""
    folders = {
        (fit["model"], fit["split"]): fit["folder"]
        for fit in ALL_FITS
        if fit["trait"] == wildcards.trait
    }
    return [
        f"{RESULTS}/{folders[member, split]}/predictions.tsv"
        for split in splits
        for member in MODELS[wildcards.model]["members"]
    ]


def cim_of(wildcards):
    """The CIM that a model takes, as a list of none or one file."""
    kind = MODELS[wildcards.model]["cim"]
    if kind == "none":
        return []
    return [f"{RESULTS}/contacts/cim{'' if kind == 'real' else f'_{kind}'}.tsv"]


def tuned_of(wildcards):
    """The parameters that the search for a fit's base model found, as a list of none or one file."""
    wanted = (wildcards.trait, wildcards.model)
    base = next(fit["base"] for fit in ALL_FITS if (fit["home"], fit["model"]) == wanted)
    if (wildcards.trait, base) not in TUNED:
        return []
    return [f"{RESULTS}/training/{wildcards.trait}/{base}/tuning/best.yaml"]


def kernel_folder(trait, split):
    """Folder of the decompositions over a split's lines."""
    parts = schemes.split_path(trait, split, main=SCHEME)
    return f"{RESULTS}/training/kernels/{parts.removesuffix('.tsv')}"


def kernels_of(splits, wildcards):
    """The decompositions that a fit job takes; most models take none."""
    block = MODELS[wildcards.model]
    return [
        f"{kernel_folder(wildcards.trait, split.format(**wildcards))}/{kernel}_{part}.npz"
        for split in splits
        for kernel in kernel_names.kernels_of(block)
        for part in kernel_names.parts_of(block)
    ]


def products_of(wildcards):
    """The products of all lines for a model that takes them, as a list of none or one file."""
    taken = kernel_names.takes_products(MODELS[wildcards.model])
    return [f"{RESULTS}/cohort/products.npy"] if taken else []


def names_tuned():
    """Regular expression of the models that are searched; one that matches nothing if none are."""
    return "|".join(sorted({re.escape(model) for _, model in TUNED})) or "(?!)"


def memory_of(model):
    """Memory that a fit of a model takes, in MB."""
    return 16000 if MODELS[model]["preset"] == "paper" else 4000


def block_of(model):
    """What decides a fit of a model: its block without the space of a search."""
    return {key: value for key, value in MODELS[model].items() if key != "tuning"}


def fit_block(splits, wildcards):
    """The block of a fit job: that of the model, or of its final fit."""
    final = splits[0].format(**wildcards).startswith(f"{schemes.FINAL}/")
    block = block_of(wildcards.model)
    return experiments.final_block(block) if final else block


def sources_of(model):
    """Digest of all code that a model's fit runs."""
    return source_digest("fit_model", f"soyfold.models.{MODELS[model]['module']}")


def split_files(splits, wildcards):
    """The parts of each split of a fit job."""
    trait = learnt_of(splits, wildcards)[0]
    return [split_file(trait, split.format(**wildcards)) for split in splits]


def seeds_of(splits, wildcards):
    """The seed of each split of a fit job."""
    return [int(split.format(**wildcards).rpartition("seed")[2]) for split in splits]


def fit_outputs(model, splits, attention):
    """Outputs of a fit job by name: lists, since splits may share a job."""
    folders = [f"{RESULTS}/training/{{trait}}/{model}/{split}" for split in splits]
    names = [f"{name}.tsv" for name in FIT_TABLES] + ["checkpoint.npz"]
    names += ["attention.tsv"] if attention else []
    return {Path(name).stem: [f"{folder}/{name}" for folder in folders] for name in names}


def scheme_splits(scheme):
    """The splits of a scheme, as folders name them: `seed3`, or `<scheme>/seed3`."""
    folder = "" if scheme == SCHEME else f"{scheme}/"
    return [f"{folder}seed{seed}" for seed in DRAWN[scheme]["seeds"]]


def fit_jobs():
    """Kinds of fit jobs: one split, or a scheme's splits together; models with attention or not."""
    for attention in (False, True):
        stem = f"fit_{'attention_' if attention else ''}model"
        alone, together = (f"{{model,{names_like(attention, n)}}}" for n in ("one", "all"))
        shared = {"attention": attention}
        yield {**shared, "rule": stem, "model": alone, "splits": ["{split}"], "name": "{split}"}
        for scheme in DRAWN:
            folder = "" if scheme == SCHEME else f"{scheme}/"
            yield {
                **shared,
                "rule": f"{stem}_{scheme if folder else 'seeds'}",
                "model": together,
                "splits": scheme_splits(scheme),
                "name": f"{folder}all_seeds",
            }


def split_losses():
    """Scheme and file of each table of lines without a part."""
    for scheme, entry in SCHEMES.items():
        folder = f"{RESULTS}/cohort/splits/{scheme}/losses"
        for seed in entry["seeds"]:
            if scheme in schemes.OF_ENVIRONMENTS:
                for trait in entry["traits"]:
                    yield scheme, f"{folder}/seed{seed}/{trait}.tsv"
            else:
                yield scheme, f"{folder}/seed{seed}.tsv"


def new_file(wildcards):
    """Genotypes of the new lines; an error that says how to name them where there are none."""
    if SETTINGS["new_genotypes"] is None:
        raise WorkflowError(
            "found no new_genotypes; allowed: a VCF, PLINK bed, HapMap or marker table;"
            " to mend: snakemake predict --config new_genotypes=FILE"
        )
    return SETTINGS["new_genotypes"]


def final_of(trait, model):
    """The final fit of a model that learns a trait, alone or in a group."""
    return next(fit for fit in FINAL_FITS if (fit["trait"], fit["model"]) == (trait, model))


def learnt_finally(wildcards):
    """Unit by trait of what a final fit learns, in the order of its outputs."""
    learnt = LEARNT[wildcards.home, wildcards.model, f"{schemes.FINAL}/seed0"]
    return {trait: TRAITS[trait]["unit"] for trait in learnt}


def saved_members(wildcards):
    """Saved models of the members of a blend."""
    fits = [final_of(wildcards.home, name) for name in MODELS[wildcards.model]["members"]]
    return [f"{RESULTS}/prediction/models/{fit['home']}/{fit['model']}.npz" for fit in fits]
