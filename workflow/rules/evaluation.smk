# Metrics of all fits -> scores -> the paper's tables.


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
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
        gpu=0,
    params:
        fits=FITS,
        source=source_digest("collect_scores"),
    message:
        "evaluation: collecting the scores of all fits"
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
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
        gpu=0,
    params:
        trait=lambda wildcards: TRAIT_OF_TABLE[wildcards.table],
        source=source_digest("tabulate_trait"),
    message:
        "evaluation: {wildcards.table}"
    script:
        "../scripts/tabulate_trait.py"
