# Metrics and measures of all fits -> scores -> the paper's tables, costs, models compared, controls.
from soyfold.study.settings import shipped


rule measure_trait:
    input:
        predictions=study.evaluation.predictions,
        cells=study.evaluation.cells,
        families=study.inputs.families_table,
    output:
        measures=f"{study.results}/evaluation/measures/{{trait}}.tsv",
        intervals=f"{study.results}/evaluation/intervals/{{trait}}.tsv.gz",
    log:
        f"{study.logs}/evaluation/measure_trait/{{trait}}.log",
    conda:
        "../../envs/evaluation.yaml"
    resources:
        **study.resources(),
    params:
        fits=study.evaluation.measured,
        better=lambda wildcards: study.traits[wildcards.trait]["better"] or "high",
        level=study.settings["evaluation"]["interval_level"],
        kind=lambda wildcards: study.fits.kind_of(wildcards.trait),
        source=study.source("measure_trait"),
    message:
        "evaluation: agreement, selection and intervals of {wildcards.trait}"
    script:
        "../scripts/measure_trait.py"


rule collect_scores:
    input:
        estimates=study.fits.files(study.fits.all, "estimates.tsv"),
        measures=expand(f"{study.results}/evaluation/measures/{{trait}}.tsv", trait=study.traits),
    output:
        scores=f"{study.results}/evaluation/scores.tsv",
    log:
        f"{study.logs}/evaluation/collect_scores.log",
    conda:
        "../../envs/evaluation.yaml"
    resources:
        **study.resources(),
    params:
        fits=study.fits.all,
        source=study.source("collect_scores"),
    message:
        "evaluation: collecting the scores of all fits"
    script:
        "../scripts/collect_scores.py"


rule tabulate_trait:
    input:
        scores=f"{study.results}/evaluation/scores.tsv",
        paper=shipped("resources/paper_tables.tsv"),
    output:
        table=f"{study.results}/evaluation/tables/{{table}}.tsv",
    log:
        f"{study.logs}/evaluation/tabulate_{{table}}.log",
    wildcard_constraints:
        table=study.any_of(study.evaluation.traits),
    conda:
        "../../envs/evaluation.yaml"
    resources:
        **study.resources(),
    params:
        trait=lambda wildcards: study.evaluation.traits[wildcards.table],
        heritability=study.evaluation.heritability,
        scheme=study.scheme,
        source=study.source("tabulate_trait"),
    message:
        "evaluation: {wildcards.table}"
    script:
        "../scripts/tabulate_trait.py"


rule tabulate_variants:
    input:
        scores=f"{study.results}/evaluation/scores.tsv",
        paper=shipped("resources/paper_tables.tsv"),
    output:
        table=f"{study.results}/evaluation/tables/{{table}}.tsv",
    log:
        f"{study.logs}/evaluation/tabulate_{{table}}.log",
    wildcard_constraints:
        table=study.any_of(study.evaluation.variants),
    conda:
        "../../envs/evaluation.yaml"
    resources:
        **study.resources(),
    params:
        variants=lambda wildcards: study.evaluation.variants[wildcards.table],
        scheme=study.scheme,
        number=study.evaluation.number,
        source=study.source("tabulate_variants"),
    message:
        "evaluation: {wildcards.table}"
    script:
        "../scripts/tabulate_variants.py"


rule tabulate_schemes:
    input:
        scores=f"{study.results}/evaluation/scores.tsv",
    output:
        table=f"{study.results}/evaluation/tables/schemes.tsv",
    log:
        f"{study.logs}/evaluation/tabulate_schemes.log",
    conda:
        "../../envs/evaluation.yaml"
    resources:
        **study.resources(),
    params:
        source=study.source("tabulate_schemes"),
    message:
        "evaluation: the validation schemes side by side"
    script:
        "../scripts/tabulate_schemes.py"


rule compare_models:
    input:
        scores=f"{study.results}/evaluation/scores.tsv",
    output:
        table=f"{study.results}/evaluation/tables/comparisons.tsv",
    log:
        f"{study.logs}/evaluation/compare_models.log",
    conda:
        "../../envs/evaluation.yaml"
    resources:
        **study.resources(minutes=30),
    params:
        references=study.references,
        source=study.source("compare_models"),
    message:
        "evaluation: every model against {params.references}"
    script:
        "../scripts/compare_models.py"


# One job, so that all networks are measured on the same machine, one after the other.
rule measure_cost:
    input:
        dosage=f"{study.results}/cohort/dosage.npy",
        variants=f"{study.results}/cohort/variants.tsv",
        cim=f"{study.results}/contacts/cim.tsv",
        paper=shipped("resources/paper_tables.tsv"),
    output:
        table=f"{study.results}/evaluation/tables/table3_cost.tsv",
    log:
        f"{study.logs}/evaluation/measure_cost.log",
    conda:
        "../../envs/training.yaml"
    threads: 4 if any(map(study.fits.is_large, study.evaluation.costed)) else 1
    resources:
        **study.resources(
            max(map(study.fits.memory_of, study.evaluation.costed), default=0),
            minutes=120,
            gpu=max([study.models[name]["gpu"] for name in study.evaluation.costed], default=0),
        ),
    params:
        blocks=[study.fits.labelled(name) for name in study.evaluation.costed],
        source=study.source("measure_cost", *study.evaluation.costed),
    message:
        "evaluation: what the networks cost"
    script:
        "../scripts/measure_cost.py"


rule compare_controls:
    input:
        scores=f"{study.results}/evaluation/scores.tsv",
        split=study.evaluation.controlled_split,
        cim=f"{study.results}/contacts/cim.tsv",
        permuted=expand(
            f"{study.results}/contacts/cim_{{name}}.tsv", name=study.evaluation.permuted
        ),
    output:
        table=f"{study.results}/evaluation/tables/controls.tsv",
    log:
        f"{study.logs}/evaluation/compare_controls.log",
    conda:
        "../../envs/evaluation.yaml"
    resources:
        **study.resources(),
    params:
        controlled=study.evaluation.controlled,
        permuted=study.evaluation.permuted,
        scheme=study.scheme,
        source=study.source("compare_controls"),
    message:
        "evaluation: the real CIM against its controls"
    script:
        "../scripts/compare_controls.py"


rule compare_hypotheses:
    input:
        scores=study.hypotheses.scores,
        split=study.hypotheses.first_split,
    output:
        table=f"{study.results}/evaluation/tables/hypotheses.tsv",
    log:
        f"{study.logs}/evaluation/compare_hypotheses.log",
    conda:
        "../../envs/evaluation.yaml"
    resources:
        **study.resources(),
    params:
        source=study.source("compare_hypotheses"),
    message:
        "evaluation: hypotheses against none and against their copies"
    script:
        "../scripts/compare_hypotheses.py"


rule compare_transfer:
    input:
        scores=study.transfer.scores,
        split=study.transfer.first_split,
    output:
        table=study.transfer.table,
    log:
        f"{study.logs}/evaluation/compare_transfer.log",
    conda:
        "../../envs/evaluation.yaml"
    resources:
        **study.resources(),
    params:
        labels=study.transfer.labels,
        source=study.source("compare_transfer"),
    message:
        "evaluation: traits learnt from few lines, alone and beside others"
    script:
        "../scripts/compare_transfer.py"
