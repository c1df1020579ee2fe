# Which fits there are, and their files. No rules here: training, evaluation and report share it.
PAPER_TABLES = {"oil": "table1_oil", "protein": "table2_protein"}
TABLES = {
    trait: f"{RESULTS}/evaluation/tables/{PAPER_TABLES.get(trait, f'table_{trait}')}.tsv"
    for trait in TRAITS
}
TRAIT_OF_TABLE = {Path(path).stem: trait for trait, path in TABLES.items()}
CIM_NAME = "hic" if LIBRARIES else "expected"
FIT_TABLES = ["predictions", "history", "metrics", "cost"]
FITS = [
    {
        **plan,
        "label": MODELS[plan["model"]]["label"],
        "scheme": SCHEME,
        "seed": seed,
        "preset": MODELS[plan["model"]]["preset"],
        "cim": CIM_NAME if MODELS[plan["model"]]["cim"] == "real" else MODELS[plan["model"]]["cim"],
    }
    for plan in PLAN
    for seed in SEEDS
]
VARIANT_TABLES = {
    table: rows
    for table, rows in experiments.VARIANT_TABLES.items()
    if SETTINGS["evaluation"]["paper_tables"]
    and any(table in experiments.tables_of(models) for models in TRAIT_MODELS.values())
}
CONTROLLED = sorted({(fit["trait"], fit["base"]) for fit in FITS if fit["role"] == "control"})
# Networks of Table 3, and traits with a model whose attention can be drawn.
COSTED = [
    name
    for name in dict.fromkeys(fit["model"] for fit in FITS if fit["role"] == "model")
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
        if TUNING and MODELS[fit["base"]]["kind"] == "network" and MODELS[fit["base"]]["tuning"]
    }
)


def fits_of(trait, *roles):
    """The fits of one trait, in table order: the study's models unless other roles are named."""
    return [fit for fit in FITS if fit["trait"] == trait and fit["role"] in (roles or ("model",))]


def fit_files(trait, name, *roles):
    """The file `name` of each fit of a trait, in the order of `fits_of`."""
    return [
        f"{RESULTS}/training/{trait}/{fit['model']}/seed{fit['seed']}/{name}"
        for fit in fits_of(trait, *roles)
    ]


def names_like(attention, seeds_per_job):
    """Regular expression of the models of one kind; one that matches nothing if there are none."""
    names = [
        re.escape(name)
        for name, block in MODELS.items()
        if (block["attention"], block["seeds_per_job"]) == (attention, seeds_per_job)
    ]
    return "|".join(names) or "(?!)"


def cim_of(wildcards):
    """The CIM that a model takes, as a list of none or one file."""
    kind = MODELS[wildcards.model]["cim"]
    if kind == "none":
        return []
    return [f"{RESULTS}/contacts/cim{'' if kind == 'real' else f'_{kind}'}.tsv"]


def tuned_of(wildcards):
    """The parameters that the search for a fit's base model found, as a list of none or one file."""
    wanted = (wildcards.trait, wildcards.model)
    base = next(plan["base"] for plan in PLAN if (plan["trait"], plan["model"]) == wanted)
    if (wildcards.trait, base) not in TUNED:
        return []
    return [f"{RESULTS}/training/{wildcards.trait}/{base}/tuning/best.yaml"]


def names_tuned():
    """Regular expression of the models that are searched; one that matches nothing if none are."""
    return "|".join(sorted({re.escape(model) for _, model in TUNED})) or "(?!)"


def block_of(model):
    """What decides a fit of a model: its block without the space of a search."""
    return {key: value for key, value in MODELS[model].items() if key != "tuning"}


def sources_of(model):
    """Digest of all code that a model's fit runs."""
    return source_digest("fit_model", f"soyfold.models.{MODELS[model]['module']}")


def fit_outputs(model, seed, attention):
    """Outputs of a fit by name: lists, since the seeds may share a job."""
    folders = [f"{RESULTS}/training/{{trait}}/{model}/seed{s}" for s in seed]
    names = [f"{name}.tsv" for name in FIT_TABLES] + ["checkpoint.npz"]
    names += ["attention.tsv"] if attention else []
    return {Path(name).stem: [f"{folder}/{name}" for folder in folders] for name in names}
