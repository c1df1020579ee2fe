# Metrics of all fits -> scores -> the paper's tables.
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


rule collect_scores:
    input:
        metrics=[
            f"{RESULTS}/training/{fit['trait']}/{fit['model']}/seed{fit['seed']}/metrics.tsv"
            for fit in FITS
        ],
    output:
        scores=f"{RESULTS}/evaluation/scores.tsv",
    log:
        f"{LOGS}/evaluation/collect_scores.log",
    benchmark:
        f"{BENCHMARKS}/evaluation/collect_scores.tsv"
    message:
        "evaluation: collecting the scores of all fits"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
        gpu=0,
    params:
        fits=FITS,
        source=source_digest("collect_scores"),
    conda:
        "../../envs/evaluation.yaml"
    script:
        "../scripts/collect_scores.py"


rule tabulate_trait:
    input:
        scores=f"{RESULTS}/evaluation/scores.tsv",
        paper="resources/paper_tables.tsv",
    output:
        table=f"{RESULTS}/evaluation/tables/{{table}}.tsv",
    log:
        f"{LOGS}/evaluation/tabulate_{{table}}.log",
    benchmark:
        f"{BENCHMARKS}/evaluation/tabulate_{{table}}.tsv"
    message:
        "evaluation: {wildcards.table}"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
        gpu=0,
    params:
        trait=lambda wildcards: TRAIT_OF_TABLE[wildcards.table],
        source=source_digest("tabulate_trait"),
    conda:
        "../../envs/evaluation.yaml"
    script:
        "../scripts/tabulate_trait.py"
