# Figures of the evaluation.


rule plot_learning_curves:
    input:
        histories=lambda wildcards: fit_files(wildcards.trait, "history.tsv"),
    output:
        png=report(
            f"{RESULTS}/report/figures/learning_curves_{{trait}}.png",
            caption="../report/learning_curves.rst",
            category=CATEGORY["curves"],
            labels={"what": "Learning curves of {trait}"},
        ),
        svg=f"{RESULTS}/report/figures/learning_curves_{{trait}}.svg",
    log:
        f"{LOGS}/report/plot_learning_curves_{{trait}}.log",
    benchmark:
        f"{BENCHMARKS}/report/plot_learning_curves_{{trait}}.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=raised(1000),
        runtime=10,
        gpu=0,
    params:
        fits=lambda wildcards: fits_of(wildcards.trait),
        source=source_digest("plot_learning_curves"),
    message:
        "report: learning curves of {wildcards.trait}"
    script:
        "../scripts/plot_learning_curves.py"


rule plot_predictions:
    input:
        predictions=lambda wildcards: fit_files(wildcards.trait, "predictions.tsv"),
    output:
        png=report(
            f"{RESULTS}/report/figures/predictions_{{trait}}.png",
            caption="../report/predictions.rst",
            category=CATEGORY["results"],
            subcategory=PART["lines"],
            labels={"what": "{trait}, all models"},
        ),
        svg=f"{RESULTS}/report/figures/predictions_{{trait}}.svg",
    log:
        f"{LOGS}/report/plot_predictions_{{trait}}.log",
    benchmark:
        f"{BENCHMARKS}/report/plot_predictions_{{trait}}.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=raised(1000),
        runtime=10,
        gpu=0,
    params:
        fits=lambda wildcards: fits_of(wildcards.trait),
        unit=lambda wildcards: TRAITS[wildcards.trait]["unit"],
        source=source_digest("plot_predictions"),
    message:
        "report: observed against predicted {wildcards.trait}"
    script:
        "../scripts/plot_predictions.py"


rule plot_controls:
    input:
        table=f"{RESULTS}/evaluation/tables/controls.tsv",
    output:
        png=report(
            f"{RESULTS}/report/figures/controls.png",
            caption="../report/controls_figure.rst",
            category=CATEGORY["results"],
            subcategory=PART["controls"],
            labels={"what": "Figure"},
        ),
        svg=f"{RESULTS}/report/figures/controls.svg",
    log:
        f"{LOGS}/report/plot_controls.log",
    benchmark:
        f"{BENCHMARKS}/report/plot_controls.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=raised(1000),
        runtime=10,
        gpu=0,
    params:
        source=source_digest("plot_controls"),
    message:
        "report: the real CIM against its controls"
    script:
        "../scripts/plot_controls.py"


rule plot_comparisons:
    input:
        table=f"{RESULTS}/evaluation/tables/comparisons.tsv",
    output:
        png=report(
            f"{RESULTS}/report/figures/comparisons_{{scheme}}_{{metric}}.png",
            caption="../report/comparisons_figure.rst",
            category=CATEGORY["results"],
            subcategory=PART["comparisons"],
            labels={"what": "{metric}, {scheme}"},
        ),
        svg=f"{RESULTS}/report/figures/comparisons_{{scheme}}_{{metric}}.svg",
    log:
        f"{LOGS}/report/plot_comparisons_{{scheme}}_{{metric}}.log",
    benchmark:
        f"{BENCHMARKS}/report/plot_comparisons_{{scheme}}_{{metric}}.tsv"
    wildcard_constraints:
        metric="|".join(comparisons.HIGHER_IS_BETTER),
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=raised(1000),
        runtime=10,
        gpu=0,
    params:
        source=source_digest("plot_comparisons"),
    message:
        "report: models against the references, {wildcards.metric}, scheme {wildcards.scheme}"
    script:
        "../scripts/plot_comparisons.py"


rule plot_attention:
    input:
        cim=f"{RESULTS}/contacts/cim.tsv",
        variants=f"{RESULTS}/cohort/variants.tsv",
        attention=lambda wildcards: [
            f"{RESULTS}/{fit['folder']}/attention.tsv"
            for fit in fits_of(wildcards.trait)
            if MODELS[fit["model"]]["attention"]
        ],
    output:
        png=report(
            f"{RESULTS}/report/figures/attention_{{trait}}.png",
            caption="../report/attention.rst",
            category=CATEGORY["contacts"],
            labels={"what": "Attention, {trait}"},
        ),
        svg=f"{RESULTS}/report/figures/attention_{{trait}}.svg",
    log:
        f"{LOGS}/report/plot_attention_{{trait}}.log",
    benchmark:
        f"{BENCHMARKS}/report/plot_attention_{{trait}}.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=raised(1000),
        runtime=10,
        gpu=0,
    params:
        fits=lambda wildcards: [
            fit for fit in fits_of(wildcards.trait) if MODELS[fit["model"]]["attention"]
        ],
        source=source_digest("plot_attention"),
    message:
        "report: attention between chromosomes, {wildcards.trait}"
    script:
        "../scripts/plot_attention.py"


rule plot_tuning:
    input:
        trials=f"{RESULTS}/training/{{trait}}/{{model}}/tuning/trials.tsv",
    output:
        png=report(
            f"{RESULTS}/report/figures/tuning_{{trait}}_{{model}}.png",
            caption="../report/tuning.rst",
            category=CATEGORY["curves"],
            labels={"what": "Search for {model}, {trait}"},
        ),
        svg=f"{RESULTS}/report/figures/tuning_{{trait}}_{{model}}.svg",
    log:
        f"{LOGS}/report/plot_tuning_{{trait}}_{{model}}.log",
    benchmark:
        f"{BENCHMARKS}/report/plot_tuning_{{trait}}_{{model}}.tsv"
    wildcard_constraints:
        trait="|".join(re.escape(trait) for trait in TRAITS),
        model=names_tuned(),
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=raised(1000),
        runtime=10,
        gpu=0,
    params:
        label=lambda wildcards: MODELS[wildcards.model]["label"],
        source=source_digest("plot_tuning"),
    message:
        "report: the search for {wildcards.model}'s hyperparameters for {wildcards.trait}"
    script:
        "../scripts/plot_tuning.py"
