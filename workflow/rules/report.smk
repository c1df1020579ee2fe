# Figures of the evaluation.


def fits_of(trait):
    """The fits of one trait, in table order."""
    return [fit for fit in FITS if fit["trait"] == trait]


def fit_files(trait, name):
    """The file `name` of each fit of a trait."""
    return [
        f"{RESULTS}/training/{trait}/{fit['model']}/seed{fit['seed']}/{name}"
        for fit in fits_of(trait)
    ]


rule plot_learning_curves:
    input:
        histories=lambda wildcards: fit_files(wildcards.trait, "history.tsv"),
    output:
        png=f"{RESULTS}/report/figures/learning_curves_{{trait}}.png",
        svg=f"{RESULTS}/report/figures/learning_curves_{{trait}}.svg",
    log:
        f"{LOGS}/report/plot_learning_curves_{{trait}}.log",
    benchmark:
        f"{BENCHMARKS}/report/plot_learning_curves_{{trait}}.tsv"
    message:
        "report: learning curves of {wildcards.trait}"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
        gpu=0,
    params:
        fits=lambda wildcards: fits_of(wildcards.trait),
        source=source_digest("plot_learning_curves"),
    conda:
        "../../envs/evaluation.yaml"
    script:
        "../scripts/plot_learning_curves.py"


rule plot_predictions:
    input:
        predictions=lambda wildcards: fit_files(wildcards.trait, "predictions.tsv"),
    output:
        png=f"{RESULTS}/report/figures/predictions_{{trait}}.png",
        svg=f"{RESULTS}/report/figures/predictions_{{trait}}.svg",
    log:
        f"{LOGS}/report/plot_predictions_{{trait}}.log",
    benchmark:
        f"{BENCHMARKS}/report/plot_predictions_{{trait}}.tsv"
    message:
        "report: observed against predicted {wildcards.trait}"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
        gpu=0,
    params:
        fits=lambda wildcards: fits_of(wildcards.trait),
        unit=lambda wildcards: TRAITS[wildcards.trait]["unit"],
        source=source_digest("plot_predictions"),
    conda:
        "../../envs/evaluation.yaml"
    script:
        "../scripts/plot_predictions.py"
