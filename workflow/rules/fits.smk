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
        "trait": trait,
        "model": model,
        "label": MODELS[model]["label"],
        "scheme": SCHEME,
        "seed": seed,
        "preset": MODELS[model]["preset"],
        "cim": CIM_NAME if MODELS[model]["cim"] == "real" else MODELS[model]["cim"],
    }
    for trait in TRAITS
    for model in TRAIT_MODELS[trait]
    for seed in SEEDS
]


def fits_of(trait):
    """The fits of one trait, in table order."""
    return [fit for fit in FITS if fit["trait"] == trait]


def fit_files(trait, name):
    """The file `name` of each fit of a trait."""
    return [
        f"{RESULTS}/training/{trait}/{fit['model']}/seed{fit['seed']}/{name}"
        for fit in fits_of(trait)
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


def fit_outputs(model, seed, attention):
    """Outputs of a fit by name: lists, since the seeds may share a job."""
    folders = [f"{RESULTS}/training/{{trait}}/{model}/seed{s}" for s in seed]
    names = [f"{name}.tsv" for name in FIT_TABLES] + ["checkpoint.npz"]
    names += ["attention.tsv"] if attention else []
    return {Path(name).stem: [f"{folder}/{name}" for folder in folders] for name in names}
