# Metrics and measures of all fits -> scores -> the paper's tables, costs, models compared, controls.


rule measure_trait:
    input:
        predictions=lambda wildcards: [
            f"{RESULTS}/{fit['folder']}/predictions.tsv" for fit in measured_fits(wildcards.trait)
        ],
        cells=lambda wildcards: sum(map(cells_of, measured_fits(wildcards.trait)), []),
    output:
        measures=f"{RESULTS}/evaluation/measures/{{trait}}.tsv",
        intervals=f"{RESULTS}/evaluation/intervals/{{trait}}.tsv.gz",
    log:
        f"{LOGS}/evaluation/measure_trait/{{trait}}.log",
    benchmark:
        f"{BENCHMARKS}/evaluation/measure_trait/{{trait}}.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=raised(1000),
        runtime=10,
        gpu=0,
    params:
        fits=lambda wildcards: [
            {**fit, "cells": cells_of(fit)} for fit in measured_fits(wildcards.trait)
        ],
        better=lambda wildcards: TRAITS[wildcards.trait]["better"] or "high",
        level=SETTINGS["evaluation"]["interval_level"],
        source=source_digest("measure_trait"),
    message:
        "evaluation: selection by predicted {wildcards.trait}, and prediction intervals"
    script:
        "../scripts/measure_trait.py"


rule collect_scores:
    input:
        metrics=[f"{RESULTS}/{fit['folder']}/metrics.tsv" for fit in FITS],
        measures=expand(f"{RESULTS}/evaluation/measures/{{trait}}.tsv", trait=TRAITS),
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
        mem_mb=raised(1000),
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
        paper=settings.shipped("resources/paper_tables.tsv"),
    output:
        table=f"{RESULTS}/evaluation/tables/{{table}}.tsv",
    log:
        f"{LOGS}/evaluation/tabulate_{{table}}.log",
    benchmark:
        f"{BENCHMARKS}/evaluation/tabulate_{{table}}.tsv"
    wildcard_constraints:
        table="|".join(map(re.escape, TRAIT_OF_TABLE)),
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=raised(1000),
        runtime=10,
        gpu=0,
    params:
        trait=lambda wildcards: TRAIT_OF_TABLE[wildcards.table],
        heritability=lambda wildcards: TRAITS[TRAIT_OF_TABLE[wildcards.table]]["heritability"],
        scheme=SCHEME,
        source=source_digest("tabulate_trait"),
    message:
        "evaluation: {wildcards.table}"
    script:
        "../scripts/tabulate_trait.py"


rule tabulate_variants:
    input:
        scores=f"{RESULTS}/evaluation/scores.tsv",
        paper=settings.shipped("resources/paper_tables.tsv"),
    output:
        table=f"{RESULTS}/evaluation/tables/{{table}}.tsv",
    log:
        f"{LOGS}/evaluation/tabulate_{{table}}.log",
    benchmark:
        f"{BENCHMARKS}/evaluation/tabulate_{{table}}.tsv"
    wildcard_constraints:
        table="|".join(map(re.escape, VARIANT_TABLES)) or "(?!)",
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=raised(1000),
        runtime=10,
        gpu=0,
    params:
        variants=lambda wildcards: VARIANT_TABLES[wildcards.table],
        scheme=SCHEME,
        number=lambda wildcards: int(re.match(r"table(\d)_", wildcards.table)[1]),
        source=source_digest("tabulate_variants"),
    message:
        "evaluation: {wildcards.table}"
    script:
        "../scripts/tabulate_variants.py"


rule tabulate_schemes:
    input:
        scores=f"{RESULTS}/evaluation/scores.tsv",
    output:
        table=f"{RESULTS}/evaluation/tables/schemes.tsv",
    log:
        f"{LOGS}/evaluation/tabulate_schemes.log",
    benchmark:
        f"{BENCHMARKS}/evaluation/tabulate_schemes.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=raised(1000),
        runtime=10,
        gpu=0,
    params:
        source=source_digest("tabulate_schemes"),
    message:
        "evaluation: the validation schemes side by side"
    script:
        "../scripts/tabulate_schemes.py"


rule compare_models:
    input:
        scores=f"{RESULTS}/evaluation/scores.tsv",
    output:
        table=f"{RESULTS}/evaluation/tables/comparisons.tsv",
    log:
        f"{LOGS}/evaluation/compare_models.log",
    benchmark:
        f"{BENCHMARKS}/evaluation/compare_models.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=raised(1000),
        runtime=30,
        gpu=0,
    params:
        references=REFERENCES,
        source=source_digest("compare_models"),
    message:
        "evaluation: every model against {params.references}"
    script:
        "../scripts/compare_models.py"


# One job, so that all networks are measured on the same machine, one after the other.
rule measure_cost:
    input:
        dosage=f"{RESULTS}/cohort/dosage.npy",
        variants=f"{RESULTS}/cohort/variants.tsv",
        cim=f"{RESULTS}/contacts/cim.tsv",
        paper=settings.shipped("resources/paper_tables.tsv"),
    output:
        table=f"{RESULTS}/evaluation/tables/table3_cost.tsv",
    log:
        f"{LOGS}/evaluation/measure_cost.log",
    benchmark:
        f"{BENCHMARKS}/evaluation/measure_cost.tsv"
    conda:
        "../../envs/training.yaml"
    threads: 4 if any(MODELS[name]["preset"] == "paper" for name in COSTED) else 1
    resources:
        mem_mb=raised(max([memory_of(name) for name in COSTED], default=0)),
        runtime=120,
        gpu=max([MODELS[name]["gpu"] for name in COSTED], default=0),
    params:
        blocks=[block_of(name) for name in COSTED],
        source=source_digest(
            "measure_cost", *[f"soyfold.models.{MODELS[name]['module']}" for name in COSTED]
        ),
    message:
        "evaluation: what the networks cost"
    script:
        "../scripts/measure_cost.py"


rule compare_controls:
    input:
        scores=f"{RESULTS}/evaluation/scores.tsv",
        split=counted_split(CONTROLLED[0][0] if CONTROLLED else ""),
        cim=f"{RESULTS}/contacts/cim.tsv",
        permuted=[f"{RESULTS}/contacts/cim_{name}.tsv" for name in PERMUTED],
    output:
        table=f"{RESULTS}/evaluation/tables/controls.tsv",
    log:
        f"{LOGS}/evaluation/compare_controls.log",
    benchmark:
        f"{BENCHMARKS}/evaluation/compare_controls.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=raised(1000),
        runtime=10,
        gpu=0,
    params:
        controlled=CONTROLLED,
        permuted=PERMUTED,
        scheme=SCHEME,
        source=source_digest("compare_controls"),
    message:
        "evaluation: the real CIM against its controls"
    script:
        "../scripts/compare_controls.py"
