# Which models are asked why, and the files of their answers. No rules here.
WHY = f"{RESULTS}/interpretation"
EXPLAINED = [(trait, model) for trait, models in ASKED.items() for model in models]
SCANNED = list(TRAITS) if INTERPRETATION.get("gwas") else []
COMPARED = [(trait, model) for trait, model in EXPLAINED if trait in SCANNED]
EXPLAINED_ATTENTION = [
    fit
    for fit in FITS
    if (fit["trait"], fit["model"]) in EXPLAINED
    and (fit["scheme"], fit["role"]) == (SCHEME, "model")
    and MODELS[fit["model"]]["attention"]
]
# Recovery of known QTL is asked of the models, and of the scans as their yardstick.
FOUND = EXPLAINED + [(trait, "gwas") for trait in SCANNED]
INTERPRETED = [
    *(expand(f"{WHY}/{{table}}.tsv", table=["fits", "chromosomes"]) if EXPLAINED else []),
    *([f"{WHY}/attention.tsv"] if EXPLAINED_ATTENTION else []),
    *([f"{WHY}/gwas_summary.tsv"] if SCANNED else []),
    *([f"{WHY}/overlap.tsv"] if COMPARED else []),
    *([f"{WHY}/qtl_recovery.tsv"] if QTL else []),
    *([f"{RESULTS}/report/figures/qtl_recovery.png"] if QTL else []),
    *[
        f"{RESULTS}/report/figures/manhattan_{trait}.png"
        for trait in (TRAITS if INTERPRETATION else [])
    ],
]


def names_asked(method):
    """Regular expression of the models that are asked in one way."""
    names = dict.fromkeys(model for _, model in EXPLAINED)
    return any_of(name for name in names if interpretation_plan.method_of(MODELS[name]) == method)


def explained_fits(wildcards):
    """The fits of a model asked why, seed by seed."""
    return [fit for fit in fits_of(wildcards.trait) if fit["model"] == wildcards.model]


def explained_files(name):
    """Input function: a file of each fit of a model asked why."""
    return lambda wildcards: [
        f"{RESULTS}/{fit['folder']}/{name}" for fit in explained_fits(wildcards)
    ]


def importance_tables():
    """Outputs of a model asked why, by name."""
    folder = f"{WHY}/importance/{{trait}}/{{model}}"
    return {name: f"{folder}/{name}.tsv" for name in ("snps", "windows", "chromosomes", "fits")}


def snps_or_scan(trait, model):
    """The table of importance of a model, or the scan of a trait."""
    if model == "gwas":
        return f"{WHY}/gwas/{trait}.tsv"
    return f"{WHY}/importance/{trait}/{model}/snps.tsv"
