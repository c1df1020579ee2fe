# Which fits there are, and their files. No rules here: training, evaluation and report share it.
PAPER_TABLES = {"oil": "table1_oil", "protein": "table2_protein"}
TABLES = {
    trait: f"{RESULTS}/evaluation/tables/{PAPER_TABLES.get(trait, f'table_{trait}')}.tsv"
    for trait in TRAITS
}
TRAIT_OF_TABLE = {Path(path).stem: trait for trait, path in TABLES.items()}
CIM_NAME = "hic" if LIBRARIES else "expected"
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
